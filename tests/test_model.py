from dataclasses import replace

import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.cohort import Cohort
from cheart.datasets.posing import read_heart
from cheart.errors import CheartWarning, InputError
from cheart.grid import GRIDS
from cheart.heart import whole
from cheart.hearts import heart_seed
from cheart.model import PAPER_CYCLE_S, Model, load
from cohorts import tiny_cohort
from hearts import dice
from sources import save, stack
from tiny import PERSON

OTHERS = {name: value for name, value in PERSON.items() if name != "age"}


def test_a_model_says_what_it_is(model):
    assert (model.name, model.frames, model.grid.shape) == ("cheart", 4, (32, 32, 32))
    assert model.trained_on == "14 beating ellipsoids (simulated, 10 training subjects)"
    imaged = replace(model, config=model.config | {"trained_on": model.config["trained_on"] | {"title": "6 (8 mm)"}})
    assert imaged.trained_on == "6 (simulated, 10 training subjects)", "a picture's foot has no room for it"


def test_no_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no model"):
        load(tmp_path)


def test_what_is_given_stays_and_the_rest_is_drawn_within_the_training_range(model):
    person, drawn = model.resolve_conditions({"age": 50, "sex": "M"}, unknown="draw", rng=np.random.default_rng(0))
    assert (person["age"], person["sex"]) == (50, "M")
    assert drawn == ("weight", "height", "sbp")
    for name in drawn:
        low, high = model.encoding.trained[name]
        assert low <= person[name] <= high


def test_what_is_not_given_can_stay_missing(model):
    person, drawn = model.resolve_conditions({"age": 50}, unknown="missing", rng=np.random.default_rng(0))
    assert drawn == ()
    assert [name for name, value in person.items() if value is None] == ["sex", "weight", "height", "sbp"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bmi": 25}, "unknown condition 'bmi'; this schema has age, sex"),
        ({"height": 1.7}, "in m\\? then write 170"),
        ({"sex": "x"}, "not a known level; expected one of F, M"),
        ({"age": "old"}, "not a number"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(model, given, message):
    with pytest.raises(InputError, match=message):
        model.resolve_conditions(given, unknown="missing", rng=np.random.default_rng(0))


def test_values_beyond_the_training_range_are_warned_of_with_the_range(model):
    assert model.encoding.outside(PERSON) == []
    (warning,) = model.encoding.outside({**PERSON, "age": 95.0})
    assert "age 95 years is beyond the training range 20 to 70 years" in warning


def test_a_heart_beats_as_long_as_is_given_or_as_the_training_cohort_does(model, cohort):
    labels = cohort.labels(0)
    assert model.heart(labels, 0.7).cycle_s == 0.7
    assert model.heart(labels).cycle_s == pytest.approx(0.9)
    unknown = Model(model.network, {**model.config, "cycle_s": None})
    assert unknown.heart(labels).cycle_s == PAPER_CYCLE_S


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """End-diastole in a turned pose, in ACDC's numbers."""
    labels, affine = stack(seed=3, spacing=(4.0, 2.5, 2.5), tilt=20)
    path = tmp_path_factory.mktemp("file") / "ed.nii.gz"
    return save(path, labels[0], affine, renumber={1: 3, 3: 1})


def test_the_first_frame_is_kept_and_the_heart_beats(model, cohort):
    real = cohort.heart(int(cohort.indices("test")[0]))
    made = model.complete(real, PERSON)
    assert made.kind == "completed"
    assert made.frames == model.frames
    assert min(dice(real.labels[0], made.labels[0])) > 0.85
    assert made.phenotypes.lvef > 15


def test_only_the_first_frame_is_looked_at(model, cohort):
    real = cohort.heart(0)
    still = whole(np.repeat(real.labels[:1], real.frames, axis=0), real.grid, real.cycle_s)
    one, other = (model.complete(heart, PERSON).labels for heart in (real, still))
    assert np.array_equal(one, other)


def test_conditions_are_one_argument(model, cohort):
    heart = cohort.heart(0)
    assert model.complete(heart, PERSON).conditions == PERSON
    with pytest.raises(TypeError, match="age"):
        model.complete(heart, age=63)
    with pytest.raises(TypeError, match="spacing"):
        model.complete(heart, PERSON, spacing="pixdim")


def test_unknown_conditions_are_missing_or_drawn_with_the_seed(model, cohort):
    heart = cohort.heart(0)
    assert model.complete(heart, {"age": 40}).drawn == ()
    one, same, other = (model.complete(heart, {"age": 40}, unknown="draw", seed=s) for s in (1, 1, 2))
    assert one.drawn == ("sex", "weight", "height", "sbp")
    assert one.conditions == same.conditions != other.conditions


def test_a_file_in_another_pose_and_scheme_is_completed_and_taken_back(model, file):
    heart = read_heart(file, scheme="acdc", grid=model.grid, frames=model.frames)
    made = model.complete(heart, {"age": 40})
    assert made.origin is heart.origin
    assert made.warnings == heart.warnings


def test_another_grid_is_refused_by_name(model):
    heart = whole(np.repeat(ellipsoid_heart(grid=GRIDS["half"])[None], 4, axis=0), GRIDS["half"])
    with pytest.raises(InputError, match="on the grid half, the model on 32x32x32@5x5x4"):
        model.complete(heart)


def test_the_wrong_scheme_is_refused(model, file):
    with pytest.raises(InputError, match="LV cavity"):
        model.complete(file)


def test_thick_slices_are_enough(model, tmp_path):
    thick: Cohort = tiny_cohort(tmp_path / "thick", n=3, planes=slice(4, None, 3))
    assert model.complete(thick.heart(0)).observed.all()


def labels(hearts):
    return [heart.labels for heart in hearts]


def test_one_seed_one_heart(model):
    one, same, other = (model.generate(PERSON, seed=s)[0].labels for s in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_heart_k_does_not_depend_on_how_many_there_are(model):
    few, many = (model.generate({"age": 40}, n=n, seed=1) for n in (2, 5))
    for one, other in zip(few, many[:2], strict=True):
        assert np.array_equal(one.labels, other.labels)
        assert (one.conditions, one.seed) == (other.conditions, other.seed)


def test_hearts_of_one_person_differ(model):
    made = labels(model.generate(PERSON, n=3))
    assert not np.array_equal(made[0], made[1])
    assert not np.array_equal(made[1], made[2])


def test_each_heart_has_its_own_draw_of_what_is_not_known(model):
    hearts = model.generate({"age": 40}, n=4)
    assert all(heart.drawn == ("sex", "weight", "height", "sbp") for heart in hearts)
    assert all(heart.conditions["age"] == 40 for heart in hearts)
    assert len({heart.conditions["weight"] for heart in hearts}) > 1


def test_or_they_are_missing(model):
    (heart,) = model.generate({"age": 40}, unknown="missing")
    assert heart.drawn == ()
    assert heart.conditions["weight"] is None


def test_hearts_are_made_one_after_the_other(model):
    endless = model.generate(PERSON, n=10**9)
    assert next(iter(endless)).kind == "generated"
    assert len(endless[5:8]) == 3
    assert endless[-1].seed == heart_seed(0, 10**9 - 1)


def test_older_hearts_contract_more_as_those_of_the_cohort_do(model):
    young, old = (
        np.mean([h.phenotypes.lvef for h in model.generate({**PERSON, "age": age}, n=6)]) for age in (22.0, 68.0)
    )
    assert old > young + 5


def test_what_is_wrong_is_refused_before_the_first_heart(model):
    with pytest.raises(InputError, match="unknown condition 'bmi'"):
        model.generate({"bmi": 25}, n=3)


def test_seeds_of_hearts_are_different():
    assert len({heart_seed(seed, k) for seed in range(20) for k in range(20)}) == 400


def test_only_the_condition_changes(model):
    hearts = model.vary("age", [25, 45, 65], conditions=OTHERS)
    assert [heart.conditions["age"] for heart in hearts] == [25, 45, 65]
    assert all({**heart.conditions, "age": 0} == {**PERSON, "age": 0} for heart in hearts)
    assert len({heart.seed for heart in hearts}) == 1, "one latent"


def test_the_same_value_gives_the_same_heart(model):
    one, other = model.vary("age", [40, 40], conditions=OTHERS)
    assert np.array_equal(one.labels, other.labels)


def test_hearts_contract_more_with_age_as_those_of_the_cohort_do(model):
    fractions = [heart.phenotypes.lvef for heart in model.vary("age", [22, 68], conditions=OTHERS)]
    assert fractions[1] > fractions[0] + 5


def test_a_heart_at_its_own_value_is_its_completion(model, cohort):
    heart = cohort.heart(2)
    (varied,) = model.vary("age", [45], heart=heart, conditions=PERSON)
    completed = model.complete(heart, PERSON)
    assert np.array_equal(varied.labels, completed.labels)
    assert varied.cycle_s == heart.cycle_s
    assert varied.seed is None


def test_what_is_not_known_is_drawn_once(model):
    hearts = model.vary("age", [30, 60])
    assert hearts[0].drawn == ("sex", "weight", "height", "sbp")
    assert {**hearts[0].conditions, "age": 0} == {**hearts[1].conditions, "age": 0}


def test_levels_can_be_varied(model):
    assert [heart.conditions["sex"] for heart in model.vary("sex", ["F", "M"])] == ["F", "M"]


@pytest.mark.parametrize(
    ("condition", "values", "message"),
    [("bmi", [20], "unknown condition 'bmi'"), ("age", [], "no value"), ("age", ["young"], "not a number")],
)
def test_what_is_wrong_is_refused(model, condition, values, message):
    with pytest.raises(InputError, match=message):
        model.vary(condition, values)


def test_its_repr_fits_on_three_lines(model):
    lines = repr(model).splitlines()
    assert len(lines) == 3
    assert "32x32x32@5x5x4" in lines[0]
    assert "simulated" in lines[2]
    assert max(map(len, lines)) <= 120


def test_values_beyond_the_training_are_shown_and_stay_with_the_heart(model, cohort):
    with pytest.warns(CheartWarning, match="age 95 years is beyond"):
        hearts = model.generate({**PERSON, "age": 95})
    assert hearts[0].warnings == hearts.warnings
    with pytest.warns(CheartWarning, match="age 95 years is beyond"):
        heart = model.complete(cohort.heart(0), {**PERSON, "age": 95})
    assert "age 95 years" in heart.warnings[0]
