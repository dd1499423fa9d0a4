from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.paper.experiment import Experiment, kinds_of, split_into_folds
from cheart.paper.reproduce import steps
from cohorts import tiny_cohort


def ask(cohort: Cohort, out: Path, **options: object) -> Experiment:
    return Experiment(out, preset="quick", cohort=cohort.path, **{"samples": 2, "folds": 3, **options})


def test_every_subject_is_held_out_once_and_only_so_many_are_judged(cohort: Cohort, tmp_path: Path) -> None:
    experiment = ask(cohort, tmp_path)
    assert sorted(i for part in experiment.splits for i in part.indices("test")) == list(range(len(cohort)))
    (own,) = ask(cohort, tmp_path, folds=1).splits
    assert own.fingerprint == cohort.fingerprint, "one fold is the cohort's own split"


def test_the_cohorts_own_split_does_not_count(cohort: Cohort, tmp_path: Path) -> None:
    other = tiny_cohort(tmp_path / "c")
    experiments = [ask(other, tmp_path) for _ in range(2)]
    shuffled = other.resplit(list(reversed(list(other.table["split"]))))
    experiments[1].__dict__["people"] = shuffled
    parts = [experiment.splits for experiment in experiments]
    assert [list(part.table["split"]) for part in parts[0]] == [list(part.table["split"]) for part in parts[1]]
    assert [part.fingerprint for part in parts[0]] == [part.fingerprint for part in parts[1]]


def test_runs_and_rows_of_folds_and_of_one_split(cohort: Cohort, run: Path, tmp_path: Path) -> None:
    models = ("cheart", "pca", "cgan")
    folds = ask(cohort, tmp_path, models=models, start_from=str(run))
    assert folds.names == ["cheart", "pca"], "only completion is cross-validated"
    assert [one.start for one in folds.runs()] == [run, None] * 3, "only models of its name go on from a model"
    assert folds.rows() == ["cheart", "pca", "cheart as it was", "first frame copied"]
    assert folds.before(1).folder == run
    assert sum("as it was" in step.name for step in steps(folds)) == 3
    one = ask(cohort, tmp_path, models=models, folds=1)
    assert [r.folder for r in one.runs()] == [tmp_path / "models" / name for name in models]
    assert one.generating() == ["cheart", "cgan"]


def test_the_others_are_tested_against_the_first_that_is_named(cohort: Cohort, tmp_path: Path) -> None:
    assert ask(cohort, tmp_path, models=("pca", "cheart")).reference == "pca"


def test_what_cannot_be_asked_together_is_refused(cohort: Cohort, run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name it with --cohort"):
        Experiment(tmp_path, folds=2)
    with pytest.raises(InputError, match="each once"):
        ask(cohort, tmp_path, models=("pca", "pca"))
    with pytest.raises(InputError, match="only cheart goes on from it"):
        ask(cohort, tmp_path, models=("pca",), start_from=str(run)).check()
    with pytest.raises(InputError, match="is no model"):
        ask(cohort, tmp_path, models=("cheart",), start_from=str(tmp_path / "none")).check()


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
