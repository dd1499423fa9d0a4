import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cheart.align.placement import place
from cheart.align.pose import RigidTransform, find_pose
from cheart.align.resample import carry, label_distances, nearest_label, to_source, to_template
from cheart.align.time import plan_frames
from cheart.grid import GRIDS
from cheart.labels import LV, MYO, RV
from hearts import dice, random_motion, sample, volume_around

PAPER = GRIDS["paper"]
ED_ONLY = plan_frames([0.0], ed=0, es=None, frames=2)


def brought_in(spacing, *, seed=0, tilt=30.0, grid=PAPER, half_mm=80.0):
    motion = random_motion(np.random.default_rng(seed), tilt=tilt)
    affine, shape = volume_around(motion, spacing, half_mm=half_mm)
    labels = sample(motion, affine, shape)
    placement = place(find_pose(labels, affine), affine, shape, grid)
    return labels, placement, *to_template(labels[None], placement, ED_ONLY)


@pytest.mark.parametrize("seed", range(4))
def test_a_dense_heart_there_and_back(seed):
    labels, placement, posed, observed = brought_in((2.0, 1.5, 1.5), seed=seed)
    assert min(dice(to_source(posed[0], placement), labels)) > 0.95
    assert observed[0].any()
    assert not observed[1].any()
    assert not posed[1].any()


@pytest.mark.parametrize("spacing", [(8.0, 1.5, 1.5), (10.0, 1.25, 1.25), (5.0, 2.0, 2.0)])
def test_a_thick_stack_there_and_back(spacing):
    labels, placement, posed, _ = brought_in(spacing, tilt=0.0)
    assert min(dice(to_source(posed[0], placement), labels)) > 0.96


@pytest.mark.parametrize("spacing", [(2.0, 1.5, 1.5), (10.0, 1.5, 1.5)])
def test_volumes_are_kept(spacing):
    labels, placement, posed, _ = brought_in(spacing, tilt=0.0)
    own = np.prod(placement.spacing) / 1000
    for number in (LV, MYO, RV):
        assert np.sum(posed[0] == number) * PAPER.voxel_ml == pytest.approx(np.sum(labels == number) * own, rel=0.05)


def test_only_the_planes_of_a_thick_stack_are_observed_and_the_rest_is_filled():
    _, placement, posed, observed = brought_in((10.0, 1.5, 1.5), tilt=0.0)
    inside = [p for p in placement.planes if 0 <= p < PAPER.shape[0]]
    assert sorted(np.flatnonzero(observed[0])) == sorted(inside)
    heart = np.flatnonzero(posed[0].any((1, 2)))
    assert len(heart) == heart[-1] - heart[0] + 1


def test_between_two_slices_the_radius_is_between_theirs():
    affine, shape = np.diag([1.25, 1.25, 10.0, 1.0]), (2, 60, 60)
    y, x = np.mgrid[:60, :60] - 29.5
    labels = np.stack([np.hypot(x, y) <= radius for radius in (8, 16)]).astype(np.uint8)
    affine[:3, 3] = (-29.5 * 1.25, -29.5 * 1.25, -5.0)
    placement = place(RigidTransform.identity(), affine, shape, PAPER)
    posed, _ = to_template(labels[None], placement, ED_ONLY)
    low, high = sorted(placement.planes)
    area = posed[0, low : high + 1].sum((1, 2))
    assert (np.diff(area) > 0).all()
    assert np.sqrt(area / np.pi)[[0, -1]] == pytest.approx([8, 16], abs=0.3)


def test_the_ends_of_a_stack_reach_half_a_slice_further():
    affine, shape = np.diag([1.25, 1.25, 10.0, 1.0]), (3, 20, 20)
    labels = np.full(shape, LV, np.uint8)
    placement = place(RigidTransform.identity(), affine, shape, PAPER)
    posed, _ = to_template(labels[None], placement, ED_ONLY)
    assert posed[0].any((1, 2)).sum() == 15


def test_planes_beyond_a_dense_volumes_field_of_view_are_not_observed():
    _, _, _, observed = brought_in((2.0, 2.0, 2.0), tilt=0.0, half_mm=50.0)
    count = observed[0].sum()
    assert 46 <= count <= 54


def test_a_cycle_is_mixed_by_shape():
    affine, shape = volume_around(RigidTransform.identity(), (2.0, 2.0, 2.0))
    frames = np.stack([sample(RigidTransform.identity(), affine, shape, shrink=s) for s in (0.0, 0.2, 0.4, 0.2)])
    placement = place(find_pose(frames[0], affine), affine, shape, GRIDS["half"])
    posed, _ = to_template(frames, placement, plan_frames([0, 0.25, 0.5, 0.75], ed=0, es=2, frames=8))
    radius = np.sqrt((posed == LV).sum((1, 2, 3)))
    assert radius / radius[0] == pytest.approx([1, 0.9, 0.8, 0.7, 0.6, 0.7, 0.8, 0.9], abs=0.03)


def test_an_empty_frame_goes_back_empty():
    _, placement, posed, _ = brought_in((10.0, 1.5, 1.5), tilt=0.0)
    assert not to_source(np.zeros_like(posed), placement).any()
    assert to_source(posed, placement).shape == (2, *placement.shape)


@given(arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 3)), st.booleans())
@settings(max_examples=50, deadline=None)
def test_what_was_given_comes_back(labels, planar):
    distances = label_distances(labels, (8.0, 1.0, 2.0), planar=planar, absent_mm=9.0)
    np.testing.assert_array_equal(nearest_label(distances), labels)
    np.testing.assert_array_equal(nearest_label(carry(distances, np.eye(4), labels.shape)), labels)


def test_planar_distances_do_not_see_other_planes():
    labels = np.zeros((2, 1, 6), np.uint8)
    labels[0, 0, 0] = 1
    distances = label_distances(labels, (1.0, 1.0, 2.0), planar=True, absent_mm=7.0)
    assert distances[1, 0, 0].tolist() == [0, 2, 4, 6, 8, 10]
    assert distances[1, 1, 0].tolist() == [7] * 6


def test_halfway_between_two_discs_lies_the_disc_of_mean_radius():
    y, x = np.mgrid[-20:21, -20:21]
    discs = np.stack([(np.hypot(x, y) <= radius) for radius in (6, 14)]).astype(np.uint8)
    distances = label_distances(discs, (1.0, 1.0, 1.0), planar=True, absent_mm=10.0)
    middle = nearest_label(distances.mean(axis=1))
    assert middle.sum() == pytest.approx(np.pi * 10**2, rel=0.06)


def test_outside_is_background():
    labels = np.full((3, 3, 3), 2, np.uint8)
    shift = np.eye(4)
    shift[2, 3] = 2
    moved = nearest_label(carry(label_distances(labels, (1, 1, 1), planar=False, absent_mm=5), shift, (3, 3, 3)))
    assert (moved[..., 0] == 2).all()
    assert not moved[..., 1:].any()
