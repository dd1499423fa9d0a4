"""What the documents say is there: every command and option, every public name, every file that is linked."""

import ast
import re
import shlex
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import typer

import cheart
from cheart.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def commands(page: Path) -> list[str]:
    """The lines of a page's blocks of shell that begin with ``cheart``, each command by itself."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), flags=re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part for part in parts if part.startswith("cheart ")]


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda page: page.name)
def test_commands_of_a_page_have_the_options_that_there_are(page):
    root = typer.main.get_command(app)
    for line in commands(page):
        words = shlex.split(line, comments=True)[1:]
        command = root
        while words and hasattr(command, "get_command"):
            context = typer.Context(command)
            if words[0].startswith("-"):
                break
            found = command.get_command(context, words.pop(0))
            assert found is not None, line
            command = found
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        unknown = [word for word in words if re.match(r"--?[a-z]", word) and word.split("=")[0] not in options]
        assert not set(unknown) - {"--help"}, f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_linked_files_are_there(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    files = [link for link in links if not re.match(r"[a-z]+:", link)]
    missing = [link for link in files if not (page.parent / link).exists()]
    assert not missing


def test_every_public_name_has_its_place_on_an_api_page():
    pages = "\n".join(page.read_text() for page in (ROOT / "docs" / "api").glob("*.md"))
    missing = [name for name in cheart.__all__ if name != "__version__" and f"::: cheart.{name}\n" not in pages + "\n"]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_can_be_read_and_use_public_names(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL):
        tree = ast.parse(block)
        uses = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "cheart"
        }
        assert uses <= set(cheart.__all__), page.name


def test_the_picture_of_the_house_has_every_room():
    spec = spec_from_file_location("house", ROOT / "docs" / "pictures" / "house.py")
    house = module_from_spec(spec)
    spec.loader.exec_module(house)
    inside = Path(cheart.__file__).parent
    there = {path.stem for path in inside.glob("*.py")} | {path.parent.name for path in inside.glob("*/__init__.py")}
    assert set(house.floor_of()) == {name for name in there if not name.startswith("_")}
    assert (ROOT / "docs" / "pictures" / "house.svg").read_text() == house.draw()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_sources_that_a_page_names_are_there(page):
    homes = (ROOT, ROOT / "src", ROOT / "src" / "cheart", ROOT / "tests")
    named = re.findall(r"`((?:\w+/)+\w+\.py)\b", page.read_text())
    missing = [name for name in named if not any((home / name).exists() for home in homes)]
    assert not {name for name in missing if not name.startswith(("path/to/", "OUT/"))}
