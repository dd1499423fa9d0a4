import numpy as np
import pytest

from cheart.models.bayesian_regression import Curves, Rows, _Fit, learn, time_factor

PARTS = {"free": np.array([100.0, 0.0, 0.0]), "shape": np.array([0.0, 1.0, 1.0])}


def some_rows(rng: np.random.Generator, hearts: int, weight: np.ndarray, noise: float) -> Rows:
    """Two moments of each heart; weight [H, F, K]."""
    heart = np.repeat(np.arange(hearts), 2)
    waves = np.tile(np.eye(2), (hearts, 1))
    inputs = np.repeat(np.column_stack([np.ones(hearts), rng.normal(size=(hearts, 2))]), 2, axis=0)
    values = np.einsum("rh,rf,hfk->rk", waves, inputs, weight) + noise * rng.normal(size=(2 * hearts, weight.shape[2]))
    return Rows(heart, waves, inputs, values)


def nothing_known(size: int) -> Curves:
    return Curves(np.zeros((1, 3)), np.zeros((1, 2, size)))


def test_it_finds_the_map_behind_the_rows() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(2, 3, 4))
    found = learn(some_rows(rng, 60, truth, 0.01), nothing_known(4), np.eye(2), PARTS)
    assert np.abs(found.weight - truth).max() < 0.1


def test_what_is_known_speaks_where_new_hearts_are_few() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(2, 3, 4))
    inputs = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
    known = Curves(inputs, np.einsum("nf,hfk->nhk", inputs, truth))
    few = some_rows(rng, 3, truth, 0.5)
    with_known = learn(few, known, np.eye(2), PARTS).weight
    without = learn(few, nothing_known(4), np.eye(2), PARTS).weight
    assert np.abs(with_known - truth).mean() < 0.5 * np.abs(without - truth).mean()


def test_hearts_left_out_are_foretold_by_the_others() -> None:
    rng = np.random.default_rng(2)
    rows = some_rows(rng, 6, rng.normal(size=(2, 3, 4)), 0.3)
    chosen = {"trust": 1.0, "shape": 1.0}
    left = _Fit.of(rows, nothing_known(4), PARTS, chosen).left_out()
    for heart in range(6):
        out = rows.heart == heart
        others = _Fit.of(rows.of(~out), nothing_known(4), PARTS, chosen).weight()
        told = np.einsum("rh,rf,hfk->rk", rows.waves[out], rows.inputs[out], others)
        assert left[out] == pytest.approx(rows.values[out] - told, abs=1e-8)


def test_time_is_told_by_as_many_curves_as_hearts_move_in() -> None:
    rng = np.random.default_rng(3)
    curves = rng.normal(size=(2, 6))
    amplitudes = np.einsum("nck,ch->nhk", rng.normal(size=(50, 2, 5)), curves)
    factor = time_factor(amplitudes, np.eye(6), kept=1 - 1e-9)
    assert factor.shape == (6, 2)
    assert np.square(factor).sum(axis=1).max() == pytest.approx(1)
