import numpy as np
import pytest

from bodies import BASE_MM
from cheart.grid import GRIDS
from cheart.mesh.distances import Bodies
from cheart.mesh.fitting import fit_frames
from cheart.mesh.solid import (
    BASE,
    EPICARDIUM,
    LV_ENDOCARDIUM,
    LV_WALL,
    RV_ENDOCARDIUM,
    RV_WALL,
    SEPTUM,
    Solid,
    load_solid_template,
)
from solids import AXIS_MM, fitted, walls

pytestmark = pytest.mark.slow  # it fits a heart


def _half_ellipsoid_mm2(a: float, c: float) -> float:
    """Its curved surface, by quadrature."""
    angle = np.linspace(0, np.pi / 2, 2001)
    along = np.hypot(a * np.cos(angle), c * np.sin(angle))
    return float(np.trapezoid(2 * np.pi * a * np.sin(angle) * along, angle))


def test_volumes_are_those_of_the_voxels_and_nearly_those_of_the_ellipsoids():
    for fit, cavity in zip(fitted(), (24.0, 19.0), strict=True):
        lv = 2 / 3 * np.pi * cavity**2 * 80 / 1000
        wall = 2 / 3 * np.pi * 32**2 * 88 / 1000 - lv
        assert fit.solid.cavity_ml(LV_ENDOCARDIUM) == pytest.approx(fit.bodies.cavity.volume_ml, rel=0.01)
        assert fit.solid.cavity_ml(RV_ENDOCARDIUM) == pytest.approx(fit.bodies.right.volume_ml, rel=0.01)
        assert fit.solid.cavity_ml(LV_ENDOCARDIUM) == pytest.approx(lv, rel=0.05), "planes of 4 mm end 2 mm higher"
        assert fit.solid.tissue_ml(LV_WALL, SEPTUM) == pytest.approx(wall, rel=0.05)


def test_nothing_is_inside_out_and_tetrahedra_keep_a_shape_at_end_systole_too():
    for fit in fitted():
        assert fit.solid.volumes.min() > 0
        assert fit.solid.scaled_jacobian.min() > 0.03


def test_the_boundary_lies_where_the_ellipsoids_have_theirs():
    solid, corner = fitted()[0].solid, GRIDS["half"].affine[:3, 3]
    at = solid.points[solid.mesh.on(LV_ENDOCARDIUM)] + corner
    radius = np.sqrt(((at[:, 0] - AXIS_MM) ** 2 + at[:, 1] ** 2) / 24**2 + ((at[:, 2] - BASE_MM) / 80) ** 2)
    assert radius.mean() == pytest.approx(1, abs=0.01)
    assert np.quantile(np.abs(radius - 1), 0.95) < 0.03
    base = solid.points[solid.mesh.on(BASE)] + corner
    assert np.quantile(np.abs(base[:, 2] - 32), 0.95) < 0.5


def test_parts_of_the_boundary_have_their_areas():
    solid = fitted()[0].solid
    grown = (99.4 / 96.5) ** (2 / 3)  # the voxels' cavity over the ellipsoid's
    assert solid.area_mm2(LV_ENDOCARDIUM) == pytest.approx(_half_ellipsoid_mm2(24, 80) * grown, rel=0.03)
    ring = np.pi * (32**2 - 24**2)
    assert ring < solid.area_mm2(BASE) < 2 * ring, "the LV's ring, and a thinner one around the RV"


def test_the_right_wall_is_as_thick_as_it_is_told_and_keeps_its_volume():
    first, second = (fit.solid for fit in fitted())
    outside = first.points[first.mesh.on(EPICARDIUM)]
    away = fitted()[0].bodies.right.distance(outside)
    lateral = outside[:, 0] > outside[:, 0].max() - 10
    assert np.median(away[lateral]) == pytest.approx(3.0, abs=0.4)
    assert second.tissue_ml(RV_WALL) == pytest.approx(first.tissue_ml(RV_WALL), rel=0.08)


def test_frames_and_hearts_share_one_mesh():
    mesh = load_solid_template().mesh
    assert all(fit.solid.mesh is mesh for fit in fitted())


def test_a_heart_that_is_turned_and_in_a_mirror_has_the_same_points_there():
    """Of the ellipsoids on voxel axes that are turned by 90° and of which one runs the other way."""
    labels = np.ascontiguousarray(np.rot90(walls()[:, ::-1], axes=(1, 2)))
    (fit,) = fit_frames(
        load_solid_template(), [Bodies.of(labels, GRIDS["half"].spacing)], rv_wall_mm=3.0, mirrored=True
    )
    width = (labels.shape[1] - 1) * GRIDS["half"].spacing[1]
    back = np.column_stack([width - fit.solid.points[:, 1], width - fit.solid.points[:, 0], fit.solid.points[:, 2]])
    apart = np.linalg.norm(back - fitted()[0].solid.points, axis=1)
    assert np.quantile(apart, 0.95) < 0.5, "mending may take another way in a few places"
    assert fit.solid.volumes.min() > 0
    assert Solid(back, load_solid_template().mesh).volumes.min() > 0
