"""From fields to the label maps of a heart: the read-out that all models share, which makes no heart that cannot be.

A frame is three bodies, each where its field is negative: LV cavity, LV with its wall, RV cavity
(:data:`cheart.models.fields.BODIES`). The wall is what lies between two nested bodies, so it always encloses:

    L_t = { f_lv < a_t }                    |L_t| <= |L_0|: frame 0 is end-diastole
    E_t = { f_epi < b_t } with N(L_t)       N: L_t and its neighbours through faces, but in +z, where the base is open
    R_t = { f_rv < c_t } without E_t        | |E_t| - |L_t| - W_0 | <= 5 % of W_0: muscle is incompressible
                                            |R_0| - |R_es| as |L_0| - |L_es|, within 5 %: stroke volumes

Contours of real hearts let the wall grow in systole (ACDC's by 15 % in the median: trabeculae are cavity before, and
wall then), and on thick slices the ventricles' strokes differ. A model of such hearts does as they do: its ranges are
those of its training hearts where these are wider (:mod:`cheart.models.volume_ranges`).

The offsets a_t, b_t and c_t are 0 wherever that does, and else the nearest ones that do: volumes are counts of voxels,
so that an order statistic of the field gives each at once. Pieces that then lie apart and pockets that the heart
encloses, a few voxels between bodies, go to the structure around them. What is valid: :mod:`cheart.validity`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import BACKGROUND, LV, MYO, RV
from cheart.models.fields import Array, Box, around, as_slices
from cheart.models.volume_ranges import SIMULATED, Range, VolumeRanges
from cheart.validity import Pieces, contacts, find_pieces

ROOM = 0.9
"""Of what the volumes are allowed, the part that offsets use; the rest is left to pieces and pockets."""

BELOW_ED = 0.998
"""The fullest that another frame's LV cavity is cut to, in those of end-diastole."""

STEPS = 4
"""Corrections of the offset at which the RV has its volume."""

ROUNDS = 16
"""Times that pieces, pockets and bare cavity are sought in a frame, at most; nearly all need one or two."""


def read_out(
    frames: Iterable[tuple[Array, Box]],
    grid: Grid,
    *,
    beat: bool = True,
    ranges: VolumeRanges = SIMULATED,
    end_diastole: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Label maps [T, Z, Y, X].

    Args:
        frames: of each frame in order, the fields of the three bodies [3, z, y, x], negative inside, in any unit; and
            the box of the grid in which they are. Elsewhere is background.
        grid: of the labels.
        beat: they are one heart's, whose volumes over the cycle go together; else each stands for itself.
        ranges: of the volumes over the cycle.
        end_diastole: label map [Z, Y, X] that the volumes of all frames go by, where it is known; else the first frame.
    """
    bodies: list[_Bodies] = []
    boxes: list[Box] = []
    first = None if end_diastole is None else _volumes(end_diastole)
    for fields, box in frames:
        made = _bodies(fields, first, ranges.wall)
        if beat and first is None:
            first = _volumes(made.labels())
        bodies.append(made)
        boxes.append(box)
    shifts = np.zeros(len(bodies)) if first is None else _right_offsets(bodies, first, ranges.stroke)
    out = np.zeros((len(bodies), *grid.shape), np.uint8)
    for labels, box, one, shift in zip(out, boxes, bodies, shifts, strict=True):
        labels[box] = one.labels(shift)[1:-1, 1:-1, 1:-1]
    return out


def _right_offsets(
    bodies: list[_Bodies], first: tuple[int, int, int], stroke: tuple[float, float]
) -> NDArray[np.float64]:
    """Offsets c_t of the RV's field, [T]: what end-systole needs, and in proportion to ejection in other frames."""
    cavities = np.array([one.cavity.sum() for one in bodies])
    ejected = np.maximum(first[0] - cavities, 0)
    es = int(ejected.argmax())
    if not ejected[es]:
        return np.zeros(len(bodies))
    full, right = first[2], bodies[es].right_volume()
    low, high = (1 + ROOM * (over - 1) for over in stroke)
    wanted = int(np.clip(right, np.ceil(full - high * ejected[es]), np.floor(full - low * ejected[es])))
    field = np.where(bodies[es].outer, np.inf, bodies[es].rv)
    aim, room = wanted, int(np.isfinite(field).sum()) - 1
    if wanted == right or not right or wanted <= 0 or room < 1:
        return np.zeros(len(bodies))
    for _ in range(STEPS):  # the seam on the wall changes with the offset
        shift = _offset(field, min(max(aim, 0), room))
        aim += wanted - bodies[es].right_volume(shift)
    return shift * ejected / ejected[es]


def _volumes(labels: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Voxels of LV cavity, wall and RV cavity."""
    lv, wall, rv = (int((labels == label).sum()) for label in (LV, MYO, RV))
    return lv, wall, rv


def refuse_not_finite(finite: bool) -> None:
    """Refuse what a network made if it is not all finite numbers: it would be no heart, without a word.

    Raises:
        InputError: it is not.
    """
    if not finite:
        raise InputError(
            "the model makes values that are no numbers of these conditions: its weights are damaged, or its training "
            "came apart; train it anew with a smaller rate (--set rate=…), or give conditions within its range"
        )


@dataclass(frozen=True)
class _Bodies:
    """The three bodies of a frame with a margin, [z + 2, y + 2, x + 2].

    Attributes:
        cavity: of the LV.
        outer: of the LV with its wall.
        rv, epi: fields of the RV cavity and of the LV with its wall.
        offset: of the latter, at which its surface is.
    """

    cavity: NDArray[np.bool_]
    outer: NDArray[np.bool_]
    rv: Array
    epi: Array
    offset: float

    def right(self, shift: float = 0.0) -> NDArray[np.bool_]:
        """The RV cavity, grown by an offset of its field; the wall stands before it."""
        rv = self.rv - np.float32(shift)
        right = (rv < 0) | ((self.epi < 0) & (rv < -2 * min(self.offset, 0.0)))  # where the wall gives way, it is RV
        right[1:-1, 1:-1, 1:-1] |= _between(right, self.outer)
        return np.asarray(right & ~self.outer)

    def right_volume(self, shift: float = 0.0) -> int:
        """Voxels of the RV cavity."""
        return int(self.right(shift)[1:-1, 1:-1, 1:-1].sum())

    def labels(self, shift: float = 0.0) -> NDArray[np.uint8]:
        """What the bodies are, mended."""
        labels = np.zeros(self.rv.shape, np.uint8)
        for body, label in ((self.right(shift), RV), (self.outer, MYO), (self.cavity, LV)):
            labels[1:-1, 1:-1, 1:-1][body[1:-1, 1:-1, 1:-1]] = label
        return _mended(labels)


def _bodies(fields: Array, first: tuple[int, int, int] | None, range_: Range) -> _Bodies:
    """The bodies of a frame; ``first``: voxels of the structures at end-diastole; ``range_``: of the wall."""
    lv, epi, rv = (np.pad(field, 1, constant_values=np.inf) for field in fields)
    _flatten_base(lv, epi)
    cavity = (lv < 0) & (epi < 0)
    if first is not None and cavity.sum() > BELOW_ED * first[0]:
        cavity &= lv < _offset(np.where(cavity, lv, np.inf), int(BELOW_ED * first[0]))
    cavity &= -lv >= _bare(epi)
    if not cavity.any():  # a body of LV with wall has a cavity, be it one voxel where it is deepest
        cavity = (epi == epi.min()) & (epi < 0)
    inner = np.where(_with_neighbours(cavity), -np.inf, epi)
    outer, offset = inner < 0, 0.0
    if first is not None:
        wall, (least, most) = int(outer.sum() - cavity.sum()), (1 + ROOM * (over - 1) for over in range_)
        wanted = int(np.clip(wall, np.ceil(least * first[1]), np.floor(most * first[1])))
        if wanted != wall:
            offset = _offset(inner, int(cavity.sum()) + wanted)
            outer = inner < offset
    return _Bodies(cavity, outer, rv, epi, offset)


def _flatten_base(lv: Array, epi: Array) -> None:
    """End the LV's fields in one plane, as its labels do: a top plane is filled like the one below, or cleared.

    Between the planes of voxels a base lies where fields of many hearts blur it: the areas of the top planes fall off,
    and their rings of wall would stand on the cavity below.
    """
    area = (epi < 0).sum(axis=(1, 2))
    top = int(np.flatnonzero(area)[-1]) if area.any() else 0
    while top > 2 and area[top] < area[max(top - 3, 0) : top].max() / 2:
        lv[top] = epi[top] = np.inf
        top -= 1
    for z in (top - 1, top):
        for field in (lv, epi):
            np.minimum(field[z], field[z - 1], out=field[z])


def _between(right: NDArray[np.bool_], outer: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels, but for the margin, with the RV on one side and the wall on the other: there is no gap on the septum."""
    found = np.zeros([n - 2 for n in right.shape], bool)
    for axis in range(3):
        low, high = (
            tuple(slice(s, s + n - 2) if a == axis else slice(1, -1) for a, n in enumerate(right.shape)) for s in (0, 2)
        )
        found |= (right[low] & outer[high]) | (outer[low] & right[high])
    return found


def _offset(field: Array, count: int) -> float:
    """The offset below which a field has so many voxels."""
    values = field[np.isfinite(field) | (field < 0)]
    if count >= len(values):
        return float(np.inf)
    return float(np.partition(values, count)[count])


def _bare(epi: Array) -> Array:
    """By how much the LV's body lacks a voxel beside or beneath each: where the cavity lacks less, that is wall."""
    lack = np.zeros_like(epi)
    for axis, steps in ((0, (1,)), (1, (1, -1)), (2, (1, -1))):
        for step in steps:  # around the margin nothing is cavity, so that it may go round
            np.maximum(lack, np.roll(epi, step, axis), out=lack)
    return lack


def _with_neighbours(body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A body and its neighbours through faces, but for those in +z."""
    out = body.copy()
    out[:-1] |= body[1:]
    out[:, :-1] |= body[:, 1:]
    out[:, 1:] |= body[:, :-1]
    out[..., :-1] |= body[..., 1:]
    out[..., 1:] |= body[..., :-1]
    return out


def _mended(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame with a margin whose structures are one piece each, without pockets and bare cavity."""
    box = around(labels > 0)
    if box is not None:  # far from the heart there is nothing to mend
        near = as_slices(box)
        labels[near] = _mended_pieces(labels[near])
    return labels


def _mended_pieces(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    for turn in range(ROUNDS):
        pieces = find_pieces(labels)
        apart = ~pieces.main
        apart[0] = False
        if not apart.any() and not contacts(labels).any():
            break
        made = _relabelled(labels, pieces, apart)
        if ((labels == MYO) & (made == BACKGROUND)).any():
            # wall that would only come back where it was, apart from the rest, is not laid on the cavity but into it
            made[_terraces(made) if turn < ROUNDS // 4 else _uncovered(made)] = MYO
        made[1:-1, 1:-1, 1:-1][contacts(made) > 0] = MYO
        labels = made
    return labels


def _terraces(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Background on the LV cavity below its top plane: wall that stands apart beside the cavity stands there."""
    found = np.zeros(labels.shape, bool)
    found[1:] = (labels[:-1] == LV) & (labels[1:] == BACKGROUND)
    planes = np.flatnonzero((labels == LV).any(axis=(1, 2)))
    found[planes[-1] + 1 if planes.size else 0 :] = False
    return found


def _uncovered(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """LV cavity beside or above what should be wall."""
    beside = np.zeros(labels.shape, bool)
    beside[1:-1, 1:-1, 1:-1] = contacts(labels) > 0
    found: NDArray[np.bool_] = _with_neighbours(beside[::-1])[::-1] & (labels == LV)
    return found


def _relabelled(labels: NDArray[np.uint8], pieces: Pieces, apart: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Give each piece that lies apart to a structure around it."""
    flat = labels.ravel()
    here = np.flatnonzero(apart[pieces.ids])
    beside = np.zeros((len(apart), 4), int)  # faces of each piece on each label
    for step in np.array([labels.shape[1] * labels.shape[2], labels.shape[2], 1]):
        for there in (here + step, here - step):
            other = pieces.ids.ravel()[there] != pieces.ids.ravel()[here]
            np.add.at(beside, (pieces.ids.ravel()[here[other]], flat[there[other]]), 1)
    new = pieces.label.copy()
    for piece in np.flatnonzero(apart):
        new[piece] = _owner(int(pieces.label[piece]), *(int(n) for n in beside[piece]))
    return new[pieces.ids]


def _owner(label: int, background: int, lv: int, wall: int, rv: int) -> int:
    """To what a piece belongs that lies apart, by its faces on the others."""
    if label == LV:
        return MYO
    if label == BACKGROUND:
        return MYO if lv or not rv else RV
    if label == MYO and lv and not rv and not background:
        return LV
    enclosed = MYO if label == RV else RV
    return enclosed if not background and not lv else BACKGROUND
