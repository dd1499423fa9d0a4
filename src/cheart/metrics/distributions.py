"""How far the distribution of a phenotype in synthetic hearts is from that in real ones (Table IV).

Two measures, both 0 for equal distributions:

* **Wasserstein-1** (equation 9) of the two samples, in the phenotype's own unit.
* **KL(real ‖ synthetic)**, in nats. The paper does not say how it made densities of samples. Here both densities are
  Gaussian kernel estimates with one bandwidth, Silverman's for the real sample, on one support that depends on the real
  sample only, so that every model is measured with the same ruler. A histogram would have bins without a synthetic
  heart, where KL is infinite, at the decades' sample sizes. Both densities carry 0.1 % of their mass spread evenly over
  the support: KL is finite (a model that makes none of the real hearts scores about 10).

With samples of n hearts neither is 0 even between two halves of the same cohort: compare with that, not with 0.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cheart.errors import InputError

FLOOR = 1e-3
"""Fraction of each density's mass that is spread evenly over the support."""

POINTS = 512
"""Points of the support."""

REACH_SD = 5.0
"""The support reaches so many standard deviations of the real sample below and above its mean."""

SMALLEST_GROUP = 5
"""Groups (age decades) with fewer real hearts are left out, and said to be."""


def support(real: ArrayLike) -> NDArray[np.float64]:
    """The values at which densities are compared, [POINTS], from the real sample.

    Raises:
        InputError: fewer than two different values.
    """
    real = np.asarray(real, float)
    if real.size < 2 or not real.std() > 0:
        raise InputError(f"a distribution needs at least two different real values; got {real.size} values")
    half = REACH_SD * real.std(ddof=1)
    return np.linspace(real.mean() - half, real.mean() + half, POINTS)


def wasserstein(real: ArrayLike, synthetic: ArrayLike) -> float:
    """Wasserstein-1 distance of two samples [N], [M] (equation 9), in their unit.

    >>> wasserstein([120.0, 140.0, 160.0], [125.0, 145.0, 165.0])
    5.0
    """
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(np.asarray(real, float), np.asarray(synthetic, float)))


def kl_divergence(real: ArrayLike, synthetic: ArrayLike, at: NDArray[np.float64] | None = None) -> float:
    """KL(real ‖ synthetic) of two samples [N], [M], in nats.

    Args:
        real: sample of real values.
        synthetic: sample of synthetic values; those beyond the support count at its ends.
        at: the support, from :func:`support` of all real values where groups are compared.
    """
    real = np.asarray(real, float)
    at = support(real) if at is None else at
    bandwidth = max(_silverman(real), float(at[1] - at[0]))
    p, q = (_mass(np.asarray(sample, float), at, bandwidth) for sample in (real, synthetic))
    return float(np.sum(p * np.log(p / q)))


def _silverman(sample: NDArray[np.float64]) -> float:
    if sample.size < 2:
        return 0.0
    low, high = np.percentile(sample, [25, 75])
    spread = min(s for s in (sample.std(ddof=1), (high - low) / 1.349) if s > 0) if sample.std() > 0 else 0.0
    return float(0.9 * spread * sample.size**-0.2)


def _mass(sample: NDArray[np.float64], at: NDArray[np.float64], bandwidth: float) -> NDArray[np.float64]:
    """Probability of each point of the support."""
    inside = np.clip(sample, at[0], at[-1])
    density = np.exp(-0.5 * ((at[:, None] - inside) / bandwidth) ** 2).sum(axis=1)
    return (1 - FLOOR) * density / density.sum() + FLOOR / at.size


@dataclass(frozen=True)
class DistributionDistance:
    """One phenotype's distances between real and synthetic hearts, for each repeated draw.

    Attributes:
        groups: the groups that were large enough, such as age decades.
        left_out: groups with fewer than :data:`SMALLEST_GROUP` real hearts, and people of none.
        wasserstein_pooled: [R] over all subjects, in the phenotype's unit.
        kl_pooled: [R] nats.
        wasserstein_groups: [R, G] within each group.
        kl_groups: [R, G] nats.
    """

    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    wasserstein_pooled: NDArray[np.float64]
    kl_pooled: NDArray[np.float64]
    wasserstein_groups: NDArray[np.float64]
    kl_groups: NDArray[np.float64]

    @property
    def wasserstein_by_group(self) -> NDArray[np.float64]:
        """[R] plain mean over groups, nan where there is no group."""
        return _mean_of_groups(self.wasserstein_groups)

    @property
    def kl_by_group(self) -> NDArray[np.float64]:
        """[R] plain mean over groups, nan where there is no group."""
        return _mean_of_groups(self.kl_groups)


def compare_distributions(
    real: ArrayLike, synthetic: ArrayLike, groups: ArrayLike, *, no_group: Collection[str] = ()
) -> DistributionDistance:
    """Compare a phenotype between real hearts and draws of synthetic ones for the same people.

    Args:
        real: [N] one value a person; nan (could not be measured) is left out.
        synthetic: [R, N] one synthetic heart a person in each of R draws. The ± SD of Table IV is over draws.
        groups: [N] each person's group, such as :func:`cheart.conditions.decade` of the age.
        no_group: what stands there for people who belong to none, such as those of unknown age: left out of the
            means over groups however many they are.

    Raises:
        InputError: shapes that do not agree, or too few real values.
    """
    real, synthetic, group = np.asarray(real, float), np.atleast_2d(np.asarray(synthetic, float)), np.asarray(groups)
    if synthetic.shape[1:] != real.shape or group.shape != real.shape:
        raise InputError(
            f"real {real.shape}, synthetic {synthetic.shape}, groups {group.shape}: expected [N], [R, N] and [N]"
        )
    known = ~np.isnan(real)
    at = support(real[known])
    names = [str(name) for name in np.unique(group)]
    members = {name: known & (group.astype(str) == name) for name in names}
    large = [name for name in names if name not in no_group and members[name].sum() >= SMALLEST_GROUP]
    pooled = np.array([_both(real[known], draw[known], at) for draw in synthetic])
    within = np.array([[_both(real[members[g]], draw[members[g]], at) for g in large] for draw in synthetic])
    within = within.reshape(len(synthetic), len(large), 2)
    return DistributionDistance(
        groups=tuple(large),
        left_out=tuple(name for name in names if name not in large),
        wasserstein_pooled=pooled[:, 0],
        kl_pooled=pooled[:, 1],
        wasserstein_groups=within[:, :, 0],
        kl_groups=within[:, :, 1],
    )


def _both(real: NDArray[np.float64], draw: NDArray[np.float64], at: NDArray[np.float64]) -> tuple[float, float]:
    draw = draw[~np.isnan(draw)]
    if not draw.size:
        return float("nan"), float("nan")
    return wasserstein(real, draw), kl_divergence(real, draw, at)


def _mean_of_groups(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.mean(axis=1) if values.shape[1] else np.full(len(values), np.nan)
