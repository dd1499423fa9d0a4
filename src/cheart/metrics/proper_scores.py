"""How good a predictive distribution is: proper scores, calibration, sharpness, and spread against error.

A proper score is least, on average, for the distribution that the truth was drawn from: a model wins neither by
spreading too little nor too much (Gneiting and Raftery, JASA 102:359, 2007). Distributions are given by samples, and
their scores are the fair ones, whose mean does not depend on how many samples there are (Ferro, QJRMS 140:1917, 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cheart.errors import InputError

Array = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9)
"""Of the central intervals whose coverage is judged."""


def crps_of_samples(samples: ArrayLike, truth: ArrayLike) -> Array:
    """Continuous ranked probability score [N], E|X − y| − ½ E|X − X'|, in the unit of the values.

    Args:
        samples: [N, D] of N distributions; with D = 1 the score is the absolute error.
        truth: [N].

    >>> float(crps_of_samples([[1.0, 3.0]], [2.0])[0])
    0.0
    """
    x, truth = _pair(samples, truth)
    x = np.sort(x, axis=1)
    d = x.shape[1]
    off = np.abs(x - truth[:, None]).mean(1)
    if d == 1:
        return np.asarray(off)
    return np.asarray(off - (x * (2 * np.arange(d) - d + 1)).sum(1) / (d * (d - 1)))


def crps_of_normal(mean: ArrayLike, sd: ArrayLike, truth: ArrayLike) -> Array:
    """CRPS [N] of normal distributions, in closed form (Gneiting and Raftery 2007, equation 5)."""
    from scipy.stats import norm

    mean, sd = np.asarray(mean, float), np.asarray(sd, float)
    z = (np.asarray(truth, float) - mean) / sd
    return np.asarray(sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi)))


def energy_score(samples: ArrayLike, truth: ArrayLike) -> Array:
    """The CRPS of vectors, E‖X − y‖ − ½ E‖X − X'‖, [N]: it sees how values go together.

    Args:
        samples: [N, D, K]; the K values must be in units that may be added.
        truth: [N, K].
    """
    x, y = np.asarray(samples, float), np.asarray(truth, float)
    if x.ndim != 3 or y.shape != (x.shape[0], x.shape[2]):
        raise InputError(f"samples {x.shape}, truth {y.shape}: expected [N, D, K] and [N, K]")
    d = x.shape[1]
    off = np.linalg.norm(x - y[:, None], axis=2).mean(1)
    if d == 1:
        return np.asarray(off)
    between = [np.linalg.norm(one[:, None] - one[None], axis=2).sum() for one in x]
    return np.asarray(off - 0.5 * np.array(between) / (d * (d - 1)))


def pit(samples: ArrayLike, truth: ArrayLike) -> Array:
    """Probability integral transform [N]: where the truth lies among the samples [N, D], 0 (below all) to 1.

    Uniform where the distributions are right. The middle of the D + 1 places that are possible is taken, of ties too.
    """
    x, truth = _pair(samples, truth)
    below, ties = (x < truth[:, None]).sum(1), (x == truth[:, None]).sum(1)
    return np.asarray((below + 0.5 * (ties + 1)) / (x.shape[1] + 1))


@dataclass(frozen=True)
class Coverage:
    """A central interval.

    Attributes:
        level: the probability that it should hold.
        covered: [N], whether the truth is in it.
        width: [N], in the unit of the values.
    """

    level: float
    covered: NDArray[np.bool_]
    width: Array


def coverage(samples: ArrayLike, truth: ArrayLike, levels: Sequence[float] = LEVELS) -> list[Coverage]:
    """Whether central intervals of samples [N, D] hold the truth [N] as often as they should, and how wide they are.

    Quantiles lie between D + 1 places, so that right distributions are covered at their level with few samples too.

    Raises:
        InputError: too few samples for the widest interval.
    """
    x, truth = _pair(samples, truth)
    least = int(np.ceil(2 / (1 - max(levels)) - 1e-9)) - 1
    if x.shape[1] < least:
        raise InputError(f"{x.shape[1]} samples: an interval of {max(levels):.0%} needs {least} (--samples)")
    found = []
    for level in levels:
        low, high = np.quantile(x, [(1 - level) / 2, (1 + level) / 2], axis=1, method="weibull")
        found.append(Coverage(level, (truth >= low) & (truth <= high), np.asarray(high - low)))
    return found


@dataclass(frozen=True)
class SpreadError:
    """Of one group: is the model as sure as it may be there?

    Attributes:
        n: people.
        spread: root of the mean variance of the samples.
        error: root of the mean square of (truth − mean of the model), whatever the number of samples.
    """

    n: int
    spread: float
    error: float

    @property
    def ratio(self) -> float:
        """1 is right; less: too sure of itself; nan without error."""
        return self.spread / self.error if self.error > 0 else float("nan")


def conformal_quantile(off: ArrayLike, level: float) -> Array:
    """How far off [N, …] a further one stays with a probability of ``level``, whatever their distribution, [...].

    The ⌈(N + 1) · level⌉-th smallest (Vovk et al. 2005), or the largest where there are too few.
    """
    values = np.sort(np.asarray(off, float), axis=0)
    return np.asarray(values[min(int(np.ceil((len(values) + 1) * level)), len(values)) - 1])


def spread_by_group(samples: ArrayLike, truth: ArrayLike, groups: ArrayLike) -> dict[str, SpreadError]:
    """Heteroscedasticity: spread of the samples [N, D] against their error, by the group [N] of the people.

    A model with one spread for everybody is too sure in one group and not sure enough in another, though it may be
    right over all (Fortin et al., J Hydrometeorol 15:1708, 2014).
    """
    x, truth = _pair(samples, truth)
    names, d = np.asarray(groups).astype(str), x.shape[1]
    if d < 2:
        raise InputError(f"{d} sample: a spread needs at least 2 (--samples)")
    found = {}
    for name in sorted(set(names)):
        mine, off = x[names == name], truth[names == name] - x[names == name].mean(1)
        variance = float(mine.var(1, ddof=1).mean())
        error = np.sqrt(max(float(np.mean(off**2)) - variance / d, 0.0))  # the samples' mean is not quite the model's
        found[name] = SpreadError(len(mine), float(np.sqrt(variance)), float(error))
    return found


def _pair(samples: ArrayLike, truth: ArrayLike) -> tuple[Array, Array]:
    x, y = np.asarray(samples, float), np.asarray(truth, float)
    if x.ndim != 2 or y.shape != x.shape[:1] or not x.shape[1]:
        raise InputError(f"samples {x.shape}, truth {y.shape}: expected [N, D] and [N]")
    return x, y
