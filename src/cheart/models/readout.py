"""From fields to the label maps of a heart: the read-out that all models share, which makes no heart that cannot be.

A frame is three bodies, each where its field is negative: LV cavity, LV with its wall, RV cavity
(:data:`cheart.models.fields.BODIES`). The wall is what lies between two nested bodies, so it always encloses:

    L_t = { f_lv < a_t }                    |L_t| <= |L_0|: frame 0 is end-diastole
    E_t = { f_epi < b_t } with N(L_t)       N: L_t and its neighbours through faces, but in +z, where the base is open
    R_t = { f_rv < 0 } without E_t          | |E_t| - |L_t| - W_0 | <= 5 % of W_0: muscle is incompressible

Contours of real hearts let the wall grow in systole (ACDC's by 15 % in the median: trabeculae are cavity before, and
wall then). A model of such hearts does as they do: its range is that of its training hearts where that is wider.

The offsets a_t and b_t are 0 wherever that does, and else the nearest ones that do: both volumes are counts of voxels,
so that an order statistic of the field gives each at once. Pieces that then lie apart and pockets that the heart
encloses, a few voxels between bodies, go to the structure around them. What is valid: :mod:`cheart.validity`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import BACKGROUND, LV, MYO, RV
from cheart.models.fields import Array, Box
from cheart.validity import WALL_TOLERANCE, Pieces, contacts, find_pieces

WALL = (1 - WALL_TOLERANCE, 1 + WALL_TOLERANCE)
"""Least and largest volume of the wall, over that at end-diastole."""

ROOM = 0.9
"""Of what the volumes are allowed, the part that offsets use; the rest is left to pieces and pockets."""

BELOW_ED = 0.998
"""The fullest that another frame's LV cavity is cut to, in those of end-diastole."""

ROUNDS = 16
"""Times that pieces, pockets and bare cavity are sought in a frame, at most; nearly all need one or two."""


def read_out(
    frames: Iterable[tuple[Array, Box]],
    grid: Grid,
    *,
    beat: bool = True,
    wall: tuple[float, float] = WALL,
    end_diastole: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Label maps [T, Z, Y, X].

    Args:
        frames: of each frame in order, the fields of the three bodies [3, z, y, x], negative inside, in any unit; and
            the box of the grid in which they are. Elsewhere is background.
        grid: of the labels.
        beat: they are one heart's, whose volumes over the cycle go together; else each stands for itself.
        wall: least and largest volume of the wall, over that at end-diastole.
        end_diastole: label map [Z, Y, X] that the volumes of all frames go by, where it is known; else the first frame.
    """
    out: list[NDArray[np.uint8]] = []
    first = None if end_diastole is None else _volumes(end_diastole)
    for fields, box in frames:
        made = _frame(fields, first, wall)
        if beat and first is None:
            first = _volumes(made)
        labels = np.zeros(grid.shape, np.uint8)
        labels[box] = made[1:-1, 1:-1, 1:-1]
        out.append(labels)
    return np.stack(out)


def _volumes(labels: NDArray[np.uint8]) -> tuple[int, int]:
    """Voxels of LV cavity and wall."""
    return int((labels == LV).sum()), int((labels == MYO).sum())


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


def _frame(fields: Array, first: tuple[int, int] | None, range_: tuple[float, float]) -> NDArray[np.uint8]:
    """One frame with a margin, [z + 2, y + 2, x + 2]; ``first``: voxels of LV cavity and wall at end-diastole."""
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
    right = (rv < 0) | ((epi < 0) & (rv < -2 * min(offset, 0.0)))  # where the wall gives way to the RV, it is RV
    right[1:-1, 1:-1, 1:-1] |= _between(right, outer)
    labels = np.zeros(lv.shape, np.uint8)
    for body, label in ((right, RV), (outer, MYO), (cavity, LV)):
        labels[1:-1, 1:-1, 1:-1][body[1:-1, 1:-1, 1:-1]] = label
    return _mended(labels)


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
