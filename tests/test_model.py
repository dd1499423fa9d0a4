import numpy as np
import pytest

from cheart.errors import InputError
from cheart.model import PAPER_CYCLE_S, Model, load
from tiny import PERSON


def test_a_model_says_what_it_is(model):
    assert (model.name, model.frames, model.grid.shape) == ("cheart", 4, (32, 32, 32))
    assert model.trained_on == "14 beating ellipsoids (simulated, 10 training subjects)"


def test_no_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no model"):
        load(tmp_path)


def test_what_is_given_stays_and_the_rest_is_drawn_within_the_training_range(model):
    person, drawn = model.settle({"age": 50, "sex": "M"}, unknown="draw", rng=np.random.default_rng(0))
    assert (person["age"], person["sex"]) == (50, "M")
    assert drawn == ("weight", "height", "sbp")
    for name in drawn:
        low, high = model.encoding.trained[name]
        assert low <= person[name] <= high


def test_what_is_not_given_can_stay_missing(model):
    person, drawn = model.settle({"age": 50}, unknown="missing", rng=np.random.default_rng(0))
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
        model.settle(given, unknown="missing", rng=np.random.default_rng(0))


def test_values_beyond_the_training_range_are_warned_of_with_the_range(model):
    assert model.encoding.outside(PERSON) == []
    (warning,) = model.encoding.outside({**PERSON, "age": 95.0})
    assert "age 95 years is beyond the training range 20 to 70 years" in warning


def test_a_heart_beats_as_long_as_it_is_told_or_as_the_training_cohort_does(model, cohort):
    labels = cohort.labels(0)
    assert model.heart(labels, 0.7).cycle_s == 0.7
    assert model.heart(labels).cycle_s == pytest.approx(0.9)
    unknown = Model(model.network, {**model.config, "cycle_s": None})
    assert unknown.heart(labels).cycle_s == PAPER_CYCLE_S
