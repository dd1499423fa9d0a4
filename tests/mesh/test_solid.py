import numpy as np
import pytest

from cheart.mesh.solid import (
    BASE,
    EPICARDIUM,
    LV_ENDOCARDIUM,
    RV_ENDOCARDIUM,
    RV_WALL,
    SEPTUM,
    Mesh,
    Solid,
    boundary_of,
    load_solid_template,
    save_solid_template,
)
from cheart.mesh.surface import Surface

REGULAR = np.array([(1.0, -1, -1), (1, 1, 1), (-1, 1, -1), (-1, -1, 1)])


@pytest.fixture(scope="module")
def template():
    return load_solid_template()


def _one(points):
    cells = np.array([[0, 1, 2, 3]], np.int32)
    faces = boundary_of(cells)
    return Solid(np.asarray(points, float), Mesh(cells, faces, np.zeros(4, np.uint8), np.zeros(1, np.uint8)))


def test_a_regular_tetrahedron_has_a_scaled_jacobian_of_1_whatever_its_size():
    for size in (1, 7):
        assert _one(REGULAR * size).scaled_jacobian == pytest.approx([1.0])
    assert _one(REGULAR[[1, 0, 2, 3]]).scaled_jacobian == pytest.approx([-1.0])
    corner = _one([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
    assert corner.scaled_jacobian == pytest.approx([np.sqrt(2) / 2], rel=1e-6)
    assert corner.volumes == pytest.approx([1 / 6])


def test_the_templates_boundary_is_closed_and_every_part_of_it_named(template):
    solid, mesh = Solid(template.points, template.mesh), template.mesh
    shell = Surface(solid.points, mesh.triangles, np.zeros(len(mesh.triangles), np.uint8))
    assert shell.watertight
    assert shell.volume_ml == pytest.approx(solid.tissue_ml(0, 1, 2))
    assert {*mesh.boundaries} == {LV_ENDOCARDIUM, RV_ENDOCARDIUM, EPICARDIUM, BASE}
    assert {*map(tuple, np.sort(mesh.triangles, axis=1))} == {
        *map(tuple, np.sort(boundary_of(mesh.tetrahedra), axis=1))
    }
    assert sum(solid.area_mm2(part) for part in range(4)) == pytest.approx(shell.face_areas.sum())
    for one, other in ((LV_ENDOCARDIUM, RV_ENDOCARDIUM), (LV_ENDOCARDIUM, EPICARDIUM), (RV_ENDOCARDIUM, EPICARDIUM)):
        assert not np.intersect1d(mesh.on(one), mesh.on(other)).size


def test_the_templates_tissues_lie_where_their_names_say(template):
    mesh = template.mesh
    touch = [set(mesh.tetrahedra[mesh.tissues == tissue].ravel()) for tissue in range(3)]
    assert not touch[RV_WALL] & set(mesh.on(LV_ENDOCARDIUM))
    assert touch[SEPTUM] & set(mesh.on(LV_ENDOCARDIUM))
    assert touch[SEPTUM] & set(mesh.on(RV_ENDOCARDIUM))
    assert Solid(template.points, mesh).scaled_jacobian.min() > 0.1


def test_cavities_are_closed_over_their_rim(template):
    """A cavity scaled in one direction holds as much more."""
    solid = Solid(template.points, template.mesh)
    longer = Solid(template.points * [1, 1, 1.5], template.mesh)
    for part in (LV_ENDOCARDIUM, RV_ENDOCARDIUM):
        assert longer.cavity_ml(part) == pytest.approx(1.5 * solid.cavity_ml(part))
        assert solid.cavity_ml(part) > 50


def test_a_template_comes_back_from_its_file(template, tmp_path):
    save_solid_template(template, tmp_path / "solid.safetensors")
    assert (tmp_path / "solid.safetensors").stat().st_size < 700_000
    from safetensors.numpy import load_file

    read = load_file(tmp_path / "solid.safetensors")
    assert (read["tetrahedra"] == template.mesh.tetrahedra).all()
    assert read["points"] == pytest.approx(template.points, abs=1e-4)
