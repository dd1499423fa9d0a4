"""Where a model lies, by what a person calls it."""

from __future__ import annotations

from pathlib import Path

from cheart.io.hub import HUB, pull

BUNDLED = "bundled"
"""What the model that comes with cheart is called."""

CARDS = ("card.md", "README.md")
"""A model's card: here, and on the Hugging Face Hub."""

CLINICAL = "clinical"
"""What the model that completes patients' hearts is called: motion, learnt of simulated patients; it comes too."""

PAPER = "paper"
"""What the paper's own network, trained to the end on the half grid, is called; it comes with cheart too."""

BUNDLED_FOLDER, CLINICAL_FOLDER, PAPER_FOLDER = (
    Path(__file__).parents[1] / "weights" / name for name in (BUNDLED, CLINICAL, PAPER)
)


def find_model(name: Path | str) -> Path:
    """The folder of a model.

    Args:
        name: ``bundled`` is the one that comes with cheart, ``clinical`` the one for completing patients' hearts and
            ``paper`` the paper's own network, which come with it too (folders of one's own of these names are
            ``./bundled`` and so on), ``hf://owner/name`` or ``hf://owner/name@revision`` one on the Hugging Face Hub,
            anything else a folder.

    Raises:
        InputError: a model on the Hub that cannot be had.
    """
    if isinstance(name, str) and name.startswith(HUB):
        return pull(name)
    if isinstance(name, Path):
        return name
    return {BUNDLED: BUNDLED_FOLDER, CLINICAL: CLINICAL_FOLDER, PAPER: PAPER_FOLDER}.get(name, Path(name))
