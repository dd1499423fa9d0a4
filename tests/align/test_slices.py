import numpy as np
import pytest

from cheart.align.placement import Placement
from cheart.align.pose import RigidTransform
from cheart.align.resample import to_source
from cheart.align.slices import MAX_SHIFT_MM, slice_shifts
from cheart.datasets.posing import pose
from cheart.datasets.recording import SourceLabels
from cheart.grid import GRIDS, Grid
from cheart.labels import LV, MYO
from cheart.simulation.acquisition import Acquisition, acquire
from cheart.simulation.cohort import simulate_subject
from hearts import dice
from sources import stack

AFFINE = np.diag([1.0, 1.0, 10.0, 1.0])
HERE = RigidTransform.identity()


def ellipsoids(centres: np.ndarray) -> np.ndarray:
    """A half ellipsoid of wall and cavity in 10 mm slices of 1 mm pixels; slice k is centred at centres[k] (x, y)."""
    y, x = np.mgrid[:160, :160]
    out = np.zeros((len(centres), 160, 160), np.uint8)
    for k, (cx, cy) in enumerate(centres):
        radius = 34 * np.sqrt(1 - ((len(centres) - 1 - k) / len(centres)) ** 2)  # the apex is slice 0
        r = np.hypot(x - cx, y - cy)
        out[k][r <= radius] = MYO
        out[k][r <= radius - 9] = LV
    return out


def line(n: int = 9, tilt: float = 0.0, bend_mm: float = 0.0) -> np.ndarray:
    """Centres [n, 2] on a tilted line, or on an arc whose middle is off its chord by bend_mm."""
    t = np.linspace(-1, 1, n)
    return np.stack([80 + 5 * (n - 1) * tilt * t, 80 + bend_mm * (1 - t**2)], axis=1)


def without_line(shifts: np.ndarray) -> np.ndarray:
    """What of displacements a tilt and a shift of the whole heart do not explain."""
    design = np.vander(np.arange(len(shifts)), 2)
    return shifts - design @ np.linalg.lstsq(design, shifts, rcond=None)[0]


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_shifts_of_a_tilted_ellipsoid_are_recovered(tilt):
    left = []
    for seed in range(8):
        given = without_line(np.random.default_rng(seed).normal(0, 2.5, (9, 2)))
        found = slice_shifts(ellipsoids(line(tilt=tilt) + given), AFFINE, HERE)
        left.append([np.square(without_line(given + found)).mean(), np.square(given).mean()])
    after, before = np.sqrt(np.mean(left, axis=0))
    assert before > 2
    assert after < 0.6 * before


def test_one_displaced_slice_goes_back_and_the_others_stay():
    centres = line(tilt=0.2)
    centres[4] += (8, -6)
    found = slice_shifts(ellipsoids(centres), AFFINE, HERE)
    np.testing.assert_allclose(found[4] - np.delete(found, 4, 0).mean(0), (-8, 6), atol=2)
    assert np.hypot(*np.delete(found, 4, 0).T).max() < 2


@pytest.mark.parametrize(("tilt", "bend"), [(0.0, 0.0), (0.4, 0.0), (0.0, 3.0), (0.2, 6.0)])
def test_a_heart_in_line_is_left_alone_be_it_tilted_or_curved(tilt, bend):
    assert slice_shifts(ellipsoids(line(tilt=tilt, bend_mm=bend)), AFFINE, HERE) is None


def test_a_curved_heart_is_not_straightened_when_its_slices_are_displaced():
    given = without_line(np.random.default_rng(1).normal(0, 2.0, (9, 2)))
    found = slice_shifts(ellipsoids(line(bend_mm=6.0) + given), AFFINE, HERE)
    chord = (line(bend_mm=6.0) + given + found)[:, 1]
    assert chord[4] - (chord[0] + chord[8]) / 2 == pytest.approx(6, abs=2)


def test_few_slices_empty_ones_and_a_part_of_a_ring_are_not_moved():
    centres = line(9)
    centres[::2] += (0, 4)
    assert slice_shifts(ellipsoids(centres)[:4], AFFINE, HERE) is None
    labels = ellipsoids(centres)
    labels[8, :, :95] = 0  # the last basal slice cuts the wall on one side only
    empty = np.zeros((2, *labels.shape[1:]), np.uint8)
    found = slice_shifts(np.concatenate([labels, empty]), AFFINE, HERE)
    whole = slice_shifts(labels[:8], AFFINE, HERE)
    np.testing.assert_array_equal(found[9:], 0)
    np.testing.assert_allclose(found[:8] - found[8], whole - 0, atol=1.5)
    assert np.hypot(*found[8]) < 0.8


def test_what_no_breath_displaces_is_left_where_it_is():
    centres = line(11)
    centres[5] += (MAX_SHIFT_MM + 8, 0)
    centres[::3] += (0, 3)
    found = slice_shifts(ellipsoids(centres), AFFINE, HERE)
    assert abs(found[5, 0]) < 2


def source(labels: np.ndarray, affine: np.ndarray) -> SourceLabels:
    return SourceLabels(labels, affine, (0, 1, 2), (0.0, 0.4)[: len(labels)], 0, len(labels) - 1, 1.0)


def displaced(spacing: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """An analytic heart of two frames whose odd slices are displaced by three pixels along their rows."""
    labels, affine = stack(shrinks=(0.0, 0.25), spacing=spacing)
    labels[:, 1::2] = np.roll(labels[:, 1::2], 3, axis=-1)
    return labels, affine


def test_all_frames_are_moved_alike_and_the_way_back_is_the_inverse():
    labels, affine = displaced((10.0, 1.25, 1.25))
    with_it, figures = pose(source(labels, affine), grid=GRIDS["paper"], frames=8)
    without, _ = pose(source(labels, affine), grid=GRIDS["paper"], frames=8, align_slices=False)
    assert with_it.origin.shifts is not None
    assert without.origin.shifts is None
    assert figures["slice_shift_mm"] == pytest.approx(3.75 / 2, abs=0.4)
    es = int(with_it.observed_frames[-1])
    for heart in (with_it, without):
        again = Placement.from_json(heart.origin.to_json(), heart.grid)
        for t, own in ((0, labels[0]), (es, labels[1])):
            assert min(dice(to_source(heart.labels[t], again), own)) > 0.96
    aligned, _ = pose(source(*stack(spacing=(10.0, 1.25, 1.25))), grid=GRIDS["paper"], frames=8)
    planes = np.flatnonzero(with_it.observed[0])
    assert min(dice(with_it.labels[0, planes], aligned.labels[0, planes])) > 0.95
    assert min(dice(without.labels[0, planes], aligned.labels[0, planes])) < 0.95


def test_the_way_there_and_back_is_exact_where_voxels_fall_on_voxels():
    grid = Grid((40, 96, 96), (2.0, 1.25, 1.25))
    placement = Placement(
        HERE, grid.affine @ np.diag([1, 1, 5, 1.0]), (8, 96, 96), grid, tuple(range(0, 40, 5)),
        shifts=tuple((1.25 * (k % 3 - 1), 2.5 * (k % 2)) for k in range(8)),
    )  # fmt: skip
    template = np.zeros(grid.shape, np.uint8)
    template[:, 30:60, 30:60], template[:, 38:52, 38:52] = MYO, LV
    own = to_source(template, placement)
    for k, (right, up) in enumerate(placement.shifts):
        there = np.roll(own[k], (round(up / 1.25), round(right / 1.25)), axis=(0, 1))
        np.testing.assert_array_equal(there, template[5 * k])


def test_dense_volumes_and_what_is_in_the_template_pose_are_not_touched():
    labels, affine = displaced((3.0, 1.5, 1.5))
    assert pose(source(labels, affine), grid=GRIDS["half"], frames=4)[0].origin.shifts is None
    quarter = GRIDS["quarter"]
    heart, _ = simulate_subject(0, seed=0, grid=quarter, frames=4)
    written = SourceLabels(
        heart.labels, quarter.affine, (0, 1, 2), (0.0, 0.25, 0.5, 0.75), 0, 2, 0.9, False, heart.observed
    )
    again, _ = pose(written, grid=quarter, frames=4)
    assert again.origin.shifts is None
    np.testing.assert_array_equal(again.labels, heart.labels)


@pytest.mark.slow
@pytest.mark.parametrize("population", ["healthy", "clinical"])
def test_simulated_breath_holds_are_found_and_hearts_without_are_left(population):
    grid, touched, moved = GRIDS["half"], 0, []
    for index in range(6):
        heart, _ = simulate_subject(index, seed=5, grid=grid, frames=2, population=population)
        for breath_hold in (0.0, 2.0):
            how = Acquisition(slice_thickness=8, slice_gap=4, breath_hold=breath_hold)
            seen = acquire(heart, how, rng=np.random.default_rng(index))
            planes = np.flatnonzero(seen.observed[0])
            affine = np.array(grid.affine) @ np.diag([1.0, 1.0, planes[1] - planes[0], 1.0])
            found = slice_shifts(seen.labels[0, planes], affine, HERE)
            touched += found is not None and not breath_hold
            if breath_hold:
                ring = np.isin(seen.labels[0, planes], (LV, MYO))
                moved.append(np.hypot(*(found if found is not None else np.zeros((len(ring), 2)))[ring.any((1, 2))].T))
    assert touched <= 1
    assert 0.8 < np.concatenate(moved).mean() < 3
