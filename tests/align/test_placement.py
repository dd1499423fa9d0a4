import json

import numpy as np
import pytest

from cheart.align.placement import Placement, fraction_cut, inverse_order, mirror, place, reorder_affine, working_order
from cheart.align.pose import RigidTransform, find_pose
from cheart.grid import GRIDS
from hearts import random_motion, sample, volume_around

PAPER = GRIDS["paper"]


def placed(spacing, *, grid=PAPER, tilt=0.0, seed=0):
    motion = random_motion(np.random.default_rng(seed), tilt=tilt)
    affine, shape = volume_around(motion, spacing)
    labels = sample(motion, affine, shape)
    return labels, place(find_pose(labels, affine), affine, shape, grid)


@pytest.mark.parametrize("spacing_mm", [6.0, 8.0, 10.0])
def test_slices_a_whole_number_of_planes_apart_fall_on_planes(spacing_mm):
    _, placement = placed((spacing_mm, 1.5, 1.5))
    assert placement.rounding_mm < 0.02
    assert set(np.abs(np.diff(placement.planes))) == {spacing_mm / 2}


def test_other_slices_are_moved_by_less_than_half_a_plane():
    _, placement = placed((9.0, 1.5, 1.5))
    assert 0.2 < placement.rounding_mm < 1.0
    assert len(set(placement.planes)) == len(placement.planes)


def test_slices_closer_than_the_grids_planes_get_none_of_their_own():
    assert placed((5.0, 1.5, 1.5), grid=GRIDS["quarter"])[1].planes is None
    assert placed((5.0, 1.5, 1.5), grid=GRIDS["half"])[1].planes is not None


def test_a_dense_volume_is_carried_as_a_whole():
    assert placed((2.0, 1.5, 1.5), tilt=30)[1].planes is None


def test_json_round_trip():
    _, placement = placed((10.0, 1.5, 1.5))
    again = Placement.from_json(json.loads(json.dumps(placement.to_json())), PAPER)
    np.testing.assert_allclose(again.to_grid, placement.to_grid)
    assert (again.planes, again.order, again.mirrored) == (placement.planes, placement.order, placement.mirrored)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (1, 2, 0)])
def test_a_transposed_array_with_its_affine_is_the_same_heart(order):
    labels, _ = placed((10.0, 1.5, 1.5))
    affine = volume_around(RigidTransform.identity(), (10.0, 1.5, 1.5))[0]
    there, own = labels.transpose(order), reorder_affine(affine, order)
    spots = np.argwhere(labels == 1)[::97]
    moved = spots[:, list(order)]
    world = [a[:, ::-1] @ m[:3, :3].T + m[:3, 3] for a, m in ((spots, affine), (moved, own))]
    np.testing.assert_allclose(*world)
    np.testing.assert_allclose(reorder_affine(own, inverse_order(order)), affine)
    assert there.transpose(inverse_order(order)).shape == labels.shape


@pytest.mark.parametrize("spacing", [(10.0, 1.5, 1.5), (2.0, 2.0, 2.0)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_are_put_along_z_however_they_are_stored(spacing, axis):
    motion = RigidTransform.identity()
    affine, shape = volume_around(motion, spacing)
    stored = np.moveaxis(sample(motion, affine, shape), 0, axis)
    moved = [0, 1, 2]
    moved.insert(axis, moved.pop(0))
    order = working_order(stored, reorder_affine(affine, (moved[0], moved[1], moved[2])))
    assert order[0] == axis


def test_the_stored_affine_is_the_files():
    affine = volume_around(RigidTransform.identity(), (2.0, 1.5, 1.0))[0]
    own = reorder_affine(mirror(affine), (2, 0, 1))
    placement = place(RigidTransform.identity(), own, (4, 5, 6), PAPER, order=(2, 0, 1), mirrored=True)
    np.testing.assert_allclose(placement.stored_affine, affine)


def test_the_share_outside_the_box_is_counted():
    shape, spacing = (10, 10, 10), 2.0
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = (PAPER.shape[2] * PAPER.spacing[2] / 2 - 8.0, 0, 0)  # the edge of the box is 8 mm in
    full = np.ones(shape, np.uint8)
    assert fraction_cut(full, place(RigidTransform.identity(), affine, shape, PAPER)) == pytest.approx(0.5, abs=0.11)
    affine[0, 3] = -8.0
    assert fraction_cut(full, place(RigidTransform.identity(), affine, shape, PAPER)) == 0
