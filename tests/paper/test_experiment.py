from pathlib import Path

import pytest

from cheart.cohort import Cohort
from cheart.conditions import Factor, Schema
from cheart.errors import InputError
from cheart.paper.experiment import Experiment
from cheart.paper.folds import kinds_of
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
    assert sum("as it was" in step.name for step in steps(folds)) == 2 * 3, "completed and drawn from, in each fold"
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


def test_models_that_are_trained_already_are_taken_as_they_are(cohort: Cohort, run: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "cheart").symlink_to(run)
    experiment = ask(cohort, tmp_path / "out", models=("cheart", "pca"), folds=1, trained=tmp_path / "runs")
    assert [one.folder for one in experiment.runs()] == [tmp_path / "runs" / "cheart", tmp_path / "out/models/pca"]
    assert [step.name for step in steps(experiment) if step.name.startswith("train")] == ["train pca"]
    with pytest.raises(InputError, match="no folder there is a run and called pca"):
        ask(cohort, tmp_path / "out", models=("pca",), folds=1, trained=tmp_path / "runs").check()
    with pytest.raises(InputError, match="leave --folds and --from out"):
        ask(cohort, tmp_path / "out", trained=tmp_path / "runs")


def test_the_papers_networks_are_on_the_half_grid_and_one_comes_trained(cohort: Cohort, tmp_path: Path) -> None:
    experiment = Experiment(tmp_path, preset="paper", networks="paper")
    assert experiment.scale.grid == "half"
    assert list(experiment.taken) == ["cheart"]
    assert experiment.lasting()["networks"] == "paper"
    assert Experiment(tmp_path, preset="quick", networks="paper").training_preset == "paper"
    assert not ask(cohort, tmp_path, folds=1, networks="paper").taken, "this cohort is on another grid"


def patients(cohort: Cohort) -> Cohort:
    """The cohort with a diagnosis."""
    group = Factor("group", "level", levels=("NOR", "DCM"))
    table = cohort.table.assign(group=["NOR", "DCM"] * (len(cohort) // 2))
    return Cohort(cohort.path, cohort.info, Schema((*cohort.schema.factors, group)), table)


def test_the_diagnosis_is_an_ablation_with_rows_of_its_own(cohort: Cohort, tmp_path: Path) -> None:
    people = patients(cohort)
    headline, both = (ask(cohort, tmp_path, models=("cheart", "pca"), with_diagnosis=w) for w in (False, True))
    for experiment in (headline, both):
        experiment.__dict__["people"] = people
    assert headline.rows() == ["cheart", "pca", "first frame copied"]
    assert both.rows() == [*headline.rows(), "cheart with group", "pca with group"]
    assert all("group" not in run.training.schema.names for run in headline.runs())
    assert [run.row for run in both.runs() if "group" in run.training.schema.names] == both.rows()[-2:] * 3
    assert len({run.folder for run in both.runs()}) == len(both.runs())
    assert both.reference == "cheart"
    assert set(kinds_of(people)) == {"F, NOR", "M, DCM"}, "subjects are still spread over the folds by it"


def test_a_cohort_without_a_diagnosis_has_no_such_rows(cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no condition 'group'"):
        ask(cohort, tmp_path, with_diagnosis=True).check()


def test_another_cohort_is_judged_whole(cohort: Cohort, tmp_path: Path) -> None:
    other = tiny_cohort(tmp_path / "other", n=6)
    (run, *_) = ask(cohort, tmp_path, folds=1, test=other.path).runs()
    assert run.training.fingerprint == cohort.fingerprint
    assert (run.cohort.fingerprint, run.split) == (other.fingerprint, "all")
    with pytest.raises(InputError, match="leave one out"):
        ask(cohort, tmp_path, test=other.path)
    coarse = tiny_cohort(tmp_path / "coarse", n=6, frames=6)
    with pytest.raises(InputError, match="make it with --grid"):
        ask(cohort, tmp_path, folds=1, test=coarse.path).check()
