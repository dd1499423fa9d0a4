import numpy as np
import pytest

from balls import SMALL, box
from cheart.metrics.closure import closure, seam


def rods(lengths):
    """A block that grows along one axis; 2.5 · 4 · 100 voxels·0.025 mL a step."""
    return np.stack([box(SMALL, (2, 4, 4), (12, 14, 4 + n)) for n in lengths])


def test_a_beat_that_comes_back_is_closed():
    labels = rods([10, 8, 6, 8])
    found = closure(labels[0], labels[0].copy(), SMALL)
    assert found.dice[0] == 1
    assert np.isnan(found.dice[1:]).all()
    assert found.ml.tolist() == [0, 0, 0]


def test_a_beat_that_drifts_is_not():
    labels = rods([10, 8, 6, 8, 9])
    found = closure(labels[0], labels[4], SMALL)
    assert found.dice[0] == pytest.approx(18 / 19)
    assert found.ml[0] == pytest.approx(-2.5)


def test_the_seam_beside_the_other_steps():
    smooth, jump = seam(rods([10, 9, 8, 9]), SMALL), seam(rods([10, 9, 8, 7]), SMALL)
    assert smooth.ml[0] == pytest.approx(2.5)
    assert smooth.largest_ml[0] == pytest.approx(2.5)
    assert jump.ml[0] == pytest.approx(7.5)
    assert jump.dice[0] == pytest.approx(14 / 17)
    assert jump.smallest_dice[0] == pytest.approx(14 / 15)
