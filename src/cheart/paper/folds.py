"""A cohort in other splits, one a fold of a cross-validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.cohort import PAPER_SPLIT, Cohort
from cheart.errors import InputError


def split_into_folds(cohort: Cohort, count: int, *, seed: int) -> list[Cohort]:
    """The cohort in ``count`` other splits: fold k's test subjects are held out in no other.

    Subjects of each kind (their levels, such as ACDC's disease groups) are spread evenly over the folds, and over the
    training and validation subjects of each, which divide the others as the paper's 968 and 138.

    Args:
        cohort: its own split does not count.
        count: of folds, at least 2.
        seed: of who is in which.

    Raises:
        InputError: too few subjects for so many folds.
    """
    if count < 2 or len(cohort) < 3 * count:
        raise InputError(f"--folds {count}: expected at least 2, and three subjects a fold ({len(cohort)} in all)")
    kinds = kinds_of(cohort)
    fold = _spread(kinds, np.arange(len(cohort)), count, seed=(seed, 0))
    every = round(sum(PAPER_SPLIT[:2]) / PAPER_SPLIT[1])
    out = []
    for k in range(count):
        split = np.where(fold == k, "test", "train").astype(object)
        others = np.flatnonzero(fold != k)
        split[others[_spread(kinds, others, min(every, len(others)), seed=(seed, k + 1)) == 0]] = "val"
        out.append(cohort.resplit(split.tolist()))
    return out


def kinds_of(cohort: Cohort) -> NDArray[np.object_]:
    """Each subject's levels in words, such as ``F`` or ``HCM``; levels that nobody has known are left out."""
    names = [f.name for f in cohort.schema.factors if f.kind == "level" and cohort.table[f.name].notna().any()]
    words = cohort.table[names].fillna("n/a").astype(str)
    return np.array([", ".join(row) for row in words.itertuples(index=False)], object)


def _spread(
    kinds: NDArray[np.object_], who: NDArray[np.intp], parts: int, *, seed: tuple[int, int]
) -> NDArray[np.intp]:
    """A part of 0 to ``parts`` − 1 for each of some subjects, those of a kind spread evenly."""
    rng = np.random.default_rng([*seed, 0xF01D])
    mixed = rng.permutation(len(who))
    in_order = mixed[np.argsort(kinds[who][mixed].astype(str), kind="stable")]
    part = np.empty(len(who), np.intp)
    part[in_order] = np.arange(len(who)) % parts
    return part
