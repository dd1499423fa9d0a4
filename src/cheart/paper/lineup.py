"""The models as figures show them: one title, one colour and one line each, wherever they appear.

The colours are Okabe and Ito's, which every common colour blindness keeps apart, without those of the structures;
dashes and markers tell the models apart in grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Look:
    """How a model looks.

    Attributes:
        title: as the paper writes it.
        colour: ``#rrggbb``.
        dash: a line style of matplotlib.
        marker: a marker of matplotlib.
    """

    title: str
    colour: str
    dash: Any
    marker: str


_LOOKS = {
    "cheart": Look("CHeart", "#00876c", "-", "o"),
    "pca": Look("PCA", "#7a4f9e", (0, (5, 1.5)), "s"),
    "cvae": Look("CVAE", "#d98c00", (0, (3, 1.2, 1, 1.2)), "^"),
    "cvae-gan": Look("CVAE-GAN", "#c4609a", (0, (1.2, 1.2)), "D"),
    "cgan": Look("CGAN", "#3f9fd4", (0, (6, 1.2, 1, 1.2, 1, 1.2)), "v"),
}
_OTHERS = ("#5b7a1f", "#8a5a3b", "#4a5a8a")


def look(name: str) -> Look:
    """The look of a model by its name in the comparison; another name than the five has its own title."""
    if name in _LOOKS:
        return _LOOKS[name]
    return Look(name, _OTHERS[sum(map(ord, name)) % len(_OTHERS)], (0, (4, 1, 1, 1)), "P")
