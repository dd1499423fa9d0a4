import numpy as np
import pytest

from cheart.align.pose import TEMPLATE_CENTRE, find_pose
from cheart.errors import InputError
from cheart.grid import GRIDS, Grid
from cheart.labels import LV, MYO, RV, check_topology
from cheart.simulation import draw_heart, draw_person, simulate_heart

PERSON = {"age": 45, "sex": "F", "weight": 66, "height": 165, "sbp": 120}
FINE = Grid((64, 128, 128), (2.0, 1.25, 1.25))


def test_voxels_have_the_exact_volumes():
    heart, truth = simulate_heart(PERSON, seed=3, grid=FINE)
    lv = (heart.labels == LV).sum(axis=(1, 2, 3)) * FINE.voxel_ml
    rv = (heart.labels == RV).sum(axis=(1, 2, 3)) * FINE.voxel_ml
    wall = (heart.labels == MYO).sum(axis=(1, 2, 3)) * FINE.voxel_ml * 1.05
    # a plane at the base is in or out: up to 1 mm of about 20 cm² (LV) and 25 cm² (RV)
    np.testing.assert_allclose(lv, truth.lv_ml, atol=3.5)
    np.testing.assert_allclose(rv, truth.rv_ml, atol=4.5)
    np.testing.assert_allclose(wall, truth.phenotypes.lvm, rtol=0.05)


def test_same_seed_same_heart_other_seed_other_heart():
    grid = GRIDS["half"]
    one, _ = simulate_heart(PERSON, seed=1, grid=grid, frames=3)
    again, _ = simulate_heart(PERSON, seed=1, grid=grid, frames=3)
    other, _ = simulate_heart(PERSON, seed=2, grid=grid, frames=3)
    assert np.array_equal(one.labels, again.labels)
    assert not np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("seed", range(3))
def test_born_in_the_template_pose(seed):
    grid = GRIDS["paper"]
    person = draw_person(np.random.default_rng(seed))
    heart, _ = simulate_heart(person, seed=seed, grid=grid, frames=2)
    pose = find_pose(heart.labels[0], grid.affine).matrix
    tilt = np.degrees(np.arccos(np.clip((np.trace(pose[:3, :3]) - 1) / 2, -1, 1)))
    assert tilt < 2
    moved = pose @ np.array([*TEMPLATE_CENTRE, 1])
    assert np.linalg.norm(moved[:3] - TEMPLATE_CENTRE) < 1.0


@pytest.mark.parametrize("grid", ["paper", "half"])
def test_it_is_a_heart_in_every_frame(grid):
    heart, _ = simulate_heart(PERSON, seed=11, grid=GRIDS[grid], frames=5)
    for frame in heart.labels:
        check_topology(frame)
        for axis in range(3):
            a = frame.swapaxes(0, axis)
            assert not ((a[:-1] == LV) & (a[1:] == RV)).any()
            assert not ((a[:-1] == RV) & (a[1:] == LV)).any()


def test_heart_rate_sets_the_cycle():
    truth = draw_heart({**PERSON, "heart_rate": 75}, seed=0)
    assert truth.motion.cycle_s == pytest.approx(0.8)
    assert draw_heart(PERSON, seed=0).motion.cycle_s == pytest.approx(0.96)


def test_missing_conditions_are_refused_by_name():
    with pytest.raises(InputError, match="sbp must be known"):
        draw_heart({"age": 45, "sex": "F", "weight": 66, "height": 165}, seed=0)
