"""The label maps whose expected Dice is highest, from what is likely in each voxel.

The zero of an expected distance is no good answer where much is open: bodies that move by unknown amounts come out too
small, because where a surface lies outwards as often as inwards a voxel is labelled by less than half of the hearts
long before nobody has it. The expected Dice of a set A is about 2 Σ_A p / (|A| + Σ p), which is highest for the voxels
with p above half of that highest value. Of several structures a voxel goes to the one whose Dice gains most by it.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import find_objects, label

from cheart.labels import LV, MYO, RV
from cheart.models.fields import Array

ROUNDS = 4
"""Rounds after which sets and their Dice agree."""

NOWHERE = 3.0
"""So many standard deviations outside all bodies a voxel is nobody's."""

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


def as_hearts_are(labels: np.ndarray) -> np.ndarray:
    """Label maps [R, Y, X], base last, with a wall around the LV cavity, and without holes and islands.

    The cavity is open to background towards the base alone. What it would touch elsewhere becomes wall, as does what
    the heart encloses; of LV with wall, and of the RV, the largest piece stays.
    """
    spans = [np.flatnonzero(labels.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    if not spans[0].size:
        return labels
    box = tuple(slice(int(s[0]), int(s[-1]) + 1) for s in spans)
    frame = np.pad(labels[box], 1)
    _keep_largest(frame, (LV,), MYO)
    for axis in range(3):
        for step in (-1, 1):
            beside = np.roll(frame == LV, step, axis)
            open_to = (frame == RV) if (axis, step) == (0, 1) else (frame == RV) | (frame == 0)
            frame[beside & open_to] = MYO
    outside, _ = label(frame == 0)
    frame[(frame == 0) & (outside != outside[0, 0, 0])] = MYO
    for body in ((LV, MYO), (RV,)):
        _keep_largest(frame, body, 0)
    grown = tuple(slice(max(s.start - 1, 0), min(s.stop + 1, n)) for s, n in zip(box, labels.shape, strict=True))
    inner = tuple(slice(g.start - s.start + 1, g.stop - s.start + 1) for g, s in zip(grown, box, strict=True))
    labels[grown] = frame[inner]
    return labels


def _keep_largest(frame: np.ndarray, body: tuple[int, ...], otherwise: int) -> None:
    """Give all pieces of a body but the largest another label."""
    for box in find_objects(np.isin(frame, body).view(np.uint8)):
        pieces, count = label(np.isin(frame[box], body), np.ones((3, 3, 3), bool))
        if count > 1:
            sizes = np.bincount(pieces.ravel())
            sizes[0] = 0
            frame[box][(pieces > 0) & (pieces != sizes.argmax())] = otherwise
