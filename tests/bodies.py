"""Analytic hearts whose volumes are known, for tests that need something that beats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.grid import GRIDS, Grid
from cheart.heart import Heart, whole
from cheart.labels import LV, MYO, RV

BASE_MM = 30.0
"""Height of the flat base."""


def ellipsoid_heart(*, grid: Grid = GRIDS["half"], shrink: float = 0.0) -> NDArray[np.uint8]:
    """Half ellipsoids, cut by the plane z = 30 mm: LV cavity 24×24×80 mm, wall 8 mm, RV a wider half ellipsoid at +x.

    Args:
        grid: the voxels.
        shrink: 0 at end-diastole; in-plane semi-axes of both cavities are 1 − shrink times as long. The LV cavity
            then holds 2/3·π·24²·80·(1 − shrink)² mm³.

    Returns:
        labels [Z, Y, X].
    """
    z, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    below = z <= BASE_MM

    def inside(centre_x: float, a: float, b: float, c: float) -> NDArray[np.bool_]:
        return below & (((x - centre_x) / a) ** 2 + (y / b) ** 2 + ((z - BASE_MM) / c) ** 2 <= 1)

    k = 1 - shrink
    labels = np.zeros(grid.shape, np.uint8)
    labels[inside(16, 44 * k, 40 * k, 74)] = RV
    labels[(x < -10) & (labels == RV)] = 0
    labels[inside(-10, 32, 32, 88)] = MYO
    labels[inside(-10, 24 * k, 24 * k, 80)] = LV
    return labels


def beating_ellipsoids(*, grid: Grid = GRIDS["half"], frames: int = 8, cycle_s: float = 1.0) -> Heart:
    """A periodic beat, end-systole at 3/8 of the cycle with 30 % shorter cavity axes (LVEF 51 %)."""
    phase = np.arange(frames) / frames
    shrink = 0.3 * np.sin(np.pi * np.where(phase < 0.375, phase / 0.75, 0.5 + (phase - 0.375) / 1.25)) ** 2
    return whole(np.stack([ellipsoid_heart(grid=grid, shrink=float(s)) for s in shrink]), grid, cycle_s)
