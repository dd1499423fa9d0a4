"""Balls and boxes, whose volumes and distances are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.grid import Grid
from cheart.metrics.surface_distance import SurfaceReference

SMALL = Grid((16, 24, 24), (4.0, 2.5, 2.5))


def radius(grid: Grid, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> NDArray[np.float64]:
    """Distance of each voxel centre from ``centre`` (z, y, x) in mm, [Z, Y, X]."""
    z, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    return np.sqrt((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2)


def heart(grid: Grid, *, lv_mm: float, wall_mm: float, rv_mm: float) -> NDArray[np.uint8]:
    """A round cavity in a shell with a second ball beside it, [Z, Y, X]."""
    labels = np.zeros(grid.shape, np.uint8)
    left = radius(grid, (0, 0, -0.15 * grid.shape[2] * grid.spacing[2]))
    labels[radius(grid, (0, 0, 0.2 * grid.shape[2] * grid.spacing[2])) <= rv_mm] = 3
    labels[left <= lv_mm + wall_mm] = 2
    labels[left <= lv_mm] = 1
    return labels


def box(grid: Grid, low: tuple[int, int, int], high: tuple[int, int, int], label: int = 1) -> NDArray[np.uint8]:
    """A block of voxels from ``low`` to ``high`` (z, y, x; ``high`` is not in it), [Z, Y, X]."""
    labels = np.zeros(grid.shape, np.uint8)
    labels[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = label
    return labels


def surface_distances(reference, other, grid, observed=None):
    """Of two label maps [T, Z, Y, X]."""
    return SurfaceReference(reference, grid, observed).compare(other)
