import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.cohort import Cohort
from cheart.datasets.posing import read_heart
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.heart import whole
from cohorts import tiny_cohort
from hearts import dice
from sources import save, stack
from tiny import PERSON


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """End-diastole in a turned pose, in ACDC's numbers."""
    labels, affine = stack(seed=3, spacing=(4.0, 2.5, 2.5), tilt=20)
    path = tmp_path_factory.mktemp("file") / "ed.nii.gz"
    return save(path, labels[0], affine, renumber={1: 3, 3: 1})


def test_the_first_frame_is_kept_and_the_heart_beats(model, cohort):
    real = cohort.heart(int(cohort.indices("test")[0]))
    made = model.complete(real, conditions=PERSON)
    assert made.kind == "completed"
    assert made.frames == model.frames
    assert min(dice(real.labels[0], made.labels[0])) > 0.85
    assert made.phenotypes.lvef > 15


def test_only_the_first_frame_is_looked_at(model, cohort):
    real = cohort.heart(0)
    still = whole(np.repeat(real.labels[:1], real.frames, axis=0), real.grid, real.cycle_s)
    one, other = (model.complete(heart, conditions=PERSON).labels for heart in (real, still))
    assert np.array_equal(one, other)


def test_conditions_may_come_by_name_or_as_a_mapping(model, cohort):
    heart = cohort.heart(0)
    by_name, as_mapping = model.complete(heart, **PERSON), model.complete(heart, conditions=PERSON)
    assert by_name.conditions == as_mapping.conditions == PERSON
    assert np.array_equal(by_name.labels, as_mapping.labels)


def test_unknown_conditions_are_told_as_missing_or_drawn_with_the_seed(model, cohort):
    heart = cohort.heart(0)
    assert model.complete(heart, age=40).drawn == ()
    one, same, other = (model.complete(heart, age=40, unknown="draw", seed=s) for s in (1, 1, 2))
    assert one.drawn == ("sex", "weight", "height", "sbp")
    assert one.conditions == same.conditions != other.conditions


def test_a_file_in_another_pose_and_scheme_is_completed_and_taken_back(model, file):
    heart = read_heart(file, scheme="acdc", grid=model.grid, frames=model.frames)
    made = model.complete(heart, age=40)
    straight = model.complete(file, labels="acdc", age=40)
    assert np.array_equal(made.labels, straight.labels)
    assert made.origin is heart.origin
    assert made.warnings == heart.warnings


def test_another_grid_is_refused_by_name(model):
    heart = whole(np.repeat(ellipsoid_heart(grid=GRIDS["half"])[None], 4, axis=0), GRIDS["half"])
    with pytest.raises(InputError, match="on the grid half, the model on 32x32x32@5x5x4"):
        model.complete(heart)


def test_the_wrong_scheme_is_refused(model, file):
    with pytest.raises(InputError, match="LV cavity"):
        model.complete(file, labels="ukbb")


def test_thick_slices_are_enough(model, tmp_path):
    thick: Cohort = tiny_cohort(tmp_path / "thick", n=3, planes=slice(4, None, 3))
    assert model.complete(thick.heart(0)).observed.all()
