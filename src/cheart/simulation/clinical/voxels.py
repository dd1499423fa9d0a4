"""Label maps of a clinical heart: each voxel is what its centre lies in, under a tilted base."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.grid import Grid
from cheart.labels import BACKGROUND, LV, MYO, RV
from cheart.simulation.clinical.beat import ClinicalSurfaces
from cheart.simulation.heart import keep_largest, reached
from cheart.simulation.surfaces import ANGLES, THETA, Field, S

_FINE_HEIGHTS, _FINE_ANGLES = 4, 4  # entries of the lookup table a node


def voxelise(surface: ClinicalSurfaces, grid: Grid) -> NDArray[np.uint8]:
    """Label maps [Z, Y, X] of one phase."""
    labels = np.zeros(grid.shape, np.uint8)
    frame, (z, y, x) = surface.frame, grid.axes()
    radius = np.sqrt(surface.free_wall)
    rows = reached(y, frame.centre[:, 1, None] + radius * np.sin(THETA))
    cols = reached(x, frame.centre[:, 0, None] + radius * np.cos(THETA))
    apex = frame.base - frame.length
    stretch = (
        frame.length
        + frame.tilt[0] * (x[cols] - frame.centre[-1, 0])[None]
        + frame.tilt[1] * (y[rows] - frame.centre[-1, 1])[:, None]
    ).astype(np.float32)
    planes = np.flatnonzero((z > apex) & (z < apex + stretch.max()))
    if not planes.size:
        return labels

    height = (z[planes] - apex).astype(np.float32)[:, None, None] / stretch
    inside = height < 1
    at = np.minimum((height * ((S.size - 1) * _FINE_HEIGHTS)).astype(np.int32), (S.size - 1) * _FINE_HEIGHTS - 1)
    fine = (np.arange((S.size - 1) * _FINE_HEIGHTS) + 0.5) / ((S.size - 1) * _FINE_HEIGHTS)
    centre = np.stack([np.interp(fine, S, c) for c in frame.centre.T], axis=-1).astype(np.float32)
    dx = x[cols].astype(np.float32)[None, None] - centre[at, 0]
    dy = y[rows].astype(np.float32)[None, :, None] - centre[at, 1]
    squared = dx * dx + dy * dy
    n = ANGLES * _FINE_ANGLES
    angle = (np.arctan2(dy, dx) * np.float32(n / (2 * np.pi)) + np.float32(n + 0.5)).astype(np.int32) % n
    index = at * n + angle
    inner_r2, outer_r2, free_r2 = (
        _table(f, fine).ravel()[index] for f in (surface.cavity, surface.outer, surface.free_wall)
    )

    block = np.zeros(squared.shape, np.uint8)
    block[inside & (squared < free_r2)] = RV
    block[inside & (squared < outer_r2)] = MYO
    block[inside & (squared < inner_r2)] = LV
    _enclose(block, inside)
    for structure in (LV, RV, MYO):
        keep_largest(block, structure)
    labels[planes[0] : planes[-1] + 1, rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] = block
    return labels


def _table(field: Field, heights: NDArray[np.floating]) -> NDArray[np.float32]:
    """A field finely in height and angle, for lookup."""
    field = field.astype(np.float32)
    position = heights * (S.size - 1)
    low = np.minimum(position.astype(int), S.size - 2)
    part = (position - low)[:, None].astype(np.float32)
    there = field[low] * (1 - part) + field[low + 1] * part
    after = np.roll(there, -1, axis=1)
    steps = np.arange(_FINE_ANGLES, dtype=np.float32) / _FINE_ANGLES
    return (there[..., None] * (1 - steps) + after[..., None] * steps).reshape(len(heights), -1)


def _enclose(block: NDArray[np.uint8], inside: NDArray[np.bool_]) -> None:
    """The cavity is open at the valves only: what a grid cannot hold of the wall, it takes from the cavities; in place.

    RV voxels that share a face with the LV cavity become wall, and so do cavity voxels open to what lies below the
    base.
    """
    padded = np.pad(block, 1, constant_values=BACKGROUND)
    below = np.pad(inside, 1, constant_values=True)
    below[-1] = False  # above the highest plane of the heart
    inner = slice(1, -1)
    open_lv, touching_rv = np.zeros(block.shape, bool), np.zeros(block.shape, bool)
    for axis in range(3):
        for step in (slice(0, -2), slice(2, None)):
            where: list[slice] = [inner, inner, inner]
            where[axis] = step
            beside = padded[tuple(where)]
            touching_rv |= beside == LV
            open_lv |= (beside == BACKGROUND) & below[tuple(where)]
    block[touching_rv & (block == RV)] = MYO
    block[open_lv & (block == LV)] = MYO
