import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from balls import SMALL, box
from cheart.errors import InputError
from cheart.metrics.overlap import dice, overlap, seam

sequences = arrays(np.uint8, (2, 3, 5, 4), elements=st.integers(0, 3))


def test_shifted_boxes_have_the_overlap_of_their_intersection():
    one, two = box(SMALL, (2, 4, 4), (12, 14, 14)), box(SMALL, (2, 4, 7), (12, 14, 17))
    np.testing.assert_allclose(dice(one[None], two[None])[0], [0.7, np.nan, np.nan])


def test_each_structure_is_judged_by_itself():
    shared, single = box(SMALL, (0, 0, 0), (2, 2, 2), 1), ((8, 8, 8), (9, 9, 10))
    one = shared + box(SMALL, (4, 4, 4), (6, 6, 6), 2) + box(SMALL, *single, 3)
    two = shared + box(SMALL, (4, 4, 5), (6, 6, 7), 2) + box(SMALL, *single, 2)
    np.testing.assert_allclose(dice(one[None], two[None]), [[1.0, 2 * 4 / (8 + 10), 0.0]])


def test_only_observed_planes_count():
    one = np.stack([box(SMALL, (0, 0, 0), (8, 4, 4))] * 2)
    two = one.copy()
    two[:, 4:] = 0
    observed = np.zeros((2, 16), bool)
    observed[0, :4] = True
    np.testing.assert_equal(dice(one, two, observed)[:, 0], [1.0, np.nan])
    assert dice(one, two)[0, 0] == pytest.approx(2 / 3)


def test_empty_structures_are_counted():
    one = np.stack([box(SMALL, (0, 0, 0), (2, 2, 2))] * 3)
    two = one.copy()
    two[1] = 0
    observed = np.ones((3, 16), bool)
    observed[2] = False
    result = overlap(one, two, observed)
    np.testing.assert_array_equal(result.one_empty, [1, 0, 0])
    np.testing.assert_array_equal(result.both_empty, [0, 2, 2])
    np.testing.assert_equal(result.dice[:, 0], [1.0, 0.0, np.nan])


@given(sequences, sequences)
@settings(deadline=None, max_examples=40)
def test_symmetric_bounded_and_as_the_definition_says(one, two):
    result = dice(one, two)
    np.testing.assert_equal(result, dice(two, one))
    for t in range(2):
        for i, k in enumerate((1, 2, 3)):
            a, b = one[t] == k, two[t] == k
            total = a.sum() + b.sum()
            np.testing.assert_equal(result[t, i], 2 * (a & b).sum() / total if total else np.nan)


@given(sequences)
@settings(deadline=None, max_examples=20)
def test_identical_is_one(labels):
    result = dice(labels, labels)
    assert np.all((result == 1) | np.isnan(result))


def test_shapes_that_disagree_are_refused():
    with pytest.raises(InputError, match="cannot compare"):
        dice(np.zeros((1, 2, 3, 4), np.uint8), np.zeros((1, 2, 3, 5), np.uint8))
    with pytest.raises(InputError, match=r"observed \(1, 3\)"):
        dice(np.zeros((1, 2, 3, 4), np.uint8), np.zeros((1, 2, 3, 4), np.uint8), np.ones((1, 3), bool))


def rods(lengths):
    """A block that grows along one axis; 2.5 · 4 · 100 voxels·0.025 mL a step."""
    return np.stack([box(SMALL, (2, 4, 4), (12, 14, 4 + n)) for n in lengths])


def test_the_seam_beside_the_other_steps():
    smooth, jump = seam(rods([10, 9, 8, 9]), SMALL), seam(rods([10, 9, 8, 7]), SMALL)
    assert smooth.ml[0] == pytest.approx(2.5)
    assert smooth.largest_ml[0] == pytest.approx(2.5)
    assert jump.ml[0] == pytest.approx(7.5)
    assert jump.dice[0] == pytest.approx(14 / 17)
