"""Distances between contours in 2D, plane by plane: what studies of short-axis slices report.

Not to be mixed with the 3D distances of :mod:`cheart.evaluation.surface`: a contour is compared with the contour in
the same plane only, and a plane with one contour missing has no distance at all (it is counted instead).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.evaluation.nearest import Borders, distances, find_borders
from cheart.evaluation.overlap import check_pair
from cheart.grid import Grid
from cheart.labels import STRUCTURES


@dataclass(frozen=True)
class SliceDistances:
    """Distances between contours, mean over the observed planes in which both sequences have the structure.

    Attributes:
        hd_2d: [T, 3] mean over planes of the Hausdorff distance in the plane, mm.
        assd_2d: [T, 3] mean over planes of the average symmetric contour distance, mm.
        planes: [T, 3] planes that were compared; where there are none the distances are nan.
        one_empty: [T, 3] observed planes in which one of the two sequences lacks the structure.
    """

    hd_2d: NDArray[np.float64]
    assd_2d: NDArray[np.float64]
    planes: NDArray[np.int64]
    one_empty: NDArray[np.int64]


def slice_distances(
    reference: NDArray[np.uint8], other: NDArray[np.uint8], grid: Grid, observed: NDArray[np.bool_] | None = None
) -> SliceDistances:
    """Compare contours plane by plane.

    A contour is the structure's pixels with one of four neighbours outside the structure; the image's edge counts
    as background.

    Args:
        reference: [T, Z, Y, X] canonical labels.
        other: [T, Z, Y, X] canonical labels.
        grid: the voxel grid.
        observed: [T, Z] bool, the planes that count; all where it is left out.

    Raises:
        InputError: shapes that do not agree.
    """
    observed = check_pair(reference, other, observed)
    if reference.shape[1:] != grid.shape:
        raise InputError(f"labels {reference.shape}: expected [T, Z, Y, X] on the grid {grid.shape}")
    size = (len(reference), len(STRUCTURES))
    distance, count = np.full((2, *size), np.nan), np.zeros((2, *size), np.int64)
    for t, planes in enumerate(observed):
        if planes.any():
            borders = [find_borders(frame[t], grid.spacing, planes, in_plane=True) for frame in (reference, other)]
            distance[:, t], count[:, t] = _compare(*borders)
    return SliceDistances(hd_2d=distance[0], assd_2d=distance[1], planes=count[0], one_empty=count[1])


def _compare(one: Borders, two: Borders) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean Hausdorff and average distance [2, 3], planes compared and planes with one empty [2, 3]."""
    depth = one.layout.shape[0]
    total = len(STRUCTURES) * depth
    contours = [b.structure * depth + b.plane for b in (one, two)]
    pixels = np.array([np.bincount(c, minlength=total) for c in contours])
    both = np.all(pixels > 0, axis=0)
    largest, summed = np.zeros(total), np.zeros(total)
    for start, end, contour in ((one, two, contours[0]), (two, one, contours[1])):
        chosen = both[contour]
        found = distances(start, end, chosen)
        np.maximum.at(largest, contour[chosen], found)
        summed += np.bincount(contour[chosen], weights=found, minlength=total)
    compared = both.reshape(-1, depth).sum(axis=1)
    mean = np.full((2, len(STRUCTURES)), np.nan)
    average = np.divide(summed, pixels.sum(axis=0), out=np.zeros(total), where=both)
    for row, per_plane in zip(mean, (largest, average), strict=True):
        np.divide(per_plane.reshape(-1, depth).sum(axis=1), compared, out=row, where=compared > 0)
    one_empty = (np.any(pixels > 0, axis=0) & ~both).reshape(-1, depth).sum(axis=1)
    return mean, np.array([compared, one_empty])
