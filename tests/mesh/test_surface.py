import numpy as np
import pytest

from bodies import BASE_MM, ellipsoid_heart
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.labels import LV, MYO, RV
from cheart.mesh.surface import BASE, PARTS, Surface, closed_surface, rim_edges

GRID = GRIDS["half"]
FINE = (2.0, 1.25, 1.25)
CUBE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], float) * 10
CUBE_FACES = np.array(
    [[0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4],
     [1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7]], np.int32,
)  # fmt: skip


def _cube(faces: np.ndarray = CUBE_FACES) -> Surface:
    return Surface(CUBE, faces, np.zeros(len(faces), np.uint8))


def _cylinder(radius: float, height: int, spacing: tuple[float, float, float] = FINE) -> np.ndarray:
    y, x = ((np.arange(64) - 31.5) * s for s in spacing[1:])
    labels = np.zeros((height + 10, 64, 64), np.uint8)
    labels[5:-5, np.add.outer(y**2, x**2) <= radius**2] = LV
    return labels


def test_a_cube_has_its_volume_area_and_quality():
    cube = _cube()
    assert cube.volume_ml == pytest.approx(1.0)
    assert cube.face_areas.sum() == pytest.approx(600)
    assert cube.watertight
    assert cube.quality == pytest.approx(2 * (np.sqrt(2) - 1), rel=1e-6)  # of the right-angled isosceles triangle


def test_a_missing_or_turned_face_is_not_watertight():
    assert not _cube(CUBE_FACES[1:]).watertight
    assert not _cube(np.vstack([CUBE_FACES[:1, ::-1], CUBE_FACES[1:]])).watertight


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("shrink", [0.0, 0.3])
def test_surfaces_of_a_heart_are_closed_outward_true_and_even(part, shrink):
    labels = ellipsoid_heart(grid=GRID, shrink=shrink)
    surface = closed_surface(labels, GRID.spacing, part, resolution_mm=3.0)
    assert surface.watertight
    voxels = np.isin(labels, PARTS[part]).sum() * GRID.voxel_ml
    assert surface.volume_ml == pytest.approx(voxels, rel=0.002)
    assert surface.quality.mean() > 0.8
    assert (surface.quality < 0.2).mean() < 0.01
    euler = len(surface.vertices) - len(surface.faces) / 2
    assert euler == 2, "no handles"


def test_the_base_is_flat_and_as_large_as_the_cut():
    surface = closed_surface(ellipsoid_heart(grid=GRID), GRID.spacing, "lv_endocardium")
    base = surface.vertices[np.unique(surface.faces[surface.regions == BASE])]
    top = np.flatnonzero(GRID.axes()[0] <= BASE_MM)[-1] + 0.5
    assert base[:, 2] == pytest.approx(top * GRID.spacing[0])
    assert surface.face_areas[surface.regions == BASE].sum() == pytest.approx(np.pi * 24**2, rel=0.05)
    assert surface.vertices[:, 2].max() == pytest.approx(base[:, 2].max())


def test_a_cylinder_has_its_radius_everywhere():
    surface = closed_surface(_cylinder(25.0, 20), FINE, "lv_endocardium")
    centre = np.array([31.5 * 1.25, 31.5 * 1.25])
    middle = np.abs(surface.vertices[:, 2] - 15 * 2.0) < 10
    radius = np.linalg.norm(surface.vertices[middle, :2] - centre, axis=1)
    on_wall = radius > 15
    assert radius[on_wall] == pytest.approx(25.0, abs=0.6)
    assert radius[on_wall].std() < 0.2, "smoother than the voxels' staircase"


def test_thick_slices_make_a_smooth_wall():
    spacing = (8.0, 1.25, 1.25)
    z, y, x = (np.arange(n) * s for n, s in zip((10, 64, 64), spacing, strict=True))
    inside = (y[:, None] - 40) ** 2 + (x[None] - 40) ** 2 <= (10 + 0.25 * z[:, None, None]) ** 2
    labels = np.where(inside, LV, 0).astype(np.uint8)
    surface = closed_surface(labels, spacing, "lv_endocardium")
    assert surface.watertight
    assert surface.volume_ml == pytest.approx(inside.sum() * 0.0125, rel=0.005)
    away = np.hypot(surface.vertices[:, 0] - 40, surface.vertices[:, 1] - 40)
    middle = (surface.vertices[:, 2] > 12) & (surface.vertices[:, 2] < 60) & (away > 5)
    expected = 10 + 0.25 * surface.vertices[middle, 2]
    assert np.abs(away[middle] - expected).max() < 1.2, "a cone, not a flight of 2 mm steps"


def test_a_tilted_cut_becomes_one_base():
    z, y, x = np.meshgrid(*(np.arange(n) * s for n, s in zip((40, 64, 64), FINE, strict=True)), indexing="ij")
    inside = (np.hypot(y - 40, x - 40) <= 25) & (z <= 50 + 0.25 * (x - 40)) & (z >= 10)
    surface = closed_surface(np.where(inside, RV, 0).astype(np.uint8), FINE, "rv_endocardium")
    base = surface.vertices[np.unique(surface.faces[surface.regions == BASE])]
    slope = np.polyfit(base[:, 0], base[:, 2], 1)[0]
    assert slope == pytest.approx(0.25, abs=0.05)
    area = surface.face_areas[surface.regions == BASE].sum()
    assert area == pytest.approx(np.pi * 25**2 * np.hypot(1, 0.25), rel=0.08)
    assert surface.watertight


def test_a_speck_apart_is_left_out():
    labels = _cylinder(20.0, 20)
    labels[15, 2, 2] = LV
    assert closed_surface(labels, FINE, "lv_endocardium").vertices[:, 0].min() > 10


def test_the_rim_is_found_from_both_sides():
    regions = np.zeros(12, np.uint8)
    regions[2:4] = BASE
    rims = rim_edges(CUBE_FACES, regions)
    assert rims.sum() == 8, "four edges around one side of the cube, each met twice"


def test_a_missing_structure_is_refused():
    with pytest.raises(InputError, match="rv endocardium: no voxel"):
        closed_surface(np.full((4, 4, 4), MYO, np.uint8), FINE, "rv_endocardium")
