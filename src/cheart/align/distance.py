"""Distances to each label: what is interpolated in place of label numbers.

Between two label maps the label whose interpolated distance is least is taken. For two labels this is the zero of
the interpolated signed distance (shape-based interpolation); for more it leaves neither gaps nor overlaps, and at
the given planes, frames and voxels it returns exactly what was given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, distance_transform_edt

from cheart.labels import BACKGROUND, STRUCTURES

LABELS = (BACKGROUND, *STRUCTURES.values())

_APART = 1e6
_FAR = 1e3


def label_distances(
    labels: NDArray[np.uint8], spacing: tuple[float, float, float], *, planar: bool, absent_mm: float
) -> NDArray[np.float32]:
    """Distance from each voxel to the nearest one of each label, 0 inside the label itself.

    Args:
        labels: [Z, Y, X] canonical labels.
        spacing: voxel size in mm along (Z, Y, X).
        planar: measure within each plane only (slices kept as slices).
        absent_mm: the distance to a label that is nowhere to be found (in the plane, if planar).

    Returns:
        [4, Z, Y, X] mm.
    """
    sampling = (_APART, *spacing[1:]) if planar else spacing
    out = np.full((len(LABELS), *labels.shape), absent_mm, np.float32)
    for number in LABELS:
        other = labels != number
        if not other.all():
            distance = distance_transform_edt(other, sampling=sampling)
            out[number] = np.where(distance < _APART, distance, absent_mm) if planar else distance
    return out


def nearest_label(distances: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The label of least distance; [4, …] to […]. Background wins a tie."""
    return np.argmin(distances, axis=0).astype(np.uint8)


def carry(
    distances: NDArray[np.float32], matrix: NDArray[np.floating], shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Distances at other voxels, linearly interpolated; background outside.

    Args:
        distances: [4, Z, Y, X].
        matrix: 4×4, from the new voxel (z, y, x) to the old one.
        shape: the new (Z, Y, X).

    Returns:
        [4, *shape].
    """
    out = np.empty((len(LABELS), *shape), np.float32)
    for number in LABELS:
        affine_transform(
            distances[number], matrix[:3, :3], matrix[:3, 3], output_shape=shape, output=out[number], order=1,
            mode="constant", cval=0.0 if number == BACKGROUND else _FAR,
        )  # fmt: skip
    return out
