import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.grid import Grid
from cheart.heart import whole
from cheart.labels import LV, RV
from cheart.plot.shaded import shaded_image, view_side_mm
from cheart.plot.views import Window, window_around

GRID = Grid((32, 64, 64), (4.0, 2.5, 2.5))
WINDOW = Window((0.0, 0.0, 0.0), (50.0, 50.0, 50.0))


def _ball(label: int, radius: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    zz, yy, xx = np.meshgrid(*GRID.axes(), indexing="ij")
    return np.where(zz**2 + (yy - y) ** 2 + (xx - x) ** 2 <= radius**2, label, 0).astype(np.uint8)


def _painted(image: np.ndarray) -> np.ndarray:
    return image.min(axis=2) < 240


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (25, 22), (90, 0), (0, 90)])
def test_a_ball_looks_like_a_disc_from_everywhere(azimuth, elevation):
    image = shaded_image(_ball(RV, 30.0), GRID, WINDOW, 1.0, azimuth=azimuth, elevation=elevation)
    side = round(view_side_mm(WINDOW))
    assert image.shape == (side, side, 3)
    disc = _painted(image)
    assert np.sqrt(disc.sum() / np.pi) == pytest.approx(30.0, abs=1.5)
    assert np.argwhere(disc).mean(axis=0) == pytest.approx((side - 1) / 2, abs=1.0)


def test_the_nearer_structure_hides_the_farther_one():
    front, behind = _ball(RV, 20.0, y=25.0), _ball(LV, 20.0, y=-25.0)
    both = np.where(front > 0, front, behind)
    centre = shaded_image(both, GRID, WINDOW, 1.0, azimuth=0, elevation=0)[50:56, 50:56].mean(axis=(0, 1))
    assert centre[2] > centre[0], "from anterior the blue ball is in front"
    centre = shaded_image(both, GRID, WINDOW, 1.0, azimuth=180, elevation=0)[50:56, 50:56].mean(axis=(0, 1))
    assert centre[0] > centre[2], "from behind the red one"


def test_the_rv_is_on_the_left_and_turns_to_the_front():
    labels = ellipsoid_heart(grid=GRID)
    (window,) = window_around([whole(labels[None], GRID)])
    blue = {}
    for azimuth in (0, 90):
        image = shaded_image(labels, GRID, window, 1.0, azimuth=azimuth).astype(int)
        blue[azimuth] = np.argwhere(image[..., 2] > image[..., 0] + 30)
    assert blue[0][:, 1].mean() < image.shape[1] / 2 - 5
    assert len(blue[90]) > len(blue[0])


def test_an_empty_frame_is_white():
    assert (shaded_image(np.zeros(GRID.shape, np.uint8), GRID, WINDOW, 1.0) == 255).all()
