"""A cine image: the beating heart as the scanner saw it, from NIfTI or DICOM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.grid import spacing_of
from cheart.io.nifti import write_image


@dataclass(frozen=True, eq=False)
class Cine:
    """A stack of slices over one cardiac cycle, in the subject's own space.

    Attributes:
        values: [T, Z, Y, X] intensities, finite.
        affine: 4×4, voxel (x, y, z) to world mm.
        frame_s: time from frame to frame in s, nan where it is not known.
        conditions: what a DICOM header says of the owner, if it was asked for, else empty.
        warnings: what a person should know before trusting it, one sentence each.

    Raises:
        InputError: not four axes, nothing but one value, or values that are not finite.
    """

    values: NDArray
    affine: NDArray[np.float64]
    frame_s: float = float("nan")
    conditions: Mapping[str, float | str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.values.ndim != 4:
            raise InputError(f"image of shape {self.values.shape}: expected [T, Z, Y, X]")
        if not np.isfinite(self.values).all() or self.values.min() == self.values.max():
            raise InputError(
                f"the image's values go from {self.values.min()} to {self.values.max()}: there is nothing to segment"
            )

    @property
    def frames(self) -> int:
        """T."""
        return int(self.values.shape[0])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along (Z, Y, X)."""
        return spacing_of(self.affine)

    @property
    def cycle_s(self) -> float:
        """Duration of all frames in s, nan where it is not known or there is one frame only."""
        return self.frame_s * self.frames if self.frames > 1 else float("nan")

    def save(self, path: Path | str) -> None:
        """Write it as 4D NIfTI (X, Y, Z, T), mm and s."""
        write_image(path, self.values, self.affine, frame_s=self.frame_s)
