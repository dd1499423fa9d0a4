"""A heart of half ellipsoids whose walls are known, brought onto the solid template once a process."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bodies import BASE_MM
from cheart.grid import GRIDS, Grid
from cheart.heart import Heart, whole
from cheart.labels import LV, MYO, RV
from cheart.mesh.distances import Bodies
from cheart.mesh.fitting import Fitted, fit_frames
from cheart.mesh.oriented import OrientedLabels
from cheart.mesh.solid import load_solid_template

AXIS_MM = -10.0
"""Where the LV's long axis stands, x in mm; y = 0."""


def walls(*, grid: Grid = GRIDS["half"], thicker_mm: float = 0.0) -> NDArray[np.uint8]:
    """LV cavity 24×24×80 mm less ``thicker_mm`` in plane, LV with wall 32×32×88 mm, RV cavity beside; cut at 30 mm."""
    z, y, x = np.meshgrid(*grid.axes(), indexing="ij")

    def inside(middle: float, a: float, b: float, c: float) -> NDArray[np.bool_]:
        return (z <= BASE_MM) & (((x - middle) / a) ** 2 + (y / b) ** 2 + ((z - BASE_MM) / c) ** 2 <= 1)

    labels = np.zeros(grid.shape, np.uint8)
    labels[inside(12, 38 - thicker_mm, 33 - thicker_mm, 68)] = RV
    labels[(x < AXIS_MM + 10) & (labels == RV)] = 0
    labels[inside(AXIS_MM, 32, 32, 88)] = MYO
    labels[inside(AXIS_MM, 24 - thicker_mm, 24 - thicker_mm, 80)] = LV
    return labels


def beating_walls() -> Heart:
    """End-diastole, and an end-systole with a wall 5 mm thicker."""
    return whole(np.stack([walls(), walls(thicker_mm=5)]), GRIDS["half"], 0.8)


@lru_cache(maxsize=1)
def fitted() -> tuple[Fitted, ...]:
    """Both frames, RV's wall 3 mm."""
    heart = beating_walls()
    oriented = OrientedLabels.of(heart.labels, heart.grid.affine)
    frames = [Bodies.of(labels, oriented.spacing) for labels in oriented.labels]
    return tuple(fit_frames(load_solid_template(), frames, rv_wall_mm=3.0, mirrored=False))
