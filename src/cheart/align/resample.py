"""A heart's label maps on the template grid, and back on its own.

One mechanism serves all: label distances (:func:`label_distances`) are mixed in time, carried through space and the
nearest label is taken. For two labels this is the zero of the interpolated signed distance (shape-based interpolation);
for more it leaves neither gaps nor overlaps, and at the given planes, frames and voxels it returns exactly what was
given. A thick stack keeps its slices: each is carried within its plane to the template
plane nearest to it, and only those planes are observed. Between them the distances are interpolated along the axis,
so that an encoder is given a whole heart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, distance_transform_edt

from cheart.align.placement import Placement, inverse_order
from cheart.align.pose import is_thick
from cheart.align.time import FramePlan, Mix
from cheart.errors import InputError
from cheart.labels import BACKGROUND, STRUCTURES

_FLIP = np.eye(4)[[2, 1, 0, 3]]  # between (x, y, z, 1) and (z, y, x, 1)
_MARGIN = 2
_SPECK_MM = 5.0
"""In a dense volume, how a label that one of two mixed frames lacks comes and goes."""


def to_template(
    labels: NDArray[np.uint8], placement: Placement, plan: FramePlan
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Bring a heart to the template grid and to the frames wanted.

    Args:
        labels: [T, Z, Y, X] canonical labels in the heart's own space; the labelled frames only.
        placement: where it goes.
        plan: which of these frames make which frame.

    Returns:
        Labels [frames, Z, Y, X] on the grid (interpolated between the slices of a thick stack, empty in frames
        without a source) and observed [frames, Z].
    """
    box = _bounding_box(np.any(labels, axis=0))
    thick = is_thick(placement.affine)

    @lru_cache(maxsize=3)
    def distances(frame: int) -> NDArray[np.float32]:
        z, y, x = box
        spacing = placement.spacing
        return label_distances(
            labels[frame, z, y, x], spacing, planar=thick, absent_mm=spacing[0] if thick else _SPECK_MM
        )

    planes = _observed_planes(np.any(labels, axis=0), placement)
    out = np.zeros((len(plan.mixes), *placement.grid.shape), np.uint8)
    observed = np.zeros(out.shape[:2], bool)
    for t, mix in enumerate(plan.mixes):
        if mix is None:
            continue
        observed[t] = planes
        if thick:
            out[t] = _stack_to_grid(_mixed(distances, mix), placement, box)
        else:
            _volume_to_grid(_mixed(distances, mix), placement, box, out[t])
    return out, observed


def _mixed(distances: Callable[[int], NDArray[np.float32]], mix: Mix) -> NDArray[np.float32]:
    first = distances(mix.first)
    if mix.fraction == 0:
        return first
    return np.asarray((1 - mix.fraction) * first + mix.fraction * distances(mix.second), np.float32)


def _bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """Slices (Z, Y, X) around what is set, with a margin."""
    if not mask.any():
        raise InputError("the label map is empty")
    slices = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(tuple(a for a in range(3) if a != axis)))
        slices.append(slice(max(0, hit[0] - _MARGIN), min(mask.shape[axis], hit[-1] + 1 + _MARGIN)))
    return slices[0], slices[1], slices[2]


def _from_grid(placement: Placement, box: tuple[slice, slice, slice]) -> NDArray[np.float64]:
    """4×4, template voxel (z, y, x) to voxel (z, y, x) within the box of the heart's own volume."""
    back = _FLIP @ np.linalg.inv(placement.to_grid) @ _FLIP
    back[:3, 3] -= [s.start for s in box]
    return back


def _volume_to_grid(
    distances: NDArray[np.float32], placement: Placement, box: tuple[slice, slice, slice], out: NDArray[np.uint8]
) -> None:
    """Carry a dense volume's distances to the grid and write the labels there."""
    back = _from_grid(placement, box)
    region = _reached(back, distances.shape[1:], out.shape)
    out[region] = nearest_label(carry(distances, *_within(region, back)))


def _stack_to_grid(
    distances: NDArray[np.float32], placement: Placement, box: tuple[slice, slice, slice]
) -> NDArray[np.uint8]:
    """Carry each slice within its plane, then fill the planes between them; [Z, Y, X] labels on the grid."""
    matrix = _slice_matrix(placement, box)
    moves = None if placement.shifts is None else -placement.shifts_yx[box[0]] @ matrix[1:3, 1:3].T
    stack = carry_slices(distances, matrix, placement.grid.shape[1:], moves)
    knots = (placement.heights if placement.planes is None else np.array(placement.planes, float))[box[0]]
    heart = np.flatnonzero(nearest_label(stack).any((1, 2)))
    heart = heart[np.argsort(knots[heart])]
    out = np.zeros(placement.grid.shape, np.uint8)
    if heart.size:
        # half a slice more of the same at either end, as in the sum of the slices' volumes
        reach = placement.spacing[0] / placement.grid.spacing[0] / 2
        _fill(out, knots[heart], stack[:, heart], reach)
    return out


def _fill(out: NDArray[np.uint8], knots: NDArray[np.floating], stack: NDArray[np.float32], reach: float) -> None:
    """Write the labels [Z, Y, X] of every plane between slices at ``knots`` [S] of distances [4, S, Y, X], or
    beyond the outer ones by no more than ``reach``."""
    for p in range(len(out)):
        at = float(np.clip(p, knots[0], knots[-1]))
        if not -reach <= p - at < reach:
            continue
        i = int(np.searchsorted(knots, at, side="right")) - 1
        fraction = (at - knots[i]) / (knots[i + 1] - knots[i]) if at > knots[i] else 0.0
        out[p] = nearest_label((1 - fraction) * stack[:, i] + fraction * stack[:, i + 1] if fraction else stack[:, i])


def _slice_matrix(placement: Placement, box: tuple[slice, slice, slice]) -> NDArray[np.float64]:
    """4×4, (slice within the box, template y, template x) to (slice, y, x) within the box.

    Slices are parallel to the template's planes, so the slice number stays and a template position within the
    plane alone decides the place in it.
    """
    back = _from_grid(placement, box)
    matrix = np.eye(4)
    matrix[1:3, 1:3] = back[1:3, 1:3]
    drift = back[1:3, 0] / back[0, 0]  # of an affine whose slices are not stacked quite at right angles
    matrix[1:3, 0] = drift
    matrix[1:3, 3] = back[1:3, 3] - drift * back[0, 3]
    return matrix


def _observed_planes(heart: NDArray[np.bool_], placement: Placement) -> NDArray[np.bool_]:
    """[Z] the template planes that were imaged."""
    count = placement.grid.shape[0]
    seen = np.zeros(count, bool)
    if placement.planes is not None:
        seen[[p for p in placement.planes if 0 <= p < count]] = True
        return seen
    if is_thick(placement.affine):
        low, high = placement.heights.min(), placement.heights.max()
        seen[[p for p in range(count) if low <= p <= high]] = True
        return seen
    return _planes_in_view(heart, placement)


def _planes_in_view(heart: NDArray[np.bool_], placement: Placement) -> NDArray[np.bool_]:
    """[Z] the template planes of which the field of view of a dense volume covers most of the heart's outline."""
    xyz = np.argwhere(heart)[:, ::-1].astype(float)
    on_grid = placement.to_grid[:3, :3] @ xyz.T + placement.to_grid[:3, 3:]
    outline = np.unique(np.round(on_grid[:2] / 4), axis=1) * 4
    back = np.linalg.inv(placement.to_grid)
    limit = np.array(placement.shape[::-1])[:, None] - 0.5
    seen = np.zeros(placement.grid.shape[0], bool)
    for p in range(len(seen)):
        points = np.vstack([outline, np.full(outline.shape[1], p)])
        own = back[:3, :3] @ points + back[:3, 3:]
        seen[p] = ((own >= -0.5) & (own <= limit)).all(0).mean() >= 0.5
    return seen


def _reached(
    back: NDArray[np.float64], volume: tuple[int, ...], shape: tuple[int, ...], further: Sequence[float] = (0, 0, 0)
) -> tuple[slice, slice, slice]:
    """The part of a shape that a volume reaches, and so much further; ``back`` leads from the shape to the volume."""
    corners = np.stack(np.meshgrid(*[[0, n - 1] for n in volume], indexing="ij"), -1).reshape(-1, 3)
    there = (corners - back[:3, 3]) @ np.linalg.inv(back[:3, :3]).T
    low = np.clip(np.floor(there.min(0) - further), 0, shape).astype(int)
    high = np.maximum(np.clip(np.ceil(there.max(0) + further) + 1, 0, shape).astype(int), low)
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return z, y, x


def _within(
    region: tuple[slice, slice, slice], back: NDArray[np.float64]
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """The matrix from the voxels of a region alone, and its shape."""
    moved = back.copy()
    moved[:3, 3] += back[:3, :3] @ [s.start for s in region]
    z, y, x = (s.stop - s.start for s in region)
    return moved, (z, y, x)


def to_source(labels: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
    """Bring labels on the template grid back into the heart's own space.

    Args:
        labels: [T, Z, Y, X] or [Z, Y, X] on the placement's grid.

    Returns:
        The same number of frames on the heart's own voxels, the axes as its file has them. Each slice of a thick
        stack is taken from its own template plane; slices beyond the grid are empty.
    """
    frames = labels if labels.ndim == 4 else labels[None]
    back = _volume_to_source if placement.planes is None else _stack_to_source
    own = np.stack([back(frame, placement) for frame in frames])
    own = own.transpose(0, *(1 + axis for axis in inverse_order(placement.order)))
    return own if labels.ndim == 4 else own[0]


def _volume_to_source(labels: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
    if not labels.any():
        return np.zeros(placement.shape, np.uint8)
    box = _bounding_box(labels > 0)
    distances = label_distances(labels[box], placement.grid.spacing, planar=False, absent_mm=_SPECK_MM)
    matrix = _FLIP @ placement.to_grid @ _FLIP
    matrix[:3, 3] -= [s.start for s in box]
    out = np.zeros(placement.shape, np.uint8)
    region = _reached(matrix, distances.shape[1:], placement.shape)
    out[region] = nearest_label(carry(distances, *_within(region, matrix)))
    return out


def _stack_to_source(labels: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
    assert placement.planes is not None
    out = np.zeros(placement.shape, np.uint8)
    inside = [k for k, plane in enumerate(placement.planes) if 0 <= plane < labels.shape[0]]
    if not inside:
        return out
    slices = labels[[placement.planes[k] for k in inside]]
    if not slices.any():
        return out
    _, y, x = _bounding_box(slices > 0)
    distances = label_distances(slices[:, y, x], placement.grid.spacing, planar=True, absent_mm=_SPECK_MM)
    forth = _FLIP @ placement.to_grid @ _FLIP
    matrix = np.eye(4)
    matrix[1:3, 1:3] = forth[1:3, 1:3]
    matrix[1:3, 0], matrix[1:3, 3] = forth[1:3, 0], forth[1:3, 3] + forth[1:3, 0] * inside[0]
    matrix[1:3, 3] -= y.start, x.start
    moves = None if placement.shifts is None else placement.shifts_yx[inside]
    further = (0, 0) if moves is None else np.abs(moves @ np.linalg.inv(matrix[1:3, 1:3]).T).max(axis=0)
    shape = (len(inside), *placement.shape[1:])
    every, y, x = _reached(matrix, distances.shape[1:], shape, (0, *further))
    there, (_, *plane) = _within((every, y, x), matrix)
    out[inside, y, x] = nearest_label(carry_slices(distances, there, tuple(plane), moves))
    return out


LABELS = (BACKGROUND, *STRUCTURES.values())

_APART = 1e6
_FAR = 1e3


def label_distances(
    labels: NDArray[np.uint8], spacing: tuple[float, float, float], *, planar: bool, absent_mm: float
) -> NDArray[np.float32]:
    """Distance from each voxel to the nearest one of each label, 0 inside the label itself.

    Args:
        labels: [Z, Y, X] canonical labels.
        spacing: voxel size in mm along (Z, Y, X).
        planar: measure within each plane only (slices kept as slices).
        absent_mm: the distance to a label that is nowhere to be found (in the plane, if planar).

    Returns:
        [4, Z, Y, X] mm.
    """
    sampling = (_APART, *spacing[1:]) if planar else spacing
    out = np.full((len(LABELS), *labels.shape), absent_mm, np.float32)
    for number in LABELS:
        other = labels != number
        if not other.all():
            distance = distance_transform_edt(other, sampling=sampling)
            out[number] = np.where(distance < _APART, distance, absent_mm) if planar else distance
    return out


def nearest_label(distances: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The label of least distance; [4, …] to […]. Background wins a tie."""
    return np.argmin(distances, axis=0).astype(np.uint8)


def carry(
    distances: NDArray[np.float32], matrix: NDArray[np.floating], shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Distances [4, Z, Y, X] at other voxels, from which ``matrix`` leads to the old ones; background outside."""
    out = np.empty((len(LABELS), *shape), np.float32)
    for number in LABELS:
        affine_transform(
            distances[number], matrix[:3, :3], matrix[:3, 3], output_shape=shape, output=out[number], order=1,
            mode="constant", cval=0.0 if number == BACKGROUND else _FAR,
        )  # fmt: skip
    return out


def carry_slices(
    distances: NDArray[np.float32],
    matrix: NDArray[np.floating],
    plane: tuple[int, ...],
    moves: NDArray[np.floating] | None = None,
) -> NDArray[np.float32]:
    """Distances of a stack at other voxels within the same slices.

    Args:
        distances: [4, S, Y, X].
        matrix: 4×4, from the new voxel (slice, y, x) to the old one; it keeps the slice.
        plane: the new (Y, X).
        moves: [S, 2] old voxels (y, x) to be added for each slice.

    Returns:
        [4, S, *plane].
    """
    count = distances.shape[1]
    if moves is None:
        return carry(distances, matrix, (count, plane[0], plane[1]))
    out = np.empty((len(distances), count, *plane), np.float32)
    for k, move in enumerate(moves):
        own = np.array(matrix, float)
        own[1:3, 3] += own[1:3, 0] * k + move
        own[1:3, 0] = 0
        out[:, k : k + 1] = carry(distances[:, k : k + 1], own, (1, plane[0], plane[1]))
    return out
