"""Models by name, from cheart and from outside."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from cheart.errors import InputError
from cheart.models import registry
from cheart.models.base import HeartModel
from cheart.models.registry import (
    BUILT_IN,
    find_trained,
    model_class,
    passport,
    register,
    registered,
    source_of,
    style_of,
)

FILE = """
from cheart.models.base import HeartModel

class Mine(HeartModel):
    tasks = ("complete",)

class Other:
    pass
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a test registers stays, and nothing that another has registered is there."""
    for name in BUILT_IN:
        model_class(name)
    monkeypatch.setattr(registry, "_registered", {name: registry._registered[name] for name in BUILT_IN})
    monkeypatch.setattr(registry, "_sources", dict(registry._sources))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.py"
    path.write_text(FILE)
    return path


def test_those_of_cheart_are_known_and_say_what_they_are() -> None:
    assert registered()[:5] == ("cheart", "cvae", "cvae-gan", "cgan", "pca")
    for name in BUILT_IN:
        kind = model_class(name)
        assert (kind.name, passport(kind), source_of(kind)) == (name, name, None)
        assert kind.Options()
        assert set(kind.seconds_per_heart) == {"train", *kind.tasks}
    assert len({style_of(name).colour for name in BUILT_IN}) == len(BUILT_IN)


def test_a_class_is_registered_by_the_decorator() -> None:
    @register("mine")
    class Mine(HeartModel):
        tasks = ("generate",)

    assert (model_class("mine"), Mine.name, style_of("mine").label) == (Mine, "mine", "mine")
    assert "mine" in registered()
    assert model_class(Mine) is Mine

    @register("mine")
    class Mine(HeartModel):  # type: ignore[no-redef]  # as in a notebook, where a cell runs twice
        tasks = ("generate",)

    assert model_class("mine") is Mine


@pytest.mark.parametrize("name", ["cheart", "mine"])
def test_a_name_belongs_to_one_class(name: str, file: Path) -> None:
    register("mine")(model_class(f"{file}:Mine"))

    class Another(HeartModel):
        pass

    with pytest.raises(InputError, match=f"model '{name}': the name belongs to .* already"):
        register(name)(Another)


def test_a_file_is_named_with_its_class(file: Path) -> None:
    kind = model_class(f"{file}:Mine")
    assert (kind.name, kind.tasks) == ("mine", ("complete",))
    assert model_class(f"{file}:Mine") is kind
    assert source_of(kind) == passport(kind) == f"{file}:Mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cheert", "model 'cheert': expected one of cheart, cvae, cvae-gan, cgan, pca"),
        ("{file}:Other", "not a subclass of cheart.HeartModel"),
        ("{file}:Nothing", "has no 'Nothing'"),
        ("{file}x.py:Mine", "there is no file"),
    ],
)
def test_what_is_no_model_is_refused(file: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model_class(name.format(file=file))
    with pytest.raises(InputError, match="not a subclass"):
        register("mine")(int)  # type: ignore[type-var]


def test_a_trained_model_runs_no_file_that_nobody_named(file: Path) -> None:
    file.write_text("raise RuntimeError('it was executed')")
    with pytest.raises(InputError, match=f"say --model {file}:Mine, or cheart.load"):
        find_trained("mine", f"{file}:Mine", None)
    file.write_text(FILE)
    assert find_trained("mine", "elsewhere.py:Mine", f"{file}:Mine").name == "mine"
    with pytest.raises(InputError, match="this is a pca model, not 'mine'"):
        find_trained("pca", None, f"{file}:Mine")


def test_an_entry_point_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("installed", "cheart.models.base:HeartModel", registry.GROUP)
    monkeypatch.setattr(registry, "_entry_points", lambda: (point,))
    assert "installed" in registered()
    kind = model_class("installed")
    assert (kind, passport(kind), find_trained("installed", None, None)) == (HeartModel, "installed", HeartModel)
    monkeypatch.delattr(HeartModel, "name")
    monkeypatch.delattr(HeartModel, "style")
