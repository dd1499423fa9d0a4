import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from balls import SMALL, box, heart, radius
from cheart.grid import Grid
from cheart.metrics.nearest import REACH_MM, distances, find_borders

EVERY = np.ones(16, bool)


def by_hand(one, two, spacing, structure, depth=None):
    """The textbook way: erosion and a search tree."""
    borders = [(m := labels == structure + 1) & ~binary_erosion(m) for labels in (one, two)]
    points = [np.argwhere(b) * (np.array(spacing) if depth is None else (1, *spacing[1:])) for b in borders]
    if depth is not None:
        points = [p * np.array([depth, 1, 1]) for p in points]
    return cKDTree(points[1]).query(points[0])[0]


@given(arrays(np.uint8, (5, 7, 6), elements=st.integers(0, 3)))
@settings(deadline=None, max_examples=40)
def test_borders_are_the_mask_less_its_erosion(labels):
    borders = find_borders(labels, (2.0, 1.0, 1.5), np.ones(5, bool))
    for k in range(3):
        mask = labels == k + 1
        expected = np.flatnonzero(mask & ~binary_erosion(mask))
        np.testing.assert_array_equal(borders.voxel[borders.structure == k], expected)


@pytest.mark.parametrize("spacing", [(4.0, 2.5, 2.5), (1.0, 1.0, 1.0), (2.0, 1.25, 1.75)])
def test_distances_agree_with_a_search_tree(spacing):
    one, two = heart(SMALL, lv_mm=14, wall_mm=8, rv_mm=13), np.roll(heart(SMALL, lv_mm=11, wall_mm=9, rv_mm=15), 2, 1)
    start, end = find_borders(one, spacing, EVERY), find_borders(two, spacing, EVERY)
    found = distances(start, end)
    for k in range(3):
        np.testing.assert_allclose(found[start.structure == k], by_hand(one, two, spacing, k))


def test_gross_errors_go_beyond_the_rows_that_are_searched():
    grid = Grid((40, 40, 40), (2.0, 2.0, 2.0))
    one, two = box(grid, (1, 1, 1), (5, 5, 5)), box(grid, (30, 20, 33), (36, 30, 38))
    start, end = find_borders(one, grid.spacing, np.ones(40, bool)), find_borders(two, grid.spacing, np.ones(40, bool))
    found = distances(start, end)
    assert found.min() > REACH_MM
    np.testing.assert_allclose(found, by_hand(one, two, grid.spacing, 0))


def test_a_surface_within_reach_does_not_hide_a_nearer_one_beyond():
    """45 mm away in the point's own row, 31.5 mm away in a row that is beyond the reach."""
    grid = Grid((30, 30, 30), (1.5, 2.5, 1.5))
    one = box(grid, (2, 2, 2), (3, 3, 3))
    two = box(grid, (2, 20, 2), (3, 21, 3)) + box(grid, (23, 2, 2), (24, 3, 3))
    start, end = (find_borders(labels, grid.spacing, np.ones(30, bool)) for labels in (one, two))
    np.testing.assert_allclose(distances(start, end), 31.5)


small = arrays(np.uint8, (4, 5, 6), elements=st.integers(0, 3))


@given(small, small)
@settings(deadline=None, max_examples=60)
def test_structures_and_planes_do_not_mix(one, two):
    spacing = (2.0, 1.25, 1.5)
    start, end = (find_borders(labels, spacing, np.ones(4, bool)) for labels in (one, two))
    shared = np.isin(start.structure, end.structure)
    found, of = distances(start, end, shared), start.structure[shared]
    for k in np.unique(of):
        np.testing.assert_allclose(found[of == k], by_hand(one, two, spacing, k))


def test_planes_that_were_not_imaged_are_skipped():
    ball = (radius(SMALL) <= 24).astype(np.uint8)
    shifted = np.roll(ball, 1, 1)
    planes = np.zeros(16, bool)
    planes[1::3] = True
    start, end = find_borders(ball, SMALL.spacing, planes), find_borders(shifted, SMALL.spacing, planes)
    expected = by_hand(ball[1::3], shifted[1::3], SMALL.spacing, 0, depth=12.0)
    np.testing.assert_allclose(distances(start, end), expected)


def test_long_rows_do_not_overflow():
    grid = Grid((3, 400, 3), (1.0, 1.0, 1.0))
    one, two = box(grid, (1, 0, 1), (2, 2, 2)), box(grid, (1, 380, 1), (2, 382, 2))
    two[0, 100, 1] = 1
    start, end = (find_borders(b, grid.spacing, np.ones(3, bool)) for b in (one, two))
    np.testing.assert_allclose(distances(start, end), [np.hypot(100, 1), np.hypot(99, 1)])
