"""Importers by name: those that come with cheart, and those from outside.

    @importer("mine")                          a function that has been imported
    [project.entry-points."cheart.importers"]  a function of an installed package, imported when it is asked for
    path/to/file.py:list_mine                  a function of a file, executed when a person names it

An importer takes a folder and lists who is in it, as a :class:`cheart.datasets.recording.Source`; to check the label
maps, to bring them into the template pose and to write them is the same for all. Its keyword parameters are its
options: ``Annotated[type, "help"]`` says once what ``cheart.import_cohort`` takes and ``cheart import`` offers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cheart.errors import InputError
from cheart.files import from_file

if TYPE_CHECKING:
    from cheart.datasets.recording import Source

BUILT_IN = {
    "acdc": ("cheart.datasets.acdc", "The ACDC training set, at ED and ES."),
    "mnms": ("cheart.datasets.mnms", "The M&Ms and M&Ms-2 sets, at ED and ES."),
    "ukbb": ("cheart.datasets.ukbb", "UK Biobank: a folder a participant, and the main table."),
    "ukdhp": ("cheart.datasets.ukdhp", "The UK Digital Heart Project's published label maps, at ED and ES."),
    "sunnybrook": (
        "cheart.datasets.sunnybrook",
        "The Sunnybrook Cardiac Data: contours of the LV at ED and ES, on DICOM.",
    ),
    "meshes": ("cheart.datasets.meshes", "Surfaces of each frame: OBJ, PLY, STL, VTK or VTP."),
    "nifti": ("cheart.datasets.nifti", "A folder of NIfTI label maps and a table of people."),
}
"""The importers that come with cheart: the modules that register them, and a line on each for a list."""

GROUP = "cheart.importers"
"""The group of entry points."""

Importer = Callable[..., "Source"]
Function = TypeVar("Function", bound=Importer)

_registered: dict[str, Importer] = {}


def importer(name: str) -> Callable[[Function], Function]:
    """Make an importer known by a name.

    >>> @importer("mine")                                                                            # doctest: +SKIP
    ... def list_mine(folder: Path, *, table: Annotated[Path, "Who is who."]) -> Source: ...
    """

    def decorate(function: Function) -> Function:
        module = BUILT_IN[name][0] if name in BUILT_IN else function.__module__
        if module != function.__module__:
            raise InputError(f"importer {name!r}: the name is cheart's own; choose another for {function.__qualname__}")
        _registered[name] = function
        return function

    return decorate


def importers() -> dict[str, str]:
    """All importers that can be asked for by name, and a line on each; nothing heavy is imported."""
    lines = {point.name: f"From {point.value}." for point in _entry_points()}
    lines |= {name: (function.__doc__ or "").partition("\n")[0] for name, function in _registered.items()}
    return {name: line for name, (_, line) in BUILT_IN.items()} | {k: v for k, v in lines.items() if k not in BUILT_IN}


def find_importer(name: str) -> Importer:
    """An importer by its name, or from ``path/to/file.py:function``, whose file is then executed.

    Raises:
        InputError: no importer of that name, no such file, or no such function in it.
    """
    if name in BUILT_IN:
        import_module(BUILT_IN[name][0])
    elif ".py:" in name:
        return from_file(name, what="importer")
    elif name not in _registered:
        for point in _entry_points():
            if point.name == name:
                return point.load()
        raise InputError(
            f"importer {name!r}: expected one of {', '.join(importers())}, or path/to/file.py:function for your own"
        )
    return _registered[name]


def options_of(function: Importer) -> list[inspect.Parameter]:
    """An importer's options: its parameters after the folder, their annotations as types."""
    return list(inspect.signature(function, eval_str=True).parameters.values())[1:]


def list_source(name: str, folder: Path, options: Mapping[str, Any]) -> Source:
    """Ask an importer who is in a folder.

    Raises:
        InputError: an option that the importer does not have, one that it needs, or what it refuses itself.
    """
    function = find_importer(name)
    known = {option.name: option for option in options_of(function)}
    unknown = [given for given in options if given not in known]
    needed = [n for n, option in known.items() if option.default is option.empty and n not in options]
    if unknown or needed:
        what = f"has no option {unknown[0]}" if unknown else f"needs {', '.join(needed)}"
        raise InputError(f"importer {name!r} {what}; its options: {', '.join(known) or 'none'}")
    return function(folder, **options)


def _entry_points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))
