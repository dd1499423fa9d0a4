import json

import nibabel as nib
import numpy as np
import pytest

from sources import save, stack
from tiny import PERSON

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """End-diastole of a turned and shifted heart, in ACDC's numbers."""
    labels, affine = stack(seed=3, spacing=(4.0, 2.5, 2.5), tilt=20)
    return save(tmp_path_factory.mktemp("file") / "ed.nii.gz", labels[0], affine, renumber={1: 3, 3: 1})


def options():
    return [word for name, value in PERSON.items() for word in (f"--{name}", value)]


def test_a_file_in_its_own_pose_and_scheme_comes_back_on_its_own_voxels(cheart, run, file, tmp_path):
    out = tmp_path / "out"
    answer = cheart(
        "complete", run, file, *options(), "--scheme", "acdc", "--space", "subject", "--cycle", 0.8, "-o", out
    )
    assert answer.code == 0, answer
    given, back = nib.load(file), nib.load(out / "own-space.nii.gz")
    assert back.shape == (*given.shape, 4)
    np.testing.assert_allclose(back.affine, given.affine, atol=1e-4)
    assert back.header["pixdim"][4] == pytest.approx(0.2)
    was, now = np.asarray(given.dataobj), np.asarray(back.dataobj)[..., 0]
    for theirs, ours in ((3, 1), (2, 2), (1, 3)):  # the tiny model's heart is not this one, but it lies where it should
        assert np.linalg.norm(centre(was == theirs, given.affine) - centre(now == ours, given.affine)) < 15


def centre(mask, affine):
    return affine[:3, :3] @ np.argwhere(mask).mean(axis=0) + affine[:3, 3]


def test_a_picture_and_tables_come_with_it(cheart, run, file, tmp_path):
    out = tmp_path / "out"
    answer = cheart("complete", run, file, "--age", 40, "--scheme", "acdc", "-o", out, "--json")
    value = json.loads(answer.out)
    assert (value["kind"], value["hearts"]) == ("completed", 1)
    assert value["first"]["conditions"]["weight"] is None
    assert {p.name for p in out.iterdir()} == {
        "sub-001_dseg.nii.gz", "sub-001_dseg.json", "participants.tsv", "participants.json", "phenotypes.tsv",
        "picture.png", "result.json", "itk-snap-labels.txt", "slicer-labels.ctbl", "checksums.sha256",
    }  # fmt: skip


def test_a_completed_heart_is_imported_again(cheart, run, file, tmp_path):
    cheart("complete", run, file, *options(), "--scheme", "acdc", "--space", "subject", "-o", tmp_path / "out")
    table = tmp_path / "out" / "participants.tsv"
    answer = cheart(
        "import", "nifti", tmp_path / "out", tmp_path / "back", "--participants", table, "--scheme", "cheart",
        "--grid", "32x32x32@5x5x4", "--frames", 4, "--jobs", 1,
    )  # fmt: skip
    assert answer.code == 0, answer


def test_nothing_is_left_of_what_is_refused(refused, run, file, tmp_path):
    assert "LV cavity" in refused("complete", run, file, "-o", tmp_path / "out", "--scheme", "ukbb")
    assert "unknown condition 'bmi'" in refused(
        "complete", run, file, "-o", tmp_path / "out", "--scheme", "acdc", "--with", "bmi=25"
    )
    assert "is not there" in refused("complete", run, tmp_path / "no.nii.gz", "-o", tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("undrawn")
def test_without_a_model_it_is_the_clinical_one(cheart, run, file, tmp_path, monkeypatch):
    monkeypatch.setattr("cheart.models.find.CLINICAL_FOLDER", run)
    for name, words in (("one", [file]), ("two", ["clinical", file]), ("three", [run, file])):
        answer = cheart("complete", *words, *options(), "--scheme", "acdc", "-o", tmp_path / name)
        assert answer.code == 0, answer
    made = {(tmp_path / name / "sub-001_dseg.nii.gz").read_bytes() for name in ("one", "two", "three")}
    assert len(made) == 1


def test_a_model_alone_or_two_label_maps_are_refused(refused, run, file, tmp_path):
    out = ["-o", tmp_path / "out"]
    assert f"{run} is a folder: expected a label map" in refused("complete", run, *out)
    assert "expected one label map" in refused("complete", run, file, file, *out)
    assert not list(tmp_path.iterdir())


def test_samples_come_with_intervals_and_probabilities(cheart, run, file, tmp_path):
    out = tmp_path / "out"
    answer = cheart("complete", run, file, *options(), "--scheme", "acdc", "-n", 3, "-o", out, "--json")
    assert answer.code == 0, answer
    lvesv = json.loads(answer.out)["quantities"]["lvesv"]
    assert lvesv["low"] <= lvesv["mean"] <= lvesv["high"]
    assert (out / "probability-myo.nii.gz").is_file()


@pytest.mark.parametrize(
    ("given", "why"),
    [("lvef", "expected name=value, such as lvef=55"), ("lvef=55", "leave out the measurements")],
)
def test_what_is_given_amiss_is_refused(cheart, run, file, tmp_path, given, why):
    answer = cheart("complete", run, file, "--scheme", "acdc", "--given", given, "-o", tmp_path / "out")
    assert answer.code != 0
    assert why in " ".join(answer.err.split())
