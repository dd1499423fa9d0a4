"""How a result was made: written into every folder of results."""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any

from cheart._version import __version__

_PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "nibabel", "zarr")


def provenance(**more: Any) -> dict[str, Any]:
    """Versions, command, time, and whatever else is given (seed, fingerprints of the inputs)."""
    return {
        "cheart": __version__,
        "command": " ".join(["cheart", *sys.argv[1:]]) if _is_command_line() else "from Python",
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
    return " ".join(PurePath(word).name if "/" in word or "\\" in word else word for word in command.split(" "))


def _is_command_line() -> bool:
    return sys.argv[0].endswith(("cheart", "cheart/__main__.py"))
