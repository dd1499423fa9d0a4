"""A heart's own frame: planes that are centred on the left ventricle, and their height between apex and base.

Short-axis slices of two hearts are alike where both are seen from their own ventricle. So fields are sampled on planes
of STEP_MM around the centroid of the LV with its wall, and the way back is the same map the other way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import LV, MYO
from cheart.models.fields import BODIES, Array, FieldGrid, fields

STEP_MM = 2.5
SIDE_Y = (np.arange(50) - 24.5) * STEP_MM
SIDE_X = (np.arange(58) - 20.0) * STEP_MM
"""Where a plane is sampled, mm from its centre; the RV lies at +x."""

PLANE = (len(BODIES), len(SIDE_Y), len(SIDE_X))
"""Numbers of one plane: bodies, y, x."""

LEAST_MM2 = 125.0
"""A plane with less of the LV and its wall is beyond apex or base."""

BEYOND_MM = 15.0
"""Planes so far beyond apex and base still belong to the heart: the other frames may reach there."""

APART_MM = 6.0
"""Planes that are sampled lie about so far apart at least; what is between them is interpolated."""


@dataclass(frozen=True)
class Window:
    """The part of the grid's planes in which a heart lies, and how fields come to be there.

    Attributes:
        y, x: voxels of the grid.
        rows, columns: matrices from the samples of R planes to them, [R, y, 50] and [R, 58, x].
    """

    y: slice
    x: slice
    rows: Array
    columns: Array

    def to_voxels(self, planes: Array) -> Array:
        """Fields [R, 3, y, x] of planes [R, 3, 50, 58]."""
        return np.asarray(self.rows[:, None] @ planes @ self.columns[:, None])


@dataclass(frozen=True)
class HeartFrame:
    """Where the planes of one heart are.

    Attributes:
        grid: of its label maps.
        height: z of the grid's planes, mm, [Z].
        centre: of each plane, y and x in mm, [Z, 2].
        apex, base: z of the lowest and the highest plane with LV or wall at end-diastole, mm.
        sampled: planes that stand for the heart, in order, [P].
        reach: planes of the grid in which the heart may come to lie, in order, [R].
    """

    grid: Grid
    height: NDArray[np.float64]
    centre: NDArray[np.float64]
    apex: float
    base: float
    sampled: NDArray[np.intp]
    reach: NDArray[np.intp]

    @classmethod
    def of(cls, first: NDArray[np.uint8], observed: NDArray[np.bool_], grid: Grid) -> HeartFrame:
        """The frame of an end-diastole [Z, Y, X] by its observed planes [Z].

        Raises:
            InputError: no observed plane holds the left ventricle.
        """
        z, y, x = grid.axes()
        body = (first == LV) | (first == MYO)
        count = body.sum(axis=(1, 2))
        good = observed & (count * grid.spacing[1] * grid.spacing[2] > LEAST_MM2)
        if not good.any():
            raise InputError("no observed plane of end-diastole holds the left ventricle: give one that does")
        some = np.maximum(count, 1)
        centroid = np.stack([body.sum(axis=2) @ y / some, body.sum(axis=1) @ x / some], axis=1)
        centre = np.stack([np.interp(z, z[good], centroid[good, k]) for k in (0, 1)], axis=1)
        apex, base = float(z[good].min()), float(z[good].max())
        near = (z >= apex - BEYOND_MM) & (z <= base + BEYOND_MM)
        height = np.asarray(z, float)
        sampled = apart(np.flatnonzero(observed & near), height)
        return cls(grid, height, centre, apex, base, sampled, np.flatnonzero(near))

    @property
    def relative(self) -> NDArray[np.float64]:
        """Height of the grid's planes, 0 at the apex and 1 at the base, [Z]."""
        return (self.height - self.apex) / max(self.base - self.apex, 1.0)

    def sample(self, labels: NDArray[np.uint8], planes: NDArray[np.intp]) -> Array:
        """Signed distances [P, T, 3, 50, 58] in mm of label maps [T, Z, Y, X] on some planes [P], each centred."""
        where = FieldGrid.whole(self.grid)
        whole = fields(labels, where, planes=planes).transpose(2, 0, 1, 3, 4)
        y, x = (
            (np.arange(n // f) + 0.5) * f * s - n * s / 2
            for n, f, s in zip(self.grid.shape[1:], where.factor[1:], self.grid.spacing[1:], strict=True)
        )
        rows = np.stack([interpolation(SIDE_Y + c, y) for c in self.centre[planes, 0]])
        columns = np.stack([interpolation(SIDE_X + c, x) for c in self.centre[planes, 1]])
        return np.asarray(rows[:, None, None] @ whole @ columns.transpose(0, 2, 1)[:, None, None], np.float32)

    def window(self, near: NDArray[np.bool_]) -> Window:
        """The way back to voxels, for those that some plane in reach [R, 50, 58] has within ``near``."""
        _, y, x = self.grid.axes()
        ways = []
        for k, (voxels, side) in enumerate(((y, SIDE_Y), (x, SIDE_X))):
            which = side[near.any(axis=(0, 2 - k))] if near.any() else side[[0, -1]]
            low, high = which[0] + self.centre[self.reach, k].min(), which[-1] + self.centre[self.reach, k].max()
            start, stop = np.searchsorted(voxels, [low, high])
            inside = slice(max(int(start) - 2, 0), min(int(stop) + 2, len(voxels)))
            ways.append(
                (inside, np.stack([interpolation(voxels[inside] - c, side) for c in self.centre[self.reach, k]]))
            )
        (inside_y, rows), (inside_x, columns) = ways
        return Window(inside_y, inside_x, rows, np.ascontiguousarray(columns.transpose(0, 2, 1)))

    def between(self, heights: NDArray[np.float64]) -> Array:
        """Linear interpolation [n, P] in z from the sampled planes to heights [n] in mm; beyond, the last counts."""
        return interpolation(heights, self.height[self.sampled])


def apart(planes: NDArray[np.intp], height: NDArray[np.float64]) -> NDArray[np.intp]:
    """Of some planes, in order, those that lie about :data:`APART_MM` apart at least."""
    if not len(planes):
        return planes
    most = int(np.ceil((height[planes[-1]] - height[planes[0]]) / APART_MM)) + 1
    return planes[np.unique(np.round(np.linspace(0, len(planes) - 1, min(most, len(planes)))).astype(int))]


def interpolation(wanted: NDArray[np.floating], known: NDArray[np.floating]) -> Array:
    """The matrix [n, m] of linear interpolation from ``known`` places [m], in order, to ``wanted`` [n]."""
    matrix = np.zeros((len(wanted), len(known)), np.float32)
    if len(known) == 1:
        matrix[:] = 1
        return matrix
    above = np.searchsorted(known, wanted).clip(1, len(known) - 1)
    share = ((wanted - known[above - 1]) / (known[above] - known[above - 1])).clip(0, 1)
    row = np.arange(len(wanted))
    matrix[row, above - 1], matrix[row, above] = 1 - share, share
    return matrix
