import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cheart.align.pose import TEMPLATE_CENTRE, RigidTransform, find_pose, outflow_turn, slice_jitter
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.labels import LV, MYO
from hearts import random_motion, sample, volume_around

CENTRE = np.array(TEMPLATE_CENTRE)


def errors(found: RigidTransform, true: RigidTransform) -> tuple[float, float]:
    """Angle in degrees and shift in mm at the heart's centre."""
    wrong = found.after(true.inverse)
    return wrong.angle_deg, float(np.linalg.norm(wrong.apply(CENTRE) - CENTRE))


def pose_of_the_body() -> RigidTransform:
    affine, shape = volume_around(RigidTransform.identity(), (1.5, 1.5, 1.5))
    return find_pose(sample(RigidTransform.identity(), affine, shape), affine)


@pytest.mark.parametrize("seed", range(12))
def test_a_moved_dense_heart_comes_back(seed):
    rng = np.random.default_rng(seed)
    motion = random_motion(rng)
    affine, shape = volume_around(motion, (3.0, 2.0, 2.0))
    found = find_pose(sample(motion, affine, shape), affine)
    angle, shift = errors(found, pose_of_the_body().after(motion))
    assert angle < 1.5
    assert shift < 1.5


def test_simulated_hearts_come_back_within_5_degrees_and_3_mm():
    from cheart.align.resample import carry, label_distances, nearest_label
    from cheart.simulation.demographics import draw_person
    from cheart.simulation.heart import simulate_heart

    grid, rng, good = GRIDS["half"], np.random.default_rng(3), 0
    swap = np.eye(4)[[2, 1, 0, 3]]
    for seed in range(10):
        labels = simulate_heart(draw_person(rng), seed=seed, grid=grid, frames=1)[0].labels[0]
        motion = random_motion(rng)
        affine, shape = volume_around(motion, (3.0, 2.5, 2.5), half_mm=90)
        to_voxel = swap @ np.linalg.inv(grid.affine) @ motion.matrix @ affine @ swap
        distances = label_distances(labels, grid.spacing, planar=False, absent_mm=5)
        angle, shift = errors(find_pose(nearest_label(carry(distances, to_voxel, shape)), affine), motion)
        good += angle < 5 and shift < 3
    assert good == 10


@pytest.mark.parametrize("spacing", [(8.0, 1.5, 1.5), (10.0, 1.5, 1.5)])
def test_a_thick_stack_is_turned_in_plane_and_turned_over_but_its_slices_stay_parallel(spacing):
    for seed in range(6):
        motion = random_motion(np.random.default_rng(seed), tilt=0.0)
        affine, shape = volume_around(motion, spacing)
        found = find_pose(sample(motion, affine, shape), affine)
        angle, shift = errors(found, pose_of_the_body().after(motion))
        assert angle < 2
        assert shift < 3
        assert abs(found.rotation[2] @ [0, 0, 1]) == pytest.approx(1)


def test_oblique_slices_are_put_the_right_way_up():
    for seed in range(8):
        motion = random_motion(np.random.default_rng(seed), tilt=18.0)
        affine, shape = volume_around(motion, (10.0, 1.5, 1.5))
        found = find_pose(sample(motion, affine, shape), affine)
        assert found.rotation[2] @ motion.rotation[2] > np.cos(np.radians(20))


def test_the_heart_lies_as_the_contract_says():
    motion = random_motion(np.random.default_rng(5))
    affine, shape = volume_around(motion, (1.5, 1.5, 1.5))
    labels = sample(motion, affine, shape)
    pose = find_pose(labels, affine)

    def centroid(*numbers: int) -> np.ndarray:
        return pose.apply(np.argwhere(np.isin(labels, numbers))[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]).mean(0)

    np.testing.assert_allclose(centroid(LV, MYO), TEMPLATE_CENTRE, atol=1e-6)
    across = centroid(3) - centroid(LV)
    assert across[0] > 10
    assert across[1] == pytest.approx(0, abs=1e-6)


def test_a_mirrored_heart_is_seen():
    motion = random_motion(np.random.default_rng(2))
    affine, shape = volume_around(motion, (2.0, 2.0, 2.0))
    labels = sample(motion, affine, shape)
    mirrored = affine @ np.diag([1.0, 1, -1, 1])
    turn = outflow_turn(labels, affine, find_pose(labels, affine))
    assert turn > 5
    assert outflow_turn(labels, mirrored, find_pose(labels, mirrored)) == pytest.approx(-turn, abs=1.5)


def test_slice_jitter_is_what_the_slices_were_shifted_by():
    motion = RigidTransform.identity()
    affine, shape = volume_around(motion, (10.0, 1.0, 1.0))
    labels = sample(motion, affine, shape)
    cavity = np.argwhere(labels == LV)[:, ::-1] @ affine[:3, :3].T
    assert slice_jitter(cavity, affine) < 0.2
    shifted = np.stack([np.roll(plane, 4 if k % 2 else -4, axis=1) for k, plane in enumerate(labels)])
    cavity = np.argwhere(shifted == LV)[:, ::-1] @ affine[:3, :3].T
    assert slice_jitter(cavity, affine) == pytest.approx(4, abs=0.8)


angles = st.floats(-180, 180)
shifts = st.tuples(*[st.floats(-200, 200)] * 3)


def transform(a: float, b: float, c: float, shift: tuple[float, float, float]) -> RigidTransform:
    return RigidTransform.from_parts(Rotation.from_euler("zyx", [a, b, c], degrees=True).as_matrix(), shift)


@given(angles, angles, angles, shifts)
def test_the_inverse_undoes_it(a, b, c, shift):
    one = transform(a, b, c, shift)
    points = np.array([[0.0, 0, 0], [10, -20, 30]])
    np.testing.assert_allclose(one.inverse.apply(one.apply(points)), points, atol=1e-8)
    np.testing.assert_allclose(one.after(one.inverse).matrix, np.eye(4), atol=1e-8)


@given(st.floats(1, 179), shifts)
def test_the_angle_is_that_of_the_rotation(angle, shift):
    assert transform(angle, 0, 0, shift).angle_deg == pytest.approx(angle, abs=1e-4)


def test_json_round_trip():
    one = transform(10, 20, 30, (1.5, -2, 3))
    np.testing.assert_array_equal(RigidTransform.from_json(one.to_json()).matrix, one.matrix)


@pytest.mark.parametrize(
    "matrix",
    [np.eye(3), np.diag([1.0, 1, -1, 1]), np.diag([1.1, 1, 1, 1]), np.full((4, 4), np.nan), np.eye(4) + np.eye(4, k=1)],
    ids=["3x3", "mirror", "scale", "nan", "shear"],
)
def test_refuses_what_is_not_rigid(matrix):
    with pytest.raises(InputError, match=r"rotation|4×4"):
        RigidTransform(matrix)


def test_cannot_be_changed_from_outside():
    with pytest.raises(ValueError, match="read-only"):
        RigidTransform.identity().matrix[0, 0] = 2
