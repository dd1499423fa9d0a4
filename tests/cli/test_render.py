import json

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from bodies import beating_ellipsoids
from cheart.cli.render import render
from cheart.datasets.recording import TEMPLATE, sidecar_path
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.io.nifti import write_heart

app = typer.Typer()
app.command()(render)


@pytest.fixture(scope="module")
def heart(tmp_path_factory):
    path = tmp_path_factory.mktemp("input") / "sub-1_dseg.nii.gz"
    write_heart(path, beating_ellipsoids(grid=GRIDS["half"], frames=3))
    sidecar_path(path).write_text(json.dumps({"SpatialReference": TEMPLATE}))
    return path


def _run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def _refused(*arguments: object) -> str:
    error = _run(*arguments).exception
    assert isinstance(error, InputError)
    return str(error)


def test_two_hearts_beside_each_other_beat(heart, tmp_path):
    out = tmp_path / "two.gif"
    result = _run(heart, heart, "-o", out, "--title", "age 25", "--title", "age 65")
    assert result.exit_code == 0, result.output
    assert "2 hearts" in result.output
    with Image.open(out) as movie:
        assert movie.n_frames == 3


def test_the_suffix_decides_for_a_still_picture(heart, tmp_path):
    out = tmp_path / "one.png"
    assert _run(heart, "-o", out).exit_code == 0
    assert Image.open(out).format == "PNG"


def test_what_is_there_is_not_replaced_unasked(heart, tmp_path):
    out = tmp_path / "one.png"
    out.write_text("mine")
    assert "--overwrite" in _refused(heart, "-o", out)
    assert out.read_text() == "mine"
    assert _run(heart, "-o", out, "--overwrite").exit_code == 0


def test_bad_requests_name_the_mend(heart, tmp_path):
    assert "one.avi" in _refused(heart, "-o", tmp_path / "one.avi")
    assert "--title" in _refused(heart, "-o", tmp_path / "one.png", "--title", "a", "--title", "b")
    assert "scheme" in _refused(heart, "-o", tmp_path / "one.png", "--scheme", "unknown")
