"""Where a model lies, by what a person calls it."""

from __future__ import annotations

from pathlib import Path

from cheart.io.hub import HUB, pull

BUNDLED = "bundled"
"""What the model that comes with cheart is called."""

CARDS = ("card.md", "README.md")
"""A model's card: here, and on the Hugging Face Hub."""

BUNDLED_FOLDER = Path(__file__).parents[1] / "bundled"


def find_model(name: Path | str) -> Path:
    """The folder of a model.

    Args:
        name: ``bundled`` is the one that comes with cheart (a folder of one's own of that name is ``./bundled``),
            ``hf://owner/name`` or ``hf://owner/name@revision`` one on the Hugging Face Hub, anything else a folder.

    Raises:
        InputError: a model on the Hub that cannot be had.
    """
    if isinstance(name, str) and name.startswith(HUB):
        return pull(name)
    return BUNDLED_FOLDER if name == BUNDLED else Path(name)
