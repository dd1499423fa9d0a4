import numpy as np
import pytest

from cheart.metrics.bootstrap import bootstrap, mean_interval


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    x = np.random.default_rng(0).normal(3.0, 2.0, 400)
    found = mean_interval(x)
    assert found.value == pytest.approx(x.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * x.std() / 20, rel=0.1)
    assert found.low < x.mean() < found.high


def test_many_rows_of_a_person_count_as_one_person():
    people = np.repeat(np.arange(30), 50)
    x = np.random.default_rng(1).normal(size=30)[people]
    wide, narrow = mean_interval(x, people), mean_interval(x)
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert wide.value == pytest.approx(narrow.value)


def test_rows_of_a_person_need_not_lie_together():
    x, people = np.array([1.0, 2.0, 5.0, 1.0, 2.0, 5.0]), np.array([0, 1, 2, 0, 1, 2])
    mixed = np.array([3, 1, 5, 0, 4, 2])
    assert mean_interval(x, people) == mean_interval(x[mixed], people[mixed])


def test_the_same_seed_gives_the_same_interval_and_one_person_none():
    x = np.arange(10.0)
    assert bootstrap(lambda rows: np.median(x[rows]), x, seed=1) == bootstrap(
        lambda rows: np.median(x[rows]), x, seed=1
    )
    alone = mean_interval([1.0, 2.0], [7, 7])
    assert alone.value == 1.5
    assert np.isnan(alone.low)


def test_unknown_values_are_left_out():
    assert mean_interval([1.0, np.nan, 3.0]).value == 2.0
    assert np.isnan(mean_interval([np.nan]).value)
