import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.grid import GRIDS
from cheart.labels import MYO
from cheart.mesh.cell_files import write_msh
from cheart.mesh.oriented import OrientedLabels
from cheart.mesh.surface import Surface
from cheart.mesh.wall import BASE, ENDOCARDIUM, EPICARDIUM, _between, _fitted, wall_solids
from cheart.mesh.write import _cells, write_meshes


@pytest.fixture(scope="module")
def heart():
    heart = beating_ellipsoids(grid=GRIDS["half"], frames=2)
    return OrientedLabels.of(heart.labels, heart.grid.affine)


@pytest.fixture(scope="module")
def solids(heart):
    parts = [[heart.surface(t, part, 5.0) for t in (0, 1)] for part in ("lv_endocardium", "lv_epicardium")]
    return wall_solids(*parts, [30.0, 32.0], edge_mm=4.0)


def test_the_wall_has_the_volume_that_was_asked_for_and_nothing_is_inside_out(solids):
    assert [solid.volume_ml for solid in solids] == pytest.approx([30.0, 32.0], rel=1e-3)
    assert all(solid.quality.min() > 0.05 for solid in solids)


def test_columns_that_cross_are_put_right(heart):
    """Two neighbouring columns are made to change places on the epicardium."""
    inner = heart.surface(0, "lv_endocardium", 5.0)
    middle = inner.vertices.mean(axis=0)
    outer = Surface(middle + (inner.vertices - middle) * [1.4, 1.4, 1.2], inner.faces, inner.regions)
    a, b = inner.faces[np.flatnonzero(inner.regions == 0)[200]][:2]
    crossed = outer.vertices.copy()
    crossed[[a, b]] = crossed[[b, a]]
    crossed = Surface(crossed, outer.faces, outer.regions)
    assert _between(inner, crossed, 3).quality.min() < 0
    right = _fitted(inner, crossed, 3, 60.0)
    assert right.quality.min() > 0
    assert right.volume_ml == pytest.approx(60, rel=1e-3)


def test_the_boundary_is_closed_and_holds_the_same_volume(solids):
    for solid in solids:
        shell = Surface(solid.points, solid.triangles, np.zeros(len(solid.triangles), np.uint8))
        assert shell.watertight
        assert shell.volume_ml == pytest.approx(solid.volume_ml)
        assert set(solid.boundaries) == {ENDOCARDIUM, EPICARDIUM, BASE}


def test_neighbours_share_whole_faces(solids):
    """Every triangle of a tetrahedron is another one's too, or lies on the boundary."""
    solid = solids[0]
    faces = np.concatenate([np.delete(solid.tetrahedra, i, axis=1) for i in range(4)])
    inner, times = np.unique(np.sort(faces, axis=1), axis=0, return_counts=True)
    assert set(times) == {1, 2}
    outside = {tuple(face) for face in inner[times == 1].tolist()}
    assert outside == {tuple(face) for face in np.sort(solid.triangles, axis=1).tolist()}


def test_depth_goes_from_the_endocardium_to_the_epicardium(solids):
    solid = solids[0]
    for region, depth in ((ENDOCARDIUM, 0.0), (EPICARDIUM, 1.0)):
        assert (solid.depth[solid.triangles[solid.boundaries == region]] == depth).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_wall_is_written_in_the_world_also_where_that_mirrors_it(heart, tmp_path, mirrored):
    affine = heart.affine @ np.diag([-1.0, 1, 1, 1]) if mirrored else heart.affine
    labels = OrientedLabels(heart.labels, affine)
    manifest = write_meshes(
        tmp_path, labels, frame_s=0.1, title="Test", formats=("vtu", "msh"), correspondence=True, resolution_mm=5
    )
    first, second = manifest["walls"]
    assert first["quality"]["inside_out"] == 0
    assert first["volume_ml"] == pytest.approx((heart.labels[0] == MYO).sum() * np.prod(heart.spacing) / 1000, rel=0.02)
    assert (first["points"], first["tetrahedra"]) == (second["points"], second["tetrahedra"])
    assert (tmp_path / "wall.pvd").read_text().count("<DataSet") == 2
    assert "<UnstructuredGrid>" in (tmp_path / first["files"]["vtu"]).read_text()


def test_a_gmsh_file_names_its_regions(solids, tmp_path):
    write_msh(tmp_path / "wall.msh", _cells(solids[0]))
    text = (tmp_path / "wall.msh").read_text()
    assert '2 1 "ENDOCARDIUM"\n2 2 "EPICARDIUM"\n2 3 "BASE"\n3 4 "MYOCARDIUM"' in text
    elements = text.split("$Elements\n")[1].splitlines()
    assert int(elements[0]) == len(solids[0].tetrahedra) + len(solids[0].triangles)
    assert np.array(elements[1].split(), int).tolist() == [1, 4, 2, 4, 4, *(solids[0].tetrahedra[0] + 1)]
