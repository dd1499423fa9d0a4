"""Results do not depend on the number of processes; what travels to them is small."""

import filecmp
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from cheart.errors import InputError
from cheart.evaluation.completion import evaluate_completion
from cheart.evaluation.generation import evaluate_generation
from cheart.evaluation.memorisation import evaluate_memorisation
from cheart.evaluation.response import evaluate_response
from cheart.hearts import Hearts
from cheart.mesh import write_solids
from cheart.model import Model
from cohorts import tiny_cohort
from solids import beating_walls, fitted


def test_completion_is_judged_alike_on_one_and_on_two_processes(model, cohort):
    one, two = (evaluate_completion(model, cohort, split="train", jobs=jobs) for jobs in (1, 2))
    assert_frame_equal(one.subjects, two.subjects, check_exact=True)
    assert one.structures_empty == two.structures_empty


def test_generation_is_judged_alike_on_one_and_on_two_processes(model, cohort):
    one, two = (evaluate_generation(model, cohort, split="train", samples=2, subjects=4, jobs=jobs) for jobs in (1, 2))
    for name in ("people", "samples", "real_seams"):
        assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
    assert one.structures_empty == two.structures_empty


@pytest.mark.slow
@pytest.mark.parametrize("judge", [evaluate_response, evaluate_memorisation])
def test_response_and_memorisation_are_judged_alike_on_one_and_on_two_processes(model, cohort, judge):
    split = "train" if judge is evaluate_response else "test"
    one, two = (judge(model, cohort, split=split, jobs=jobs) for jobs in (1, 2))
    assert one, "there is something to compare"
    assert one == two


@pytest.mark.slow
def test_the_same_files_are_written_by_one_and_by_two_processes(model, tmp_path):
    hearts = model.generate({"age": 40}, n=5, seed=3)
    for jobs in (1, 2):
        assert hearts.save(tmp_path / str(jobs), jobs=jobs) == 0
    assert_frame_equal(hearts.table(jobs=2), hearts.table(), check_exact=True)
    names = sorted(p.name for p in (tmp_path / "1").iterdir())
    assert len(names) == 2 * 5 + 8
    _, differ, odd = filecmp.cmpfiles(tmp_path / "1", tmp_path / "2", names, shallow=False)
    assert set(differ) <= {"result.json", "checksums.sha256"}, "it says when they were made, to the second"
    assert odd == []


def test_a_model_and_a_cohort_travel_as_their_folders_and_are_read_once(model, cohort):
    packed = pickle.dumps((model, cohort))
    assert len(packed) < 1000
    (one, people), (again, same) = pickle.loads(packed), pickle.loads(packed)
    assert one is again
    assert people is same
    assert people.fingerprint == cohort.fingerprint
    np.testing.assert_array_equal(one.generate({"age": 50})[0].labels, model.generate({"age": 50})[0].labels)


def test_a_model_of_no_folder_travels_whole(model):
    copy = pickle.loads(pickle.dumps(Model(model.network, model.config)))
    np.testing.assert_array_equal(copy.generate({"age": 50})[0].labels, model.generate({"age": 50})[0].labels)


def test_a_cohort_that_was_written_anew_is_not_taken_for_the_old_one(tmp_path):
    packed = pickle.dumps(tiny_cohort(tmp_path / "a", n=3))
    (tmp_path / "a").rename(tmp_path / "b")
    tiny_cohort(tmp_path / "a", n=4)
    with pytest.raises(InputError, match="not the cohort that it was"):
        pickle.loads(packed)


def test_a_table_has_conditions_and_phenotypes(model):
    hearts = model.generate({"age": 40}, n=2)
    table = hearts.table()
    assert list(table["age"]) == [40, 40]
    assert set(table["drawn"]) == {"sex, weight, height, sbp"}
    assert list(table["lvedv"]) == [heart.phenotypes.lvedv for heart in hearts]


@pytest.mark.slow
def test_hearts_show_themselves(model, tmp_path):
    hearts = model.generate({"age": 40}, n=8)
    assert repr(hearts).startswith("<8 hearts by a cheart model")
    assert "The first 6 of 8" in hearts._repr_html_()
    assert hearts[:2].plot().axes
    hearts[:2].animate(tmp_path / "two.gif")
    with pytest.raises(InputError, match="exists already"):
        hearts[:2].animate(tmp_path / "two.gif")


@pytest.mark.slow
def test_solids_stand_beside_the_hearts_with_a_row_of_each(model, monkeypatch, tmp_path):
    """Of the ellipsoids, which are not fitted anew for each."""
    monkeypatch.setattr(write_solids, "fit_frames", lambda *_, **__: list(fitted()))
    hearts = Hearts(model, [beating_walls()] * 2)
    assert hearts.save(tmp_path / "made", mesh="solid", rv_wall=4.0) == 0
    table = pd.read_csv(tmp_path / "made/solids.tsv", sep="\t")
    assert [*table["participant_id"]] == ["sub-001", "sub-002"]
    assert [*table["passed"]] == ["yes", "yes"]
    assert (table["inside_out"] == 0).all()
    for name in table["participant_id"]:
        manifest = json.loads((tmp_path / "made/solids" / name / "solids.json").read_text())
        assert manifest["rv_wall_mm"] == 4.0
        assert (tmp_path / "made/solids" / name / "solid.msh").is_file()
    assert json.loads((tmp_path / "made/result.json").read_text())["solids_passed"] == 2


def test_a_mesh_or_a_thickness_that_there_is_not_is_refused_before_anything_is_made(model, tmp_path):
    hearts = model.generate({"age": 50}, n=1)
    for words, told in (({"mesh": "solids"}, "expected solid"), ({"mesh": "solid", "rv_wall": 30.0}, "1 to 10 mm")):
        with pytest.raises(InputError, match=told):
            hearts.save(tmp_path / "made", **words)
    assert not list(tmp_path.iterdir())
