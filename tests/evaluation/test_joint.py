import numpy as np
import pytest

from cheart.evaluation.joint import halves, joint

RNG = np.random.default_rng(0)


def test_one_distribution_is_told_from_another():
    real, same, other = RNG.normal(size=(120, 5)), RNG.normal(size=(3, 120, 5)), 0.5 * RNG.normal(size=(3, 120, 5))
    right, wrong = joint(real, same), joint(real, other)
    assert abs(right["energy"]) < 0.1 < wrong["energy"]
    assert abs(right["c2st"] - 0.5) < 0.12 < wrong["c2st"] - 0.5
    assert wrong["coverage"] < right["coverage"]


def test_half_against_half_is_what_chance_makes():
    real = RNG.normal(size=(150, 3))
    found = halves(real)
    assert found["energy"] == pytest.approx(0, abs=0.05)
    assert found["c2st"] == pytest.approx(0.5, abs=0.06)
    assert found["coverage"] == pytest.approx(found["expected"], abs=0.03)
    assert found["w1"][0]["mean"] == pytest.approx(0.15, abs=0.08)


def test_people_with_unknown_values_are_left_out_and_too_few_say_nothing():
    real, made = RNG.normal(size=(30, 2)), RNG.normal(size=(1, 30, 2))
    spoilt = real.copy()
    spoilt[0, 0] = np.nan
    assert joint(spoilt, made) == joint(real[1:], made[:, 1:])
    assert joint(real[:5], made[:, :5]) == {}
    assert halves(real[:8]) == {}
