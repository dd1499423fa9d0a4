import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.heart import whole
from cheart.labels import LV, MYO, RV
from cheart.models.readout import read_out, refuse_not_finite
from cheart.models.volume_ranges import SIMULATED, VolumeRanges
from cheart.validity import WALL_TOLERANCE

GRID = Grid((32, 40, 40), (3.0, 2.5, 2.5))
BOX = tuple(slice(0, n) for n in GRID.shape)
Z, Y, X = np.meshgrid(*GRID.axes(), indexing="ij")
ABOVE = Z - 30.0
"""Height over a flat base, mm."""


def bodies(cavity=18.0, wall=8.0, right=24.0):
    """Signed distances of half a ball in a shell, open at a flat base, and of half a ball beside it."""
    left = np.sqrt((X + 12) ** 2 + Y**2 + (ABOVE / 2) ** 2)
    beside = np.sqrt((X - 8.2) ** 2 + (Y - 0.3) ** 2 + (ABOVE / 2) ** 2)  # no two voxels are at one distance
    solids = (left - cavity, left - cavity - wall, np.maximum(beside - right, cavity + wall - left))
    return np.stack([np.maximum(solid, ABOVE) for solid in solids]).astype(np.float32)


def read(*frames):
    return whole(read_out([(frame, BOX) for frame in frames], GRID), GRID)


def volumes(heart, label):
    return [(frame == label).sum() for frame in heart.labels]


def test_what_is_whole_stays_as_its_signs_say():
    fields = bodies()
    labels = read(fields).labels[0]
    expected = np.where(fields[0] < 0, LV, np.where(fields[1] < 0, MYO, np.where(fields[2] < 0, RV, 0)))
    differ = labels != expected
    assert differ.mean() < 5e-4
    assert set(labels[differ]) <= {RV}  # a gap between the RV and the septum


def test_the_fullest_frame_is_the_first():
    heart = read(bodies(18), bodies(20), bodies(14))
    assert np.argmax(volumes(heart, LV)) == 0
    assert volumes(heart, LV)[1] > 0.99 * volumes(heart, LV)[0]
    assert volumes(heart, LV)[2] == (bodies(14)[0] < 0).sum()


@pytest.mark.parametrize("wall", [4.0, 7.0, 9.0, 14.0])
def test_the_wall_keeps_its_volume(wall):
    made = volumes(read(bodies(18, 8), bodies(18, wall)), MYO)
    assert abs(made[1] / made[0] - 1) <= WALL_TOLERANCE


def beat(right):
    """Bodies at three times, of which the wall keeps its volume, and the RV ends with a radius."""
    return bodies(18, 8), bodies(16, 9.1, (24 + right) / 2), bodies(14, 10.4, right)


@pytest.mark.parametrize("right", [18.5, 19.0, 21.0, 22.0])
def test_the_right_ventricle_ejects_what_the_left_does(right):
    fields = beat(right)
    assert read(*fields).validity.balanced
    assert not whole(read_out([(f, BOX) for f in fields], GRID, ranges=SIMULATED.of_wall), GRID).validity.balanced


def test_what_is_balanced_as_it_is_stays():
    fields = beat(20.0)
    free = whole(read_out([(f, BOX) for f in fields], GRID, ranges=SIMULATED.of_wall), GRID)
    assert free.validity.balanced
    np.testing.assert_array_equal(read(*fields).labels, free.labels)


def test_a_wall_that_gives_way_to_the_right_ventricle_leaves_no_gap():
    heart = read(bodies(18, 8), bodies(18, 11))
    septum = heart.labels[1][:, 20, :][(Z[:, 20] < 20) & (Z[:, 20] > 0) & (X[:, 20] > -12) & (X[:, 20] < 20)]
    assert (septum > 0).all()


def test_a_cavity_without_wall_gets_one():
    thin = bodies(18, 8)
    thin[1][(X < -20) & (Z < 0)] = 3.0
    heart = read(thin)
    assert heart.validity.contacts == 0
    assert (
        "contacts"
        in whole(np.where(thin[0] < 0, LV, np.where(thin[1] < 0, MYO, 0)).astype(np.uint8)[None], GRID).validity.failed
    )


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1.0, 12.0))
@example(295844, 10.0)  # a finger of cavity whose wall stood apart
@example(2937, 10.0148)
@example(6390, 10.56)  # a cavity of one voxel, above the base
def test_whatever_the_fields_the_heart_is_one(seed, strength):
    """Fields of a heart with smooth noise of as many mm."""
    rng = np.random.default_rng(seed)
    frames = []
    for size in (18, 15, 17):
        waves = rng.normal(size=(3, 4, 3)) / 15
        noise = [sum(np.sin(a * Z + b * Y + c * X + rng.uniform(0, 6)) for a, b, c in body) for body in waves]
        frames.append(bodies(size) + (strength / 4 * np.stack(noise)).astype(np.float32))
    found = read(*frames).validity
    wrong = {"islands", "holes", "contacts", "ed_excess"}
    if all(((lv < 0) & (epi < 0)).any() and ((rv < 0) & (epi >= 0)).any() for lv, epi, rv in frames):
        wrong |= {"empty"}  # what fields have none of is not made up
    assert not wrong & set(found.failed), str(found)


@pytest.mark.parametrize("seed", [1, 13, 23, 26, *range(200, 220)])
def test_noise_of_a_network_that_has_learnt_nothing_is_read_out_too(seed):
    rng = np.random.default_rng(seed)
    noise = (rng.normal(size=(4, 3, 8, 10, 10)) + rng.normal(size=(4, 3, 1, 1, 1))).astype(np.float32)
    small = Grid((8, 10, 10), (3.0, 2.5, 2.5))
    whole_box = tuple(slice(0, n) for n in small.shape)
    labels = read_out([(frame, whole_box) for frame in noise], small)
    assert labels.shape == (4, *small.shape)


def test_single_frames_stand_for_themselves():
    labels = read_out([(bodies(14), BOX), (bodies(20), BOX)], GRID, beat=False)
    assert (labels[1] == LV).sum() == (bodies(20)[0] < 0).sum()


def test_no_heart_at_all_is_empty():
    nothing = np.full((3, *GRID.shape), 5.0, np.float32)
    assert not read(nothing).labels.any()


def test_what_is_no_number_is_refused():
    refuse_not_finite(True)
    with pytest.raises(InputError, match="no numbers"):
        refuse_not_finite(False)


def test_a_model_of_walls_that_grow_lets_them_grow():
    thick = bodies(18, 11)
    usual, wide = (
        whole(read_out([(bodies(18, 8), BOX), (thick, BOX)], GRID, ranges=ranges), GRID)
        for ranges in (SIMULATED, VolumeRanges(wall=(0.9, 2.0)))
    )
    assert volumes(usual, MYO)[1] <= (1 + WALL_TOLERANCE) * volumes(usual, MYO)[0]
    assert volumes(wide, MYO)[1] > 1.2 * volumes(wide, MYO)[0]
