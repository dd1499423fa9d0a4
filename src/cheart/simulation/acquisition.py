"""How a clinic sees a heart: thick slices, breath-holds that differ, slices that are missing, contours that err.

A slice is a slab of the heart; each of its pixels is the label that fills most of it. Between slices, labels are
interpolated by their distances (:mod:`cheart.align.resample`) and not observed; frames not imaged are empty.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cheart.align.resample import LABELS, label_distances, nearest_label
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.heart import Heart
from cheart.labels import LV, MYO, RV
from cheart.metrics import overlap
from cheart.phenotypes import count_voxels

_ABSENT_MM = 20.0
_NOISE_SMOOTH_MM = 7.0
_MAX_NOISE_MM = 12.0
_AROUND_MM = 12.0  # no border is moved so far


@dataclass(frozen=True)
class Acquisition:
    """What is imaged of a heart, and how well. The defaults see everything exactly.

    Attributes:
        slice_thickness: mm; None images every plane of the grid.
        slice_gap: between slices, mm.
        in_plane: pixel size, mm; None is that of the grid.
        breath_hold: standard deviation of each slice's shift in x and in y, mm.
        missing_slices: at each end of the heart, up to so many slices are missing.
        observed: frames, ``all`` or, for two-frame data, ``ed,es``.
        contour_dice: Dice of the contours to the imaged truth, mean of the three structures at end-diastole.

    Raises:
        InputError: a value outside its range, or other frames.
    """

    slice_thickness: float | None = None
    slice_gap: float = 0.0
    in_plane: float | None = None
    breath_hold: float = 0.0
    missing_slices: int = 0
    observed: str = "all"
    contour_dice: float | None = None

    def __post_init__(self) -> None:
        ranges: dict[str, tuple[str, float, float]] = {
            "slice_thickness": ("--slice-thickness", 1, 30),
            "slice_gap": ("--slice-gap", 0, 30),
            "in_plane": ("--in-plane", 0.5, 20),
            "breath_hold": ("--breath-hold", 0, 20),
            "missing_slices": ("--missing-slices", 0, 5),
            "contour_dice": ("--contour-dice", 0.6, 0.99),
        }
        for name, (flag, low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"{flag} {value:g}: expected {low:g} to {high:g}")
        if self.slice_gap and self.slice_thickness is None:
            raise InputError(f"--slice-gap {self.slice_gap:g}: a gap needs slices; give --slice-thickness too")
        if self.observed not in ("all", "ed,es"):
            raise InputError(f"--observed {self.observed!r}: expected all or ed,es")

    def __str__(self) -> str:
        names = {
            "slice_thickness": "slices of {} mm", "slice_gap": "gaps of {} mm", "in_plane": "pixels of {} mm",
            "breath_hold": "breath-holds ±{} mm", "missing_slices": "up to {} slices missing at each end",
            "observed": "frames {}", "contour_dice": "contours of Dice {}",
        }  # fmt: skip
        changed = [f for f in fields(self) if getattr(self, f.name) != f.default]
        return ", ".join(names[f.name].format(getattr(self, f.name)) for f in changed) or "everything, exactly"


EXACT = Acquisition()
"""Every plane of every frame, as it is."""

CLINICAL = Acquisition(
    slice_thickness=8.0, slice_gap=2.0, in_plane=1.5, breath_hold=1.5, missing_slices=1, contour_dice=0.97
)
"""Cines as clinics have them: 8 mm slices 10 mm apart, a breath-hold each, contours that err a little."""


def acquire(heart: Heart, acquisition: Acquisition, *, rng: np.random.Generator) -> Heart:
    """Image a heart.

    Args:
        heart: every plane observed.
        acquisition: what is imaged, and how well.
        rng: where chance comes from: where the first slice lies, shifts, what is missing, contours.

    Returns:
        The imaged heart on the same grid; ``observed`` marks the imaged planes of the imaged frames.
    """
    labels, grid = heart.labels, heart.grid
    planes = _planes(labels[0], grid, acquisition, rng)
    frames = _frames(labels, acquisition)
    shifts = rng.normal(0, acquisition.breath_hold, (planes.size, 2)) if acquisition.breath_hold else None
    stack = np.stack([_image(labels[t], planes, shifts, grid, acquisition) for t in frames])
    if acquisition.contour_dice is not None:
        stack = _recontour(stack, grid, acquisition.contour_dice, rng)
    seen = np.zeros_like(labels)
    for t, slices in zip(frames, stack, strict=True):
        seen[t] = _between(slices, planes, grid)
    observed = np.zeros(labels.shape[:2], bool)
    observed[np.ix_(frames, planes)] = True
    return replace(heart, labels=seen, observed=observed)


def _planes(ed: NDArray[np.uint8], grid: Grid, acquisition: Acquisition, rng: np.random.Generator) -> NDArray[np.intp]:
    """The planes of the grid that lie at the middles of the slices."""
    planes = np.arange(grid.shape[0])
    if acquisition.slice_thickness is not None:
        step = max((acquisition.slice_thickness + acquisition.slice_gap) / grid.spacing[0], 1.0)
        planes = np.unique(np.floor(np.arange(rng.uniform(0, step), grid.shape[0], step)).astype(int))
    if acquisition.missing_slices:
        heart = planes[ed[planes].any(axis=(1, 2))]
        apical, basal = rng.integers(0, acquisition.missing_slices + 1, 2)
        gone = [*heart[: min(apical, heart.size // 3)], *heart[heart.size - min(basal, heart.size // 3) :]]
        planes = np.setdiff1d(planes, gone)
    return planes


def _frames(labels: NDArray[np.uint8], acquisition: Acquisition) -> NDArray[np.intp]:
    if acquisition.observed == "all":
        return np.arange(len(labels))
    cavity = count_voxels(labels)[..., 0].sum(axis=1)
    return np.unique([0, int(cavity.argmin())])


def _image(
    labels: NDArray[np.uint8],
    planes: NDArray[np.intp],
    shifts: NDArray[np.float64] | None,
    grid: Grid,
    acquisition: Acquisition,
) -> NDArray[np.uint8]:
    """The slices [K, Y, X] of one frame [Z, Y, X]."""
    half = (acquisition.slice_thickness or 0.0) / 2 / grid.spacing[0]
    slices = np.zeros((planes.size, *grid.shape[1:]), np.uint8)
    for i, plane in enumerate(planes):
        low, high = max(int(np.ceil(plane - half)), 0), min(int(np.floor(plane + half)), grid.shape[0] - 1)
        slices[i] = _majority(labels[low : high + 1])
        if shifts is not None:
            slices[i] = ndimage.shift(slices[i], shifts[i] / grid.spacing[1:], order=0)
    if acquisition.in_plane is not None and acquisition.in_plane > min(grid.spacing[1:]):  # finer pixels see no more
        slices = _coarsened(slices, acquisition.in_plane, grid)
    return slices


def _majority(slab: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The label that fills most of a slab [K, Y, X] at each pixel; where two share it, the inner one."""
    if len(slab) == 1:
        return slab[0]
    inner_first = (LV, MYO, RV, 0)
    counts = np.stack([(slab == number).sum(axis=0) for number in inner_first])
    return np.array(inner_first, np.uint8)[counts.argmax(axis=0)]


def _coarsened(slices: NDArray[np.uint8], pixel: float, grid: Grid) -> NDArray[np.uint8]:
    """Slices [K, Y, X] as pixels of another size see them, on the same grid."""
    rows, cols = (np.floor((axis - axis[0]) / pixel).astype(int) for axis in grid.axes()[1:])
    shape = (len(slices), rows[-1] + 1, cols[-1] + 1)
    counts = np.zeros((len(LABELS), *shape), np.int32)
    for number in LABELS:
        by_row = np.add.reduceat((slices == number).astype(np.int32), np.unique(rows, return_index=True)[1], axis=1)
        counts[number] = np.add.reduceat(by_row, np.unique(cols, return_index=True)[1], axis=2)
    coarse = counts.argmax(axis=0).astype(np.uint8)
    return coarse[:, rows][:, :, cols]


def _recontour(stack: NDArray[np.uint8], grid: Grid, dice: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move the borders of slices [T, K, Y, X] by smooth noise whose size gives the wanted Dice at end-diastole."""
    noises = [_smooth_noise(slices.shape, grid, rng) for slices in stack]
    where = _around(stack, grid)
    out, stack, noises = stack.copy(), stack[:, *where], [noise[:, *where] for noise in noises]
    distances = [label_distances(slices, grid.spacing, planar=True, absent_mm=_ABSENT_MM) for slices in stack]
    low, high = 0.0, _MAX_NOISE_MM
    for _ in range(12):
        size = (low + high) / 2
        moved = _moved(stack[0], distances[0], noises[0] * size)
        reached = np.nan_to_num(overlap.dice(moved[None], stack[:1])).mean()
        low, high = (size, high) if reached > dice else (low, size)
    size = (low + high) / 2
    out[:, *where] = [_moved(*each[:2], each[2] * size) for each in zip(stack, distances, noises, strict=True)]
    return out


def _around(stack: NDArray[np.uint8], grid: Grid) -> tuple[slice, slice, slice]:
    """The slices, rows and columns where [T, K, Y, X] holds a heart, or might after borders were moved in plane."""
    found = []
    for axis, margin in enumerate((0, *(int(np.ceil(_AROUND_MM / s)) for s in grid.spacing[1:])), start=1):
        inside = np.flatnonzero(stack.any(axis=tuple({0, 1, 2, 3} - {axis})))
        first, last = (int(inside[0]), int(inside[-1])) if inside.size else (0, 0)
        found.append(slice(max(first - margin, 0), min(last + margin + 1, stack.shape[axis])))
    return found[0], found[1], found[2]


def _moved(slices: NDArray[np.uint8], distances: NDArray[np.float32], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Slices with their borders moved; planes without a heart stay empty."""
    moved = nearest_label(distances + noise)
    moved[~slices.any(axis=(1, 2))] = 0
    return moved


def _smooth_noise(shape: tuple[int, ...], grid: Grid, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise [4, K, Y, X] of unit variance, smooth in plane, for each label and slice its own."""
    sigma = (0, 0, *(_NOISE_SMOOTH_MM / s for s in grid.spacing[1:]))
    noise = ndimage.gaussian_filter(rng.standard_normal((len(LABELS), *shape), dtype=np.float32), sigma, mode="wrap")
    return np.asarray(noise / noise.std(), np.float32)


def _between(slices: NDArray[np.uint8], planes: NDArray[np.intp], grid: Grid) -> NDArray[np.uint8]:
    """A frame [Z, Y, X] from its slices [K, Y, X]; nothing beyond the first and the last."""
    out = np.zeros(grid.shape, np.uint8)
    out[planes] = slices
    if planes.size == grid.shape[0]:
        return out
    k, y, x = _around(slices[None], grid)
    distances = label_distances(slices[k, y, x], grid.spacing, planar=True, absent_mm=_ABSENT_MM)
    filled: NDArray[np.bool_] = np.any(slices[k] > 0, axis=(1, 2))
    for i, (low, high) in enumerate(pairwise(planes[k])):
        if filled[i] and filled[i + 1]:
            for z in range(low + 1, high):
                fraction = np.float32((z - low) / (high - low))
                out[z, y, x] = nearest_label(distances[:, i] * (1 - fraction) + distances[:, i + 1] * fraction)
    return out
