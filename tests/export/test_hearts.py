import json

import numpy as np
import pytest

import cheart.hearts as hearts_module
from cheart.cohort import read_table
from cheart.datasets.importing import import_cohort
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.hearts import Hearts
from tiny import PERSON


@pytest.fixture(scope="module")
def made(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "out"
    hearts = model.generate({**PERSON, "weight": None}, n=4, seed=2)
    assert hearts.save(folder) == 0
    return folder, hearts


@pytest.mark.slow
def test_tables_say_what_the_model_was_given_and_what_came_of_it(made):
    folder, hearts = made
    people, figures = read_table(folder / "participants.tsv"), read_table(folder / "phenotypes.tsv")
    assert list(people["participant_id"]) == list(figures["participant_id"]) == [f"sub-00{i}" for i in (1, 2, 3, 4)]
    assert set(people["drawn"]) == {"weight"}
    assert [int(s) for s in people["latent_seed"]] == [heart.seed for heart in hearts]
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


@pytest.mark.slow
def test_hearts_are_written_as_they_come_and_never_kept(model, tmp_path, monkeypatch):
    alive = []
    make = hearts_module.make_heart

    def watched(*arguments):
        alive.append(len(list((tmp_path / "out").glob("sub-*_dseg.nii.gz"))))
        return make(*arguments)

    monkeypatch.setattr(hearts_module, "make_heart", watched)
    model.generate(PERSON, n=3).save(tmp_path / "out")
    assert alive[:3] == [0, 1, 2], "each was written before the next was made"
    assert (tmp_path / "out" / "picture.png").is_file()


def test_hearts_that_are_there_are_saved_alike(model, cohort, tmp_path):
    hearts = Hearts(model, [model.complete(cohort.heart(i), PERSON) for i in range(2)], about={"why": "a test"})
    hearts.save(tmp_path / "out", layout="monai")
    value = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (value["kind"], value["hearts"], value["why"]) == ("completed", 2, "a test")
    assert set(read_table(tmp_path / "out" / "participants.tsv")["latent_seed"].isna()) == {True}


def test_bad_requests_are_refused(model, tmp_path):
    hearts = model.generate(PERSON)
    with pytest.raises(InputError, match="layout 'dicom'"):
        hearts.save(tmp_path / "out", layout="dicom")
    with pytest.raises(InputError, match="no heart"):
        hearts[:0].save(tmp_path / "out")
    assert not list(tmp_path.iterdir())
