import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated

import pytest

import cheart
from cheart.datasets import registry
from cheart.datasets.recording import Recording, Source
from cheart.errors import InputError
from cheart.labels import SCHEMES
from sources import save, stack

MINE = '''
from pathlib import Path
from typing import Annotated

import cheart
from cheart.datasets.recording import Recording, Source
from cheart.labels import SCHEMES


def list_mine(folder: Path, *, age: Annotated[float, "Of all of them, in years."] = 50.0) -> Source:
    """Label maps of the UK Digital Heart Project, one a person of the same age."""
    people = tuple(Recording(path.name[:2], (path,), {"age": age}) for path in sorted(folder.glob("*.nii.gz")))
    return Source("Mine", people, SCHEMES["ukdhp"])
'''


@pytest.fixture
def folder(tmp_path):
    labels, affine = stack(shrinks=(0.0, 0.3))
    for who in ("01", "02"):
        save(tmp_path / "in" / f"{who}.nii.gz", labels, affine, renumber={3: 4})
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


def test_one_from_a_file(folder):
    name = f"{folder / 'mine.py'}:list_mine"
    cohort = cheart.import_cohort(name, folder / "in", folder / "out", age=63.0, grid="quarter", frames=4, jobs=1)
    assert (len(cohort), cohort.info["title"], cohort.warnings) == (2, "Mine", ())
    assert cohort.conditions(1)["age"] == 63


def test_one_that_is_registered(folder, registered):
    @cheart.importer("mine")
    def list_mine(folder: Path, *, table: Annotated[Path, "Who."]) -> Source:
        """Mine."""
        return Source("Mine", (Recording("01", (folder / "01.nii.gz",), {}),), SCHEMES["ukdhp"])

    assert registry.importers()["mine"] == "Mine."
    assert len(cheart.import_cohort("mine", folder / "in", folder / "out", table="t", grid="quarter", jobs=1)) == 1
    with pytest.raises(InputError, match="'mine' needs table; its options: table"):
        cheart.import_cohort("mine", folder / "in", folder / "two")


def test_one_of_a_package(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    point = EntryPoint("theirs", "mine:list_mine", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    assert registry.importers()["theirs"] == "From mine:list_mine."
    assert "mine" not in sys.modules, "a package is imported when its importer is asked for"
    assert registry.find_importer("theirs").__name__ == "list_mine"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("theirs", {}, "expected one of acdc, mnms, .*nifti"),
        ("mine.py:list_mine", {}, "there is no file"),
        (
            "nifti",
            {"labels": "acdc"},
            "has no option labels; its options: participants, scheme, column",
        ),
        ("nifti", {"scheme": "acdc"}, "'nifti' needs participants; its options"),
        ("acdc", {"scheme": "acdc"}, "'acdc' has no option scheme; its options: none"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(tmp_path, name, options, message):
    with pytest.raises(InputError, match=message):
        cheart.import_cohort(name, tmp_path, tmp_path / "out", **options)


def test_a_function_that_the_file_lacks(folder):
    with pytest.raises(InputError, match="has no 'other'"):
        registry.find_importer(f"{folder / 'mine.py'}:other")


def test_the_names_of_cheart_are_taken():
    with pytest.raises(InputError, match="cheart's own"):
        cheart.importer("acdc")(lambda folder: None)
