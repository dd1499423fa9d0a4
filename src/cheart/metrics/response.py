"""Does a model listen to its conditions?

When one condition moves and the others stay, a model's phenotypes should move as they do in the cohort with the others
held fixed: by the partial slope of a multiple linear regression. A model that ignores a condition has slope 0. Slopes
are per unit of the condition (mL per year, g per mmHg); that of a level is its difference from the first level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cheart.errors import InputError

CONFIDENCE = 0.95


BAR = (0.5, 2.0)
"""Within these a model's slope over the cohort's clear one may agree with it."""

_NOTHING = 1e-6  # of the cohort's slope: what rounding leaves of none


@dataclass(frozen=True)
class Slope:
    """A slope with its 95 % confidence interval.

    Attributes:
        value: phenotype units per unit of the condition.
        low, high: confidence interval.
        n: hearts (subjects of a cohort, samples of a model) behind it.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Response:
    """A model's slope against the cohort's, for one condition and one phenotype.

    Attributes:
        cohort: partial slope in the cohort.
        model: slope of the model's output when that condition alone moves.
    """

    cohort: Slope
    model: Slope

    @property
    def ratio(self) -> float:
        """Model's slope over the cohort's: 1 is right, 0 is deaf, negative is the wrong way. nan without a slope."""
        return self.model.value / self.cohort.value if self.cohort.value else float("nan")

    @property
    def verdict(self) -> str:
        """One word.

        Where the cohort's slope is clear, ``agrees`` needs intervals that meet and a ratio within :data:`BAR`: wide
        intervals meet easily. Otherwise ``ignored`` (no clear slope in the model), ``reversed``, ``weak`` or
        ``strong``. Where it is not, ``agrees``: the intervals meet; ``unfounded``: the model has a slope of its own.
        """
        meet = self.model.low <= self.cohort.high and self.cohort.low <= self.model.high
        if not self.cohort.clear:
            return "agrees" if meet else "unfounded"
        if meet and BAR[0] <= self.ratio <= BAR[1]:
            return "agrees"
        if not self.model.clear or abs(self.ratio) < _NOTHING:
            return "ignored"
        if self.ratio < 0:
            return "reversed"
        return "weak" if self.ratio < 1 else "strong"


def cohort_slopes(conditions: Mapping[str, NDArray[np.float64]], phenotype: ArrayLike) -> dict[str, Slope]:
    """Partial slopes of a phenotype on every condition, by ordinary least squares on all of them together.

    Args:
        conditions: by column name, [N] values of as many people, nan where not known; people with one of them missing
            are left out (``n`` says how many stayed). A category enters as 0 and 1.
        phenotype: [N] one value a person; nan is left out.

    Returns:
        By column name. A column that nobody varies in, or that is known of nobody, is not there.

    Raises:
        InputError: fewer people than columns allow, or conditions that determine each other.
    """
    values = np.asarray(phenotype, float)
    columns = {name: column for name, column in conditions.items() if not np.isnan(column).all()}
    complete = ~np.isnan(np.stack([values, *columns.values()])).any(axis=0)
    values = values[complete]
    columns = {name: column[complete] for name, column in columns.items()}
    columns = {name: column for name, column in columns.items() if column.size and np.ptp(column) > 0}
    if len(values) < len(columns) + 2:
        raise InputError(
            f"{len(values)} people with a phenotype and all known conditions are too few for slopes on "
            f"{len(columns)} conditions: at least {len(columns) + 2} are needed"
        )
    return _least_squares(columns, values) if columns else {}


def _least_squares(columns: dict[str, NDArray[np.float64]], values: NDArray[np.float64]) -> dict[str, Slope]:
    scale = np.array([column.std() for column in columns.values()])
    table = np.stack([column - column.mean() for column in columns.values()], axis=1) / scale
    if np.linalg.matrix_rank(table) < len(columns):
        raise InputError(f"the conditions {', '.join(columns)} determine each other in this cohort; leave one out")
    inverse = np.linalg.pinv(table)
    centred = values - values.mean()
    slopes = inverse @ centred
    residual = centred - table @ slopes
    spare = len(values) - len(columns) - 1
    half = _t(spare) * np.sqrt(residual @ residual / spare * np.square(inverse).sum(axis=1))
    return {
        name: Slope(float(b / s), float((b - h) / s), float((b + h) / s), len(values))
        for name, b, h, s in zip(columns, slopes, half, scale, strict=True)
    }


def model_slope(moved: ArrayLike, phenotypes: ArrayLike) -> Slope:
    """Slope of a model's phenotype when one condition moves: a line through each heart's values, mean over hearts.

    Args:
        moved: [K] values of the condition (0 and 1 for a level).
        phenotypes: [S, K] of S hearts, each made at every value with the same latent sample and other conditions.
            Hearts with a value that could not be measured (nan) are left out.

    Raises:
        InputError: shapes that do not agree, a condition that does not move, or fewer than two hearts.
    """
    x, y = np.asarray(moved, float), np.asarray(phenotypes, float)
    if y.ndim != 2 or y.shape[1:] != x.shape or not np.ptp(x) > 0:
        raise InputError(f"moved {x.shape}, phenotypes {y.shape}: expected [K] different values and [S, K]")
    y = y[~np.isnan(y).any(axis=1)]
    if len(y) < 2:
        raise InputError(f"{len(y)} hearts are too few for a model's slope: make at least two for each value")
    centred = x - x.mean()
    slopes = y @ centred / (centred @ centred)
    half = _t(len(y) - 1) * slopes.std(ddof=1) / np.sqrt(len(y))
    mean = float(slopes.mean())
    return Slope(mean, float(mean - half), float(mean + half), len(y))


def _t(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + CONFIDENCE / 2, freedom))
