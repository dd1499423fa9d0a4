import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodies import ellipsoid_heart
from cheart.errors import InputError
from cheart.grid import GRIDS, Grid
from cheart.labels import LV
from cheart.models.fields import LIMIT_MM, WIDE_MM, FieldGrid, fields, labels_from_fields

GRID = GRIDS["half"]
WHERE = FieldGrid.whole(GRID)


def half_space(grid: Grid, x_mm: float) -> np.ndarray:
    _, _, x = grid.axes()
    labels = np.zeros(grid.shape, np.uint8)
    labels[:, :, x < x_mm] = LV
    return labels


@settings(max_examples=15, deadline=None)
@given(column=st.integers(24, 40))
def test_the_field_of_a_flat_surface_is_its_signed_distance(column: int) -> None:
    _, _, x = GRID.axes()
    edge = (x[column] + x[column + 1]) / 2
    field = fields(half_space(GRID, edge)[None], WHERE)[0, 0, 16, 32]
    distance = x - edge
    near = np.abs(distance) < 2 * WIDE_MM
    np.testing.assert_allclose(field[near], distance[near], atol=0.25)
    assert np.abs(field).max() == pytest.approx(LIMIT_MM)


def test_pooling_keeps_the_surface_where_it_is() -> None:
    fine = GRIDS["paper"]
    where = FieldGrid.whole(fine)
    assert where.factor == (2, 2, 2)
    _, _, x = fine.axes()
    field = fields(half_space(fine, 0.0)[None], where)[0, 0, 16, 32]
    coarse = x.reshape(-1, 2).mean(1)
    near = np.abs(coarse) < 6
    np.testing.assert_allclose(field[near], coarse[near], atol=0.25)


def test_odd_sides_are_refused_where_they_must_be_halved() -> None:
    with pytest.raises(InputError, match="even sides"):
        FieldGrid.whole(Grid((63, 128, 128), (2.0, 1.25, 1.25)))


def test_an_island_far_from_the_heart_is_no_part_of_it() -> None:
    sampled = fields(ellipsoid_heart(grid=GRID)[None], WHERE)
    with_island = sampled.copy()
    with_island[0, 2, :3, :3, :3] = -5.0
    np.testing.assert_array_equal(labels_from_fields(with_island, WHERE), labels_from_fields(sampled, WHERE))
