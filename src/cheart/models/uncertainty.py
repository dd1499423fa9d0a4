"""How wrong a prediction of motion is on hearts that it was not fitted to: over a heart, and on its surfaces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.models.heart_frame import PLANE, interpolation
from cheart.models.plane_features import HEIGHTS, Wide
from cheart.models.planes import PlaneData, PlaneRepresentation

ZONES = np.array([0, 0.25, 0.5, 0.75, 0.9, 1.05])
"""Relative heights between which a surface's standard deviation is interpolated."""

BAND_MM = 6.0
"""So near to a surface errors of distances count: they are errors of its place."""

LEAST_SD_MM = 0.7
"""About what the modes leave."""

ROWS = 600
"""Planes that standard deviations are measured on, at most."""


def residual_axes(
    data: PlaneData, rows: list[tuple[Wide, NDArray[np.bool_]]], heart: NDArray[np.intp], left: Wide, most: int
) -> Wide:
    """E [Q, heights, C]: principal axes of hearts' errors, each as long as its standard deviation.

    Args:
        data: training subjects.
        rows: of each, which planes have a row in ``left``.
        heart: whose a row is, [n].
        left: errors [n, C] of predictions by hearts left out.
        most: Q at most.
    """
    found = []
    for i, (subject, (_, seen)) in enumerate(zip(data.subjects, rows, strict=True)):
        if seen.any():
            found.append((interpolation(HEIGHTS, subject.relative[seen]) @ left[heart == i]).ravel())
    errors = np.stack(found)
    values, vectors = np.linalg.eigh(errors @ errors.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = min(most, int((values > 1e-8 * values[0]).sum()))
    return np.asarray(vectors[:, :keep].T @ errors / np.sqrt(len(errors))).reshape(keep, len(HEIGHTS), -1)


def surface_sd(
    planes: PlaneRepresentation,
    data: PlaneData,
    seen: list[NDArray[np.bool_]],
    expected: Wide,
    left: Wide,
    curves: Wide,
) -> Wide:
    """Standard deviations [zones, 3, T] in mm of the place of surfaces.

    Args:
        planes: the modes.
        data: training subjects.
        seen: of each, which planes have a row.
        expected: predictions by hearts left out, [n, J·M].
        left: their errors, [n, J·M].
        curves: [J, T].
    """
    anatomy = np.concatenate([s.anatomy[which] for s, which in zip(data.subjects, seen, strict=True)])
    height = np.concatenate([s.relative[which] for s, which in zip(data.subjects, seen, strict=True)])
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
