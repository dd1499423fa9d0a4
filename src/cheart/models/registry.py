"""Models by name: those that come with cheart, and those from outside.

    @register("mine")                        a class that has been imported
    [project.entry-points."cheart.models"]   a class of an installed package, imported when it is asked for
    path/to/file.py:Mine                     a class of a file, executed when a person names it

Nothing else runs a file: a trained model that came of one is read back only after its file was named again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from cheart.errors import InputError
from cheart.files import FILE_MODULE, from_file
from cheart.models.base import HeartModel, Style

PAPER_MODELS = ("cheart", "cvae", "cvae-gan", "cgan", "pca", "ridge", "mean-beat")
"""CHeart, the paper's baselines and what is simpler, in the order of tables and figures."""

BUILT_IN = {
    "cheart": "cheart.models.cheart",
    "cvae": "cheart.models.cvae",
    "cvae-gan": "cheart.models.cvae_gan",
    "cgan": "cheart.models.cgan",
    "pca": "cheart.models.pca",
    "ridge": "cheart.models.ridge",
    "mean-beat": "cheart.models.ridge",
    "motion": "cheart.models.motion",
}
"""The models that come with cheart, and the modules that register them."""

GROUP = "cheart.models"
"""The group of entry points."""

_OTHER_COLOURS = ("#5b7a1f", "#8a5a3b", "#4a5a8a")

ModelType = TypeVar("ModelType", bound=type[HeartModel])
ModelName = str | type[HeartModel]
"""How a model is named: a registered name, ``path/to/file.py:Class``, or the class itself."""

_registered: dict[str, type[HeartModel]] = {}
_sources: dict[str, str] = {}


def register(name: str) -> Callable[[ModelType], ModelType]:
    """Make a model known by a name, which becomes its ``name``.

    >>> @register("mine")                                                       # doctest: +SKIP
    ... class Mine(HeartModel): ...

    Raises:
        InputError: it is no HeartModel, or another class has this name. A class may be defined anew, as in a notebook.
    """

    def decorate(kind: ModelType) -> ModelType:
        if not (isinstance(kind, type) and issubclass(kind, HeartModel)):
            raise InputError(f"model {name!r}: {kind!r} is not a subclass of cheart.HeartModel")
        known = _registered.get(name)
        where = f"{kind.__module__}.{kind.__qualname__}"
        if BUILT_IN.get(name, kind.__module__) != kind.__module__ or (known and _where(known) != where):
            taken = BUILT_IN[name] if name in BUILT_IN else _where(known) if known else ""
            raise InputError(f"model {name!r}: the name belongs to {taken} already; choose another for {where}")
        kind.name = name
        if "style" not in vars(kind):
            kind.style = _default_style(name)
        _registered[name] = kind
        return kind

    return decorate


def registered() -> tuple[str, ...]:
    """The names of all models that can be asked for by name: those of cheart first."""
    return tuple(dict.fromkeys([*BUILT_IN, *_registered, *(point.name for point in _entry_points())]))


def model_class(name: ModelName) -> type[HeartModel]:
    """A model's class by its registered name, or from ``path/to/file.py:Class``, whose file is then executed.

    Raises:
        InputError: no model of that name, no such file or class, or a class that is not a HeartModel.
    """
    if not isinstance(name, str):
        return _accept(name, getattr(name, "name", name.__name__.lower()), repr(name))
    if name in BUILT_IN:
        import_module(BUILT_IN[name])
    elif ".py:" in name:
        return _from_file(name)
    elif name not in _registered:
        for point in _entry_points():
            if point.name == name:
                return _accept(point.load(), name, f"{name!r}, the entry point {point.value},")
        raise InputError(
            f"model {name!r}: expected one of {', '.join(registered())}, or path/to/file.py:Class for one of your own"
        )
    return _registered[name]


def style_of(name: str) -> Style:
    """How tables and figures show a model, or anything else that stands in a model's place."""
    known = name in BUILT_IN or name in _registered
    return model_class(name).style if known else _default_style(name)


def source_of(kind: type[HeartModel]) -> str | None:
    """Where a model from outside came from, for its config.json; None for cheart's own.

    The name of a file is the one that the user gave; all others are found by their registered name.
    """
    return None if kind.name in BUILT_IN else _sources.get(kind.name, f"{kind.__module__}:{kind.__qualname__}")


def passport(kind: type[HeartModel]) -> ModelName:
    """What :func:`model_class` finds this class by in another process, which has imported nothing yet."""
    if kind.__module__.startswith(FILE_MODULE):
        return f"{sys.modules[kind.__module__].__file__}:{kind.__qualname__}"
    found_by_name = kind.name in BUILT_IN or any(point.name == kind.name for point in _entry_points())
    return kind.name if found_by_name else kind


def find_trained(name: str, source: str | None, model: ModelName | None) -> type[HeartModel]:
    """The class of a trained model.

    Args:
        name: of the model, as its config.json has it.
        source: of :func:`source_of`.
        model: what the user says it is; None if nothing.

    Raises:
        InputError: it is another model than the user says, or one from outside that nobody has named or registered.
    """
    if model is not None:
        kind = model_class(model)
        if kind.name != name:
            raise InputError(f"this is a {name} model, not {kind.name!r} of {model}")
        return kind
    if source is not None and name not in registered():
        where = source if ".py:" in source else f"path/to/file.py:{source.rpartition(':')[2]}"
        raise InputError(
            f"this is a {name} model of {source}, and cheart runs no file that you have not named: say "
            f'--model {where}, or cheart.load(folder, model="{where}"), or import the module that registers it'
        )
    return model_class(name)


def _entry_points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _from_file(name: str) -> type[HeartModel]:
    kind = from_file(name, what="model")
    kind = _accept(kind, getattr(kind, "name", name.rpartition(":")[2].lower()), repr(name))
    _sources[kind.name] = name
    return kind


def _accept(kind: Any, name: str, what: str) -> type[HeartModel]:
    """Register a class that was found, unless it has done so itself."""
    if not (isinstance(kind, type) and issubclass(kind, HeartModel)):
        raise InputError(f"model {what} is not a subclass of cheart.HeartModel")
    return kind if _registered.get(name) is kind else register(name)(kind)


def _where(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _default_style(name: str) -> Style:
    return Style(name, _OTHER_COLOURS[sum(map(ord, name)) % len(_OTHER_COLOURS)], (0, (4, 1, 1, 1)), "P")
