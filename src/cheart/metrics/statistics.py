"""Means over frames and subjects, best of several samples, and paired tests between models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cheart.errors import InputError

Better = Literal["max", "min"]
"""Whether a larger (Dice) or a smaller value (a distance) is the better one."""


@dataclass(frozen=True)
class Summary:
    """Mean ± SD over subjects.

    Attributes:
        mean: over the known values; nan where there is none.
        sd: sample standard deviation (n − 1); nan for fewer than two.
    """

    mean: float
    sd: float


def summary(values: ArrayLike) -> Summary:
    """Mean ± SD of one value a subject, [N]; nan (an empty structure, an unobserved frame) is skipped.

    >>> summary([1.0, 3.0, 2.0, float("nan")])
    Summary(mean=2.0, sd=1.0)
    """
    values = np.asarray(values, float)
    known = values[~np.isnan(values)]
    return Summary(
        mean=float(known.mean()) if known.size else float("nan"),
        sd=float(known.std(ddof=1)) if known.size > 1 else float("nan"),
    )


def summaries(values: Mapping[str, ArrayLike]) -> dict[str, dict[str, float]]:
    """Mean and SD by name, as plain numbers."""
    return {name: asdict(summary(of)) for name, of in values.items()}


def mean_over_frames(values: ArrayLike, frames: ArrayLike | None = None) -> NDArray[np.float64]:
    """Mean over the first axis, from [T, …] to […]; nan is skipped, and stays where nothing is known.

    A distance is nan where a structure is empty: report ``Overlap.one_empty`` beside such a mean.

    Args:
        values: one value a frame.
        frames: the frames that count, such as all but the given one; all where it is left out.
    """
    values = np.asarray(values, float)
    if frames is not None:
        values = values[np.asarray(frames)]
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


def mean_and_best(values: ArrayLike, better: Better) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and best over samples, from [N, S] (or [N, S, …]) to [N, …] each: the columns of Tables II and III.

    Args:
        values: one value a subject and sample, already averaged over frames. nan is skipped.
        better: ``max`` for Dice, ``min`` for distances and absolute differences.
    """
    values = np.moveaxis(np.asarray(values, float), 1, 0)
    worst = -np.inf if better == "max" else np.inf
    filled = np.where(np.isnan(values), worst, values)
    best = filled.max(axis=0) if better == "max" else filled.min(axis=0)
    return mean_over_frames(values), np.where(np.isinf(best), np.nan, best)


@dataclass(frozen=True)
class PairedTest:
    """Two models on the same subjects: the two-sided Wilcoxon signed-rank test.

    Attributes:
        measure: what was measured.
        first, second: names; the first is the model that the family is about.
        n: subjects that both have a value for.
        difference: median over subjects of first − second.
        better: the name of the better model, "" where the difference is 0.
        p: of the test by itself.
        p_holm: corrected for all tests of the family (Holm 1979).
    """

    measure: str
    first: str
    second: str
    n: int
    difference: float
    better: str
    p: float
    p_holm: float


def paired_tests(
    scores: Mapping[str, Mapping[str, ArrayLike]], better: Mapping[str, Better], *, reference: str | None
) -> list[PairedTest]:
    """Compare models over subjects: one family of tests, with Holm's correction over all of it.

    Args:
        scores: by measure, and by model, one value a subject [N], in the same order of subjects. Subjects without a
            value (nan) for either model leave that pair; a pair without subjects leaves the family, and so does a
            measure that the reference lacks.
        better: ``max`` or ``min``, by measure.
        reference: the model that the others are compared with; None compares every two.

    Raises:
        InputError: another number of subjects for one model than for another.
    """
    found = []
    for measure, by_model in scores.items():
        arrays = {name: np.asarray(values, float) for name, values in by_model.items()}
        if len({a.shape for a in arrays.values()}) > 1:
            sizes = ", ".join(f"{name} {a.size}" for name, a in arrays.items())
            raise InputError(f"a paired test needs the same subjects for every model; got {sizes}")
        for one, other in combinations(arrays, 2) if reference is None else _with(reference, arrays):
            difference = arrays[one] - arrays[other]
            difference = difference[~np.isnan(difference)]
            if not difference.size:
                continue
            median = float(np.median(difference))
            sign = median if better[measure] == "max" else -median
            winner = one if sign > 0 else other if sign < 0 else ""
            found.append((measure, one, other, int(difference.size), median, winner, _wilcoxon(difference)))
    corrected = holm([row[-1] for row in found])
    return [PairedTest(*row, p_holm=float(p)) for row, p in zip(found, corrected, strict=True)]


def _with(reference: str, names: Collection[str]) -> list[tuple[str, str]]:
    return [(reference, name) for name in names if name != reference] if reference in names else []


def _wilcoxon(difference: NDArray[np.float64]) -> float:
    """Two-sided p; 1 where there is no difference at all (the test itself is undefined there)."""
    if not difference.any():
        return 1.0
    from scipy.stats import wilcoxon

    return float(wilcoxon(difference).pvalue)


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down correction of a family of p-values, [M].

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1)
    return corrected
