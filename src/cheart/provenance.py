"""How a result was made: written into every folder of results."""

from __future__ import annotations

import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any

from cheart._version import __version__

_PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "nibabel", "zarr")


def provenance(**more: Any) -> dict[str, Any]:
    """Versions, command, time, and whatever else is given (seed, fingerprints of the inputs)."""
    return {
        "cheart": __version__,
        "command": shlex.join(["cheart", *map(_without_place, sys.argv[1:])]) if _is_command_line() else "from Python",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": _packages(),
        **more,
    }


def versions() -> dict[str, str]:
    """Of cheart, Python and the packages that results depend on."""
    return {"cheart": __version__, "python": platform.python_version(), **_packages()}


def _packages() -> dict[str, str]:
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return packages


def without_places(command: str) -> str:
    """A command with the last name of each path only: what is passed on tells no places of a machine."""
    try:
        words = shlex.split(command)
    except ValueError:  # an apostrophe in a command of before commands were quoted
        words = command.split(" ")
    return shlex.join(PurePath(word).name if "/" in word or "\\" in word else word for word in words)


def _without_place(word: str) -> str:
    """An argument as it would be typed in the working folder; of a path outside of it the last name only."""
    before, equals, path = word.rpartition("=") if word.startswith("-") else ("", "", word)
    place = Path(path)
    if not place.is_absolute():
        return word
    here = Path.cwd()
    return before + equals + (place.relative_to(here).as_posix() if place.is_relative_to(here) else place.name)


def _is_command_line() -> bool:
    return sys.argv[0].endswith(("cheart", "cheart/__main__.py"))


def short_title(title: str) -> str:
    """A cohort's title without how it was imaged, which has no room in a sentence or under a picture."""
    return title.partition(" (")[0]
