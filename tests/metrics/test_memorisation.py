import numpy as np
import pytest

from balls import heart
from cheart.grid import GRIDS, Grid
from cheart.metrics.memorisation import Memorisation, nearest, occupancy

HALF = GRIDS["half"]


def pair(rng):
    lv, wall, rv = rng.uniform(20, 28), rng.uniform(6, 10), rng.uniform(22, 30)
    return np.stack([heart(HALF, lv_mm=lv * s, wall_mm=wall / s, rv_mm=rv * s) for s in (1.0, 0.8)])


def descriptors(n, seed):
    rng = np.random.default_rng(seed)
    return np.stack([occupancy(pair(rng), HALF) for _ in range(n)])


def test_occupancy_is_the_share_of_each_cell():
    grid = Grid((8, 8, 8), (4.0, 4.0, 4.0))
    labels = np.zeros((1, 8, 8, 8), np.uint8)
    labels[0, :2, :2, :2] = 1
    labels[0, 2:4, :2, :1] = 3
    found = occupancy(labels, grid).reshape(3, 4, 4, 4)
    assert found[0, 0, 0, 0] == 255
    assert found[2, 1, 0, 0] == 128
    assert found.sum() == 255 + 128


def test_a_grid_that_cells_do_not_divide():
    labels = np.full((1, 5, 7, 3), 2, np.uint8)
    found = occupancy(labels, Grid((5, 7, 3), (4.0, 3.0, 10.0)))
    assert found.size == 3 * 3 * 4 * 3
    assert found.max() == 255


def test_copies_are_at_no_distance_and_known_by_number():
    training = descriptors(12, 0)
    distance, which = nearest(training[[7, 2]], training)
    np.testing.assert_allclose(distance, 0, atol=1e-6)
    assert which.tolist() == [7, 2]


def test_distance_is_one_less_the_dice_of_shares():
    training, hearts = descriptors(5, 0), descriptors(3, 1)
    f, g = (a.astype(float) / 255 for a in (hearts, training))
    table = 1 - 2 * f @ g.T / ((f**2).sum(1)[:, None] + (g**2).sum(1))
    distance, which = nearest(hearts, training)
    np.testing.assert_allclose(distance, table.min(axis=1), atol=1e-5)
    np.testing.assert_array_equal(which, table.argmin(axis=1))


def test_blocks_change_nothing(monkeypatch):
    training, hearts = descriptors(9, 0), descriptors(3, 1)
    whole = nearest(hearts, training)
    monkeypatch.setattr("cheart.metrics.memorisation._BLOCK", 2)
    blocks = nearest(hearts, training)
    np.testing.assert_allclose(whole[0], blocks[0], atol=1e-6)
    np.testing.assert_array_equal(whole[1], blocks[1])


def test_a_model_that_copies_is_caught_and_one_that_does_not_is_not():
    training, held_out, fresh = descriptors(60, 0), descriptors(60, 1), descriptors(60, 2)
    real = nearest(held_out, training)[0]
    copies = Memorisation(generated=nearest(training[:30], training)[0], held_out=real)
    new = Memorisation(generated=nearest(fresh, training)[0], held_out=real)
    assert copies.suspects == 1
    assert copies.ratio < 0.01
    assert new.suspects < 0.35
    assert new.ratio == pytest.approx(1, abs=0.4)
