import numpy as np
import pytest
from scipy.spatial import KDTree

from bodies import ellipsoid_heart
from cheart.grid import GRIDS
from cheart.labels import LV, MYO
from cheart.mesh.correspondence import MovingSurface, follow, rim_loop, wall_thickness
from cheart.mesh.surface import BASE, WALL, Surface, closed_surface
from cheart.simulation.heart import simulate_heart, surfaces_at

GRID = GRIDS["half"]


def _surfaces(part: str, shrinks: tuple[float, ...]) -> list[Surface]:
    return [
        closed_surface(ellipsoid_heart(grid=GRID, shrink=s), GRID.spacing, part, resolution_mm=4.0) for s in shrinks
    ]


@pytest.fixture(scope="module")
def drawn() -> list[Surface]:
    return _surfaces("lv_endocardium", (0.0, 0.3))


@pytest.fixture(scope="module")
def moving(drawn) -> MovingSurface:
    return follow(drawn)


def test_the_template_lands_on_the_other_surface(drawn, moving):
    assert np.array_equal(moving[0].vertices, drawn[0].vertices)
    assert moving[1].watertight
    assert moving[1].volume_ml == pytest.approx(drawn[1].volume_ml, rel=1e-3)
    there = np.concatenate([drawn[1].vertices, drawn[1].vertices[drawn[1].faces].mean(axis=1)])
    assert KDTree(there).query(moving[1].vertices)[0].max() < 2.0
    assert (moving[1].quality < 0.1).mean() < 0.01


def test_vertices_stay_with_their_place(moving):
    """The cavity's cross-sections shrink by 0.7 about its axis: so must every vertex's way to the axis."""
    axis = np.array([(-10 - GRID.axes()[2][0]), -GRID.axes()[1][0]])
    start, end = (v[:, :2] - axis for v in moving.vertices)
    before, after = np.linalg.norm(start, axis=1), np.linalg.norm(end, axis=1)
    outer = before > 12
    assert (after / before)[outer] == pytest.approx(0.7, abs=0.07)
    turned = (start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]) / (before * after)
    assert np.abs(turned[outer]).max() < 0.12
    assert np.abs(moving.displacement[1, :, 2]).mean() < 1.0


def test_area_strain_of_the_base_is_the_change_of_its_area(moving):
    base = moving.regions == BASE
    areas = moving[0].face_areas[base]
    strain = (moving.area_strain[1][base] * areas).sum() / areas.sum()
    assert strain == pytest.approx(0.7**2 - 1, abs=0.05)
    assert (moving.area_strain[0] == 0).all()


def test_base_stays_base_and_rim_stays_rim(drawn, moving):
    base = np.unique(moving.faces[moving.regions == BASE])
    assert moving.vertices[1][base, 2] == pytest.approx(drawn[1].vertices[:, 2].max(), abs=0.2)


def test_the_rim_is_one_closed_loop(drawn):
    loop = rim_loop(drawn[0])
    steps = np.linalg.norm(np.diff(drawn[0].vertices[loop], axis=0, append=drawn[0].vertices[loop[:1]]), axis=1)
    assert len(np.unique(loop)) == len(loop)
    assert steps.max() < 10
    assert steps.sum() == pytest.approx(2 * np.pi * 24, rel=0.05)


def test_wall_thickness_is_the_distance_between_the_walls():
    _, y, x = np.meshgrid(*(np.arange(n) * 1.5 for n in (40, 60, 60)), indexing="ij")
    away = np.hypot(y - 44, x - 44)
    labels = np.where(away <= 20, LV, np.where(away <= 29, MYO, 0)).astype(np.uint8)
    labels[:10] = 0
    labels[10:16][labels[10:16] == LV] = MYO  # 9 mm of wall below the cavity too
    inner, outer = (closed_surface(labels, (1.5, 1.5, 1.5), f"lv_{side}cardium") for side in ("endo", "epi"))
    for surface, thickness in zip((inner, outer), wall_thickness(inner, outer), strict=True):
        wall = np.unique(surface.faces[surface.regions == WALL])
        middle = np.intersect1d(wall, np.flatnonzero(np.abs(surface.vertices[:, 2] - 40) < 10))
        assert thickness[middle] == pytest.approx(9.0, abs=0.8)
        only_base = np.setdiff1d(surface.faces[surface.regions == BASE], wall)
        assert np.isnan(thickness[only_base]).all()


def test_places_of_a_simulated_heart_move_as_it_was_simulated():
    """Its places keep their relative height while the base descends; the voxels' planes are 4 mm apart."""
    person = {"age": 45.0, "sex": "M", "weight": 80.0, "height": 178.0, "sbp": 125.0}
    heart, truth = simulate_heart(person, seed=1, grid=GRID)
    es = int(np.argmin(truth.lv_ml))
    start, end = (surfaces_at(truth, t / heart.frames) for t in (0, es))
    drawn = [closed_surface(heart.labels[t], GRID.spacing, "lv_endocardium", resolution_mm=3.0) for t in (0, es)]
    before, after = (v[:, 2] + GRID.axes()[0][0] for v in follow(drawn).vertices)
    height = (before - start.apex) / (start.base - start.apex)
    expected = end.apex + height * (end.base - end.apex)
    assert start.base - end.base > 8
    assert np.sqrt(((after - expected) ** 2).mean()) < 2.5
