import json

import pytest
import typer
from typer.testing import CliRunner

from cheart.cli.report import report
from cheart.errors import InputError
from sources import save, stack

app = typer.Typer()
app.command()(report)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    labels, affine = stack(shrinks=(0.0, 0.25), spacing=(10.0, 1.5, 1.5))
    return save(tmp_path_factory.mktemp("input") / "heart.nii.gz", labels, affine)


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.slow
def test_a_page_and_the_same_as_json(source, tmp_path):
    out = tmp_path / "report.html"
    result = run(source, "--age", 63, "--sex", "F", "-o", out, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["conditions"]["age"] == 63
    assert {"lvedv", "lvef", "wall_9"} <= {f["name"] for f in said["findings"]}
    assert "simulated" in said["trained_on"]
    assert said["quality"]["slices_mm"] == 10
    page = out.read_text()
    assert "age 63 years, sex F" in page
    assert "Research only" in page


def test_what_is_refused(source, tmp_path):
    existing = tmp_path / "there.html"
    existing.write_text("")
    assert "--overwrite" in str(run(source, "-o", existing).exception)
    error = run(source, "--age", 63, "-o", tmp_path / "report.doc").exception
    assert isinstance(error, InputError)
    assert ".html or .pdf" in str(error)
