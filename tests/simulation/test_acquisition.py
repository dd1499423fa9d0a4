from dataclasses import replace

import numpy as np
import pytest

from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.labels import LV, MYO, RV
from cheart.simulation import simulate_heart
from cheart.simulation.acquisition import Acquisition, acquire

PERSON = {"age": 45, "sex": "F", "weight": 66, "height": 165, "sbp": 120}
GRID = GRIDS["half"]


@pytest.fixture(scope="module")
def heart():
    return simulate_heart(PERSON, seed=1, grid=GRID, frames=10)[0]


def seen(heart, seed=0, **how):
    return acquire(heart, Acquisition(**how), rng=np.random.default_rng(seed))


def dice(a, b):
    return np.mean([2 * ((a == k) & (b == k)).sum() / ((a == k).sum() + (b == k).sum()) for k in (LV, MYO, RV)])


def test_by_default_everything_is_seen_exactly(heart):
    image = seen(heart)
    assert np.array_equal(image.labels, heart.labels)
    assert image.observed.all()


def test_slices_lie_a_thickness_and_a_gap_apart(heart):
    image = seen(heart, slice_thickness=8.0, slice_gap=4.0)
    planes = np.flatnonzero(image.observed[0])
    assert set(np.diff(planes)) == {3}  # 12 mm on planes of 4 mm
    assert (image.observed == image.observed[0]).all()


def test_between_slices_the_heart_is_interpolated_not_observed(heart):
    image = seen(heart, slice_thickness=8.0)
    between = ~image.observed[0] & (image.labels[0] > 0).any(axis=(1, 2))
    assert between.any()
    assert dice(image.labels[0][between], heart.labels[0][between]) > 0.85


def test_two_frames_are_end_diastole_and_end_systole(heart):
    image = seen(heart, observed="ed,es")
    es = int((heart.labels == LV).sum(axis=(1, 2, 3)).argmin())
    assert list(image.observed_frames) == [0, es]
    assert not image.labels[[t for t in range(10) if t not in (0, es)]].any()


def test_breath_holds_shift_each_slice_alike_in_every_frame(heart):
    image = seen(heart, breath_hold=5.0)
    x = GRID.axes()[2]

    def centre(labels):
        mask = labels == LV
        count = mask.sum(axis=(1, 2)).astype(float)
        count[count < 20] = np.nan
        return (mask.sum(axis=1) @ x) / count

    shift = np.array([centre(image.labels[t]) - centre(heart.labels[t]) for t in (0, 4)])
    both = np.isfinite(shift).all(axis=0)
    np.testing.assert_allclose(shift[0][both], shift[1][both], atol=1.5)
    assert 2 < shift[0][both].std() < 9


def test_missing_slices_are_at_the_ends_and_not_observed(heart):
    heart = replace(heart, labels=heart.labels[:1], observed=heart.observed[:1])
    images = [seen(heart, seed, missing_slices=2).labels[0] for seed in range(5)]
    tops = {int(np.flatnonzero(image.any(axis=(1, 2)))[-1]) for image in images}
    top = int(np.flatnonzero(heart.labels[0].any(axis=(1, 2)))[-1])
    assert tops <= {top - 2, top - 1, top}
    assert len(tops) > 1


@pytest.mark.parametrize("wanted", [0.85, 0.92])
def test_contours_err_by_the_wanted_dice(heart, wanted):
    image = seen(heart, contour_dice=wanted)
    assert dice(image.labels[0], heart.labels[0]) == pytest.approx(wanted, abs=0.01)
    assert not np.array_equal(image.labels[1] != heart.labels[1], image.labels[0] != heart.labels[0])


def test_larger_pixels_are_blocks(heart):
    image = seen(heart, in_plane=5.0)  # two pixels of the grid
    blocks = image.labels[0].reshape(32, 32, 2, 32, 2)
    assert (blocks == blocks[:, :, :1, :, :1]).all()
    assert dice(image.labels[0], heart.labels[0]) > 0.8


@pytest.mark.parametrize(
    ("how", "flag"),
    [
        ({"slice_thickness": 0.0}, "--slice-thickness"),
        ({"slice_gap": 2.0}, "--slice-thickness"),
        ({"observed": "es"}, "--observed"),
        ({"contour_dice": 1.2}, "--contour-dice"),
    ],
)
def test_what_no_scanner_does_is_refused(how, flag):
    with pytest.raises(InputError, match=flag):
        Acquisition(**how)
