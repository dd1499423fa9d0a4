import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheart.errors import InputError
from cheart.metrics.statistics import holm, mean_and_best, mean_over_frames, paired_tests, summary


def test_a_summary_skips_what_is_missing():
    found = summary([1, 2, 3, np.nan])
    assert (found.mean, found.sd) == (2, 1)
    assert np.isnan([summary([np.nan]).mean, summary([1.0]).sd]).all()


def test_mean_over_frames_skips_what_is_unknown():
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_equal(mean_over_frames(values), [2, np.nan])
    np.testing.assert_equal(mean_over_frames(values, [1, 2]), [3, np.nan])


def test_mean_and_best():
    values = [[0.7, 0.9, np.nan], [np.nan, np.nan, np.nan]]
    mean, best = mean_and_best(values, "max")
    np.testing.assert_allclose(mean, [0.8, np.nan])
    np.testing.assert_allclose(best, [0.9, np.nan])
    np.testing.assert_allclose(mean_and_best(values, "min")[1], [0.7, np.nan])


def one_test(scores, better="max"):
    """The only test of a family of one measure and two models."""
    (test,) = paired_tests({"x": scores}, {"x": better}, reference=next(iter(scores)))
    return test


def test_a_consistent_difference_is_found_and_its_direction_named():
    rng = np.random.default_rng(0)
    base = rng.normal(0.8, 0.05, 40)
    scores = {"good": base + 0.02 + rng.normal(0, 0.005, 40), "bad": base}
    test = one_test(scores)
    assert test.better == "good"
    assert test.p < 1e-6
    assert test.n == 40
    assert one_test(scores, "min").better == "bad"


def test_equal_models_do_not_differ():
    scores = np.linspace(0, 1, 20)
    test = one_test({"a": scores, "b": scores.copy()})
    assert (test.p, test.p_holm, test.better, test.difference) == (1, 1, "", 0)


def test_subjects_without_a_value_leave_the_pair():
    assert one_test({"a": [1, 2, np.nan, 4], "b": [0, 1, 2, np.nan]}).n == 2


def test_a_family_is_corrected_over_its_measures_and_models_together():
    rng = np.random.default_rng(1)
    base = rng.normal(0, 1, 30)
    scores = {
        "dice": {"ours": base, "a": base - rng.normal(0.5, 1, 30), "b": base - rng.normal(0.3, 1, 30)},
        "hd": {"a": base, "ours": base - rng.normal(0.4, 1, 30)},
        "empty": {"ours": np.full(30, np.nan), "a": base},
        "theirs alone": {"a": base, "b": base},
    }
    better = {"dice": "max", "hd": "min", "empty": "min", "theirs alone": "max"}
    tests = paired_tests(scores, better, reference="ours")
    assert [(t.measure, t.first, t.second) for t in tests] == [
        ("dice", "ours", "a"), ("dice", "ours", "b"), ("hd", "ours", "a"),
    ]  # fmt: skip
    np.testing.assert_allclose([t.p_holm for t in tests], holm([t.p for t in tests]))
    assert tests[2].better == "ours"


def test_different_subjects_are_refused():
    with pytest.raises(InputError, match="same subjects"):
        one_test({"a": [1, 2], "b": [1, 2, 3]})


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(deadline=None)
def test_holm_is_never_below_p_never_above_bonferroni_and_keeps_the_order(p):
    corrected = holm(p)
    assert np.all(corrected >= np.asarray(p))
    assert np.all(corrected <= np.minimum(1, np.asarray(p) * len(p)) + 1e-12)
    assert np.all(np.diff(corrected[np.argsort(p, kind="stable")]) >= 0)
