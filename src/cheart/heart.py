"""One beating heart: label maps over the cycle, and what of them was really observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.grid import Grid


@dataclass(frozen=True, eq=False)
class Heart:
    """A periodic cardiac cycle of label maps in the template pose; frame 0 is end-diastole.

    Attributes:
        labels: [T, Z, Y, X] uint8, canonical labels (see :mod:`cheart.labels`).
        observed: [T, Z] bool, the planes that were really imaged. Content elsewhere is interpolated or empty:
            it may be looked at, but it is never scored.
        grid: the voxel grid.
        cycle_s: duration of the whole cycle in s, or nan where it is not known.

    Raises:
        InputError: shapes that do not agree, labels above 3, nothing observed at end-diastole, or a cycle
            outside 0.3 to 2 s.
    """

    labels: NDArray[np.uint8]
    observed: NDArray[np.bool_]
    grid: Grid
    cycle_s: float = float("nan")

    def __post_init__(self) -> None:
        labels, observed = self.labels, self.observed
        if labels.ndim != 4 or labels.shape[1:] != self.grid.shape or labels.dtype != np.uint8:
            raise InputError(
                f"labels {labels.shape} {labels.dtype}: expected [T, Z, Y, X] uint8 on the grid {self.grid.shape}"
            )
        if observed.shape != labels.shape[:2] or observed.dtype != np.bool_:
            raise InputError(f"observed {observed.shape} {observed.dtype}: expected [T, Z] bool, {labels.shape[:2]}")
        if labels.size and labels.max() > 3:
            raise InputError(f"label {labels.max()}: canonical labels are 0 to 3 (translate with --scheme)")
        if not observed[0].any():
            raise InputError("nothing is observed in frame 0, which is end-diastole")
        if np.isfinite(self.cycle_s):
            check_cycle(self.cycle_s)

    @property
    def frames(self) -> int:
        """T, the number of frames in the cycle."""
        return int(self.labels.shape[0])

    @property
    def frame_s(self) -> float:
        """Time from one frame to the next in s (nan where the cycle's duration is not known)."""
        return self.cycle_s / self.frames

    @property
    def observed_frames(self) -> NDArray[np.intp]:
        """Indices of the frames of which at least one plane was imaged."""
        return np.flatnonzero(self.observed.any(axis=1))


def whole(labels: NDArray[np.uint8], grid: Grid, cycle_s: float = float("nan")) -> Heart:
    """A sequence [T, Z, Y, X] of which every plane of every frame is observed."""
    return Heart(labels, np.ones(labels.shape[:2], bool), grid, cycle_s)


def check_cycle(cycle_s: float) -> None:
    """Refuse a cardiac cycle that no heart has.

    Raises:
        InputError: outside 0.3 to 2 s (30 to 200 beats a minute).
    """
    if not 0.3 <= cycle_s <= 2.0:
        hint = "; is the time step in ms?" if 300 <= cycle_s <= 2000 else ""
        raise InputError(f"a cardiac cycle of {cycle_s:g} s is outside 0.3 to 2 s{hint}")
