import json
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.io.nifti import read_label_map
from cheart.labels import LV, SCHEMES, to_canonical
from cheart.mesh.oriented import OrientedLabels
from cheart.mesh.surface import BASE, PARTS
from cheart.mesh.write import FORMATS, write_meshes

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"
GRID = GRIDS["half"]
BEAT = beating_ellipsoids(grid=GRID, frames=3)
TURN = np.array([[0.0, -1.0, 0.0, 30.0], [0.0, 0.0, -1.0, -20.0], [1.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.0, 1.0]])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mesh")
    heart = OrientedLabels.of(BEAT.labels, TURN @ GRID.affine)
    manifest = write_meshes(
        folder, heart, frame_s=0.3, title="Simulated: a test", correspondence=True, resolution_mm=4.0
    )
    return folder, manifest


def _lv_centre(heart: OrientedLabels) -> np.ndarray:
    zyx = np.argwhere(heart.labels[0] == LV).mean(axis=0)
    return heart.affine[:3, :3] @ zyx[::-1] + heart.affine[:3, 3]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("flipped", [False, True])
def test_axes_in_any_order_come_out_base_up_in_the_same_world(order, flipped):
    labels = BEAT.labels[:1].transpose(0, *(axis + 1 for axis in order))
    affine = GRID.affine[:, [*[2 - axis for axis in order][::-1], 3]]
    if flipped:
        along = order.index(0)
        labels = np.flip(labels, along + 1)
        column = 2 - along
        affine[:3, 3] += affine[:3, column] * (GRID.shape[0] - 1)
        affine[:3, column] *= -1
    heart = OrientedLabels.of(labels, affine)
    assert heart.spacing == pytest.approx(GRID.spacing)
    areas = (heart.labels[0] == LV).sum(axis=(1, 2))
    assert np.argmax(areas) > np.flatnonzero(areas).mean(), "the cavity is widest at its base, which is up"
    assert _lv_centre(heart) == pytest.approx(_lv_centre(OrientedLabels(BEAT.labels, GRID.affine)))


@pytest.mark.slow
def test_the_manifest_says_what_there_is(written):
    folder, manifest = written
    assert manifest == json.loads((folder / "surfaces.json").read_text())
    assert manifest["regions"] == {"0": "WALL", "1": "BASE"}
    assert manifest["units"]["length"] == "mm"
    assert [f["time_s"] for f in manifest["frames"]] == [0.0, 0.3, 0.6]
    assert len(manifest["surfaces"]) == 3 * len(PARTS)
    for row in manifest["surfaces"]:
        assert row["watertight"]
        assert abs(row["volume_error"]) < 0.02
        assert all((folder / name).is_file() for name in row["files"].values())
    assert len({row["vertices"] for row in manifest["surfaces"] if row["part"] == "rv_endocardium"}) == 1


def test_a_frame_without_a_heart_is_left_out(tmp_path):
    labels = BEAT.labels.copy()
    labels[1] = 0
    heart = OrientedLabels.of(labels, GRID.affine)
    manifest = write_meshes(tmp_path, heart, frame_s=float("nan"), title="", formats=("stl",), resolution_mm=6.0)
    assert manifest["frames_left_out"] == [1]
    assert {row["frame"] for row in manifest["surfaces"]} == {0, 2}


def test_an_unknown_scheme_is_refused():
    with pytest.raises(InputError, match=r"no RV cavity.*--scheme"):
        OrientedLabels.of(np.where(BEAT.labels == 3, 0, BEAT.labels).astype(np.uint8), GRID.affine)


def test_stl_lies_in_the_world_and_looks_outward(written):
    folder, manifest = written
    raw = (folder / "stl/lv_endocardium_t00.stl").read_bytes()
    assert b"mm" in raw[:80]
    (count,) = struct.unpack_from("<I", raw, 80)
    faces = np.frombuffer(raw, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("region", "<u2")], offset=84)
    assert len(faces) == count == manifest["surfaces"][0]["faces"]
    a, b, c = faces["corners"].astype(float).transpose(1, 0, 2)
    volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6000
    assert volume == pytest.approx(manifest["surfaces"][0]["volume_ml"], rel=1e-3)
    up = TURN[:3, :3] @ [0, 0, 1]
    assert faces["normal"][faces["region"] == BASE] @ up == pytest.approx(1.0, abs=1e-3)
    expected = _lv_centre(OrientedLabels(BEAT.labels, TURN @ GRID.affine))
    assert faces["corners"].mean(axis=(0, 1)) == pytest.approx(expected, abs=6.0)


def test_a_left_handed_input_still_looks_outward(tmp_path):
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0]) @ GRID.affine
    manifest = write_meshes(
        tmp_path, OrientedLabels.of(BEAT.labels[:1], mirror), frame_s=1.0, title="", formats=("ply",), resolution_mm=6.0
    )
    assert all(row["volume_ml"] > 0 for row in manifest["surfaces"])


def test_the_collection_orders_files_in_time(written):
    folder, _ = written
    sets = ElementTree.parse(folder / "heart.pvd").getroot().findall(".//DataSet")
    assert [float(s.attrib["timestep"]) for s in sets[::3]] == [0.0, 0.3, 0.6]
    assert {s.attrib["name"] for s in sets} == set(PARTS)
    assert all((folder / s.attrib["file"]).is_file() for s in sets)


def test_the_glb_holds_a_beat(written):
    folder, _ = written
    raw = (folder / "heart.glb").read_bytes()
    assert struct.unpack_from("<4sII", raw) == (b"glTF", 2, len(raw))
    size, kind = struct.unpack_from("<I4s", raw, 12)
    assert kind == b"JSON"
    document = json.loads(raw[20 : 20 + size])
    views, accessors = document["bufferViews"], document["accessors"]
    assert max(v["byteOffset"] + v["byteLength"] for v in views) == document["buffers"][0]["byteLength"]
    assert all(v["byteOffset"] % 4 == 0 for v in views)
    assert {m["name"] for m in document["meshes"]} == set(PARTS)
    for mesh in document["meshes"]:
        assert len(mesh["weights"]) == 2
        assert [p["extras"]["region"] for p in mesh["primitives"]] == ["WALL", "BASE"]
        for primitive in mesh["primitives"]:
            count = accessors[primitive["attributes"]["POSITION"]]["count"]
            assert {accessors[i]["count"] for target in primitive["targets"] for i in target.values()} == {count}
    (sampler,) = document["animations"][0]["samplers"]
    assert accessors[sampler["input"]]["max"] == pytest.approx([0.9])
    assert accessors[sampler["output"]]["count"] == 4 * 2


def test_other_programs_read_the_same_surface(written):
    trimesh = pytest.importorskip("trimesh")
    folder, manifest = written
    for row in manifest["surfaces"][:4]:
        for kind in ("stl", "ply"):
            mesh = trimesh.load(folder / row["files"][kind])
            assert mesh.is_watertight
            assert mesh.is_winding_consistent
            assert mesh.volume / 1000 == pytest.approx(row["volume_ml"], rel=1e-3)
    scene = trimesh.load(folder / "heart.glb")
    assert len(scene.geometry) == 6
    assert np.ptp(scene.bounds, axis=0).max() < 0.2, "metres"


def test_paraviews_library_reads_the_collection(written):
    pyvista = pytest.importorskip("pyvista")
    folder, manifest = written
    reader = pyvista.get_reader(folder / "heart.pvd")
    assert list(reader.time_values) == [0.0, 0.3, 0.6]
    for row in manifest["surfaces"][:4]:
        mesh = pyvista.read(folder / row["files"]["vtp"])
        assert mesh.n_open_edges == 0
        assert mesh.is_manifold
        assert mesh.volume / 1000 == pytest.approx(row["volume_ml"], rel=1e-3)
        assert set(np.unique(mesh.cell_data["region"])) == {0, 1}
    later = pyvista.read(folder / manifest["surfaces"][3]["files"]["vtp"])
    assert set(later.array_names) == {"region", "area_strain", "wall_thickness", "displacement"}
    first = pyvista.read(folder / manifest["surfaces"][0]["files"]["vtp"])
    assert later.points - later.point_data["displacement"] == pytest.approx(first.points, abs=1e-3)
    assert np.nanmean(later.point_data["wall_thickness"]) > np.nanmean(first.point_data["wall_thickness"])


def test_formats_are_what_is_written(written):
    folder, _ = written
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["heart.pvd", "heart.glb", "wall.pvd", "surfaces.json", *(f for f in FORMATS if f != "glb")]
    )


@pytest.mark.real_data
@pytest.mark.skipif(not (REAL / "acdc-training").is_dir(), reason="shared/data/acdc-training is absent")
@pytest.mark.parametrize("patient", ["patient001", "patient041", "patient090"])
def test_real_thick_slices_make_closed_surfaces(patient):
    for path in sorted((REAL / "acdc-training" / patient).glob("*_gt.nii.gz")):
        stored = read_label_map(path, spacing="pixdim")
        heart = OrientedLabels.of(to_canonical(stored.labels, SCHEMES["acdc"]), stored.affine)
        for part in PARTS:
            surface = heart.surface(0, part, 2.0)
            assert surface.watertight
            assert surface.volume_ml == pytest.approx(heart.voxel_ml(0, part), rel=0.02)
            assert surface.quality.mean() > 0.8
