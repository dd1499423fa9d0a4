import json

import pytest
import typer
from typer.testing import CliRunner

from bodies import beating_ellipsoids
from cheart.cli.mesh import mesh
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.io.nifti import write_heart

app = typer.Typer()
app.command()(mesh)


@pytest.fixture(scope="module")
def heart(tmp_path_factory):
    path = tmp_path_factory.mktemp("input") / "sub-1_dseg.nii.gz"
    write_heart(path, beating_ellipsoids(grid=GRIDS["half"], frames=2))
    return path


def _run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_surfaces_are_written_and_counted(heart, tmp_path):
    result = _run(heart, "-o", tmp_path / "mesh", "--format", "stl,vtp", "--resolution", "5")
    assert result.exit_code == 0, result.output
    assert "6 surfaces of 2 frames" in result.output
    assert "(6 watertight" in result.output
    assert len(list((tmp_path / "mesh").rglob("*.vtp"))) == 6
    assert json.loads((tmp_path / "mesh/surfaces.json").read_text())["title"] == "cheart surfaces", (
        "not the file's name"
    )


def test_the_manifest_is_printed_as_json(heart, tmp_path):
    result = _run(heart, "-o", tmp_path / "mesh", "--format", "ply", "--resolution", "5", "--json")
    assert len(json.loads(result.stdout)["surfaces"]) == 6


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--format", "obj", "vtp, glb, vtu, msh"),
        ("--resolution", "0.1", "0.8 to 10 mm"),
        ("--scheme", "acdc", "LV"),
    ],
)
def test_bad_requests_leave_nothing_behind(heart, tmp_path, option, value, told):
    error = _run(heart, "-o", tmp_path / "mesh", option, value).exception
    assert isinstance(error, InputError)
    assert told in str(error)
    assert not list(tmp_path.iterdir())
