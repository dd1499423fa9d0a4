import numpy as np
import pytest

from cheart.grid import Grid
from cheart.labels import LV, MYO, RV
from cheart.phenotypes import voxel_volumes
from cheart.simulation.audit.measure import (
    SECTIONS,
    contraction,
    e_to_a,
    measure,
    rays,
    sections,
    shape_spectrum,
    topology_faults,
    wall_thickness,
)

GRID = Grid((60, 100, 100), (1.5, 1.2, 1.2))


def cylinders(*, inner=20.0, outer=28.0, top=36.0, bottom=-36.0, rv=True):
    """A tube of wall, closed below by 6 mm, and a half tube of RV beside it, ending on one flat plane."""
    z, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    r = np.hypot(x, y)
    labels = np.zeros(GRID.shape, np.uint8)
    along = (z < top) & (z > bottom)
    if rv:
        labels[along & (z > bottom + 12) & (r < 45) & (x > 10)] = RV
    labels[along & (r < outer)] = MYO
    labels[along & (z > bottom + 6) & (r < inner)] = LV
    return labels


def test_rays_find_the_radii():
    r = rays(cylinders(), GRID, heights=np.array([0.5, 0.8]))
    np.testing.assert_allclose(r.endo, 20, atol=0.9)
    np.testing.assert_allclose(r.epi, 28, atol=0.9)
    towards_rv = np.abs(np.angle(np.exp(1j * r.angles))) < np.radians(40)
    np.testing.assert_allclose(r.free[:, towards_rv], 45, atol=0.9)
    np.testing.assert_allclose(r.free[:, ~towards_rv & (np.cos(r.angles) < 0)], 28, atol=0.9)


def test_volumes_and_sections_of_a_tube():
    labels = cylinders()
    lv, wall, _ = voxel_volumes(labels, GRID.voxel_ml)
    assert lv == pytest.approx(np.pi * 20**2 * 66 / 1000, rel=0.03)
    assert wall + lv == pytest.approx(np.pi * 28**2 * 72 / 1000, rel=0.03)
    areas = sections(labels, GRID)
    assert areas.shape == (3, SECTIONS.size)
    np.testing.assert_allclose(areas[0, 1:8], np.pi * 20**2, rtol=0.04)
    np.testing.assert_allclose(areas[1, 1:8], np.pi * 28**2, rtol=0.04)


def test_wall_thickness_of_a_tube():
    thickness = wall_thickness(cylinders(), GRID)
    np.testing.assert_allclose(thickness[:12], 8, atol=0.7)
    assert thickness[16] == pytest.approx(6, abs=1.5)


def test_contraction_of_a_tube():
    moved = contraction(cylinders(), cylinders(inner=14, outer=24.8, top=21), GRID)
    assert moved.descent == pytest.approx(15)
    assert moved.thickening == pytest.approx(100 * (10.8 / 8 - 1), abs=6)
    assert moved.circumferential == pytest.approx(100 * (38.8 / 48 - 1), abs=2)


def test_a_sound_heart_has_no_faults():
    assert topology_faults(cylinders()[None]) == []


def test_each_fault_is_named():
    z, y, x = GRID.axes()
    plane, row, col = len(z) // 2, len(y) // 2, len(x) // 2
    touching = cylinders()
    touching[plane, row, np.abs(x - 24) < 6] = LV
    assert "LV touches RV" in topology_faults(touching[None])
    loose = cylinders()
    loose[plane, row, 3] = RV
    assert "rv not in one piece" in topology_faults(loose[None])
    leaking = cylinders()
    leaking[plane, row, :col] = np.where(leaking[plane, row, :col] == MYO, 0, leaking[plane, row, :col])
    assert "LV open elsewhere than at the base" in topology_faults(leaking[None])
    uneven = cylinders()
    uneven[np.flatnonzero((uneven == RV).any(axis=(1, 2)))[-1]][uneven[plane] == RV] = 0
    assert "no common basal plane at end-diastole" in topology_faults(uneven[None])


def test_filling_ratio_of_a_curve_with_two_ramps():
    volume = np.array([150, 120, 90, 60, 60, 60, 60, 60, 80, 100, 120, 120, 120, 120, 120, 120, 120, 130, 140, 150.0])
    assert e_to_a(volume) == pytest.approx(2.0)


def test_spectrum_of_one_mode_is_one_mode_and_ignores_the_pose():
    rng = np.random.default_rng(0)
    base, mode = rng.normal(size=(50, 3)) * 30, rng.normal(size=(50, 3))
    shapes = np.array([base + amount * mode + rng.normal(size=3) * 10 for amount in rng.normal(size=30)])
    _, shares = shape_spectrum(shapes)
    assert shares[0] > 0.98


def test_a_cycle_is_measured_whole_or_only_at_end_diastole():
    labels = np.stack([cylinders(), cylinders(inner=14, outer=24.8, top=21)])
    whole = measure(labels, GRID)
    assert whole.es_frame == 1
    assert whole.contraction is not None
    assert whole.faults == []
    assert measure(labels[:1], GRID, cycle=False).contraction is None
