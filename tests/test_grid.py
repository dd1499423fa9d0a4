import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheart.errors import InputError
from cheart.grid import GRIDS, Grid


def test_the_papers_grid_is_128_by_128_by_64_voxels_of_its_size() -> None:
    grid = Grid.parse("paper")
    assert grid.shape == (64, 128, 128)
    assert grid.voxel_ml == pytest.approx(1.25 * 1.25 * 2 / 1000)


@given(
    shape=st.tuples(*[st.integers(1, 300)] * 3),
    spacing=st.tuples(*[st.sampled_from([0.5, 1.25, 2.0, 3.75, 10.0])] * 3),
)
def test_names_and_json_are_read_back(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    grid = Grid(shape, spacing)
    assert Grid.parse(grid.name) == grid
    assert Grid.from_json(grid.to_json()) == grid


@pytest.mark.parametrize("name", GRIDS)
def test_the_origin_is_the_middle_of_the_grid(name: str) -> None:
    grid = GRIDS[name]
    middle = np.array([(n - 1) / 2 for n in grid.shape[::-1]] + [1.0])
    np.testing.assert_allclose((grid.affine @ middle)[:3], 0, atol=1e-12)
    corner = grid.affine[:3, 3]
    np.testing.assert_allclose([axis[0] for axis in grid.axes()][::-1], corner)


@pytest.mark.parametrize("text", ["huge", "128x128@1x1x1", "0x2x2@1x1x1", "2x2x2@1x1x0"])
def test_what_is_no_grid_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(InputError):
        Grid.parse(text)
