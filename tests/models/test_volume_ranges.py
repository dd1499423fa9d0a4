import numpy as np
import pytest

from cheart.errors import InputError
from cheart.models.volume_ranges import SIMULATED, VolumeRanges, fit_volume_ranges
from cheart.simulation.cohort import simulate
from cohorts import tiny_cohort


def test_contours_say_how_far_walls_go(tmp_path) -> None:
    """Ellipsoids' walls grow by what their cavities lose."""
    cohort = tiny_cohort(tmp_path / "cohort", n=4)
    low, high = fit_volume_ranges(cohort, np.arange(4), jobs=1).wall
    assert low == SIMULATED.wall[0]
    assert high > 1.2


@pytest.mark.slow
def test_walls_of_simulated_images_keep_their_volume(tmp_path) -> None:
    cohort = simulate(tmp_path / "cohort", n=2, grid="quarter", acquisition="clinical", jobs=1)
    assert fit_volume_ranges(cohort, np.arange(2), jobs=1) == SIMULATED


def test_a_model_file_holds_them() -> None:
    ranges = VolumeRanges((0.9, 1.4), (0.5, 1.5))
    back = VolumeRanges.from_tensors(ranges.to_tensors())
    assert back.wall == pytest.approx(ranges.wall)
    assert back.stroke == pytest.approx(ranges.stroke)
    assert VolumeRanges.from_tensors({}) == SIMULATED


def test_ranges_that_hold_two_hold_each() -> None:
    one, other = VolumeRanges((0.9, 1.1), (0.8, 1.0)), VolumeRanges((0.95, 1.2), (0.7, 0.9))
    assert one.joined(other) == VolumeRanges((0.9, 1.2), (0.7, 1.0))


@pytest.mark.parametrize("stroke", [(1.1, 0.9), (float("nan"), 1.0), (0.9, float("inf"))])
def test_what_is_no_range_is_refused(stroke) -> None:
    with pytest.raises(InputError, match="stroke from"):
        VolumeRanges(stroke=stroke)
