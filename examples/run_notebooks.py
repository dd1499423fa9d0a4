"""Run the notebooks of this folder and keep what they print: ``make notebooks``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

LIMIT = 300_000
"""Bytes of a notebook with its outputs."""


def run(path: Path) -> None:
    """Run one in a folder of its own, which is left to nobody."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}})
        client.execute()
    for cell in notebook.cells:
        cell.metadata = {}
        # progress on standard error, and where this machine keeps its files, are of no use to a reader
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)
    size = path.stat().st_size
    print(f"{path.name}: {size / 1000:.0f} kB")
    if size > LIMIT:
        sys.exit(f"{path.name} has more than {LIMIT / 1000:.0f} kB")


if __name__ == "__main__":
    for path in sorted(map(Path, sys.argv[1:]) if sys.argv[1:] else Path(__file__).parent.glob("*.ipynb")):
        run(path)
