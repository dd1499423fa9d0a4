"""What all figures share: ink, legend, volume–time curves, a figure without pyplot's global state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from cheart.conditions import describe
from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import STRUCTURES, TITLES, hex_colour
from cheart.plot.views import INK

TEXT = "#{:02x}{:02x}{:02x}".format(*INK)
GREY = "#75757c"


class Picture(Figure):
    """A figure that a notebook shows as a picture, whether or not pyplot was ever imported."""

    def _repr_png_(self) -> bytes:
        image = BytesIO()
        self.savefig(image, format="png", dpi=80)
        return image.getvalue()


class Sheet:
    """A white figure measured in inches from its left and its top, as one reads."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Picture(figsize=(width, height), facecolor="white")
        FigureCanvasAgg(self.figure)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes whose upper left corner is at (x, y)."""
        return self.figure.add_axes(
            (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        )

    def text(self, x: float, y: float, text: str, *, size: float = 8, ha: str = "left", colour: str = TEXT) -> None:
        """Text whose top is at y."""
        self.figure.text(x / self.width, 1 - y / self.height, text, fontsize=size, ha=ha, va="top", color=colour)

    def letter(self, x: float, y: float, text: str) -> None:
        """A panel's letter, in inches from the left and the top."""
        self.figure.text(x / self.width, 1 - y / self.height, text, fontsize=9, fontweight="bold", va="top", ha="left")


def all_titles(hearts: Sequence[Heart], titles: Sequence[str] | None) -> list[str]:
    """What stands over each heart, such as ``Generated: age 63 years, sex F``; what it is is never left out.

    Raises:
        InputError: no heart, or not one title a heart.
    """
    if not hearts:
        raise InputError("a picture needs at least one heart")
    if titles is not None and len(titles) != len(hearts):
        raise InputError(f"{len(titles)} titles (--title) for {len(hearts)} hearts: give one for each, or none")
    words = titles or [describe(heart.conditions) for heart in hearts]
    return [h.kind.capitalize() + (f": {text}" if text else "") for h, text in zip(hearts, words, strict=True)]


def structure_legend(sheet: Sheet, more: Iterable[Any] = (), *, size: float = 7.5) -> None:
    """What the structures' colours mean, and perhaps more, in the lower left corner."""
    handles = [Patch(color=hex_colour(label), label=TITLES[name]) for name, label in STRUCTURES.items()]
    sheet.figure.legend(
        handles=[*handles, *more], loc="lower left", bbox_to_anchor=(0.03 / sheet.width, 0), ncols=8, frameon=False,
        fontsize=size, handlelength=1.0, handleheight=1.0, borderaxespad=0.4, columnspacing=1.2, labelcolor=TEXT,
    )  # fmt: skip


def foot(sheet: Sheet, hearts: Sequence[Heart], caption: str) -> None:
    """The legend, how the views are turned, and the caption beside it, on the figure's last 0.35 inches."""
    faded = Patch(facecolor="#f1d3cb", edgecolor=GREY, lw=0.4, label="faded: not imaged")
    whole = all(heart.observed.all() for heart in hearts)
    structure_legend(sheet, [] if whole else [faded])
    beside = sheet.width - 0.1 - (2.55 if whole else 3.75)
    lines = wrap(caption, max(24, int(beside / CAPTION_CHARACTER)))
    for k, line in enumerate(reversed(lines)):
        sheet.text(sheet.width - 0.1, sheet.height - 0.24 - 0.11 * k, line, size=7, ha="right", colour=GREY)


CAPTION_CHARACTER = 0.052
"""Width of a character of a caption in inches, a little more than the usual one."""

CAVITIES = ("rv", "lv")
_DOT = {"rv": 5.5, "lv": 3.2}  # where the two agree, both are seen


def cavity_ml(heart: Heart, name: str) -> NDArray[np.float64]:
    """The volume of one cavity in each frame, [T] in mL."""
    return heart.curves[:, list(STRUCTURES).index(name)]


def top_ml(hearts: Sequence[Heart]) -> float:
    """The upper end of a volume axis that all hearts share."""
    return 1.08 * float(np.nanmax(np.concatenate([cavity_ml(heart, name) for heart in hearts for name in CAVITIES])))


def times(heart: Heart) -> NDArray[np.float64]:
    """Time of every frame and of the first one a beat later, [T + 1]: s, or fractions of the cycle."""
    cycle = heart.cycle_s if np.isfinite(heart.cycle_s) else 1.0
    return np.arange(heart.frames + 1) / heart.frames * cycle


def draw_curves(axes: Axes, heart: Heart, top: float) -> None:
    """LV and RV cavity volume in mL over one cycle, closed; frames that were not observed have no point."""
    t, measured = times(heart), heart.phenotypes
    for name in CAVITIES:
        closed = np.append(cavity_ml(heart, name), cavity_ml(heart, name)[0])
        marker = "" if np.isfinite(closed).all() else "o"
        axes.plot(t, closed, color=hex_colour(STRUCTURES[name]), lw=1.5, marker=marker, ms=_DOT[name], clip_on=False)
    if measured.es_frame is not None:
        axes.axvline(t[measured.es_frame], color=GREY, lw=0.6, ls=(0, (3, 3)), zorder=0)
        fractions = {"LVEF": measured.lvef, "RVEF": measured.rvef}  # an RV that nobody traced has none
        text = "   ".join(f"{name} {value:.0f} %" for name, value in fractions.items() if np.isfinite(value))
        axes.text(1, 1, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=7, color=GREY)
    axes.set_xlim(0, t[-1])
    axes.set_ylim(0, top)
    axes.set_ylabel("volume (mL)", fontsize=7.5, color=TEXT, labelpad=2)
    known = np.isfinite(heart.cycle_s)
    axes.set_xlabel("time (s)" if known else "fraction of the cycle", fontsize=7.5, color=TEXT, labelpad=1)
    axes.tick_params(labelsize=7, colors=TEXT, length=2.5, width=0.6, pad=2)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_linewidth(0.6)
