import json

import numpy as np
import pandas as pd
import pytest

from cheart.cohort import read_table
from cheart.datasets.importing import import_cohort
from cheart.grid import Grid
from cheart.tasks.generate import generate
from cheart.tasks.results import SHOWN, write_hearts
from tiny import PERSON


@pytest.fixture(scope="module")
def made(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    hearts = model.generate(4, conditions={**PERSON, "weight": None}, seed=2)
    write_hearts(folder, hearts, model, total=4, title="Writing", seed=2)
    return folder, hearts


def test_tables_say_what_the_model_was_told_and_what_came_of_it(made):
    folder, hearts = made
    people, figures = read_table(folder / "participants.tsv"), read_table(folder / "phenotypes.tsv")
    assert list(people["participant_id"]) == list(figures["participant_id"]) == [f"sub-00{i}" for i in (1, 2, 3, 4)]
    assert set(people["drawn"]) == {"weight"}
    assert [int(s) for s in people["code_seed"]] == [heart.seed for heart in hearts]
    np.testing.assert_allclose(figures["lvedv"], [heart.phenotypes.lvedv for heart in hearts], rtol=1e-4)


def test_result_json_says_how_they_were_made(made, model):
    value = json.loads((made[0] / "result.json").read_text())
    assert (value["kind"], value["hearts"], value["seed"]) == ("generated", 4, 2)
    assert value["model"]["trained_on"]["kind"] == "simulated"
    assert len(value["model"]["fingerprint"]) == 64


def test_a_folder_of_results_is_imported_as_a_cohort_voxel_by_voxel(made, model, tmp_path):
    folder, hearts = made
    known = {"participants": folder / "participants.tsv", "scheme": "cheart"}
    back = import_cohort("nifti", folder, tmp_path / "back", grid=model.grid, frames=model.frames, jobs=1, **known)
    assert back.schema.names == tuple(PERSON), "columns of how it was made are no conditions"
    for index, heart in enumerate(hearts):
        assert np.array_equal(back.labels(index), heart.labels)
        assert back.observed[index].all()
        assert back.conditions(index)["age"] == heart.conditions["age"]
        assert back.heart(index).cycle_s == pytest.approx(heart.cycle_s)


def test_it_is_imported_on_another_grid_too(made, tmp_path):
    folder, hearts = made
    finer = Grid((32, 40, 40), (4.0, 4.0, 4.0))
    known = {"participants": folder / "participants.tsv", "scheme": "cheart"}
    back = import_cohort("nifti", folder, tmp_path / "back", grid=finer, frames=8, jobs=1, **known)
    volume = (back.labels(0)[0] == 1).sum() * finer.voxel_ml
    assert volume == pytest.approx(hearts[0].phenotypes.lvedv, rel=0.1)


def test_hearts_are_written_as_they_come_and_only_a_few_are_kept(model, tmp_path):
    alive = []

    def hearts():
        for heart in generate(model, SHOWN + 2, conditions=PERSON):
            alive.append(len(list(tmp_path.glob("sub-*_dseg.nii.gz"))))
            yield heart

    shown = write_hearts(tmp_path, hearts(), model, total=SHOWN + 2, title="Writing")
    assert len(shown) == SHOWN
    assert alive == list(range(SHOWN + 2)), "each was written before the next was made"
    assert len(pd.read_csv(tmp_path / "phenotypes.tsv", sep="\t")) == SHOWN + 2
