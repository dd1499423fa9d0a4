"""Intervals by bootstrap over people (Efron and Tibshirani 1993; of clusters: Field and Welsh, JRSS B 69:369, 2007).

Twenty hearts of one person are not twenty people: whole people are drawn again, with all their rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cheart.errors import InputError

DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure with its interval.

    Attributes:
        value: of all rows.
        low, high: quantiles of the draws; nan with fewer than two people.
    """

    value: float
    low: float
    high: float


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    people: ArrayLike,
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """The percentile interval of a figure over people.

    Args:
        statistic: of numbers of rows; a row may stand there more than once. Draws for which it is nan do not count.
        people: [R], whose each row is.
        draws: how often people are drawn again.
        level: of the interval.
        seed: the same seed gives the same interval.
    """
    who = np.asarray(people)
    if not who.size:
        raise InputError("a bootstrap needs at least one row")
    _, number = np.unique(who, return_inverse=True)
    order = np.argsort(number, kind="stable").astype(np.intp)
    rows = np.split(order, np.cumsum(np.bincount(number))[:-1])
    value, rng = float(statistic(np.arange(who.size))), np.random.default_rng(seed)
    if len(rows) < 2:
        return Interval(value, float("nan"), float("nan"))
    drawn = np.array(
        [statistic(np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])) for _ in range(draws)]
    )
    drawn = drawn[~np.isnan(drawn)]
    if not drawn.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def mean_interval(values: ArrayLike, people: ArrayLike | None = None, *, seed: int = 0) -> Interval:
    """The mean of values [R] with its interval over people [R]; without them each row is a person."""
    x = np.asarray(values, float)
    known = ~np.isnan(x)
    x, who = x[known], np.arange(known.sum()) if people is None else np.asarray(people)[known]
    if not x.size:
        return Interval(float("nan"), float("nan"), float("nan"))
    return bootstrap(lambda rows: float(x[rows].mean()), who, seed=seed)
