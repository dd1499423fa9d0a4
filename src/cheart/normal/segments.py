"""Thickness of the LV wall by the 17 segments of the American Heart Association (Circulation 105:539, 2002).

Measured in short-axis planes, as readers do. About the centroid of the cavity, in a sector of angle w,

    radius of the cavity r = √(2 A_cavity / w),    thickness = √(2 (A_cavity + A_wall) / w) − r,

so that every voxel counts and none decides. The planes with a cavity are parted into basal, mid and apical thirds;
those in which the ring is open are left out. The apex, segment 17, is what of the wall lies below the cavity on its
axis: only a heart that is observed whole has it. Angles are those of the template pose: +x to the RV, +y anterior; the
middle of the septum at 0°.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cheart.grid import Grid
from cheart.labels import LV, MYO

SEGMENTS = (
    "basal anterior", "basal anteroseptal", "basal inferoseptal", "basal inferior", "basal inferolateral",
    "basal anterolateral", "mid anterior", "mid anteroseptal", "mid inferoseptal", "mid inferior", "mid inferolateral",
    "mid anterolateral", "apical anterior", "apical septal", "apical inferior", "apical lateral", "apex",
)  # fmt: skip
"""Names of segments 1 to 17."""

MIDDLES_DEG = ((90, 30, 330, 270, 210, 150), (90, 30, 330, 270, 210, 150), (90, 0, 270, 180))
"""Middles of the sectors of base, mid and apical third, in the order of the segments."""

_BINS = 24  # of 15°
_MOST_OPEN = 0.1  # of the ring's angle
_TIP_MM = 6.0
_PARTS = 3  # each pixel is taken as so many by so many


def segment_thickness(labels: NDArray[np.uint8], observed: NDArray[np.bool_], grid: Grid) -> NDArray[np.float64]:
    """Wall thickness of one frame by segment.

    Args:
        labels: [Z, Y, X] canonical labels in the template pose.
        observed: [Z] bool; other planes are not looked at.
        grid: the voxel grid.

    Returns:
        [17] mm; nan where a segment was not seen.
    """
    out = np.full(len(SEGMENTS), np.nan)
    planes = [int(z) for z in np.flatnonzero(observed) if (labels[z] == LV).any()]
    if not planes:
        return out
    areas = {z: _sector_areas(labels[z], grid) for z in planes}
    low, high = planes[0] - 0.5, planes[-1] + 0.5
    rings = [z for z in planes if (areas[z][1] == 0).mean() <= _MOST_OPEN]
    thirds = {z: min(2, int(3 * (high - z) / (high - low))) for z in rings}
    first = 0
    for third, middles in enumerate(MIDDLES_DEG):
        mine = [areas[z] for z in rings if thirds[z] == third]
        for k, middle in enumerate(middles):
            if mine:
                out[first + k] = np.mean([_thickness(area, middle, 360 / len(middles)) for area in mine])
        first += len(middles)
    if observed.all():
        out[-1] = _apex(labels, planes[0], grid)
    return out


def _sector_areas(plane: NDArray[np.uint8], grid: Grid) -> NDArray[np.float64]:
    """[2, _BINS] mm² of cavity and wall by the angle about the cavity's centroid."""
    dy, dx = grid.spacing[1:]
    rows, cols = np.nonzero((plane == LV) | (plane == MYO))
    cavity = plane[rows, cols] == LV
    part = (np.arange(_PARTS) - (_PARTS - 1) / 2) / _PARTS
    y = (rows - rows[cavity].mean())[:, None, None] + part[:, None]
    x = (cols - cols[cavity].mean())[:, None, None] + part
    angles = np.degrees(np.arctan2(y * dy, x * dx)) % 360
    bins = np.minimum((angles * _BINS / 360).astype(int), _BINS - 1).reshape(len(rows), -1)
    counted = [np.bincount(bins[kind].ravel(), minlength=_BINS) for kind in (cavity, ~cavity)]
    return np.array(counted) * dy * dx / _PARTS**2


def _thickness(areas: NDArray[np.float64], middle_deg: float, width_deg: float) -> float:
    """mm, of the sector of this width about this angle."""
    angles = (np.arange(_BINS) + 0.5) * 360 / _BINS
    inside = np.abs((angles - middle_deg + 180) % 360 - 180) < width_deg / 2
    cavity, wall = areas[:, inside].sum(1)
    width = math.radians(width_deg)
    return math.sqrt(2 * (cavity + wall) / width) - math.sqrt(2 * cavity / width)


def _apex(labels: NDArray[np.uint8], lowest: int, grid: Grid) -> float:
    """mm of wall below the cavity, mean over the columns of voxels about the cavity's centroid in its lowest 6 mm."""
    tip = labels[: lowest + max(1, round(_TIP_MM / grid.spacing[0]))]
    rows, cols = np.nonzero((tip == LV).any(0))
    from_middle = np.hypot((rows - rows.mean()) * grid.spacing[1], (cols - cols.mean()) * grid.spacing[2])
    near = from_middle <= max(_TIP_MM, float(from_middle.min()))
    columns = tip[:, rows[near], cols[near]]
    first = (columns == LV).argmax(0)
    below = (columns == MYO) & (np.arange(len(tip))[:, None] < first)
    return float(below.sum(0).mean()) * grid.spacing[0]
