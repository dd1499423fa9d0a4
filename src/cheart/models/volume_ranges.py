"""By how much volumes of training hearts change over the cycle, as the read-out lets those of a model
(:mod:`cheart.models.readout`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Integer
from numpy.typing import NDArray
from torch import Tensor

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.phenotypes import volume_curves
from cheart.progress import Jobs, collect
from cheart.validity import STROKE_TOLERANCE, WALL_TOLERANCE

HEARTS = 40
"""Hearts that are measured."""

CENTRAL = (0.05, 0.95)
"""Quantiles of training hearts that are the ends of a range."""

SDS = 2 * 1.645
"""Standard deviations between these quantiles of a normal distribution."""

Range = tuple[float, float]

FREE: Range = (-1e6, 1e6)
"""A range that no heart leaves."""

LEAST_STROKE_SD = 1.0
"""mL: closer than this, stroke volumes are the same."""


@dataclass(frozen=True)
class VolumeRanges:
    """Least and largest of what hearts keep; as a default what holds of those that were simulated.

    Attributes:
        wall: volume of the wall over that at end-diastole: muscle is all but incompressible.
        stroke: stroke volume of the RV over that of the LV: what one ventricle ejects, the other fills with.

    Raises:
        InputError: numbers that are not finite, or a least one above the largest.
    """

    wall: Range = (1 - WALL_TOLERANCE, 1 + WALL_TOLERANCE)
    stroke: Range = ((2 - STROKE_TOLERANCE) / (2 + STROKE_TOLERANCE), (2 + STROKE_TOLERANCE) / (2 - STROKE_TOLERANCE))

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = getattr(self, field.name)
            if not -np.inf < low <= high < np.inf:
                raise InputError(f"{field.name} from {low} to {high}: expected two numbers, the smaller one first")

    def stroke_sd(self, lvsv: npt.ArrayLike, rvsv: npt.ArrayLike) -> NDArray[np.float64]:
        """Standard deviation in mL of the difference of both stroke volumes, where they are about so large, in mL."""
        share = (self.stroke[1] - self.stroke[0]) / SDS
        return np.maximum(share * (np.asarray(lvsv) + np.asarray(rvsv)) / 2, LEAST_STROKE_SD)

    @property
    def of_wall(self) -> VolumeRanges:
        """The same with free strokes: of a model that balances them before labels are read out."""
        return replace(self, stroke=FREE)

    def joined(self, other: VolumeRanges) -> VolumeRanges:
        """Ranges that hold both."""
        joined = {f.name: _joined(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return VolumeRanges(**joined)

    def to_tensors(self) -> dict[str, Tensor]:
        """As a model's file holds them."""
        return {f"basis.{f.name}": torch.tensor(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> VolumeRanges:
        """What :meth:`to_tensors` gave; files of before a range was measured have the default."""
        names = [f.name for f in fields(cls) if f"basis.{f.name}" in tensors]
        return cls(**{name: _range(tensors[f"basis.{name}"]) for name in names})


SIMULATED = VolumeRanges()
"""Of hearts that were simulated, whose walls and strokes are held to these."""


def fit_volume_ranges(cohort: Cohort, indices: Integer[np.ndarray, " N"], *, jobs: Jobs) -> VolumeRanges:
    """Of training hearts, nine of ten frames' walls and nine of ten hearts' strokes; at least the default.

    Where images were simulated it is the default: the hearts keep their volumes, whatever an image cuts off.
    """
    if cohort.info["provenance"].get("acquisition") is not None:
        return SIMULATED
    some = [int(i) for i in indices[:: max(1, len(indices) // HEARTS)]]
    measured = collect(partial(_ratios, cohort), some, jobs=jobs, title="Measuring volumes over the cycle")
    walls, strokes = (np.concatenate(found) for found in zip(*measured, strict=True))
    strokes = strokes[np.isfinite(strokes)]
    return SIMULATED.joined(VolumeRanges(_quantiles(walls, SIMULATED.wall), _quantiles(strokes, SIMULATED.stroke)))


def _ratios(cohort: Cohort, index: int) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " 1"]]:
    """Volume of the wall over that at end-diastole in a few observed frames, and RVSV over LVSV (nan where unknown)."""
    observed = cohort.observed_of(index)
    seen = np.flatnonzero(observed.any(axis=1))
    lv, wall, rv = volume_curves(cohort.labels(index, seen.tolist()), cohort.grid, observed[seen]).T
    few = wall[:: max(1, len(seen) // 4)]
    es = int(np.argmin(np.where(np.isfinite(lv), lv, np.inf)))
    stroke = (rv[0] - rv[es]) / (lv[0] - lv[es]) if lv[es] < lv[0] else np.nan
    return np.asarray(few[np.isfinite(few)] / wall[0]), np.array([stroke])


def _quantiles(values: Float[np.ndarray, " n"], otherwise: Range) -> Range:
    if not len(values):
        return otherwise
    low, high = np.quantile(values, CENTRAL)
    return float(low), float(high)


def _joined(one: Range, other: Range) -> Range:
    return min(one[0], other[0]), max(one[1], other[1])


def _range(tensor: Tensor) -> Range:
    low, high = tensor.tolist()
    return float(low), float(high)
