from dataclasses import replace

import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.grid import GRIDS
from cheart.heart import whole
from cheart.normal.measures import MEASURES, as_imaged, measure


@pytest.fixture(scope="module")
def heart():
    return beating_ellipsoids(grid=GRIDS["half"], frames=20)


def test_everything_is_measured_of_a_whole_beat(heart):
    found = measure(heart)
    assert list(found) == list(MEASURES)
    assert np.isfinite([*found.values()]).all()
    assert found["lvef"] == pytest.approx(51, abs=1)
    assert found["es_time"] == pytest.approx(37.5, abs=1.5)
    assert found["wall_mean"] == pytest.approx(8, abs=0.4)
    assert found["wall_mid"] == pytest.approx(np.mean([found[f"wall_{i}"] for i in range(7, 13)]))
    assert found["thickening"] > 60  # the cavity shrinks and the outer border stays
    assert found["early_filling"] == pytest.approx(50, abs=3)  # filling is symmetric in time


def test_two_frames_have_no_timing_and_one_no_function(heart):
    seen = np.zeros_like(heart.observed)
    seen[[0, 7]] = True
    two = measure(replace(heart, observed=seen))
    assert np.isnan(two["es_time"])
    assert two["lvef"] > 40
    seen[7] = False
    one = measure(replace(heart, observed=seen))
    assert np.isnan([one["lvef"], one["thickening"], one["lvsv"]]).all()
    assert np.isfinite([one["lvedv"], one["lvm"], one["wall_3"]]).all()


def test_slices_change_little(heart):
    whole_heart, sliced = measure(heart), measure(as_imaged(heart, 8.0, 1))
    assert sliced["lvedv"] == pytest.approx(whole_heart["lvedv"], rel=0.1)
    assert sliced["wall_mean"] == pytest.approx(whole_heart["wall_mean"], rel=0.05)
    assert as_imaged(heart, 8.0, 1).observed[0].sum() == 16


def test_a_heart_that_stands_still_has_no_end_systole_in_time():
    still = beating_ellipsoids(frames=12)
    frozen = measure(whole(np.repeat(still.labels[:1], 12, axis=0), still.grid, 1.0))
    assert frozen["lvef"] == 0
    assert frozen["es_time"] == 0
