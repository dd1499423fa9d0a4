import numpy as np
import pytest

from cheart.models.readout import WALL
from cheart.models.wall_range import fit_wall_range
from cheart.simulation.cohort import simulate
from cohorts import tiny_cohort


def test_contours_say_how_far_walls_go(tmp_path) -> None:
    """Ellipsoids' walls grow by what their cavities lose."""
    cohort = tiny_cohort(tmp_path / "cohort", n=4)
    low, high = fit_wall_range(cohort, np.arange(4), jobs=1)
    assert low == WALL[0]
    assert high > 1.2


@pytest.mark.slow
def test_walls_of_simulated_images_keep_their_volume(tmp_path) -> None:
    cohort = simulate(tmp_path / "cohort", n=2, grid="quarter", acquisition="clinical", jobs=1)
    assert fit_wall_range(cohort, np.arange(2), jobs=1) == WALL
