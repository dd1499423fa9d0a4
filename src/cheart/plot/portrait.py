"""A heart as it is shown: its label maps, what it is (simulated, generated, …), and where to cut it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import LV, MYO, STRUCTURES
from cheart.phenotypes import Phenotypes, from_curves, volume_curves

Kind = Literal["simulated", "generated", "completed", "imported"]
"""What a person must be told about a heart that they see."""

LEVELS: dict[str, float] = {"base": 0.25, "mid": 0.50, "apex": 0.80}
"""Short-axis levels as fractions of the LV's length from the base at end-diastole. The base descends by about a
sixth of the length, so that even the first still cuts the LV at end-systole."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """One heart with its title.

    Attributes:
        sequence: the heart.
        kind: simulated, generated, completed or imported. It stands in every title.
        about: more for the title, such as the conditions in words.

    Raises:
        InputError: another kind.
    """

    sequence: Heart
    kind: Kind
    about: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise InputError(f"kind {self.kind!r}: expected one of {', '.join(get_args(Kind))}")

    @property
    def title(self) -> str:
        """Such as ``Generated: age 63 years, sex F``."""
        return self.kind.capitalize() + (f": {self.about}" if self.about else "")

    @cached_property
    def curves(self) -> dict[str, NDArray[np.float64]]:
        """Volume per structure and frame in mL, each [T]; nan where the frame was not observed."""
        table = volume_curves(self.sequence.labels, self.sequence.grid, self.sequence.observed)
        return dict(zip(STRUCTURES, table.T, strict=True))

    @cached_property
    def phenotypes(self) -> Phenotypes:
        """What the volume curves say: end-systole, ejection fraction and the others."""
        table = np.stack([self.curves[name] for name in STRUCTURES], axis=1)
        return from_curves(table, cycle_s=self.sequence.cycle_s)

    @cached_property
    def planes(self) -> dict[str, int]:
        """Indices along z of the short-axis levels, fixed in space over the cycle; only planes imaged at ED."""
        candidates = self._lv_planes
        base, apex = candidates[-1], candidates[0]
        return {
            name: int(candidates[np.abs(candidates - (base - f * (base - apex))).argmin()])
            for name, f in LEVELS.items()
        }

    @cached_property
    def axis_yx(self) -> tuple[int, int]:
        """Indices along y and x of the LV long axis: the centroid of the LV at end-diastole."""
        weight = np.isin(self.sequence.labels[0], (LV, MYO)) & self.sequence.observed[0][:, None, None]
        _, y, x = np.nonzero(weight)
        return round(float(y.mean())), round(float(x.mean()))

    @property
    def _lv_planes(self) -> NDArray[np.intp]:
        """Planes that show the LV at end-diastole and were imaged, apex first."""
        there = (self.sequence.labels[0] == LV).any(axis=(1, 2))
        planes = np.flatnonzero(there & self.sequence.observed[0])
        if not planes.size:
            raise InputError("no imaged plane shows the LV cavity at end-diastole: there is nothing to draw")
        return planes
