import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.grid import GRIDS
from cheart.labels import LV, MYO
from cheart.normal.segments import SEGMENTS, segment_thickness

PAPER = GRIDS["paper"]


def cylinder(thickness_mm, *, radius_mm=25.0, grid=PAPER):
    """A tube along z whose wall's thickness is a function of the angle in degrees."""
    z, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    r, angle = np.hypot(x, y), np.degrees(np.arctan2(y, x)) % 360
    labels = np.zeros(grid.shape, np.uint8)
    labels[(np.abs(z) < 40) & (r <= radius_mm + thickness_mm(angle))] = MYO
    labels[(np.abs(z) < 40) & (r <= radius_mm)] = LV
    return labels


def test_a_tube_has_its_thickness_in_every_segment_of_the_ring():
    labels = cylinder(lambda angle: np.full_like(angle, 9.0))
    found = segment_thickness(labels, np.ones(len(labels), bool), PAPER)
    np.testing.assert_allclose(found[:16], 9.0, atol=0.15)


def test_a_thick_septum_is_found_in_the_septal_segments_alone():
    labels = cylinder(lambda angle: np.where((angle < 60) | (angle > 300), 14.0, 8.0))
    found = dict(zip(SEGMENTS, segment_thickness(labels, np.ones(len(labels), bool), PAPER), strict=True))
    for name, mm in found.items():
        if "sept" in name and not name.startswith("apical"):
            assert mm == pytest.approx(14, abs=0.6)
        elif name.startswith(("basal", "mid")):
            assert mm == pytest.approx(8, abs=0.6)
    assert found["apical septal"] > 13
    assert found["apical lateral"] == pytest.approx(8, abs=0.3)


def test_anterior_is_up():
    labels = cylinder(lambda angle: np.where((angle > 60) & (angle < 120), 12.0, 7.0))
    found = segment_thickness(labels, np.ones(len(labels), bool), PAPER)
    assert np.argmax(found[:6]) == SEGMENTS.index("basal anterior")


def test_slices_ten_millimetres_apart_tell_nearly_the_same_but_not_the_apex():
    labels = ellipsoid_heart(grid=PAPER)
    some = np.zeros(len(labels), bool)
    some[1::5] = True
    whole, sliced = (segment_thickness(labels, seen, PAPER) for seen in (np.ones(len(labels), bool), some))
    np.testing.assert_allclose(sliced[:16], whole[:16], atol=0.5)
    assert np.isnan(sliced[16])
    assert whole[16] == pytest.approx(8, abs=1)


def test_an_open_ring_and_an_empty_heart_are_not_measured():
    labels = cylinder(lambda angle: np.full_like(angle, 9.0))
    labels[:, :, :50][labels[:, :, :50] == MYO] = 0
    assert np.isnan(segment_thickness(labels, np.ones(len(labels), bool), PAPER)[:16]).all()
    assert np.isnan(segment_thickness(np.zeros_like(labels), np.ones(len(labels), bool), PAPER)).all()
