"""Are two samples of vectors from one distribution? Joint measures, where W1 and KL look at one value at a time.

All take real [N, K] and synthetic [M, K] values. Compare with what two samples of real people come to, not with 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cheart.errors import InputError

Array = NDArray[np.float64]

NEIGHBOURS = 5
"""k of density and coverage, as in their paper."""

FOLDS = 5


def standardised(real: ArrayLike, synthetic: ArrayLike) -> tuple[Array, Array]:
    """Both in units of the real sample's SDs around its mean, so that mL and g may be added.

    Raises:
        InputError: other numbers of columns, fewer than two rows, or a column in which the real sample does not vary.
    """
    x, y = np.asarray(real, float), np.asarray(synthetic, float)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise InputError(f"real {x.shape}, synthetic {y.shape}: expected [N, K] and [M, K] of two rows or more")
    sd = x.std(axis=0, ddof=1)
    if not (sd > 0).all():
        raise InputError(f"real {x.shape}: column {int(np.argmin(sd))} does not vary")
    return (x - x.mean(0)) / sd, (y - x.mean(0)) / sd


def energy_distance(real: ArrayLike, synthetic: ArrayLike) -> float:
    """2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ (Székely and Rizzo 2013) without bias: 0 on average for one distribution.

    It may fall below 0, as any unbiased estimate of 0 does. Values are taken as they are: see :func:`standardised`.

    >>> round(energy_distance([[0.0], [2.0]], [[1.0], [1.0]]), 3)
    0.0
    """
    from scipy.spatial.distance import cdist, pdist

    x, y = np.asarray(real, float), np.asarray(synthetic, float)
    return float(2 * cdist(x, y).mean() - pdist(x).mean() - pdist(y).mean())


@dataclass(frozen=True)
class TwoSampleTest:
    """A classifier that was asked which hearts are real.

    Attributes:
        accuracy: on people that it was not trained on; 0.5: it cannot tell.
        auc: area under its ROC curve, alike.
        n: values that were classified.
    """

    accuracy: float
    auc: float
    n: int


def classifier_test(real: ArrayLike, synthetic: ArrayLike, people: ArrayLike | None = None) -> TwoSampleTest:
    """Classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017): an SVM with a Gaussian kernel, cross-validated.

    Args:
        real, synthetic: as many rows of both, so that 0.5 is chance.
        people: [N], who each pair of rows belongs to: a person's real and synthetic heart are in the same fold. Rows
            are people of their own where it is left out.

    Raises:
        InputError: other shapes, or too few people to hold some out.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold
    from sklearn.svm import SVC

    x, y = standardised(real, synthetic)
    who = np.arange(len(x)) if people is None else np.asarray(people)
    if x.shape != y.shape or len(who) != len(x) or len(set(who)) < 2 * FOLDS:
        raise InputError(f"real {x.shape}, synthetic {y.shape}: expected as many rows of both, of {2 * FOLDS} people")
    values, label, groups = np.concatenate([x, y]), np.repeat([0, 1], len(x)), np.concatenate([who, who])
    score = np.empty(len(values))
    for train, held in GroupKFold(FOLDS, shuffle=True, random_state=0).split(values, label, groups):
        mean, sd = values[train].mean(0), values[train].std(0)
        model = SVC(gamma="scale").fit((values[train] - mean) / sd, label[train])
        score[held] = model.decision_function((values[held] - mean) / sd)
    return TwoSampleTest(float(((score > 0) == label).mean()), float(roc_auc_score(label, score)), len(label))


@dataclass(frozen=True)
class DensityCoverage:
    """How synthetic hearts lie among real ones (Naeem et al., ICML 2020).

    Attributes:
        density: how often synthetic hearts lie within the k-th neighbour's distance of real ones; 1 for one
            distribution, near 0 for hearts unlike any real one.
        coverage: the fraction of real hearts with a synthetic one within that distance.
        expected: coverage on average for one distribution.
    """

    density: float
    coverage: float
    expected: float


def density_and_coverage(real: ArrayLike, synthetic: ArrayLike, k: int = NEIGHBOURS) -> DensityCoverage:
    """Fidelity and diversity apart; values are taken as they are: see :func:`standardised`.

    Raises:
        InputError: not more than k real hearts.
    """
    from scipy.spatial.distance import cdist

    x, y = np.asarray(real, float), np.asarray(synthetic, float)
    n, m = len(x), len(y)
    if n <= k:
        raise InputError(f"{n} real hearts: density and coverage of {k} neighbours need more than {k}")
    radius = np.partition(cdist(x, x), k, axis=1)[:, k]  # column 0 is the heart itself
    inside = cdist(x, y) <= radius[:, None]
    missed = np.prod([(n - i) / (n + m - i) for i in range(1, k + 1)])  # none of the m is among the k nearest of all
    return DensityCoverage(float(inside.sum() / (k * m)), float(inside.any(axis=1).mean()), float(1 - missed))
