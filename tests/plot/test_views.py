from dataclasses import replace

import numpy as np
import pytest

from bodies import beating_ellipsoids, ellipsoid_heart
from cheart.grid import Grid
from cheart.heart import Heart, whole
from cheart.labels import COLOURS, LV, MYO, RV
from cheart.plot.views import FADED, PAPER, Window, cut_image, short_axis_planes, window_around

GRID = Grid((32, 64, 64), (4.0, 2.5, 2.5))


def _is(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(image.astype(int) - np.array(colour)) <= 2).all(axis=2)


def _ball(radius: float, centre_x: float = 0.0) -> Heart:
    z, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    labels = np.where(z**2 + y**2 + (x - centre_x) ** 2 <= radius**2, LV, 0).astype(np.uint8)
    return whole(labels[None], GRID)


@pytest.mark.parametrize(("cut", "index"), [("short", 16), ("four_chamber", 32), ("two_chamber", 32)])
def test_a_ball_is_a_disc_of_its_size_in_every_cut(cut, index):
    radius, px_per_mm = 30.0, 2.0
    window = Window((0.0, 0.0, 0.0), (40.0, 40.0, 40.0))
    image = cut_image(_ball(radius), 0, cut, index, window, px_per_mm)
    assert image.shape == (160, 160, 3)
    disc = ~_is(image, PAPER)  # with its outline, half of which lies outside
    height, width = (np.ptp(np.flatnonzero(disc.any(axis=a))) / px_per_mm for a in (1, 0))
    assert height == pytest.approx(2 * radius, abs=4.0)
    assert width == pytest.approx(2 * radius, abs=2.5)


def test_the_rv_is_on_the_left_and_the_base_is_up():
    labels = ellipsoid_heart(grid=GRID)
    heart = whole(labels[None], GRID)
    (window,) = window_around([heart])
    for cut, index in (("short", 20), ("four_chamber", 32)):
        image = cut_image(heart, 0, cut, index, window, 2.0)
        centre = {label: np.argwhere(_is(image, COLOURS[label])).mean(axis=0) for label in (LV, MYO, RV)}
        assert centre[RV][1] < centre[LV][1] - 20
    widest = _is(image, COLOURS[LV]).sum(axis=1).argmax()
    assert widest < image.shape[0] / 2, "the LV is widest at its base, which is up"


def test_anterior_is_up_in_the_short_axis():
    labels = np.zeros((1, *GRID.shape), np.uint8)
    labels[:, :, 50:56, 28:36] = LV  # high y
    labels[:, :, 10:14, 28:36] = MYO
    image = cut_image(whole(labels, GRID), 0, "short", 16, Window((0.0, 0.0, 0.0), (64.0, 80.0, 80.0)), 1.0)
    assert np.argwhere(_is(image, COLOURS[LV]))[:, 0].max() < np.argwhere(_is(image, COLOURS[MYO]))[:, 0].min()


def test_what_was_not_imaged_is_faded():
    heart = beating_ellipsoids(grid=GRID, frames=2)
    observed = heart.observed.copy()
    observed[1] = False
    observed[0, ::2] = False
    partly = Heart(heart.labels, observed, GRID)
    (window,) = window_around([heart])
    faded = tuple(round(FADED * c + (1 - FADED) * p) for c, p in zip(COLOURS[LV], PAPER, strict=True))

    never_seen = cut_image(partly, 1, "short", 17, window, 2.0)
    assert not _is(never_seen, COLOURS[LV]).any()
    assert _is(never_seen, faded).any()

    stack = cut_image(partly, 0, "four_chamber", 32, window, 2.0)
    assert _is(stack, COLOURS[LV]).any()
    assert _is(stack, faded).any()
    assert _is(cut_image(partly, 0, "short", 17, window, 2.0), COLOURS[LV]).any()


def test_all_hearts_of_a_figure_share_one_scale():
    small, large = _ball(20.0, centre_x=10.0), _ball(50.0)
    one, other = window_around([small, large])
    assert one.half == other.half
    assert one.half[2] >= 50
    assert one.centre[2] == pytest.approx(10.0, abs=2.5)


def test_planes_run_from_base_to_apex_and_cut_the_lv_all_the_time():
    heart = beating_ellipsoids()
    planes = short_axis_planes(heart)
    assert planes["base"] > planes["mid"] > planes["apex"]
    assert all((heart.labels[:, z] == LV).any(axis=(1, 2)).all() for z in planes.values())


def test_only_imaged_planes_are_cut():
    heart = beating_ellipsoids()
    observed = np.zeros_like(heart.observed)
    observed[:, 2::3] = True
    assert all(z % 3 == 2 for z in short_axis_planes(replace(heart, observed=observed)).values())
