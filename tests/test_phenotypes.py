import math
from dataclasses import replace

import numpy as np
import pytest

from balls import SMALL, box, heart, radius
from cheart.errors import InputError
from cheart.grid import GRIDS, Grid
from cheart.heart import Heart, whole
from cheart.phenotypes import PAPER_FIVE, UNITS, from_curves, plane_mm, volume_curves


def beating(frames=6):
    """Cavities that contract until frame 2 and come back."""
    radii = 18 - 4 * np.sin(np.pi * np.arange(frames) / 4).clip(0)
    labels = np.stack([heart(GRIDS["half"], lv_mm=r, wall_mm=7, rv_mm=r - 2) for r in radii])
    return whole(labels, GRIDS["half"], cycle_s=0.96)


def test_a_ball_has_the_volume_of_a_ball():
    grid = Grid((40, 48, 48), (1.5, 1.25, 1.25))
    labels = (radius(grid) <= 25).astype(np.uint8)[None]
    volume = volume_curves(labels, grid)[0]
    assert volume[0] == pytest.approx(4 / 3 * math.pi * 2.5**3, rel=0.01)
    np.testing.assert_array_equal(volume[1:], 0)


def test_phenotypes_of_a_known_heart():
    heart = beating()
    curves = volume_curves(heart.labels, heart.grid)
    found = heart.phenotypes
    assert found.es_frame == 2
    assert (found.lvedv, found.lvesv) == pytest.approx((curves[0, 0], curves[2, 0]))
    assert (found.rvedv, found.rvesv) == pytest.approx((curves[0, 2], curves[2, 2]))
    assert found.lvm == pytest.approx(1.05 * curves[0, 1])
    assert found.lvef == pytest.approx(100 * (1 - curves[2, 0] / curves[0, 0]))
    assert found.lvco == pytest.approx((found.lvedv - found.lvesv) * 62.5 / 1000)
    assert found.mass_volume == pytest.approx(found.lvm / found.lvedv)


def test_the_row_has_every_phenotype():
    row = beating().phenotypes.row()
    assert list(row) == list(UNITS)
    assert set(PAPER_FIVE) <= set(row)
    assert all(math.isfinite(v) for v in row.values())


def test_end_systole_is_sought_among_observed_frames():
    heart = beating()
    observed = np.zeros_like(heart.observed)
    observed[[0, 3]] = True
    assert replace(heart, observed=observed).phenotypes.es_frame == 3


def test_one_frame_has_no_end_systole():
    heart = beating()
    observed = np.zeros_like(heart.observed)
    observed[0] = True
    found = Heart(heart.labels, observed, heart.grid).phenotypes
    assert found.es_frame is None
    assert math.isnan(found.lvesv)
    assert math.isnan(found.lvef)
    assert found.lvedv > 0


def test_output_is_unknown_without_the_cycle():
    curves = np.array([[150.0, 100, 160], [60, 100, 70]])
    assert math.isnan(from_curves(curves).lvco)
    assert from_curves(curves, cycle_s=1.0).lvco == pytest.approx(5.4)


def test_an_empty_cavity_has_no_ejection_fraction():
    assert math.isnan(from_curves(np.zeros((2, 3))).lvef)


def test_thick_slices_stand_for_what_lies_between_them():
    grid = Grid((64, 32, 32), (2.0, 2.5, 2.5))
    labels = (radius(grid) <= 35).astype(np.uint8)[None]
    observed = np.zeros((1, 64), bool)
    observed[0, 2::5] = True
    every, some = volume_curves(labels, grid)[0, 0], volume_curves(labels, grid, observed)[0, 0]
    assert some == pytest.approx(every, rel=0.03)


def test_plane_thickness():
    planes = np.array([0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0], bool)
    np.testing.assert_allclose(plane_mm(planes, 2.0), [0, 4, 0, 6, 0, 0, 0, 6, 0, 4, 0])
    np.testing.assert_allclose(plane_mm(np.ones(4, bool), 2.0), 2)
    np.testing.assert_allclose(plane_mm(np.zeros(4, bool), 2.0), 0)


def test_a_single_plane_has_no_volume():
    labels = np.stack([box(SMALL, (4, 4, 4), (9, 9, 9))] * 2)
    observed = np.zeros((2, 16), bool)
    observed[0], observed[1, 6] = True, True
    curves = volume_curves(labels, SMALL, observed)
    assert curves[0, 0] == pytest.approx(125 * 0.025)
    assert np.isnan(curves[1]).all()


def test_shapes_that_disagree_are_refused():
    with pytest.raises(InputError, match="on the grid"):
        volume_curves(np.zeros((1, 2, 3, 4), np.uint8), SMALL)
