"""``cheart reproduce --folds``: every subject of a cohort judged once, by models that have not seen it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from cheart.cohort import Cohort
from cheart.files import read_json
from cheart.models.registry import model_class
from cheart.paper import reproduce as running
from cohorts import tiny_cohort

pytestmark = pytest.mark.slow

ROWS = ["cheart", "pca", "cheart as it was", "first frame copied"]
EVERY = [*ROWS, "mean EF", "ridge of volumes"]
"""And those that know volumes alone."""


@pytest.fixture(scope="module")
def small():
    """The quick preset's PCA, as small as the cohort."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_class("pca"), "presets", {"quick": {"modes": 4, "components": 4}})
        yield


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Cohort:
    """14 beating ellipsoids as patients are seen: thick slices, end-diastole and end-systole."""
    return tiny_cohort(tmp_path_factory.mktemp("folds") / "cohort", planes=slice(4, None, 3), pair=True)


@pytest.fixture(scope="module")
def options(people, run):
    """Of the command, but for the folder."""
    return [
        "--preset", "quick", "--cohort", people.path, "--folds", 2, "--models", "cheart,pca", "--from", run,
        "--samples", 2, "--jobs", 1,
    ]  # fmt: skip


@pytest.fixture
def out(cheart, small, options, tmp_path_factory) -> Path:
    """The folder of a cross-validation; made once."""
    path = tmp_path_factory.getbasetemp() / "folds" / "out"
    if not path.exists():
        answer = cheart("reproduce", "-o", path, *options)
        assert answer.code == 0, answer
        assert "Average Dice at end-systole: " in answer.out
        assert "22 of 22" in answer.err
    return path


def test_every_subject_is_in_every_row_of_the_tables(out, people):
    result = read_json(out / "result.json")
    assert result["kind"] == "cross-validation"
    assert list(result["results"]) == EVERY
    assert set(result["models"]) == {f"fold {k}: {name}" for k in (1, 2) for name in ("cheart", "pca")}
    assert all(step["finished"] for step in result["steps"].values())
    for row in ROWS:
        table = pd.read_csv(out / "evaluation" / row.replace(" ", "-") / "completion.csv")
        assert list(table["subject"]) == list(range(1, len(people) + 1))
        assert sorted(set(table["fold"])) == [1, 2]
        shown = pd.read_csv(out / "tables" / "end-systole-dice.csv", index_col=0)
        assert shown.loc[row, "Average mean"] == pytest.approx(table["dice_es"].mean(), rel=1e-5)
    assert "F (7)" in (out / "tables" / "by-kind.md").read_text()


def test_models_of_two_folds_differ_and_learned_of_others_than_they_are_judged_on(out, people):
    trained_on = [read_json(out / "folds" / k / "models" / "cheart" / "config.json")["trained_on"] for k in ("1", "2")]
    assert trained_on[0]["fingerprint"] != trained_on[1]["fingerprint"]
    assert people.fingerprint not in {one["fingerprint"] for one in trained_on}
    assert all(one["subjects"] < len(people) // 2 for one in trained_on), (
        "the held-out half and validation are left out"
    )


def test_what_has_learned_of_hearts_beats_the_heart_that_stands_still(out):
    results = read_json(out / "result.json")["results"]
    dice = {row: results[row]["completion"]["dice_es"]["mean"] for row in ROWS}
    assert min(dice["cheart"], dice["pca"], dice["cheart as it was"]) > dice["first frame copied"] + 0.05


def test_what_is_held_for_possible_is_judged_in_every_row(out, people):
    table = pd.read_csv(out / "tables" / "prediction.csv", index_col=0)
    assert list(table.index) == EVERY
    drawn = pd.read_csv(out / "evaluation" / "mean-EF" / "prediction_samples.csv")
    assert sorted(set(drawn["subject"])) == list(range(1, len(people) + 1))
    assert set(table["samples"]) == {1, 2}, "a copy has one beat"


def test_the_page_says_how_it_was_judged_and_names_nobody(out):
    text = (out / "report.html").read_text()
    for said in ("simulated", "not a medical device", "Cross-validated", "Holm", "ejection fraction", "went on from"):
        assert said in text, said
    assert "Figures" not in text
    everything = "".join(p.read_text() for p in out.rglob("*") if p.suffix in (".csv", ".md", ".tex", ".html", ".json"))
    assert "sub-0" not in everything


def test_the_same_command_does_nothing_again_and_others_are_refused(cheart, refused, out, options):
    before = {path: path.stat().st_mtime_ns for path in (out / "folds").rglob("*.*")}
    answer = cheart("reproduce", "-o", out, *options, "--json")
    assert answer.code == 0, answer
    assert "step " not in answer.err
    assert list(json.loads(answer.out)["results"]) == EVERY
    assert {path: path.stat().st_mtime_ns for path in (out / "folds").rglob("*.*")} == before
    assert "--folds 2" in refused("reproduce", "-o", out, *options, "--folds", 3)
    assert "--from" in refused("reproduce", "-o", out, *options[:8], "--samples", 2)
    assert "--folds 2" in refused("reproduce", "-o", out, *options[:4], *options[8:])


@pytest.mark.faults
def test_what_was_stopped_goes_on_with_the_same_result(cheart, small, out, options, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(running, "evaluate_completion", stop)
        assert cheart("reproduce", "-o", tmp_path / "out", *options).code == 130
    answer = cheart("reproduce", "-o", tmp_path / "out", *options)
    assert answer.code == 0, answer
    assert "step 9 of 22: fold 1: first frame copied" in answer.err.splitlines()[0], "what was there stayed"
    first, second = (read_json(path / "result.json") for path in (out, tmp_path / "out"))
    assert first["results"] == second["results"]
    weights = [{name: about["weights"] for name, about in one["models"].items()} for one in (first, second)]
    assert weights[0] == weights[1]


def test_what_cannot_be_cross_validated_is_refused(refused, people, options, run, tmp_path):
    new, cohort = tmp_path / "new", ("--cohort", people.path)
    assert "--cohort" in refused("reproduce", "-o", new, "--folds", 2)
    assert "--cohort" in refused("reproduce", "-o", new, "--from", run)
    assert "cgan" in refused("reproduce", "-o", new, *cohort, "--folds", 2, "--models", "cgan")
    assert "14 in all" in refused("reproduce", "-o", new, *cohort, "--folds", 5)
    assert "is no model" in refused("reproduce", "-o", new, *cohort, "--folds", 2, "--from", tmp_path)
    assert "is no model" in refused("reproduce", "-o", new, *cohort, "--from", tmp_path)
    assert "only cheart" in refused("reproduce", "-o", new, *cohort, "--models", "pca", "--from", run)
    assert not new.exists()
