from pathlib import Path

import pandas as pd
import pytest

import cheart
from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.evaluation.scores import Scores
from cheart.files import read_json
from cheart.model import Model


@pytest.fixture(scope="module")
def scores(model: Model, cohort: Cohort) -> Scores:
    return cheart.evaluate(model, cohort, task="all", samples=2, subjects=2, jobs=1)


def test_tables_are_numbers_by_name(scores: Scores, model: Model, cohort: Cohort) -> None:
    dice = scores.table("dice")
    assert list(dice.index) == ["cheart", "first frame copied"]
    assert dice.loc["cheart", "Average"] == pytest.approx(scores.rows["completion"]["dice"].mean())
    assert dice.loc["cheart", "Average SD"] == pytest.approx(scores.rows["completion"]["dice"].std())
    assert {"hd", "assd", "phenotypes", "likeness", "w1", "seam", "response", "memorisation"} <= set(scores.tables)
    assert list(scores.table("prediction").index) == ["cheart", "first frame copied", "mean EF", "ridge of volumes"]
    assert {"joint", "physiology"} <= set(scores.tables)
    everything = scores.table().set_index(["table", "row", "column"])
    assert everything.loc[("dice", "cheart", "LV"), "mean"] == dice.loc["cheart", "LV"]
    with pytest.raises(InputError, match="expected one of dice, hd"):
        scores.table("dise")


def test_they_print_and_show_themselves(scores: Scores) -> None:
    assert "2 test subjects of 14 beating ellipsoids (simulated)" in repr(scores)
    assert len(repr(scores)) < 400
    assert "A structure that one of two hearts lacks" in str(scores)
    assert "<table>" in scores._repr_html_()


def test_how_many_of_the_hearts_that_were_made_are_valid(scores: Scores) -> None:
    rows = scores.rows["completion"]["valid"]
    assert set(rows) <= {0, 1}
    assert scores.summary["valid"]["completion"] == rows.mean()
    assert scores.valid == (set(scores.summary["valid"].values()) == {1.0})
    assert "Hearts made that are valid (cheart.validity), one a person: " in str(scores)


def test_what_is_saved_is_what_is_said(scores: Scores, tmp_path: Path) -> None:
    scores.save(tmp_path / "out")
    assert read_json(tmp_path / "out" / "result.json")["completion"]["dice"] == scores.summary["completion"]["dice"]
    assert len(pd.read_csv(tmp_path / "out" / "generation_samples.csv")) == 4
    with pytest.raises(InputError, match="exists already"):
        scores.save(tmp_path / "out")


def test_a_folder_does_as_well_as_what_lies_in_it(run: Path, cohort: Cohort) -> None:
    scores = cheart.evaluate(run, cohort.path, split="val", jobs=1)
    assert list(scores.rows) == ["completion", "completion_first_frame_copied"], "completion, if the model can"
