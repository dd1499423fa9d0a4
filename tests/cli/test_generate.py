import json

import nibabel as nib
import numpy as np
import pytest

from cheart.cohort import read_table

pytestmark = pytest.mark.usefixtures("undrawn")


def test_hearts_are_nifti_that_any_tool_reads(cheart, run, tmp_path):
    answer = cheart("generate", run, "--age", 60, "--sex", "F", "-n", 2, "-o", tmp_path / "out", "--json")
    assert json.loads(answer.out)["hearts"] == 2
    image = nib.load(tmp_path / "out" / "sub-002_dseg.nii.gz")
    assert image.shape == (32, 32, 32, 4)
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_allclose(image.header.get_zooms(), (5, 5, 4, 0.9 / 4), rtol=1e-6)
    assert image.header.get_xyzt_units() == ("mm", "sec")
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    assert (image.header["qform_code"], image.header["sform_code"]) == (2, 2)
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-5)
    assert set(np.unique(np.asarray(image.dataobj))) == {0, 1, 2, 3}


def test_one_seed_one_heart(cheart, run, tmp_path):
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        cheart("generate", run, "--age", 60, "--seed", seed, "-o", tmp_path / name)
    one, same, other = ((tmp_path / n / "sub-001_dseg.nii.gz").read_bytes() for n in "abc")
    assert one == same != other


def test_it_says_what_was_drawn_and_what_lies_beyond_the_training(cheart, run, tmp_path):
    answer = cheart("generate", run, "--age", 95, "-o", tmp_path / "out")
    beyond = "warning: age 95 years is beyond the training range 20 to 70 years: the model extrapolates\n"
    assert answer.err_but_validity == beyond
    assert "drawn as the training cohort has them: sex, weight, height, sbp" in answer.out
    assert "simulated" in answer.out


@pytest.mark.slow
def test_a_table_of_people_row_by_row(cheart, run, tmp_path):
    table = tmp_path / "people.tsv"
    table.write_text("participant_id\tage\tsex\tweight\na\t30\tF\tn/a\nb\t60\tM\t70\n")
    cheart("generate", run, "--participants", table, "-n", 2, "-o", tmp_path / "two")
    people = read_table(tmp_path / "two" / "participants.tsv")
    assert list(people["age"]) == [30, 30, 60, 60]
    assert list(people["sex"]) == ["F", "F", "M", "M"]
    table.write_text("participant_id\tage\tsex\tweight\na\t30\tF\tn/a\n")
    cheart("generate", run, "--participants", table, "-n", 2, "-o", tmp_path / "one")
    seeds = [list(read_table(tmp_path / name / "participants.tsv")["latent_seed"][:2]) for name in ("one", "two")]
    assert seeds[0] == seeds[1], "a person's hearts do not depend on who else is in the table"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--age", "160"], "age 160 is outside the range: expected 0 to 110 years"),
        (["--sex", "x"], "expected one of F, M"),
        (["--with", "group"], "expected name=value"),
        (["--with", "bmi=25", "--with", "bmi=26"], "give bmi once"),
        (["--age", "50", "--with", "age=60"], "--age 50 and --with age=60: give age once"),
        (["--device", "warp"], "--device 'warp'"),
        (["--participants", "people.tsv"], "people.tsv is not there"),
        (["--participants", "people.tsv", "--age", "60"], "give the conditions in one place"),
    ],
)
def test_nothing_is_left_of_what_is_refused(refused, run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused("generate", run, "-o", "out", *arguments)
    assert not list(tmp_path.iterdir())


def test_a_wrong_row_is_named(refused, run, tmp_path):
    table = tmp_path / "people.tsv"
    table.write_text("participant_id\tage\na\t30\nb\t300\n")
    assert "line 3: age 300" in refused("generate", run, "--participants", table, "-o", tmp_path / "out")


def test_what_is_there_is_replaced_only_when_asked(cheart, refused, run, tmp_path):
    assert cheart("generate", run, "-n", 2, "-o", tmp_path / "out").code == 0
    assert "--overwrite" in refused("generate", run, "-o", tmp_path / "out")
    assert cheart("generate", run, "-o", tmp_path / "out", "--overwrite").code == 0
    assert not (tmp_path / "out" / "sub-002_dseg.nii.gz").exists()
    (tmp_path / "out" / "mine").write_text("mine")
    assert "which cheart did not write" in refused("generate", run, "-o", tmp_path / "out", "--overwrite")
    assert (tmp_path / "out" / "mine").is_file()


@pytest.mark.usefixtures("tiny_bundled")
def test_without_a_model_it_is_the_bundled_one(cheart, run, tmp_path):
    for name, words in (("one", []), ("two", ["bundled"]), ("three", [run])):
        assert cheart("generate", *words, "--age", 60, "--sex", "F", "-o", tmp_path / name).code == 0
    made = {(tmp_path / name / "sub-001_dseg.nii.gz").read_bytes() for name in ("one", "two", "three")}
    assert len(made) == 1


def test_two_processes_write_the_same_hearts(cheart, run, tmp_path):
    table = tmp_path / "people.tsv"
    table.write_text("participant_id\tage\tsex\na\t30\tF\nb\t60\tM\n")
    for jobs in (1, 2):
        assert cheart("generate", run, "--participants", table, "--jobs", jobs, "-o", tmp_path / str(jobs)).code == 0
    for name in ("sub-a_dseg.nii.gz", "sub-b_dseg.nii.gz", "participants.tsv", "phenotypes.tsv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_whether_hearts_are_valid_stands_in_the_tables_and_decides_with_strict(cheart, run, tmp_path, monkeypatch):
    monkeypatch.setattr("cheart.validity.WALL_TOLERANCE", 1.0)  # the tiny model's grid is coarse
    good = cheart("generate", run, "-n", 2, "--jobs", 1, "--strict", "--json", "-o", tmp_path / "good")
    assert (good.code, json.loads(good.out)["valid"], json.loads(good.out)["failed"]) == (0, 2, {})
    monkeypatch.setattr("cheart.validity.WALL_TOLERANCE", -1.0)
    for words, code in (([], 0), (["--strict"], 1)):
        out = tmp_path / f"bad-{code}"
        bad = cheart("generate", run, "-n", 2, "--jobs", 1, *words, "--json", "-o", out)
        assert bad.code == code
        assert json.loads(bad.out)["failed"] == {"wall_spread": 2}
        assert "2 of 2 hearts are not valid (wall_spread of 2)" in bad.err
        assert list(read_table(out / "phenotypes.tsv")["valid"]) == ["no", "no"]
