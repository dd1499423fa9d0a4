"""Distances between surfaces in 3D: Hausdorff, its 95th percentile, and the average symmetric surface distance.

Exact, and fast in numpy. The distance from a border voxel to a surface is found in two steps. For every row of voxels
along y, and every voxel of it, the number of steps to the surface's nearest voxel in the same row is written down once
(two sweeps over the grid). A point then looks at the rows around its own, nearest row first, and stops as soon as the
next row is farther away than the best voxel met so far. A surface that is d mm away costs about πd² / (pixel area)
looks, far fewer than the whole grid's distance transform or a search tree over all voxels (measured in
``benchmarks/evaluation.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import BACKGROUND, STRUCTURES
from cheart.metrics.overlap import check_pair

REACH_MM = 30.0
"""Up to here rows are searched. Beyond it a distance transform of the box is taken: a surface farther away costs
thousands of looks a voxel, the transform about 12 ms a structure whatever the distance."""

_LOOKS = 20_000
"""Looks a step when few points are left: enough to hide the cost of a numpy call, few enough to stay in the cache."""


Rows = NDArray[np.unsignedinteger]
"""Steps along y from every voxel to the nearest border voxel of its row."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where a voxel's row distance lies in memory, and which rows to look at in which order.

    The buffer is [Y, 3·(Z + gap), X + gap] between two margins. Gaps and margins hold "no surface in this row", so
    that a look beyond the grid's faces, which wraps around into a gap, finds nothing.

    Attributes:
        shape, spacing: of the grid, (Z, Y, X), voxels and mm.
        margin, block, width, size: of the buffer: before and after it, rows a structure, voxels a row, in all.
        steps: [S] from a place to the same place in other rows, nearest row first.
        steps_mm2: [S + 1] squared distance of those rows, and of the nearest row that is not among them.
        row_mm2: squared distance along a row by number of steps; infinite for ``far``.
        far: what the buffer holds where a row has no surface.
        dtype: of the buffer.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    margin: int
    block: int
    width: int
    size: int
    steps: NDArray[np.intp]
    steps_mm2: NDArray[np.float64]
    row_mm2: NDArray[np.float64]
    far: int
    dtype: type[np.unsignedinteger]

    def place(self, voxel: NDArray[np.intp], structure: NDArray[np.intp]) -> NDArray[np.intp]:
        """From flat voxel indices and structures (0 to 2) to places in the buffer."""
        _, ny, nx = self.shape
        plane, x = np.divmod(voxel, nx)
        z, y = np.divmod(plane, ny)
        rows = (y * len(STRUCTURES) + structure) * self.block + z
        return rows * self.width + x + self.margin


@lru_cache(maxsize=4)
def layout(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Layout:
    """The layout for a grid."""
    nz, ny, nx = shape
    reach_x, reach_z = min(nx - 1, int(REACH_MM // spacing[2])), min(nz - 1, int(REACH_MM // spacing[0]))
    width, block = nx + reach_x, nz + reach_z
    margin = reach_z * width + reach_x
    dz, dx = np.meshgrid(np.arange(-reach_z, reach_z + 1), np.arange(-reach_x, reach_x + 1), indexing="ij")
    away = ((dz * spacing[0]) ** 2 + (dx * spacing[2]) ** 2).ravel()
    near = np.argsort(away, kind="stable")
    near = near[away[near] <= REACH_MM**2]
    dtype: type[np.unsignedinteger] = np.uint8 if ny < 255 else np.uint16
    far = np.iinfo(dtype).max - 1
    row_mm2 = np.square(np.arange(far + 1, dtype=np.float64) * spacing[1])
    row_mm2[far] = np.inf
    return Layout(
        shape=shape,
        spacing=spacing,
        margin=margin,
        block=block,
        width=width,
        size=ny * len(STRUCTURES) * block * width + 2 * margin,
        steps=(dz * width + dx).ravel()[near],
        steps_mm2=np.append(away[near], REACH_MM**2),
        row_mm2=row_mm2,
        far=far,
        dtype=dtype,
    )


@dataclass(frozen=True, eq=False)
class Borders:
    """The border voxels of one frame's structures, ready to be measured from and to.

    Attributes:
        layout: see :class:`Layout`.
        voxel: [N] flat indices into [Z, Y, X].
        structure: [N] 0 to 2, in the order of ``labels.STRUCTURES``.
        place: [N] where the voxels lie in ``rows``.
        rows: the buffer of steps along y to the nearest border voxel of the same structure.
    """

    layout: Layout
    voxel: NDArray[np.intp]
    structure: NDArray[np.intp]
    place: NDArray[np.intp]
    rows: Rows


def find_borders(labels: NDArray[np.uint8], spacing: tuple[float, float, float], planes: NDArray[np.bool_]) -> Borders:
    """The border voxels of each structure.

    A voxel is on the border if one of its six neighbours is not of its structure: the mask
    less its erosion by the 6-neighbourhood. What lies beyond the volume counts as background, and so does what lies
    beyond the outermost observed planes; where planes between were not imaged, the next observed one is the neighbour.

    Args:
        labels: [Z, Y, X] canonical labels.
        spacing: voxel size (Z, Y, X) in mm.
        planes: [Z] bool, the observed planes.
    """
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    where = layout(shape, spacing)
    seen = np.flatnonzero(planes)
    stack = np.ascontiguousarray(labels if seen.size == len(labels) else labels[seen])
    voxel = np.flatnonzero(_on_border(stack))
    structure = stack.ravel()[voxel].astype(np.intp) - 1
    if seen.size < len(labels):
        in_stack, rest = np.divmod(voxel, shape[1] * shape[2])
        voxel = seen[in_stack] * (shape[1] * shape[2]) + rest
    place = where.place(voxel, structure)
    return Borders(where, voxel, structure, place, _row_distances(where, place))


def _on_border(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    edge = np.zeros(labels.shape, bool)
    edge[[0, -1]] = edge[:, [0, -1]] = edge[:, :, [0, -1]] = True
    # Shifts of the flat array wrap around at the faces, but a voxel on a face is a border voxel anyway.
    flat, marked = labels.ravel(), edge.ravel()
    _, ny, nx = labels.shape
    for shift in (1, nx, nx * ny):
        differs = flat[shift:] != flat[:-shift]
        marked[shift:] |= differs
        marked[:-shift] |= differs
    return edge & (labels != BACKGROUND)


def _row_distances(where: Layout, place: NDArray[np.intp]) -> Rows:
    rows = np.full(where.size, where.far, where.dtype)
    rows[place] = 0
    grid = rows[where.margin : where.size - where.margin].reshape(where.shape[1], -1)
    one_more = np.empty_like(grid[0])
    for sweep in (grid, grid[::-1]):
        for before, here in pairwise(sweep):
            np.add(before, 1, out=one_more)
            np.minimum(here, one_more, out=here)
    return rows


def distances(start: Borders, end: Borders, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """From border voxels of one frame to the nearest border voxel of the same structure in another, mm.

    Args:
        start: where to measure from.
        end: where to measure to, of the same layout. Every chosen voxel's structure must have a border there.
        chosen: [N] bool, which of the border voxels of ``start``; all where it is left out.

    Returns:
        One distance per chosen voxel, in order.
    """
    places = start.place if chosen is None else start.place[chosen]
    found = _search(end.layout, end.rows, places)
    beyond = np.flatnonzero(np.isinf(found))
    if beyond.size:
        which = np.arange(len(start.place)) if chosen is None else np.flatnonzero(chosen)
        found[beyond] = _transform(start, end, which[beyond])
    return found


def _search(where: Layout, rows: Rows, places: NDArray[np.intp]) -> NDArray[np.float64]:
    found = np.zeros(places.shape)
    left = np.flatnonzero(rows[places])  # voxels that both surfaces share are done
    places = places[left]
    best = np.full(places.shape, np.inf)
    done = 0
    while left.size and done < where.steps.size:
        todo = slice(done, done + max(4, _LOOKS // left.size))
        _look(where, rows, places, best, todo)
        done = min(todo.stop, where.steps.size)
        ended = best <= where.steps_mm2[done]
        found[left[ended]] = best[ended]
        left, places, best = left[~ended], places[~ended], best[~ended]
    found[left] = np.inf
    return np.sqrt(found)


def _look(where: Layout, rows: Rows, places: NDArray[np.intp], best: NDArray[np.float64], todo: slice) -> None:
    """Improve ``best`` (mm²) by the rows at some steps from each place."""
    steps, mm2 = where.steps[todo], where.steps_mm2[:-1][todo]
    if places.size < 2000:
        reached = where.row_mm2.take(rows.take(places[:, None] + steps)) + mm2
        np.minimum(best, reached.min(axis=1), out=best)
        return
    for step, away in zip(steps, mm2, strict=True):
        reached = where.row_mm2.take(rows.take(places + step))
        reached += away
        np.minimum(best, reached, out=best)


def _transform(start: Borders, end: Borders, which: NDArray[np.intp]) -> NDArray[np.float64]:
    """The same distances by a distance transform of the box that holds both, for gross errors."""
    shape, found = end.layout.shape, np.empty(which.shape)
    for structure in np.unique(start.structure[which]):
        mine = start.structure[which] == structure
        points = np.array(np.unravel_index(start.voxel[which[mine]], shape))
        target = np.array(np.unravel_index(end.voxel[end.structure == structure], shape))
        low = np.minimum(points.min(axis=1), target.min(axis=1))[:, None]
        high = np.maximum(points.max(axis=1), target.max(axis=1))[:, None]
        away = np.ones((high - low + 1).ravel(), bool)
        away[tuple(target - low)] = False
        found[mine] = distance_transform_edt(away, sampling=end.layout.spacing)[tuple(points - low)]
    return found


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances between the surfaces of two hearts, in mm, over observed planes only.

    With a the distances from the reference's border voxels to the other's nearest border voxel, and b those in the
    other direction (border voxels as in :func:`cheart.metrics.surface_distance.find_borders`):

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
