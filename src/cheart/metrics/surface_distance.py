"""Distances between surfaces in 3D: Hausdorff, its 95th percentile, and the average symmetric surface distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import STRUCTURES
from cheart.metrics.nearest import Borders, distances, find_borders
from cheart.metrics.overlap import check_pair


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances between the surfaces of two hearts, in mm, over observed planes only.

    With a the distances from the reference's border voxels to the other's nearest border voxel, and b those in the
    other direction (border voxels as in :func:`cheart.metrics.nearest.find_borders`):

    Attributes:
        hd: [T, 3] Hausdorff distance, max(max a, max b).
        hd95: [T, 3] max(95th percentile of a, 95th percentile of b), linearly interpolated.
        assd: [T, 3] average symmetric surface distance, the mean over all of a and b together.

    All three are nan where either is empty, and in frames that were not observed.
    """

    hd: NDArray[np.float64]
    hd95: NDArray[np.float64]
    assd: NDArray[np.float64]


class SurfaceReference:
    """A reference heart whose surfaces are found once and compared with many others.

    It holds about 5 MB a frame on the paper's grid.
    """

    def __init__(self, labels: NDArray[np.uint8], grid: Grid, observed: NDArray[np.bool_] | None = None) -> None:
        """Find the reference's surfaces.

        Args:
            labels: [T, Z, Y, X] canonical labels.
            grid: the voxel grid.
            observed: [T, Z] bool, the planes that count; all where it is left out.

        Raises:
            InputError: shapes that do not agree.
        """
        self.observed = check_pair(labels, labels, observed)
        if labels.shape[1:] != grid.shape:
            raise InputError(f"labels {labels.shape}: expected [T, Z, Y, X] on the grid {grid.shape}")
        self.grid, self.shape = grid, labels.shape
        self._borders = [self._find(frame, planes) for frame, planes in zip(labels, self.observed, strict=True)]

    def _find(self, frame: NDArray[np.uint8], planes: NDArray[np.bool_]) -> Borders | None:
        return find_borders(frame, self.grid.spacing, planes) if planes.any() else None

    def compare(self, other: NDArray[np.uint8]) -> SurfaceDistances:
        """Distances to another heart [T, Z, Y, X] of canonical labels.

        Raises:
            InputError: another shape than the reference's.
        """
        if other.shape != self.shape:
            raise InputError(f"cannot compare label maps {self.shape} and {other.shape}: expected one shape")
        size = (len(self._borders), len(STRUCTURES))
        measures = np.full((3, *size), np.nan)
        for t, (reference, frame, planes) in enumerate(zip(self._borders, other, self.observed, strict=True)):
            if reference is not None:
                measures[:, t] = _compare(reference, find_borders(frame, self.grid.spacing, planes))
        return SurfaceDistances(*measures)


def surface_distances(
    reference: NDArray[np.uint8], other: NDArray[np.uint8], grid: Grid, observed: NDArray[np.bool_] | None = None
) -> SurfaceDistances:
    """Distances between the surfaces of two hearts; see :class:`SurfaceReference` for many against one.

    Args:
        reference: [T, Z, Y, X] canonical labels.
        other: [T, Z, Y, X] canonical labels.
        grid: the voxel grid.
        observed: [T, Z] bool, the planes that count; all where it is left out.

    Raises:
        InputError: shapes that do not agree.
    """
    return SurfaceReference(reference, grid, observed).compare(other)


def _compare(reference: Borders, other: Borders) -> NDArray[np.float64]:
    """Hausdorff, its 95th percentile and average distance by structure, [3, 3]."""
    counts = np.array([np.bincount(b.structure, minlength=len(STRUCTURES)) for b in (reference, other)])
    both = np.all(counts > 0, axis=0)
    there, back = both[reference.structure], both[other.structure]
    outward, outward_of = distances(reference, other, there), reference.structure[there]
    inward, inward_of = distances(other, reference, back), other.structure[back]
    measures = np.full((3, len(STRUCTURES)), np.nan)
    for k in np.flatnonzero(both):
        a, b = outward[outward_of == k], inward[inward_of == k]
        measures[:, k] = (
            max(a.max(), b.max()),
            max(np.percentile(a, 95), np.percentile(b, 95)),
            (a.sum() + b.sum()) / (a.size + b.size),
        )
    return measures
