import numpy as np
import pytest

from balls import SMALL, box
from cheart.metrics.seam import seam


def rods(lengths):
    """A block that grows along one axis; 2.5 · 4 · 100 voxels·0.025 mL a step."""
    return np.stack([box(SMALL, (2, 4, 4), (12, 14, 4 + n)) for n in lengths])


def test_the_seam_beside_the_other_steps():
    smooth, jump = seam(rods([10, 9, 8, 9]), SMALL), seam(rods([10, 9, 8, 7]), SMALL)
    assert smooth.ml[0] == pytest.approx(2.5)
    assert smooth.largest_ml[0] == pytest.approx(2.5)
    assert jump.ml[0] == pytest.approx(7.5)
    assert jump.dice[0] == pytest.approx(14 / 17)
