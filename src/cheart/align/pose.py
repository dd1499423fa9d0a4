"""The template pose, and the rigid transform that brings a heart into it.

The contract (template space, mm; see :class:`cheart.grid.Grid`), met at end-diastole:

* the LV long axis, the line through the centroids of the LV cavity in planes perpendicular to it, is parallel to z,
  with the base at +z;
* the direction across that axis from the centroid of the LV cavity to that of the RV cavity is +x;
* the centroid of LV cavity and myocardium together lies at :data:`TEMPLATE_CENTRE`.

The space stays right-handed and nothing is mirrored, so that +y is anterior, where the RV's outflow tract is
(:func:`outflow_turn`), as in the UK Digital Heart Project's mean shape.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cheart.align.rigid import RigidTransform
from cheart.labels import LV, MYO, RV

TEMPLATE_CENTRE = (-18.0, 0.0, 8.0)
"""Where the centroid of LV cavity and myocardium lies at ED (x, y, z, mm): off the middle towards −x and +z,
so that the RV and the apex of large hearts fit the paper's box."""

THICK_MM = 4.0
"""Slices further apart than this are kept as slices: between them there is nothing to turn."""

_SLAB_MM = 3.0
_MAX_ROUNDS = 100


def find_pose(labels: NDArray[np.uint8], affine: NDArray[np.floating]) -> RigidTransform:
    """Find the rigid transform that brings an end-diastolic heart into the template pose.

    A dense volume is turned freely. Of a thick stack (see :func:`is_thick`; slices along Z) the slices stay
    parallel to the template's planes: it is turned and shifted in plane, moved along the axis, and turned over by
    180° if the apex is up.

    Args:
        labels: [Z, Y, X] canonical labels at ED with all three structures present.
        affine: 4×4, voxel (x, y, z) to world mm, without shear.

    Returns:
        World mm to template mm.
    """
    points = {number: _world(labels == number, affine) for number in (LV, MYO, RV)}
    if is_thick(affine):
        axis = np.cross(affine[:3, 0], affine[:3, 1])
        axis = axis / np.linalg.norm(axis)
    else:
        axis = long_axis(points[LV], affine)
    axis = axis * base_sense(points, axis)
    across = points[RV].mean(0) - points[LV].mean(0)
    x = across - (across @ axis) * axis
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(axis, x), axis])
    centre = np.concatenate([points[LV], points[MYO]]).mean(0)
    return RigidTransform.from_parts(rotation, np.array(TEMPLATE_CENTRE) - rotation @ centre)


def is_thick(affine: NDArray[np.floating]) -> bool:
    """Whether the planes along Z are further apart than :data:`THICK_MM`."""
    return bool(np.linalg.norm(np.asarray(affine)[:3, 2]) > THICK_MM)


def base_sense(points: Mapping[int, NDArray[np.float64]], axis: NDArray[np.floating]) -> int:
    """+1 where the base lies towards ``axis``, −1 where the apex does.

    Two signs of the base are added, each relative to the half-length of the LV: the cavity is wider there (its
    centroid lies beyond the middle of its extent), and the RV lies there (its centroid is beyond that of the LV).
    """
    lv, rv = points[LV] @ axis, points[RV] @ axis
    wall = np.concatenate([lv, points[MYO] @ axis])
    half = max(np.ptp(wall) / 2, 1.0)
    wider = (lv.mean() - (lv.max() + lv.min()) / 2) / half
    beyond = (rv.mean() - wall.mean()) / half
    return 1 if wider + beyond >= 0 else -1


def outflow_turn(labels: NDArray[np.uint8], affine: NDArray[np.floating], transform: RigidTransform) -> float:
    """By how many degrees the direction from LV to RV turns from the apical to the basal half of the RV.

    Towards the base the RV reaches to its outflow tract, which is anterior (+y), so that a heart turns by a positive
    angle (UK Digital Heart Project mean shape +29°, ACDC +11° in the median and positive in 97 of 100). A negative
    one means that the header's axes make the heart a mirror image.

    Args:
        labels: [Z, Y, X] canonical labels at ED.
        affine: 4×4, voxel (x, y, z) to world mm.
        transform: the pose found.

    Returns:
        Degrees about +z, nan where a half has no LV or no RV.
    """
    lv, rv = (transform.apply(_world(labels == number, affine)) for number in (LV, RV))
    middle = np.median(rv[:, 2])
    angles = []
    for basal in (False, True):
        own, other = lv[(lv[:, 2] > middle) == basal], rv[(rv[:, 2] > middle) == basal]
        if not len(own) or not len(other):
            return float("nan")
        across = other.mean(0) - own.mean(0)
        angles.append(np.degrees(np.arctan2(across[1], across[0])))
    return float((angles[1] - angles[0] + 180) % 360 - 180)


def long_axis(cavity: NDArray[np.floating], affine: NDArray[np.floating]) -> NDArray[np.float64]:
    """Unit vector along the line through the LV cavity's centroids in planes perpendicular to it.

    Begins with the longest axis of inertia and re-slices until the direction settles, which for an ellipsoid is
    power iteration towards its longest axis. Of a thick stack the slices' own centroids are taken, once.

    Args:
        cavity: [N, 3] mm, the cavity's voxels.
        affine: 4×4, from which the directions of the slices and their distance are taken.
    """
    centred = cavity - cavity.mean(0)
    if is_thick(affine):
        normal = np.cross(affine[:3, 0], affine[:3, 1])
        return _centroid_line(centred, normal / np.linalg.norm(normal), float(np.linalg.norm(affine[:3, 2])))
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    for _ in range(_MAX_ROUNDS):
        new = _centroid_line(centred, axis, _SLAB_MM)
        settled = abs(new @ axis) > 1 - 1e-9
        axis = new
        if settled:
            break
    return axis


def _centroid_line(centred: NDArray[np.floating], axis: NDArray[np.floating], slab_mm: float) -> NDArray[np.float64]:
    height = centred @ axis
    slab = np.floor((height - height.min()) / slab_mm + 0.25).astype(int)  # slices of a stack: no edge in their middle
    area = np.bincount(slab).astype(float)
    used = area > 0
    centroids = np.stack([np.bincount(slab, centred[:, i])[used] / area[used] for i in range(3)], axis=1)
    weight = area[used][:, None]
    level = (centroids @ axis)[:, None]
    mean, middle = (weight * centroids).sum(0) / weight.sum(), (weight * level).sum() / weight.sum()
    slope = (weight * (level - middle) * (centroids - mean)).sum(0)
    return slope / np.linalg.norm(slope)


def _world(mask: NDArray[np.bool_], affine: NDArray[np.floating]) -> NDArray[np.float64]:
    """World coordinates [N, 3] of a mask's voxel centres."""
    xyz = np.argwhere(mask)[:, ::-1].astype(float)
    return np.array(xyz @ np.asarray(affine)[:3, :3].T + np.asarray(affine)[:3, 3])
