import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cheart.align.distance import carry, label_distances, nearest_label


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
