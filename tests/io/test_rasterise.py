import numpy as np
import pytest
import trimesh

from cheart.io.rasterise import closed, enclosed
from cheart.io.surfaces import TriangleMesh
from shells import shell, volume

SHAPE, ORIGIN = (52, 56, 60), np.array([-30.0, -28.0, -26.0])


def ball(radii=(20.0, 20.0, 20.0), **cut):
    mesh = shell(radii, **cut)
    return TriangleMesh(np.array(mesh.vertices), np.array(mesh.faces, np.int64))


def filled(mesh, spacing=1.0):
    return enclosed(mesh, ORIGIN, spacing, SHAPE)


def test_a_closed_surface_is_left_and_holds_what_it_encloses():
    mesh, cap = closed(ball())
    assert cap == 0
    inside = filled(mesh)
    z, y, x = np.indices(SHAPE)
    far = np.linalg.norm(np.stack([x, y, z], -1) + ORIGIN, axis=-1)
    assert inside[far < 19.8].all()
    assert not inside[far > 20].any()
    assert inside.sum() == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)


def test_an_open_half_is_closed_by_a_plane():
    mesh, cap = closed(ball(high=0.0, centre=(0.0, 0.0, 0.5)))
    assert cap == pytest.approx(1 / 3, abs=0.005)  # π r² of 3 π r²
    assert filled(mesh).sum() == pytest.approx(2 / 3 * np.pi * 20**3, rel=0.01)
    assert not filled(mesh)[28:].any()


def test_an_ellipsoid_without_its_ends_gets_two_lids():
    radii, cut = (20.0, 15.0, 25.0), {"low": -0.6, "high": 0.8}
    mesh, cap = closed(ball(radii, **cut))
    assert 0.1 < cap < 0.3
    assert filled(mesh).sum() == pytest.approx(volume(radii, **cut), rel=0.01)


def test_points_on_the_lines_and_coarse_faces_are_counted_once():
    box = trimesh.creation.box(extents=(20, 12, 30))  # corners and edges on voxel centres
    assert filled(closed(TriangleMesh(box.vertices, box.faces))[0]).sum() == 20 * 12 * 30
    assert filled(closed(TriangleMesh(box.vertices, box.faces[:, ::-1]))[0]).sum() == 20 * 12 * 30


def test_faces_in_any_order_and_points_that_faces_do_not_share():
    whole = ball()
    rng = np.random.default_rng(0)
    faces = rng.permutation(whole.faces)
    faces[::3] = faces[::3, ::-1]
    apart = TriangleMesh(whole.vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3))
    mesh, cap = closed(apart)
    assert cap == 0
    assert (filled(mesh) == filled(whole)).all()


def test_what_reaches_beyond_the_voxels_is_cut():
    inside = filled(closed(ball((40.0, 40.0, 40.0)))[0])
    assert inside[:, 28, 30].all()
