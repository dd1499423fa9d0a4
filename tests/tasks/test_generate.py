import numpy as np
import pytest

from cheart.errors import InputError
from cheart.tasks.generate import generate, heart_seed
from tiny import PERSON


def labels(hearts):
    return [heart.labels for heart in hearts]


def test_one_seed_one_heart(model):
    one, same, other = (model.generate(1, seed=s, **PERSON)[0].labels for s in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_heart_k_does_not_depend_on_how_many_there_are(model):
    few, many = (model.generate(n, age=40, seed=1) for n in (2, 5))
    for one, other in zip(few, many[:2], strict=True):
        assert np.array_equal(one.labels, other.labels)
        assert (one.conditions, one.seed) == (other.conditions, other.seed)


def test_hearts_of_one_person_differ(model):
    made = labels(model.generate(3, **PERSON))
    assert not np.array_equal(made[0], made[1])
    assert not np.array_equal(made[1], made[2])


def test_each_heart_has_its_own_draw_of_what_is_not_known(model):
    hearts = model.generate(4, age=40)
    assert all(heart.drawn == ("sex", "weight", "height", "sbp") for heart in hearts)
    assert all(heart.conditions["age"] == 40 for heart in hearts)
    assert len({heart.conditions["weight"] for heart in hearts}) > 1


def test_or_they_are_told_as_missing(model):
    (heart,) = model.generate(1, age=40, unknown="missing")
    assert heart.drawn == ()
    assert heart.conditions["weight"] is None


def test_hearts_are_made_one_after_the_other(model):
    endless = generate(model, 10**9, conditions=PERSON)
    assert next(endless).kind == "generated"


def test_older_hearts_contract_more_as_those_of_the_cohort_do(model):
    young, old = (
        np.mean([h.phenotypes.lvef for h in model.generate(6, **{**PERSON, "age": age})]) for age in (22.0, 68.0)
    )
    assert old > young + 5


def test_what_is_wrong_is_refused_before_the_first_heart(model):
    with pytest.raises(InputError, match="unknown condition 'bmi'"):
        generate(model, 3, bmi=25)


def test_seeds_of_hearts_are_different():
    assert len({heart_seed(seed, k) for seed in range(20) for k in range(20)}) == 400
