import numpy as np
import pytest

from cheart.simulation.phenotypes import draw_phenotypes, true_completions

PERSON = {"age": 50.0, "sex": "F", "weight": 65.0, "height": 165.0, "sbp": 122.0}


def test_completions_are_those_of_the_hearts_with_such_volumes():
    rng = np.random.default_rng(0)
    hearts = [draw_phenotypes(PERSON, rng) for _ in range(12_000)]
    ratio = np.array([h.rvedv / h.lvedv for h in hearts])
    near = np.abs(ratio - 1.15) < 0.01
    left, right = (np.array([getattr(h, name) for h in hearts])[near] for name in ("lvef", "rvef"))
    found = true_completions(PERSON, lvedv=120.0, rvedv=138.0, n=4000, seed=1)
    assert found["lvef"].mean() == pytest.approx(left.mean(), abs=4 * left.std() / np.sqrt(near.sum()))
    assert found["lvef"].std() == pytest.approx(left.std(), rel=0.15)
    assert found["rvef"].mean() == pytest.approx(right.mean(), abs=4 * right.std() / np.sqrt(near.sum()))
    stroke = (138 - found["rvesv"]) / (120 - found["lvesv"])
    assert np.abs(stroke - 1).max() <= 0.0451


def test_the_same_seed_gives_the_same_draws():
    one, again = (true_completions(PERSON, lvedv=120.0, rvedv=130.0, n=5, seed=2) for _ in range(2))
    assert one.equals(again)
    assert np.allclose(one["lvesv"], 120 * (1 - one["lvef"] / 100))
