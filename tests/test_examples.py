"""The notebooks of ``examples/`` run, cell after cell. ``make notebooks`` also keeps what they print."""

import ast
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        code = ast.parse("".join(cell["source"]))
        *_, last = code.body
        exec(compile(code, path.name, "exec"), names)
        if isinstance(last, ast.Expr):  # what a notebook shows of the value
            value = eval(ast.unparse(last), names)
            shown = [f() for name in ("_repr_html_", "_repr_png_") if (f := getattr(value, name, None))]
            assert any(shown) if shown else repr(value)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_there_and_small(path):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1)), "make notebooks"
    assert path.stat().st_size < 300_000
