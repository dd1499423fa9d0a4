"""How wrong a prediction of motion is on hearts that it was not fitted to: over a heart, and on its surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.metrics.proper_scores import conformal_quantile
from cheart.models.heart_frame import PLANE, interpolation
from cheart.models.plane_features import HEIGHTS, Wide
from cheart.models.planes import PlaneData, PlaneRepresentation, areas_mm2
from cheart.models.volume_ranges import VolumeRanges

ZONES = np.array([0, 0.25, 0.5, 0.75, 0.9, 1.05])
"""Relative heights between which a surface's standard deviation is interpolated."""

BAND_MM = 6.0
"""So near to a surface errors of distances count: they are errors of its place."""

LEAST_SD_MM = 0.7
"""About what the modes leave."""

ROWS = 600
"""Planes that standard deviations are measured on, at most."""

HEARTS, DRAWS = 100, 32
"""Hearts, at most, and samples of each, by which intervals are made as wide as they should be."""

LEAST_HEARTS = 10
"""With fewer hearts nothing is calibrated."""

MOST_OUT_MM = 3.0

LEVEL, WITHIN = 0.9, 1.6449
"""Intervals hold this share of the truth, which of a normal distribution lies within so many standard deviations."""


@dataclass(frozen=True)
class Rows:
    """Whose planes the rows of a regression are.

    Attributes:
        heart: of each row, its number, [n].
        seen: of each heart, the planes that have a row, [P] bool.
    """

    heart: NDArray[np.intp]
    seen: list[NDArray[np.bool_]]


def residual_axes(data: PlaneData, rows: Rows, left: Wide, most: int) -> Wide:
    """E [Q, heights, C]: principal axes of hearts' errors, each as long as its standard deviation.

    Args:
        data: training subjects.
        rows: whose planes the rows of ``left`` are.
        left: errors [n, C] of predictions by hearts left out.
        most: Q at most.
    """
    found = []
    for i, (subject, seen) in enumerate(zip(data.subjects, rows.seen, strict=True)):
        if seen.any():
            found.append((interpolation(HEIGHTS, subject.relative[seen]) @ left[rows.heart == i]).ravel())
    errors = np.stack(found)
    values, vectors = np.linalg.eigh(errors @ errors.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = min(most, int((values > 1e-8 * values[0]).sum()))
    return np.asarray(vectors[:, :keep].T @ errors / np.sqrt(len(errors))).reshape(keep, len(HEIGHTS), -1)


def combined_axes(axes: Wide, other: Wide, share: float) -> Wide:
    """Principal axes of a share of one covariance and the rest of another, as many as ``other`` has at most.

    Args:
        axes: [Q, heights, C], each as long as its standard deviation.
        other: [R, heights, C], the same.
        share: of the first, 0 to 1.
    """
    both = np.concatenate([np.sqrt(share) * axes, np.sqrt(1 - share) * other])
    rows = both.reshape(len(both), -1)
    _, vectors = np.linalg.eigh(rows @ rows.T)
    return np.asarray((vectors[:, ::-1][:, : len(other)].T @ rows).reshape(-1, *both.shape[1:]))


def surface_sd(
    planes: PlaneRepresentation,
    data: PlaneData,
    rows: Rows,
    expected: Wide,
    left: Wide,
    curves: Wide,
) -> Wide:
    """Standard deviations [zones, 3, T] in mm of the place of surfaces.

    Args:
        planes: the modes.
        data: training subjects.
        rows: whose planes the rows of the next two are.
        expected: predictions by hearts left out, [n, J·M].
        left: their errors, [n, J·M].
        curves: [J, T].
    """
    anatomy = np.concatenate([s.anatomy[which] for s, which in zip(data.subjects, rows.seen, strict=True)])
    height = np.concatenate([s.relative[which] for s, which in zip(data.subjects, rows.seen, strict=True)])
    some = np.unique(np.linspace(0, len(height) - 1, min(ROWS, len(height))).astype(int))
    weights = interpolation(height[some], ZONES).T.astype(np.float64)
    first = (planes.mean + anatomy[some] @ planes.anatomy).reshape(-1, *PLANE)
    shape = (len(some), len(curves), -1)
    out = np.empty((len(ZONES), PLANE[0], curves.shape[1]))
    for t, at in enumerate(curves.T):
        moved, wrong = (
            (np.einsum("j,pjm->pm", at, c[some].reshape(shape)).astype(np.float32) @ planes.motion).reshape(-1, *PLANE)
            for c in (expected, left)
        )
        near = np.abs(first + moved) < BAND_MM
        squares, count = ((weights @ (v * near).sum(axis=(2, 3))) for v in (np.square(wrong), np.ones_like(wrong)))
        out[:, :, t] = np.sqrt(squares / np.maximum(count, 1.0))
    return np.maximum(out, LEAST_SD_MM)


def calibrate(
    planes: PlaneRepresentation, data: PlaneData, rows: Rows, expected: Wide, left: Wide, axes: Wide, curves: Wide
) -> tuple[Wide, Wide, int]:
    """By how much samples' end-systolic bodies are too small, and their volumes too much alike.

    What is off of a heart goes with what it is expected to do, which independent draws do not know: on average their
    bodies come out some mL smaller than the left-out hearts' own, until their surfaces are moved out.

    Args:
        planes: the modes.
        data: training subjects.
        rows: whose planes the rows of the next two are.
        expected: predictions by hearts left out, [n, J·M].
        left: their errors, [n, J·M].
        axes: E, [Q, heights, J·M].
        curves: [J, T].

    Returns:
        By how many mm to move each body's surface out, [3]; by which factor the volumes of LV and RV lie too near to
        their mean, [2]: the conformal quantile (Vovk et al. 2005) of left-out hearts' distance from their samples'
        mean, in standard deviations of the samples, over that of a normal distribution; and the frame of both.
    """
    squares = np.square(expected).reshape(len(expected), len(curves), -1).sum(axis=(0, 2))
    frame = int((np.square(curves).T @ squares).argmax())
    some = np.unique(np.linspace(0, len(data.subjects) - 1, min(HEARTS, len(data.subjects))).astype(int))
    rng, found, full = np.random.default_rng(0), [], []
    for i in (i for i in some if rows.seen[i].sum() > 1):
        own, subject, seen = rows.heart == i, data.subjects[i], rows.seen[i]
        thick = np.gradient(subject.below_base[seen].astype(np.float64)) / 1000
        first = planes.mean + subject.anatomy[seen] @ planes.anatomy
        heights, q = interpolation(subject.relative[seen], HEIGHTS), rng.standard_normal((DRAWS, len(axes)))
        volumes = []
        for wrong in (left[own], *(heights @ np.tensordot(one, axes, axes=1) for one in q)):
            numbers = (expected[own] + wrong).reshape(len(first), len(curves), -1)
            change = np.tensordot(curves[:, frame], numbers, axes=(0, 1)).astype(np.float32) @ planes.motion
            fields = (first + change).reshape(-1, *PLANE)
            volumes.append([thick @ areas_mm2(fields - mm) for mm in (0.0, 1.0)])
        found.append(volumes)
        full.append(thick @ areas_mm2(first.reshape(-1, *PLANE)))
    if len(found) < LEAST_HEARTS:
        return np.zeros(PLANE[0]), np.ones(2), frame
    every = np.array(found)  # [hearts, 1 + draws, 2, 3]
    truth, grown = every[:, 0, 0], (every[:, 1:, 1] - every[:, 1:, 0]).mean(axis=(0, 1))
    samples = _balanced(every[:, 1:, 0], np.array(full)[:, None], planes.ranges, rng)
    out = ((truth - samples.mean(axis=1)).mean(axis=0) / np.maximum(grown, 1e-6)).clip(-MOST_OUT_MM, MOST_OUT_MM)
    off = np.abs(truth - samples.mean(axis=1) - out * grown) / np.maximum(samples.std(axis=1, ddof=1), 1e-6)
    return out, conformal_quantile(off[:, [0, 2]], LEVEL) / WITHIN, frame


def _balanced(samples: Wide, full: Wide, ranges: VolumeRanges, rng: np.random.Generator) -> Wide:
    """Samples of end-systolic volumes [hearts, draws, 3], given that both ventricles eject as much as each other.

    As :func:`cheart.models.motion_evidence.of_volumes` has it of q: here by the ensemble Kalman update (Evensen 1994).

    Args:
        samples: mL, of LV cavity, LV with its wall, RV cavity.
        full: the same at end-diastole, [hearts, 1, 3].
        ranges: by how much stroke volumes differ in hearts.
        rng: of the difference.
    """
    strokes = full - samples
    apart = strokes[..., 0] - strokes[..., 2]
    sd = ranges.stroke_sd(strokes[..., 0], strokes[..., 2])
    along = (samples - samples.mean(axis=1, keepdims=True)) * (apart - apart.mean(axis=1, keepdims=True))[..., None]
    gain = along.mean(axis=1) / (apart.var(axis=1) + np.square(sd).mean(axis=1))[:, None]
    return samples + gain[:, None] * (sd * rng.standard_normal(sd.shape) - apart)[..., None]
