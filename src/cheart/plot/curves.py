"""Volume–time curves of the two cavities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from cheart.heart import Heart
from cheart.labels import STRUCTURES, hex_colour
from cheart.plot.style import GREY, TEXT

CAVITIES = ("rv", "lv")
_DOT = {"rv": 5.5, "lv": 3.2}  # where the two agree, both are seen


def cavity_ml(heart: Heart, name: str) -> NDArray[np.float64]:
    """The volume of one cavity in each frame, [T] in mL."""
    return heart.curves[:, list(STRUCTURES).index(name)]


def top_ml(hearts: Sequence[Heart]) -> float:
    """The upper end of a volume axis that all hearts share."""
    return 1.08 * max(float(np.nanmax(cavity_ml(heart, name))) for heart in hearts for name in CAVITIES)


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
        text = f"LVEF {measured.lvef:.0f} %   RVEF {measured.rvef:.0f} %"
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
