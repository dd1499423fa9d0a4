import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cheart

HEAVY = "{'numpy', 'torch', 'pandas', 'scipy', 'zarr', 'nibabel', 'matplotlib', 'cheart.schemas'}"


def heavy_after(code: str) -> str:
    """What of the heavy packages a fresh Python has imported after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(sorted({HEAVY} & set(sys.modules)), file=sys.stderr)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stderr.strip()


def test_importing_cheart_imports_nothing_heavy():
    assert heavy_after("import cheart\nassert cheart.__version__") == "[]"


@pytest.mark.parametrize("words", [["--help"], ["import", "--help"]], ids=" ".join)
def test_help_imports_nothing_heavy(words):
    code = f"from cheart.cli.main import app\nimport contextlib\nwith contextlib.suppress(SystemExit): app({words})"
    assert heavy_after(code) == "[]"


def test_the_check_would_notice():
    assert "numpy" in heavy_after("import cheart\ncheart.Grid")


@pytest.mark.parametrize("name", cheart.__all__)
def test_every_name_that_is_offered_is_there(name):
    assert name in dir(cheart)
    assert getattr(cheart, name) is not None


def test_the_names_are_those_of_the_modules():
    from cheart.cohort import Cohort
    from cheart.model import load

    assert cheart.Cohort is Cohort
    assert cheart.load is load


def test_another_name_is_refused_as_python_does_it():
    with pytest.raises(AttributeError, match="no attribute 'Hart'"):
        cheart.Hart  # noqa: B018


def test_a_type_checker_sees_what_is_looked_up_lazily():
    tree = ast.parse(Path(cheart.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == cheart._HOMES
    assert {*seen, "__version__"} == set(cheart.__all__)
    assert (Path(cheart.__file__).parent / "py.typed").is_file()
