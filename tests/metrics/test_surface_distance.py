import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from balls import SMALL, box, heart, radius, surface_distances
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.metrics.surface_distance import REACH_MM, SurfaceReference, distances, find_borders

MEASURES = ("hd", "hd95", "assd")
FINE = Grid((48, 64, 64), (1.0, 0.75, 0.75))


def ball(mm, centre=(0.0, 0.0, 0.0)):
    return (radius(FINE, centre) <= mm).astype(np.uint8)[None]


radii = st.floats(6, 16)
shifts = st.tuples(*[st.floats(-4, 4)] * 3)


def test_concentric_spheres_are_apart_by_the_difference_of_their_radii():
    found = surface_distances(ball(12), ball(18), FINE)
    for name in MEASURES:
        assert getattr(found, name)[0, 0] == pytest.approx(6, abs=0.8)
    assert found.assd[0, 0] == pytest.approx(6, abs=0.25)


def test_a_shifted_box_is_off_by_its_shift():
    one, two = box(SMALL, (3, 4, 4), (11, 12, 12))[None], box(SMALL, (3, 4, 7), (11, 12, 15))[None]
    found = surface_distances(one, two, SMALL)
    assert found.hd[0, 0] == pytest.approx(7.5)
    # By hand: of the 8³ − 6³ border voxels of each, those in the common slab lie on the other's flat sides.
    assert 0 < found.assd[0, 0] < found.hd95[0, 0] <= 7.5


def test_two_voxels_by_hand():
    one, two = box(SMALL, (3, 4, 4), (4, 5, 6))[None], box(SMALL, (3, 4, 4), (4, 5, 5))[None]
    found = surface_distances(one, two, SMALL)
    assert found.hd[0, 0] == pytest.approx(2.5)
    assert found.hd95[0, 0] == pytest.approx(0.95 * 2.5)
    assert found.assd[0, 0] == pytest.approx(2.5 / 3)


@given(radii, radii, shifts)
@settings(deadline=None, max_examples=10)
def test_symmetric_and_ordered(one, two, shift):
    first, second = ball(one), ball(two, shift)
    there, back = surface_distances(first, second, FINE), surface_distances(second, first, FINE)
    for name in MEASURES:
        np.testing.assert_allclose(getattr(there, name), getattr(back, name))
    assert there.assd[0, 0] <= there.hd[0, 0] + 1e-12
    assert there.hd95[0, 0] <= there.hd[0, 0] + 1e-12


@given(radii, shifts)
@settings(deadline=None, max_examples=5)
def test_a_body_is_at_no_distance_from_itself(mm, shift):
    found = surface_distances(ball(mm, shift), ball(mm, shift), FINE)
    assert [getattr(found, name)[0, 0] for name in MEASURES] == [0, 0, 0]


@given(st.floats(0.2, 3))
@settings(deadline=None, max_examples=5)
def test_distances_scale_with_the_spacing(scale):
    one, two = ball(9), ball(13, (2, 1, -3))
    scaled = Grid(FINE.shape, tuple(s * scale for s in FINE.spacing))
    small, large = surface_distances(one, two, FINE), surface_distances(one, two, scaled)
    for name in MEASURES:
        np.testing.assert_allclose(getattr(large, name), scale * getattr(small, name))


@given(st.tuples(*[st.integers(-2, 2)] * 3))
@settings(deadline=None, max_examples=5)
def test_moving_both_changes_nothing(move):
    one = heart(SMALL, lv_mm=8, wall_mm=4, rv_mm=9)
    two = heart(SMALL, lv_mm=9, wall_mm=5, rv_mm=8)
    moved = [np.roll(labels, move, (0, 1, 2))[None] for labels in (one, two)]
    there, here = surface_distances(*moved, SMALL), surface_distances(one[None], two[None], SMALL)
    for name in MEASURES:
        np.testing.assert_allclose(getattr(there, name), getattr(here, name))


def test_one_reference_serves_many():
    reference = np.stack([heart(SMALL, lv_mm=r, wall_mm=7, rv_mm=12) for r in (14, 11)])
    others = [np.stack([heart(SMALL, lv_mm=r, wall_mm=w, rv_mm=13) for r in (12, 13)]) for w in (5, 8)]
    prepared = SurfaceReference(reference, SMALL)
    for other in others:
        many, single = prepared.compare(other), surface_distances(reference, other, SMALL)
        for name in MEASURES:
            assert getattr(many, name).shape == (2, 3)
            np.testing.assert_array_equal(getattr(many, name), getattr(single, name))


def test_structures_that_one_lacks_have_no_distance():
    one = np.stack([heart(SMALL, lv_mm=14, wall_mm=7, rv_mm=12)] * 3)
    two = one.copy()
    two[0][two[0] == 3] = 0
    observed = np.ones((3, 16), bool)
    observed[2] = False
    found = surface_distances(one, two, SMALL, observed)
    np.testing.assert_equal(found.hd, [[0, 0, np.nan], [0, 0, 0], [np.nan] * 3])
    nothing = np.zeros_like(one)
    assert np.isnan(surface_distances(nothing, nothing, SMALL).hd).all()


def test_only_observed_planes_count():
    one = heart(SMALL, lv_mm=14, wall_mm=7, rv_mm=12)[None]
    observed = np.zeros((1, 16), bool)
    observed[0, 2::3] = True
    two = one.copy()
    two[~observed] = 3
    assert surface_distances(one, two, SMALL, observed).hd[0].tolist() == [0, 0, 0]
    assert surface_distances(one, two, SMALL).hd[0, 0] > 0


def test_shapes_that_disagree_are_refused():
    labels = heart(SMALL, lv_mm=14, wall_mm=7, rv_mm=12)[None]
    with pytest.raises(InputError, match="on the grid"):
        surface_distances(labels, labels, FINE)
    with pytest.raises(InputError, match="cannot compare"):
        SurfaceReference(labels, SMALL).compare(labels[:, :-1])


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
