"""Slices taken at different breath-holds, put back in line within their planes.

Each short-axis slice of a clinical cine is taken at a breath-hold of its own, and the heart lies a few millimetres
elsewhere in each. The axis of a heart bends smoothly: what is left of its slices' centroids beside a smooth line is
taken for the breath-holds.

Let c_k be the centroid of LV cavity and wall in slice k at height z_k. The line f minimises

    Σ_k w_k |c_k − f(z_k)|² + λ ∫ |f''(z)|² dz

(a cubic smoothing spline; Green & Silverman, *Nonparametric Regression and Generalized Linear Models*, 1994), the
weights small for small slices and for those far off the line. λ = :data:`STIFFNESS_MM3` leaves alone the axis of hearts
of which no slice is displaced: the mean shape of the UK Digital Heart Project lies 0.13 mm off its smooth line (root
mean square), 100 shapes of the MESA cohort (Zhang et al., PLoS ONE 9:e110243, 2014) 0.2 mm in the median and 0.7 mm at
most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_smoothing_spline

from cheart.align.pose import RigidTransform
from cheart.labels import LV, MYO

STIFFNESS_MM3 = 300.0
"""λ: of nine slices 10 mm apart, the line follows five degrees of freedom."""

MIN_SLICES = 5
"""Of fewer slices no line can be told from their displacements."""

MAX_SHIFT_MM = 20.0
"""What is further off than this no breath displaced: it is left where it is."""

UNTOUCHED_MM = 0.75
"""A heart whose slices are no further off the line than this (root mean square over their area) is in line already."""

_PARTIAL = 0.6  # of the area of the next slice towards the apex: above the valve's plane there is no ring, only a part
_ROUNDS = 20


def slice_shifts(
    labels: NDArray[np.uint8], affine: NDArray[np.floating], transform: RigidTransform
) -> NDArray[np.float64] | None:
    """How far each slice is to be moved within its plane so that the slices fit one another.

    Basal slices that hold but a part of the wall stay, as slices without LV and wall do. The centroid of LV and wall
    over all slices stays where it is, so that the pose does.

    Args:
        labels: [Z, Y, X] canonical labels at ED, slices along Z and parallel to the template's planes.
        affine: 4×4, voxel (x, y, z) to world mm.
        transform: world mm to template mm (:func:`cheart.align.pose.find_pose`).

    Returns:
        [Z, 2] mm along the template's x and y; None where the slices are in line, or too few to tell.
    """
    body = (labels == LV) | (labels == MYO)
    area = body.sum((1, 2)).astype(float)
    full = np.flatnonzero(area)
    middles = np.array([[*np.argwhere(body[k]).mean(0)[::-1], k, 1.0] for k in full]).reshape(-1, 4)
    at = transform.apply((middles @ np.asarray(affine, float).T)[:, :3])
    up = np.argsort(at[:, 2])
    whole = up[: _whole_slices(area[full[up]])]
    if len(whole) < MIN_SLICES:
        return None
    off = _off_line(at[whole, 2], at[whole, :2], area[full[whole]])
    far = np.hypot(*off.T)
    if np.sqrt(np.average(far**2, weights=area[full[whole]])) <= UNTOUCHED_MM:
        return None
    shifts = np.zeros((len(labels), 2))
    shifts[full[whole]] = np.where(far[:, None] > MAX_SHIFT_MM, 0.0, -off)
    shifts[full] -= np.average(shifts[full], axis=0, weights=area[full])
    return shifts


def _whole_slices(area: NDArray[np.floating]) -> int:
    """How many slices from the apex [S] hold the whole ring: at the base, one much smaller than the last ends them."""
    largest = int(np.argmax(area))
    partial = np.flatnonzero(area[largest + 1 :] < _PARTIAL * area[largest:-1])
    return largest + 1 + int(partial[0]) if partial.size else len(area)


def _off_line(
    height: NDArray[np.floating], centroids: NDArray[np.floating], area: NDArray[np.floating]
) -> NDArray[np.float64]:
    """[S, 2] mm from the smooth line to each centroid; heights [S] ascending. Huber's weights, iterated."""
    size = np.minimum(1.0, area / np.median(area))
    trust = np.ones(len(height))
    for _ in range(_ROUNDS):
        line = make_smoothing_spline(height, centroids, w=np.maximum(size * trust, 1e-3), lam=STIFFNESS_MM3)
        off = np.asarray(centroids - line(height))
        far = np.hypot(*off.T)
        trust = np.minimum(1.0, 1.5 * max(1.0, 1.26 * float(np.median(far))) / np.maximum(far, 1e-9))
    return off
