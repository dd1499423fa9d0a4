"""By how much the walls of training hearts change over the cycle, as the read-out lets those of a model
(:mod:`cheart.models.readout`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from jaxtyping import Float, Integer
from torch import Tensor

from cheart.cohort import Cohort
from cheart.models.readout import WALL
from cheart.phenotypes import volume_curves
from cheart.progress import Jobs, collect

HEARTS = 40
"""Hearts that are measured."""


def fit_wall_range(cohort: Cohort, indices: Integer[np.ndarray, " N"], *, jobs: Jobs) -> tuple[float, float]:
    """Least and largest volume of the wall over that at ED, in nine of ten frames; at least the usual range.

    Where images were simulated it is the usual range: the hearts' walls keep their volume, whatever an image cuts off.
    """
    if cohort.info["provenance"].get("acquisition") is not None:
        return WALL
    some = [int(i) for i in indices[:: max(1, len(indices) // HEARTS)]]
    ratios = collect(partial(_ratios, cohort), some, jobs=jobs, title="Measuring walls over the cycle")
    low, high = np.quantile(np.concatenate(ratios), (0.05, 0.95))
    return min(WALL[0], float(low)), max(WALL[1], float(high))


def read_wall_range(tensors: Mapping[str, Tensor]) -> tuple[float, float]:
    """As a model's file has it; models of before it was measured have the usual range."""
    low, high = tensors["basis.wall"].tolist() if "basis.wall" in tensors else WALL
    return float(low), float(high)


def _ratios(cohort: Cohort, index: int) -> Float[np.ndarray, " t"]:
    """Volume of the wall over that at end-diastole in a few observed frames."""
    observed = cohort.observed_of(index)
    seen = np.flatnonzero(observed.any(axis=1))
    frames = [int(t) for t in seen[:: max(1, len(seen) // 4)]]
    wall = volume_curves(cohort.labels(index, frames), cohort.grid, observed[frames])[:, 1]
    return np.asarray(wall[np.isfinite(wall)] / wall[0])
