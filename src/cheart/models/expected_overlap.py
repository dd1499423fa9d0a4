"""The label maps whose expected Dice is highest, from what is likely in each voxel.

The zero of an expected distance is no good answer where much is open: bodies that move by unknown amounts come out too
small, because where a surface lies outwards as often as inwards a voxel is labelled by less than half of the hearts
long before nobody has it. The expected Dice of a set A is about 2 Σ_A p / (|A| + Σ p), which is highest for the voxels
with p above half of that highest value. Of several structures a voxel goes to the one whose Dice gains most by it.
"""

from __future__ import annotations

import numpy as np

from cheart.labels import LV, MYO, RV
from cheart.models.fields import BODIES, Array

ROUNDS = 4
"""Rounds after which sets and their Dice agree."""

NOWHERE = 3.0
"""So many standard deviations outside all bodies a voxel is nobody's."""

LEAST = np.float32(1e-3)
"""So far from a surface, in mm, is what was decided against the distance."""

LOGISTIC = 1.702
"""The logistic function of 1.702 x is the normal distribution of x to within 0.01."""


def probabilities(standard: Array) -> Array:
    """Probabilities [3, n] of LV cavity, wall and RV cavity.

    Args:
        standard: distances from LV cavity, LV with wall, and RV cavity in standard deviations, [3, n].
    """
    lv, epi, rv = 1 / (1 + np.exp(np.clip(LOGISTIC * standard, -30, 30)))
    lv = np.minimum(lv, epi)
    return np.stack([lv, epi - lv, np.minimum(rv, 1 - epi)])


def most_overlap(likely: Array) -> np.ndarray:
    """The labels [n] uint8 of voxels whose mean Dice is expected to be highest, from probabilities [3, n]."""
    total = likely.sum(axis=1, dtype=np.float64)
    size, overlap = total.copy(), np.full(3, 0.8)
    chosen: list[np.ndarray] = []
    for _ in range(ROUNDS):
        gains = [
            (2 * p - np.float32(o)) / np.float32(n + t + 1e-6)
            for p, o, n, t in zip(likely, overlap, size, total, strict=True)
        ]
        best = np.maximum(np.maximum(gains[0], gains[1]), gains[2])
        lv = (gains[0] == best) & (best > 0)
        wall = (gains[1] == best) & (best > 0) & ~lv
        chosen = [lv, wall, (best > 0) & ~lv & ~wall]
        size = np.array([np.count_nonzero(mine) for mine in chosen], float)
        shared = np.array([p.dot(mine) for p, mine in zip(likely, chosen, strict=True)], float)
        overlap = 2 * shared / np.maximum(size + total, 1e-6)
    return np.asarray(LV * chosen[0] + MYO * chosen[1] + RV * chosen[2], np.uint8)


def likely_surface(standard: Array) -> np.ndarray:
    """Label maps [R, Y, X] uint8 of most overlap, of distances [R, 3, Y, X] as :func:`probabilities` takes them."""
    near = standard.min(axis=1) < NOWHERE
    out = np.zeros(near.shape, np.uint8)
    out[near] = most_overlap(probabilities(np.stack([standard[:, k][near] for k in range(3)])))
    return out


def nearest_surface(distance: Array) -> np.ndarray:
    """Label maps [R, Y, X] uint8 of distances [R, 3, Y, X] from the three bodies: where they are negative."""
    out = np.zeros(distance[:, 0].shape, np.uint8)
    out[distance[:, 2] < 0] = RV
    out[distance[:, 1] < 0] = MYO
    out[(distance[:, 0] < 0) & (distance[:, 1] < 0)] = LV
    return out


def as_fields(labels: np.ndarray, distance: Array) -> Array:
    """Distances [3, R, Y, X] whose bodies are those of label maps [R, Y, X], for the read-out; else as they were.

    Args:
        labels: what was decided.
        distance: from the three bodies, [R, 3, Y, X].
    """
    out = np.empty((len(BODIES), *labels.shape), np.float32)
    for k, body in enumerate(BODIES):
        inside = np.logical_or.reduce([labels == structure for structure in body])
        sign = np.where(inside, np.float32(-1), np.float32(1))
        np.multiply(sign, np.maximum(sign * distance[:, k], LEAST), out=out[k])
    return out
