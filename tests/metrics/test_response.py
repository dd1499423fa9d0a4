import numpy as np
import pytest

from cheart.conditions import Factor, Schema
from cheart.errors import InputError
from cheart.evaluation.response import condition_columns
from cheart.metrics.response import Response, Slope, cohort_slopes, model_slope

SCHEMA = Schema((
    Factor("age", "number", "years", 10, 80),
    Factor("sex", "level", levels=("F", "M")),
    Factor("sbp", "number", "mmHg", 60, 250),
))  # fmt: skip


def cohort(n=300, noise=8.0, seed=0):
    """Volume falls 0.6 mL a year, men have 30 mL more; pressure rises with age and does nothing by itself."""
    rng = np.random.default_rng(seed)
    age, male = rng.uniform(20, 70, n), rng.integers(0, 2, n)
    sbp = 100 + 0.5 * age + rng.normal(0, 8, n)
    people = [{"age": a, "sex": "FM"[m], "sbp": p} for a, m, p in zip(age, male, sbp, strict=True)]
    return people, 150 - 0.6 * (age - 45) + 30 * male + rng.normal(0, noise, n)


def test_partial_slopes_are_found_and_a_bystander_has_none():
    slopes = slopes_of(*cohort())
    assert slopes["age"].value == pytest.approx(-0.6, abs=0.2)
    assert slopes["sex:M"].value == pytest.approx(30, abs=5)
    assert slopes["age"].clear
    assert abs(slopes["sbp"].value) < 0.3
    assert slopes["age"].n == 300


def slopes_of(people, values):
    return cohort_slopes(condition_columns(people, SCHEMA), values)


def test_without_noise_the_slopes_are_exact():
    slopes = slopes_of(*cohort(noise=0))
    assert slopes["age"].value == pytest.approx(-0.6)
    assert slopes["sbp"].value == pytest.approx(0, abs=1e-9)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    hits = sum((s := slopes_of(*cohort(60, seed=k))["age"]).low <= -0.6 <= s.high for k in range(300))
    # 95 % of 300 is 285 with SD 3.8; 4 SD on either side
    assert 268 <= hits <= 300
    assert hits < 300


def test_people_with_a_missing_condition_are_left_out():
    people, values = cohort(50)
    people[0]["sbp"] = None
    values[1] = np.nan
    assert slopes_of(people, values)["age"].n == 48


def test_a_condition_that_does_not_vary_has_no_slope():
    people, values = cohort(50)
    for person in people:
        person["sex"] = "F"
    assert set(slopes_of(people, values)) == {"age", "sbp"}


def test_a_condition_that_is_known_of_nobody_has_no_slope():
    people, values = cohort(50)
    for person in people:
        person["sbp"] = None
    assert set(slopes_of(people, values)) == {"age", "sex:M"}


def test_too_few_people_and_tied_conditions_are_refused():
    people, values = cohort(50)
    with pytest.raises(InputError, match="too few"):
        slopes_of(people[:4], values[:4])
    for person in people:
        person["sbp"] = 2 * person["age"]
    with pytest.raises(InputError, match="determine each other"):
        slopes_of(people, values)


def test_a_models_slope_is_the_mean_over_hearts():
    moved = np.array([20.0, 40, 60])
    hearts = np.array([[150.0, 140, 130], [180, 174, 168], [120, np.nan, 100]])
    found = model_slope(moved, hearts)
    assert found.value == pytest.approx(-0.4)
    assert found.n == 2
    # slopes −0.5 and −0.3: standard error 0.1, and 12.706 is the 97.5 % point of t with one degree of freedom
    assert found.high - found.value == pytest.approx(1.2706, rel=1e-4)
    assert found.value - found.low == pytest.approx(1.2706, rel=1e-4)
    with pytest.raises(InputError, match="expected"):
        model_slope([1.0, 1.0], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.7, -0.4, "agrees"),
        (-0.1, 0.1, "ignored"),
        (-0.3, -0.2, "weak"),
        (-2, -1.5, "strong"),
        (0.2, 0.4, "reversed"),
    ],
)
def test_verdicts(low, high, verdict):
    response = Response(cohort=Slope(-0.6, -0.75, -0.45, 300), model=Slope((low + high) / 2, low, high, 20))
    assert response.verdict == verdict


def test_a_third_of_a_clear_slope_does_not_agree_however_wide_the_intervals():
    response = Response(cohort=Slope(-0.6, -1.1, -0.1, 30), model=Slope(-0.2, -0.3, -0.1, 20))
    assert response.ratio == pytest.approx(0.33, abs=0.01)
    assert response.verdict == "weak"


def test_a_slope_that_the_cohort_does_not_have():
    response = Response(cohort=Slope(0.05, -0.1, 0.2, 300), model=Slope(1, 0.8, 1.2, 20))
    assert response.verdict == "unfounded"
