import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from cheart.cli.mesh import mesh as mesh_command
from cheart.errors import InputError
from cheart.mesh import write_solids
from cheart.mesh.write_solids import REGIONS, _failed, save_solids, summary
from solids import beating_walls, fitted

pytestmark = pytest.mark.slow

TURN = np.array([[0.0, -1, 0, 30], [0, 0, -1, -20], [1, 0, 0, 5], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The ellipsoids' solids, which are not fitted anew for it."""
    heart, folder = beating_walls(), tmp_path_factory.mktemp("solids") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_solids, "fit_frames", lambda *_, **__: list(fitted()))
        manifest = save_solids(
            folder, heart.labels, TURN @ heart.grid.affine, frame_s=0.4, formats=("vtu", "msh", "xdmf")
        )
    return folder, manifest


@pytest.mark.slow
def test_the_manifest_says_what_there_is(written):
    folder, manifest = written
    assert manifest == json.loads((folder / "solids.json").read_text())
    assert [*manifest["regions"].values()] == [*REGIONS]
    assert [row["time_s"] for row in manifest["frames"]] == [0.0, 0.4]
    assert manifest["failed"] == []
    for row in manifest["frames"]:
        assert row["inside_out"] == 0
        assert row["scaled_jacobian"]["least"] > 0.01
        assert abs(row["volume_error"]) < 0.02
        assert (folder / row["files"]["vtu"]).is_file()
    named = sorted(path.name for path in folder.iterdir())
    assert named == sorted(
        ["checksums.sha256", "solid.msh", "solid.pvd", "solid.xdmf", "solid_boundary.xdmf", "solids.json", "vtu"]
    )


@pytest.mark.slow
def test_fibres_stand_in_end_diastole_and_displacements_in_every_frame(written):
    folder, manifest = written
    arrays = []
    for row in manifest["frames"]:
        piece = ElementTree.parse(folder / row["files"]["vtu"]).getroot().find(".//Piece")
        assert int(piece.attrib["NumberOfPoints"]) == manifest["points"]
        assert int(piece.attrib["NumberOfCells"]) == manifest["tetrahedra"] + manifest["triangles"]
        arrays.append({a.attrib["Name"] for a in piece.iter("DataArray")})
    assert {"fibre", "sheet", "normal", "lv", "rv", "epi", "apex_base", "region", "displacement"} < arrays[0]
    assert {"region", "displacement"} < arrays[1]


@pytest.mark.slow
def test_groups_of_the_gmsh_file_hold_all_tissues_and_boundaries(written):
    folder, manifest = written
    text = (folder / "solid.msh").read_text()
    elements = text.split("$Elements\n")[1].split("\n$EndElements")[0].splitlines()[1:]
    groups = np.array([line.split()[3] for line in elements], int)
    assert len(groups) == manifest["tetrahedra"] + manifest["triangles"]
    assert {*groups} == set(range(1, len(REGIONS) + 1))
    assert {*groups[: manifest["tetrahedra"]]} == {5, 6, 7}


@pytest.mark.slow
def test_a_summary_is_one_row(written):
    row = summary(written[1])
    assert (row["passed"], row["failed"], row["inside_out"], row["frames"]) == ("yes", "none", 0, 2)
    assert row["lv_wall_ml"] + row["septum_ml"] == pytest.approx(95.6, rel=0.01)


def test_a_frame_that_does_not_pass_a_gate_is_told():
    good = {"scaled_jacobian": {"least": 0.05}, "volume_error": 0.01, "off_mm": {"p95": 0.2}}
    assert _failed([good, good]) == []
    assert _failed([good, {**good, "volume_error": -0.2}]) == ["volume_error"]
    flat = {**good, "scaled_jacobian": {"least": -0.1}, "off_mm": {"p95": 3.0}}
    assert _failed([flat]) == ["scaled_jacobian", "off_mm"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"formats": ("stl",)}, "one or more of vtu, msh, xdmf"),
        ({"formats": ()}, "one or more of vtu, msh, xdmf"),
        ({"rv_wall": 0.2}, "expected 1 to 10 mm"),
        ({"helix": (120, 0)}, "from -90 to 90"),
    ],
)
def test_what_no_solid_can_be_is_refused_and_leaves_nothing(tmp_path, words, told):
    heart = beating_walls()
    with pytest.raises(InputError, match=told):
        save_solids(tmp_path / "out", heart.labels, heart.grid.affine, **words)
    assert not list(tmp_path.iterdir())


def test_labels_without_a_right_ventricle_are_refused(tmp_path):
    heart = beating_walls()
    with pytest.raises(InputError, match="no RV cavity"):
        save_solids(tmp_path / "out", np.where(heart.labels == 3, 0, heart.labels), heart.grid.affine)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"solid": True, "correspondence": True}, "one mesh"),
        ({"solid": True, "resolution": 3.0}, "one mesh"),
        ({"rv_wall": 3.0}, "--rv-wall without --solid"),
        ({"helix": "60,-60"}, "--helix without --solid"),
        ({"solid": True, "helix": "60;-60"}, "such as 60,-60"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, words, told):
    from cheart.io.nifti import write_heart

    write_heart(tmp_path / "a_dseg.nii.gz", beating_walls())
    words = {"formats": None, "scheme": "cheart", "spacing": None, "title": "", **words}
    with pytest.raises(InputError, match=told):
        mesh_command(source=tmp_path / "a_dseg.nii.gz", out=tmp_path / "out", overwrite=False, as_json=False, **{
            "solid": False, "rv_wall": None, "helix": None, "correspondence": False, "resolution": None,
            "strict": False, **words,
        })  # fmt: skip
