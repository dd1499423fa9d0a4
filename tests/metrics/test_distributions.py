import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheart.errors import InputError
from cheart.metrics.distributions import compare_distributions, kl_divergence, support, wasserstein

NORMAL = np.random.default_rng(0).normal(150, 30, 4000)


def test_wasserstein_of_a_shift_is_the_shift():
    assert wasserstein(NORMAL, NORMAL + 12) == pytest.approx(12)


def test_kl_of_a_sample_with_itself_is_zero():
    assert kl_divergence(NORMAL, NORMAL[::-1]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("shift", "scale"), [(15, 1.0), (0, 1.4), (-20, 0.8)])
def test_kl_of_normal_samples_is_near_the_closed_form(shift, scale):
    other = np.random.default_rng(1).normal(150 + shift, 30 * scale, 4000)
    exact = np.log(scale) + (1 + (shift / 30) ** 2) / (2 * scale**2) - 0.5
    assert kl_divergence(NORMAL, other) == pytest.approx(exact, rel=0.2, abs=0.01)


def test_kl_is_finite_for_a_collapsed_model_far_away():
    value = kl_divergence(NORMAL, np.full(100, 1e4))
    assert 5 < value < 20


@given(st.floats(0.1, 10), st.floats(-50, 50))
@settings(deadline=None, max_examples=20)
def test_kl_has_no_unit_and_wasserstein_has(scale, shift):
    one, two = NORMAL[:200], NORMAL[200:500] + 9
    assert kl_divergence(scale * one + shift, scale * two + shift) == pytest.approx(kl_divergence(one, two), rel=1e-6)
    assert wasserstein(scale * one + shift, scale * two + shift) == pytest.approx(scale * wasserstein(one, two))


def test_pooled_hides_what_groups_show():
    """Two age groups exchanged: pooled nothing is wrong, within each group everything is."""
    rng = np.random.default_rng(2)
    groups = np.repeat(["20-30", "60-70"], 100)
    real = np.where(groups == "20-30", 180, 140) + rng.normal(0, 5, 200)
    synthetic = np.stack([np.roll(real, 100), np.roll(real, 101)])
    found = compare_distributions(real, synthetic, groups)
    assert found.wasserstein_pooled == pytest.approx(0, abs=1e-9)
    assert np.all(found.wasserstein_by_group > 35)
    assert np.all(found.kl_by_group > 1)
    assert found.wasserstein_groups.shape == (2, 2)


def test_small_groups_are_left_out_and_said_to_be():
    real = np.arange(20.0)
    groups = ["10-20"] * 2 + ["20-30"] * 18
    found = compare_distributions(real, real + 1, groups)
    assert found.groups == ("20-30",)
    assert found.left_out == ("10-20",)
    assert found.wasserstein_by_group == pytest.approx([1])


def test_hearts_that_could_not_be_measured_are_left_out():
    real, synthetic = np.arange(20.0), np.arange(20.0)
    real[3] = synthetic[7] = np.nan
    found = compare_distributions(real, synthetic, ["all"] * 20)
    assert np.isfinite(found.kl_pooled).all()


def test_a_distribution_needs_values():
    with pytest.raises(InputError, match="two different"):
        support([3.0, 3.0])
    with pytest.raises(InputError, match="expected"):
        compare_distributions([1.0, 2], [[1.0, 2, 3]], ["a", "a"])
