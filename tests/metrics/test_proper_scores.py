import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheart.errors import InputError
from cheart.metrics.proper_scores import (
    conformal_quantile,
    coverage,
    crps_of_normal,
    crps_of_samples,
    energy_score,
    pit,
    spread_by_group,
)

RNG = np.random.default_rng(0)
TRUTH = np.array([0.0, 1.0, -2.0])


def test_crps_of_the_standard_normal_at_its_mean():
    at_mean = 2 / np.sqrt(2 * np.pi) - 1 / np.sqrt(np.pi)
    assert crps_of_normal(0, 1, 0) == pytest.approx(at_mean)


def test_crps_of_many_samples_is_that_of_their_distribution():
    samples = RNG.normal(0.5, 2.0, (3, 20_000))
    assert np.allclose(crps_of_samples(samples, TRUTH), crps_of_normal(0.5, 2.0, TRUTH), atol=0.03)


def test_crps_of_a_uniform_distribution_in_closed_form():
    samples = (np.arange(4000) + 0.5)[None] / 4000
    for y in (0.0, 0.3, 1.0):  # ∫ (F − 1)² and F² over the two sides of y: (y³ + (1 − y)³) / 3
        assert crps_of_samples(samples, [y])[0] == pytest.approx((y**3 + (1 - y) ** 3) / 3, abs=1e-3)


def test_one_sample_scores_its_absolute_error():
    assert crps_of_samples([[3.0]], [1.0])[0] == 2.0
    assert energy_score([[[3.0, 4.0]]], [[0.0, 0.0]])[0] == 5.0


def test_scores_are_those_of_scoringrules():
    other = pytest.importorskip("scoringrules")
    samples = RNG.normal(size=(3, 15))
    assert np.allclose(crps_of_samples(samples, TRUTH), other.crps_ensemble(TRUTH, samples, estimator="fair"))
    vectors, truth = RNG.normal(size=(4, 15, 3)), RNG.normal(size=(4, 3))
    assert np.allclose(energy_score(vectors, truth), other.es_ensemble(truth, vectors, estimator="fair"))
    assert np.allclose(crps_of_normal(0.5, 2.0, TRUTH), other.crps_normal(TRUTH, 0.5, 2.0))


def test_the_energy_score_of_one_value_is_its_crps():
    samples = RNG.normal(size=(3, 20))
    assert np.allclose(energy_score(samples[..., None], TRUTH[:, None]), crps_of_samples(samples, TRUTH))


@pytest.mark.parametrize("spread", [0.6, 0.8, 1.25, 1.6])
def test_a_wrong_spread_scores_worse_than_the_right_one(spread):
    truth = RNG.normal(size=4000)
    right, wrong = (RNG.normal(size=(4000, 40)) * s for s in (1.0, spread))
    assert crps_of_samples(right, truth).mean() < crps_of_samples(wrong, truth).mean()


def test_the_energy_score_sees_how_values_go_together():
    joint = np.linalg.cholesky([[1.0, 0.9], [0.9, 1.0]])
    truth = RNG.normal(size=(2000, 2)) @ joint.T
    right, apart = RNG.normal(size=(2000, 30, 2)) @ joint.T, RNG.normal(size=(2000, 30, 2))
    assert energy_score(right, truth).mean() < energy_score(apart, truth).mean()


@given(st.integers(1, 30))
def test_the_transform_lies_within_0_and_1_and_moves_with_the_truth(d):
    samples = np.arange(d)[None] * np.ones((3, 1))
    low, middle, high = pit(samples, [-1.0, (d - 1) / 2, float(d)])
    assert 0 < low <= middle <= high < 1
    assert middle == pytest.approx(0.5)
    assert low == pytest.approx(0.5 / (d + 1))


@pytest.mark.parametrize("d", [19, 200])
def test_right_distributions_are_covered_at_their_level_with_few_samples_too(d):
    truth, samples = RNG.normal(size=20_000), RNG.normal(size=(20_000, d))
    assert pit(samples, truth).mean() == pytest.approx(0.5, abs=0.01)
    for one in coverage(samples, truth):
        assert one.covered.mean() == pytest.approx(one.level, abs=0.012)


def test_the_width_of_the_90_percent_interval_of_a_normal():
    one = coverage(RNG.normal(size=(50, 5000)), np.zeros(50), levels=(0.9,))[0]
    assert one.width.mean() == pytest.approx(2 * 1.645, rel=0.02)


def test_hearts_too_much_alike_are_covered_too_seldom():
    truth, samples = RNG.normal(size=4000), 0.8 * RNG.normal(size=(4000, 100))
    assert coverage(samples, truth, levels=(0.9,))[0].covered.mean() < 0.84


def test_too_few_samples_for_an_interval_are_refused():
    with pytest.raises(InputError, match="10 samples: an interval of 90% needs 19"):
        coverage(np.zeros((2, 10)), np.zeros(2))


def test_one_spread_for_all_is_found_out_by_group():
    groups = np.repeat(["a", "b"], 3000)
    sd = np.where(groups == "a", 1.0, 3.0)
    truth, samples = sd * RNG.normal(size=6000), np.sqrt(5) * RNG.normal(size=(6000, 20))
    found = spread_by_group(samples, truth, groups)
    assert found["a"].ratio == pytest.approx(np.sqrt(5), rel=0.05)
    assert found["b"].ratio == pytest.approx(np.sqrt(5) / 3, rel=0.05)
    right = spread_by_group(sd[:, None] * RNG.normal(size=(6000, 5)), truth, groups)
    assert all(one.ratio == pytest.approx(1, rel=0.05) for one in right.values())


def test_shapes_that_do_not_go_together_are_refused():
    with pytest.raises(InputError, match=r"expected \[N, D\] and \[N\]"):
        crps_of_samples(np.zeros(3), np.zeros(3))


def test_the_conformal_quantile_is_the_rank_that_a_further_value_stays_below():
    values = np.arange(1.0, 10.0)[::-1]
    assert conformal_quantile(values, 0.8) == 8
    assert conformal_quantile(values, 0.99) == 9  # too few for more than the largest
    np.testing.assert_array_equal(conformal_quantile(np.stack([values, 10 * values], axis=1), 0.8), [8, 80])
