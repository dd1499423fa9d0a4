import numpy as np
import pytest

from cheart.conditions import AGE, SEX
from cheart.errors import InputError
from cheart.tasks.vary import spread
from tiny import PERSON

OTHERS = {name: value for name, value in PERSON.items() if name != "age"}


def test_only_the_condition_changes(model):
    hearts = model.vary("age", [25, 45, 65], **OTHERS)
    assert [heart.conditions["age"] for heart in hearts] == [25, 45, 65]
    assert all({**heart.conditions, "age": 0} == {**PERSON, "age": 0} for heart in hearts)
    assert len({heart.seed for heart in hearts}) == 1, "one code"


def test_the_same_value_gives_the_same_heart(model):
    one, other = model.vary("age", [40, 40], **OTHERS)
    assert np.array_equal(one.labels, other.labels)


def test_hearts_contract_more_with_age_as_those_of_the_cohort_do(model):
    fractions = [heart.phenotypes.lvef for heart in model.vary("age", [22, 68], **OTHERS)]
    assert fractions[1] > fractions[0] + 5


def test_a_heart_at_its_own_value_is_its_completion(model, cohort):
    heart = cohort.heart(2)
    (varied,) = model.vary("age", [45], heart=heart, **PERSON)
    completed = model.complete(heart, **PERSON)
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


def test_spread_leads_through_numbers_or_levels():
    assert spread(AGE, 20, 80, 4) == [20, 40, 60, 80]
    assert spread(SEX, None, None, 7) == ["F", "M"]
    with pytest.raises(InputError, match="--from and --to"):
        spread(AGE, 20, None, 4)
