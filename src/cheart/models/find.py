"""Where a model lies, by what a person calls it."""

from __future__ import annotations

from pathlib import Path

BUNDLED = "bundled"
"""What the model that comes with cheart is called."""

BUNDLED_FOLDER = Path(__file__).parents[1] / "bundled"


def find_model(name: Path | str) -> Path:
    """The folder of a model: ``bundled`` is the one that comes with cheart, anything else a path.

    A folder of one's own that is called ``bundled`` is ``./bundled``.
    """
    return BUNDLED_FOLDER if name == BUNDLED else Path(name)
