"""How a clinic sees a heart: thick slices, and perhaps end-diastole and end-systole only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from cheart.errors import InputError
from cheart.labels import LV, MYO, RV
from cheart.sequence import Sequence


@dataclass(frozen=True)
class Acquisition:
    """What is imaged of a heart.

    Attributes:
        slice_thickness: distance from slice to slice in mm, or None where every plane of the grid is imaged.
        frames: ``all``, or ``ed,es`` for two-frame data.

    Raises:
        InputError: a thickness that is not positive, or other frames.
    """

    slice_thickness: float | None = None
    frames: str = "all"

    def __post_init__(self) -> None:
        if self.slice_thickness is not None and not 0 < self.slice_thickness <= 30:
            raise InputError(f"--slice-thickness {self.slice_thickness:g}: expected mm, above 0 and up to 30")
        if self.frames not in ("all", "ed,es"):
            raise InputError(f"--observed {self.frames!r}: expected all or ed,es")

    def __str__(self) -> str:
        thick = f"{self.slice_thickness:g} mm slices" if self.slice_thickness else "every plane"
        return f"{thick}, {'all frames' if self.frames == 'all' else 'ED and ES'}"


def acquire(sequence: Sequence, acquisition: Acquisition, *, rng: np.random.Generator) -> Sequence:
    """Image a heart.

    Planes between slices are interpolated by signed distance and not observed; frames that were not imaged are empty.

    Args:
        sequence: the heart, every plane observed.
        acquisition: what is imaged.
        rng: where chance comes from (where the first slice lies).
    """
    grid, labels = sequence.grid, sequence.labels
    planes = np.arange(grid.shape[0])
    if acquisition.slice_thickness is not None and acquisition.slice_thickness > grid.spacing[0]:
        step = acquisition.slice_thickness / grid.spacing[0]
        planes = np.unique(np.floor(np.arange(rng.uniform(0, step), grid.shape[0], step)).astype(int))
    frames = np.arange(sequence.frames)
    if acquisition.frames == "ed,es":
        cavity = (labels == LV).sum(axis=(1, 2, 3))
        frames = np.unique([0, int(cavity.argmin())])
    observed = np.zeros(labels.shape[:2], bool)
    observed[np.ix_(frames, planes)] = True
    seen = np.zeros_like(labels)
    for t in frames:
        seen[t] = _between(labels[t], planes)
    return Sequence(seen, observed, grid, sequence.cycle_s)


def _between(labels: NDArray[np.uint8], planes: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Interpolate [Z, Y, X] from some of its planes by signed distance; nothing beyond the first and the last."""
    out = np.zeros_like(labels)
    out[planes] = labels[planes]
    for low, high in pairwise(planes):
        if high - low < 2 or not (labels[low].any() or labels[high].any()):
            continue
        below, above = _layers(labels[low]), _layers(labels[high])
        for z in range(low + 1, high):
            share = (z - low) / (high - low)
            mixed = below * (1 - share) + above * share
            plane = np.where(mixed[2] > 0, RV, 0)
            plane = np.where(mixed[1] > 0, MYO, plane)
            out[z] = np.where(mixed[0] > 0, LV, plane)
    return out


def _layers(plane: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Signed distances (positive inside) of the LV cavity, of LV with its wall, and of the whole heart."""
    masks = (plane == LV, (plane == LV) | (plane == MYO), plane > 0)
    far = -float(max(plane.shape))
    return np.stack(
        [distance_transform_edt(m) - distance_transform_edt(~m) if m.any() else np.full(m.shape, far) for m in masks]
    )
