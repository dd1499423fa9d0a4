"""Where a structure ends at the base: the cut that no anatomy made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

_THICK_MM = 3.0  # planes further apart are interpolated first …
_THIN_MM = 2.0  # … to about this distance
_FLAT = 0.8
_UNEVEN_MM = 12.0
_SOFT_MM = 5.0


@dataclass(frozen=True, eq=False)
class Base:
    """The basal cut as a height over the plane.

    Attributes:
        columns: [Y, X] bool, the voxel columns that end at the cut.
        tops: [Y, X] index of the last plane inside, where ``columns``.
        surface: [Y, X] height of the cut in mm, continued smoothly over the whole plane.
        spacing: voxel size in mm along (Z, Y, X).
    """

    columns: NDArray[np.bool_]
    tops: NDArray[np.intp]
    surface: NDArray[np.float64]
    spacing: tuple[float, float, float]

    def continued(self, inside: NDArray[np.bool_], planes: int) -> NDArray[np.bool_]:
        """The structure [Z, Y, X] continued beyond its cut, with so many planes more."""
        plane = np.arange(len(inside) + planes)[:, None, None]
        longer = np.concatenate([inside, np.zeros((planes, *inside.shape[1:]), bool)])
        return longer | (self.columns & (plane > self.tops))

    def height_at(self, y: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Height in mm at points given in mm; any shape, the same for y and x."""
        at = np.stack([y / self.spacing[1], x / self.spacing[2]])
        return np.asarray(map_coordinates(self.surface, at, order=1, mode="nearest"))


def find_base(inside: NDArray[np.bool_], spacing: tuple[float, float, float]) -> Base:
    """Find the basal cut of a structure that is cut off at +Z.

    Most hearts end at one plane, which is then the cut; what little sticks out of it is cut off. Others (a turned
    heart, an outflow tract) end unevenly: the cut is then a smooth surface through their upper ends.

    Args:
        inside: [Z, Y, X], not empty.
        spacing: voxel size in mm along (Z, Y, X).
    """
    planes = np.arange(len(inside))
    tops = np.where(inside, planes[:, None, None], -1).max(axis=0)
    there = np.flatnonzero(inside.any(axis=(1, 2)))
    ends = np.bincount(tops[tops >= 0], minlength=len(inside))
    upper_half = planes >= (there[0] + there[-1]) / 2
    cut = int(np.argmax(ends * upper_half))
    if ends[cut] >= _FLAT * inside[cut].sum():
        height = np.full(tops.shape, (cut + 0.5) * spacing[0])
        return Base(inside[cut], np.full(tops.shape, cut), height, spacing)
    columns = _grown(tops == cut, tops, np.abs(tops - cut) * spacing[0] <= _UNEVEN_MM)
    plane = _common_plane(columns, tops)
    columns &= tops - plane >= -1  # what ends lower ends at the wall
    height = (plane + 0.5 + _smooth_within(columns, tops - plane, spacing)) * spacing[0]
    return Base(columns, tops, height, spacing)


def thin_planes(
    inside: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> tuple[NDArray[np.bool_], tuple[float, float, float], float]:
    """Interpolate between thick slices by their signed distances (shape-based interpolation).

    Returns:
        The finer [Z', Y, X] with slices about 2 mm apart, its spacing, and the height in mm of its first plane's
        middle, counted from the middle of the first slice; thin slices come back as they are.
    """
    if spacing[0] <= _THICK_MM:
        return inside, spacing, 0.0
    times = round(spacing[0] / _THIN_MM)
    far = 2 * spacing[0]
    distance = np.stack([_signed(plane, spacing[1:], far) for plane in inside])
    height = (np.arange(len(inside) * times) - (times - 1) / 2) / times
    low = np.clip(np.floor(height).astype(int), 0, len(inside) - 1)
    high = np.minimum(low + 1, len(inside) - 1)
    fraction = np.clip(height - low, 0, 1)[:, None, None]
    mixed = (1 - fraction) * distance[low] + fraction * distance[high]
    return mixed > 0, (spacing[0] / times, *spacing[1:]), -(times - 1) / 2 * spacing[0] / times


def _signed(plane: NDArray[np.bool_], spacing: tuple[float, ...], far: float) -> NDArray[np.float64]:
    """Signed distance within a plane in mm, positive inside; −far everywhere where the plane is empty."""
    if not plane.any():
        return np.full(plane.shape, -far)
    padded = np.pad(plane, 1)
    inner = distance_transform_edt(padded, sampling=spacing) - distance_transform_edt(~padded, sampling=spacing)
    return np.asarray(inner[1:-1, 1:-1])


def _grown(seeds: NDArray[np.bool_], tops: NDArray[np.intp], allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns that are reached from the seeds in steps of at most one plane."""
    columns = seeds & allowed
    while True:
        reached = columns.copy()
        for axis in (0, 1):
            for ahead in (slice(1, None), slice(None, -1)):
                behind = slice(None, -1) if ahead.start else slice(1, None)
                to, come = [slice(None)] * 2, [slice(None)] * 2
                to[axis], come[axis] = ahead, behind
                step = np.abs(tops[tuple(to)] - tops[tuple(come)]) <= 1
                reached[tuple(to)] |= columns[tuple(come)] & step & allowed[tuple(to)] & (tops[tuple(to)] >= 0)
        if np.array_equal(reached, columns):
            return columns
        columns = reached


def _common_plane(columns: NDArray[np.bool_], tops: NDArray[np.intp], rounds: int = 20) -> NDArray[np.float64]:
    """[Y, X] the (tilted) plane that most columns end at, as a fractional plane number."""
    terms = np.stack([np.ones(tops.shape), *np.indices(tops.shape)], axis=-1)
    kept = columns
    for _ in range(rounds):
        fit = np.linalg.lstsq(terms[kept], tops[kept].astype(float), rcond=None)[0]
        closer = columns & (np.abs(tops - terms @ fit) <= 1)
        if closer.sum() < 10 or np.array_equal(closer, kept):
            break
        kept = closer
    return np.asarray(terms @ fit)


def _smooth_within(
    columns: NDArray[np.bool_], height: NDArray[np.floating], spacing: tuple[float, float, float]
) -> NDArray[np.float64]:
    """A height known in some columns, smoothed, and fading to 0 away from them."""
    sigma = [_SOFT_MM / s for s in spacing[1:]]
    weight = gaussian_filter(columns.astype(float), sigma)
    return np.asarray(gaussian_filter(np.where(columns, height, 0.0), sigma) / (weight + 0.05))
