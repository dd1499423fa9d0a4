from dataclasses import replace

import numpy as np
import pytest

from balls import SMALL, heart
from bodies import beating_ellipsoids
from cheart.grid import GRIDS
from cheart.heart import whole
from cheart.labels import LV, MYO, RV
from cheart.simulation import simulate_heart
from cheart.validity import WALL_TOLERANCE, Validity


def still(labels):
    return whole(np.stack([labels] * 3), SMALL)


@pytest.fixture
def ball():
    """A cavity in a shell, a second ball beside it."""
    return heart(SMALL, lv_mm=8, wall_mm=6, rv_mm=10)


def test_a_ball_in_a_shell_is_whole(ball):
    found = still(ball).validity
    assert (found.empty, found.islands, found.holes, found.contacts) == (0, (0, 0, 0), 0, 0)
    assert (found.ed_excess, found.wall_spread) == (0, 0)


@pytest.mark.parametrize("structure", [LV, MYO, RV])
def test_a_voxel_apart_is_an_island(ball, structure):
    ball[0, 0, 0] = structure
    found = still(ball).validity
    assert found.islands == tuple(3 * (structure == s) for s in (LV, MYO, RV))
    assert found.island_voxels == 3
    assert "islands" in found.failed


def test_what_touches_by_a_corner_is_no_island(ball):
    z, y, x = np.argwhere(ball == RV)[np.argwhere(ball == RV).sum(axis=1).argmax()]
    ball[z + 1, y + 1, x + 1] = RV
    assert still(ball).validity.islands == (0, 0, 0)


def test_enclosed_background_is_a_hole(ball):
    wall = ball == MYO
    inside = wall & np.all([np.roll(ball, s, a) > 0 for a in range(3) for s in (1, -1)], axis=0)
    inside &= np.all([np.roll(ball, s, a) != LV for a in range(3) for s in (1, -1)], axis=0)
    ball[tuple(np.argwhere(inside)[0])] = 0
    found = still(ball).validity
    assert (found.holes, found.contacts) == (3, 0)


@pytest.mark.parametrize("what", [0, RV])
def test_cavity_without_wall_is_in_contact(ball, what):
    edge = np.argwhere(ball == LV)[0]  # lowest: its lower neighbour is wall
    ball[edge[0] - 1, edge[1], edge[2]] = what
    assert still(ball).validity.contacts == 3 if what == RV else still(ball).validity.contacts >= 3


def test_the_base_is_open():
    found = beating_ellipsoids().validity
    assert found.valid or found.failed == ("wall_spread",)
    assert found.contacts == 0


def test_frame_0_must_be_the_fullest():
    beat = beating_ellipsoids()
    late = replace(beat, labels=np.roll(beat.labels, 2, axis=0))
    assert beat.validity.ed_excess == 0
    assert "ed_excess" in late.validity.failed
    assert late.validity.ed_excess == pytest.approx(beat.curves[0, 0] / beat.curves[-2, 0] - 1)


def test_a_missing_structure_is_seen(ball):
    labels = np.stack([ball, np.where(ball == RV, 0, ball)]).astype(np.uint8)
    assert whole(labels, SMALL).validity.empty == 1
    assert "empty" in whole(np.zeros_like(labels), SMALL).validity.failed


def test_frames_that_were_not_observed_do_not_count(ball):
    labels = np.stack([ball, np.where(ball == RV, 0, ball)]).astype(np.uint8)
    seen = whole(labels, SMALL)
    observed = seen.observed.copy()
    observed[1] = False
    found = replace(seen, observed=observed).validity
    assert found.empty == 0
    assert np.isnan(found.seam)


def test_a_simulated_heart_is_valid():
    person = {"age": 40.0, "sex": "M", "weight": 80.0, "height": 178.0, "sbp": 120.0}
    beat, _ = simulate_heart(person, seed=1, grid=GRIDS["paper"])
    assert str(beat.validity) == "valid"
    assert beat.validity.balanced


def test_it_says_what_failed_and_gives_a_row():
    good = Validity(0, (0, 0, 0), 0, 0, 0, 0.0, 0.01, 0.2, 0.03)
    assert (str(good), good.row()["valid"], good.row()["failed"]) == ("valid", "yes", "none")
    bad = replace(good, islands=(0, 2, 0), island_voxels=31, wall_spread=WALL_TOLERANCE + 0.02, sv_difference=0.2)
    assert str(bad) == (
        "not valid: islands (2 of Myocardium; 31 voxels); the wall's volume changes by 7.0% (stroke volumes of LV and "
        "RV differ by 20%)"
    )
    assert (bad.row()["failed"], bad.row()["islands_myo"]) == ("islands,wall_spread", 2)


def test_of_a_frame_that_was_given_the_volumes_count_alone(ball):
    apart = ball.copy()
    apart[0, 0, 0] = RV
    beat = whole(np.stack([apart, ball]).astype(np.uint8), SMALL)
    assert beat.validity.failed == ("islands",)
    assert replace(beat, given=(0,)).validity.valid
    assert replace(beat, given=(1,)).validity.failed == ("islands",)
