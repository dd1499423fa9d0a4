import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balls import heart
from cheart.grid import Grid
from cheart.labels import LV
from cheart.metrics.overlap import dice
from cheart.segmentation.flicker import changed, drop_specks, steady

GRID = Grid((10, 48, 56), (8.0, 2.0, 2.0))
FRAMES = 20


def radii(frames=FRAMES):
    """End-systole at 0.35 of the cycle."""
    phase = np.arange(frames) / frames
    return 26 - 8 * np.sin(np.pi * np.where(phase < 0.35, phase / 0.7, 0.5 + (phase - 0.35) / 1.3)) ** 2


@pytest.fixture(scope="module")
def truth():
    return np.stack([heart(GRID, lv_mm=r, wall_mm=9, rv_mm=0.9 * r) for r in radii()])


def with_errors(truth, rng, *, sd=2.0, lost=1):
    """Every frame's radii err by themselves; some frames are another moment's."""
    out = np.stack(
        [heart(GRID, lv_mm=r + e, wall_mm=9 - e / 2, rv_mm=0.9 * r + f) for r, (e, f) in
         zip(radii(len(truth)), rng.normal(0, sd, (len(truth), 2)), strict=True)]
    )  # fmt: skip
    for t in rng.choice(len(truth), lost, replace=False):
        out[t] = heart(GRID, lv_mm=8, wall_mm=20, rv_mm=30)
    return out


def volumes(labels):
    return (labels == LV).sum((1, 2, 3)).astype(float)


def test_random_frame_errors_become_less(truth):
    noisy = with_errors(truth, np.random.default_rng(0))
    calm = steady(noisy, GRID.spacing)
    before, after = dice(noisy, truth).mean(0), dice(calm, truth).mean(0)
    assert (after > before + 0.2 * (1 - before)).all()
    worst = [np.abs(volumes(a) - volumes(truth)).max() / volumes(truth).max() for a in (noisy, calm)]
    assert worst[1] < 0.35 * worst[0]


def test_a_clean_beat_keeps_its_shape_and_its_end_systole(truth):
    calm = steady(truth, GRID.spacing)
    assert changed(truth, calm).max() < 0.02
    assert volumes(calm).argmin() == volumes(truth).argmin()
    assert volumes(calm).min() == pytest.approx(volumes(truth).min(), rel=0.03)
    assert volumes(calm).max() == pytest.approx(volumes(truth).max(), rel=0.01)


@pytest.mark.slow
@settings(max_examples=2)
@given(st.integers(1, FRAMES - 1))
def test_the_cycle_has_no_beginning(truth, shift):
    noisy = with_errors(truth, np.random.default_rng(1))
    np.testing.assert_array_equal(
        steady(np.roll(noisy, shift, axis=0), GRID.spacing), np.roll(steady(noisy, GRID.spacing), shift, axis=0)
    )


def test_a_slice_that_one_frame_lost_comes_back(truth):
    lost = truth.copy()
    lost[6, 4] = 0
    calm = steady(lost, GRID.spacing)
    assert dice(calm[6:7, 4:5], truth[6:7, 4:5])[0, 0] > 0.95


def test_a_slice_that_the_base_leaves_stays_left(truth):
    """It is empty for a third of the cycle: no error of one frame."""
    moving = truth.copy()
    moving[4:11, 7:] = 0
    calm = steady(moving, GRID.spacing)
    assert not calm[6:9, 7:].any()
    assert calm[0, 7].any()


def test_dense_volumes_are_measured_in_three_dimensions():
    grid = Grid((40, 40, 40), (2.0, 2.0, 2.0))
    truth = np.stack([heart(grid, lv_mm=0.7 * r, wall_mm=7, rv_mm=12) for r in radii(10)])
    lost = truth.copy()
    lost[5] = np.roll(truth[5], 6, axis=0)
    assert changed(truth, steady(lost, grid.spacing))[5] < 0.2 * changed(truth, lost)[5]


def test_few_frames_are_left_as_they_are(truth):
    assert steady(truth[:5], GRID.spacing) is not None
    np.testing.assert_array_equal(steady(truth[[0, 7]], GRID.spacing), truth[[0, 7]])


def test_specks_go_and_hearts_stay(truth):
    dirty = truth.copy()
    dirty[3, 0, :3, :3] = 3
    np.testing.assert_array_equal(drop_specks(dirty), truth)
    assert changed(truth, dirty)[3] > 0
