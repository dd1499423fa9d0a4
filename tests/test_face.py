"""The Python face, as the README has it: every line of it runs, on a real file where there is one."""

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from matplotlib.figure import Figure

import cheart
from cheart.cohort import read_table

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "acdc-training"
real_data = pytest.mark.skipif(not REAL.is_dir(), reason="shared/data/acdc-training is absent")

PERSON = {"age": 63, "sex": "F"}
QUICK = {"epochs": 2, "modes": 3, "hidden": 16, "latent": 4, "embedding": 4}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.real_data
@real_data
def test_a_real_heart_is_read_completed_saved_and_shown():
    path = REAL / "patient001" / "patient001_frame01_gt.nii.gz"
    with pytest.raises(cheart.InputError, match="spacing"):
        cheart.read_heart(path, scheme="acdc")
    with pytest.warns(cheart.CheartWarning, match="mirror image"):
        wrong = cheart.read_heart(path, scheme="acdc", spacing="pixdim")
    assert "mirrored=True" in wrong.warnings[0]
    heart = cheart.read_heart(path, scheme="acdc", spacing="pixdim", mirrored=True)
    assert heart.warnings == ()
    model = cheart.load()
    assert len(repr(model).splitlines()) == 3

    beat = model.complete(heart, PERSON)
    assert repr(beat).startswith("<Completed: age 63 years, sex F")
    assert len(repr(beat).splitlines()) == 2
    beat.save("completed.nii.gz")
    beat.save("own.nii.gz", space="subject")
    given, own = nib.load(path), nib.load("own.nii.gz")
    assert own.shape == (*given.shape, model.frames)
    np.testing.assert_allclose(own.affine[:3, 3], given.affine[:3, 3], atol=1e-3)
    assert np.array_equal(cheart.read_heart("completed.nii.gz").labels, beat.labels)
    assert 30 < beat.phenotypes.lvef < 80
    assert isinstance(beat.plot(), Figure)
    beat.animate("beat.gif")
    assert Path("beat.gif").stat().st_size > 10_000
    assert beat._repr_html_().startswith("<img")

    varied = model.vary("age", [20, 40, 60], heart=heart, conditions=PERSON)
    assert [one.conditions["age"] for one in varied] == [20, 40, 60]
    assert varied[0].origin is heart.origin


@pytest.mark.slow
def test_hearts_by_the_bundled_model_are_tabled_and_saved():
    model = cheart.load()
    hearts = model.generate(PERSON, n=100, seed=0)
    assert len(hearts) == 100
    two = hearts[:2]
    thick = cheart.Acquisition(slice_thickness=8, observed="ed,es")
    with pytest.warns(cheart.CheartWarning, match="rename made"):
        two.save("made/", layout="nnunet", acquisition=thick)
    assert len(list(Path("made").rglob("*_0000.nii.gz"))) == 4
    assert list(two.table()["age"]) == list(read_table(Path("made/participants.tsv"))["age"]) == [63, 63]


def test_surfaces_of_a_heart(model, cohort):
    manifest = model.complete(cohort.heart(0)).mesh("surfaces/", formats=["stl"], resolution=6)
    assert all(Path("surfaces", file).is_file() for row in manifest["surfaces"] for file in row["files"].values())
    assert manifest["title"] == "Completed: age n/a, sex n/a, weight n/a, height n/a, sbp n/a"
    with pytest.raises(cheart.InputError, match="exists already"):
        model.complete(cohort.heart(0)).mesh("surfaces/", formats=["stl"])


@pytest.mark.slow
def test_a_cohort_is_simulated_learnt_and_judged():
    cohort = cheart.simulate(n=12, grid="32x32x32@5x5x4", out="cohort/", frames=4, jobs=1)
    model = cheart.train(cohort, "run/", model="cheart", preset="quick", settings=QUICK, jobs=1)
    assert isinstance(model, cheart.Model)
    scores = cheart.evaluate(model, cohort, split="test", jobs=1)
    assert len(scores.table("dice"))
    scores.save("scores/")
    assert Path("scores/completion.csv").is_file()
    with pytest.raises(TypeError, match="epochs"):
        cheart.train(cohort, "other/", epochs=2)


@pytest.mark.slow
@pytest.mark.real_data
@real_data
def test_a_real_cohort_is_imported():
    for name in ("patient001", "patient002", "patient003"):
        shutil.copytree(REAL / name, Path("ACDC/training") / name)
    cohort = cheart.import_cohort("acdc", "ACDC/training", "acdc/", grid="half", jobs=1)
    assert len(cohort) == 3
    assert cohort.heart(0).kind == "imported"
