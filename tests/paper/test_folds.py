from collections import Counter

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.paper.folds import kinds_of, split_into_folds
from cohorts import tiny_cohort


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """23 beating ellipsoids: 12 women and 11 men."""
    return tiny_cohort(tmp_path_factory.mktemp("folds") / "cohort", n=23)


@pytest.mark.parametrize("count", [2, 5, 7])
def test_every_subject_is_held_out_exactly_once(people: Cohort, count: int) -> None:
    parts = split_into_folds(people, count, seed=0)
    held_out = np.concatenate([part.indices("test") for part in parts])
    assert sorted(held_out) == list(range(len(people)))
    assert len({part.fingerprint for part in parts} | {people.fingerprint}) == count + 1


def test_nobody_is_trained_or_chosen_on_who_is_held_out(people: Cohort) -> None:
    for part in split_into_folds(people, 5, seed=0):
        rows = [set(part.indices(split)) for split in ("train", "val", "test")]
        assert sum(map(len, rows)) == len(set().union(*rows)) == len(people)
        assert len(rows[0]) > len(rows[1]) > 0
        assert list(part.table["participant_id"]) == list(people.table["participant_id"])


def test_kinds_are_spread_evenly(people: Cohort) -> None:
    kinds = kinds_of(people)
    assert Counter(kinds) == {"F": 12, "M": 11}
    for split in ("test", "val"):
        for part in split_into_folds(people, 5, seed=3):
            counts = Counter(kinds[part.indices(split)])
            assert abs(counts["F"] - counts["M"]) <= 1


def test_levels_that_nobody_has_known_are_no_kind(people: Cohort) -> None:
    nobody = Cohort(people.path, people.info, people.schema, people.table.assign(sex=None))
    assert set(kinds_of(nobody)) == {""}
    assert len(split_into_folds(nobody, 5, seed=0)) == 5


def test_the_seed_says_who_is_in_which(people: Cohort) -> None:
    first, same, other = (split_into_folds(people, 4, seed=seed)[0].fingerprint for seed in (0, 0, 1))
    assert first == same != other


@pytest.mark.parametrize("count", [0, 1, 8, 24])
def test_too_few_subjects_for_the_folds_are_refused(people: Cohort, count: int) -> None:
    with pytest.raises(InputError, match=rf"--folds {count}: .*23 in all"):
        split_into_folds(people, count, seed=0)
