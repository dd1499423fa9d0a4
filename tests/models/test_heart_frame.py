import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.metrics.overlap import dice
from cheart.models.expected_overlap import nearest_surface
from cheart.models.heart_frame import HeartFrame, interpolation

GRID = GRIDS["half"]
HEART = ellipsoid_heart(grid=GRID)
EVERY = np.ones(len(HEART), bool)


def test_planes_are_centred_on_the_left_ventricle_and_lie_between_apex_and_base() -> None:
    frame = HeartFrame.of(HEART, EVERY, GRID)
    inside = (frame.height >= frame.apex) & (frame.height <= frame.base)
    np.testing.assert_allclose(frame.centre[inside], [[0.0, -10.0]] * inside.sum(), atol=1.5)
    assert frame.base == pytest.approx(30, abs=4)
    assert frame.apex == pytest.approx(30 - 88, abs=6)
    assert np.diff(frame.height[frame.sampled]).min() >= 4
    assert set(frame.sampled) <= set(frame.reach)


def test_what_is_sampled_comes_back_as_it_was() -> None:
    frame = HeartFrame.of(HEART, EVERY, GRID)
    planes = frame.sample(HEART[None], frame.reach)[:, 0]
    window = frame.window(planes.min(axis=1) < 5)
    back = np.zeros_like(HEART)
    back[frame.reach, window.y, window.x] = nearest_surface(window.to_voxels(planes))
    assert dice(HEART[None], back[None]).min() > 0.96
    whole = frame.window(np.ones_like(planes[:, 0], bool))
    everywhere, within = whole.to_voxels(planes), (_within(window.y, whole.y), _within(window.x, whole.x))
    np.testing.assert_allclose(window.to_voxels(planes), everywhere[:, :, within[0], within[1]], atol=1e-4)
    assert window.to_voxels(planes).size < 0.7 * everywhere.size


def _within(some: slice, all: slice) -> slice:
    return slice(some.start - all.start, some.stop - all.start)


def test_a_heart_that_was_moved_looks_the_same_from_its_own_frame() -> None:
    moved = np.roll(HEART, (2, -3), axis=(1, 2))
    one, other = (HeartFrame.of(h, EVERY, GRID) for h in (HEART, moved))
    np.testing.assert_allclose(
        one.sample(HEART[None], one.sampled), other.sample(moved[None], other.sampled), atol=1e-3
    )


def test_without_a_left_ventricle_there_is_no_frame() -> None:
    with pytest.raises(InputError, match="no observed plane of end-diastole holds the left ventricle"):
        HeartFrame.of(np.zeros_like(HEART), EVERY, GRID)


def test_interpolation_is_linear_between_and_constant_beyond() -> None:
    known = np.array([0.0, 1.0, 4.0])
    np.testing.assert_allclose(interpolation(np.array([-1, 0.5, 3.0, 9]), known) @ (2 * known), [0, 1, 6, 8])
