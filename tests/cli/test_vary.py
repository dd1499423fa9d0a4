import json

import pytest

from cheart.cli.vary import spread
from cheart.cohort import read_table
from cheart.conditions import AGE, SEX
from cheart.errors import InputError
from sources import acdc_patient, save, stack

pytestmark = pytest.mark.usefixtures("undrawn")


def test_a_drawn_heart_at_several_ages(cheart, run, tmp_path):
    arguments = ["--condition", "age", "--from", 20, "--to", 80, "--steps", 4, "--sex", "F"]
    answer = cheart("vary", run, *arguments, "-o", tmp_path / "out", "--json")
    value = json.loads(answer.out)
    assert value["hearts"] == 4
    assert value["warnings"] == ["age 80 years is beyond the training range 20 to 70 years: the model extrapolates"]
    people = read_table(tmp_path / "out" / "participants.tsv")
    assert list(people["age"]) == [20, 40, 60, 80]
    assert all(people[name].nunique() == 1 for name in ("sex", "weight", "height", "sbp", "latent_seed"))


def test_a_persons_heart_at_both_sexes(cheart, run, tmp_path):
    labels, affine = stack(seed=3, spacing=(4.0, 2.5, 2.5), tilt=20)
    heart = save(tmp_path / "ed.nii.gz", labels[0], affine)
    answer = cheart("vary", run, "--heart", heart, "--condition", "sex", "--age", 50, "-o", tmp_path / "out")
    assert answer.code == 0, answer
    assert list(read_table(tmp_path / "out" / "participants.tsv")["sex"]) == ["F", "M"]


def test_a_header_that_contradicts_itself_is_settled_by_the_flag_that_the_refusal_names(cheart, refused, run, tmp_path):
    acdc_patient(tmp_path, "patient001")
    heart = tmp_path / "patient001" / "patient001_frame01_gt.nii.gz"
    arguments = ["vary", run, "--heart", heart, "--scheme", "acdc", "--condition", "sex", "-o", tmp_path / "out"]
    assert "--spacing" in refused(*arguments)
    answer = cheart(*arguments, "--spacing", "pixdim", "--mirrored")
    assert (answer.code, answer.err_but_validity) == (0, "")


def test_nothing_is_left_of_what_is_refused(refused, run, tmp_path):
    assert "--from and --to" in refused("vary", run, "--condition", "age", "-o", tmp_path / "out")
    assert "unknown condition 'bmi'" in refused("vary", run, "--condition", "bmi", "-o", tmp_path / "out")
    far = ["--condition", "age", "--from", 20, "--to", 200]
    assert "is outside the range: expected 0 to 110 years" in refused("vary", run, *far, "-o", tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("tiny_bundled")
def test_without_a_model_it_is_the_bundled_one(cheart, tmp_path):
    answer = cheart("vary", "--condition", "sex", "-o", tmp_path / "out")
    assert answer.code == 0, answer


def test_spread_leads_through_numbers_or_levels():
    assert spread(AGE, 20, 80, 4) == [20, 40, 60, 80]
    assert spread(SEX, None, None, 7) == ["F", "M"]
    with pytest.raises(InputError, match="--from and --to"):
        spread(AGE, 20, None, 4)
