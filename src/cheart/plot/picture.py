"""A still picture of hearts: end-diastole and end-systole in four cuts, and the volume curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cheart.errors import InputError
from cheart.files import new_file
from cheart.heart import Heart
from cheart.plot.style import GREY, TEXT, Picture, Sheet, all_titles, draw_curves, foot, top_ml
from cheart.plot.views import PLANES, Cut, Window, cut_image, long_axis_yx, short_axis_planes, window_around

_DPI = 160
STILL = (".png", ".pdf", ".svg")
"""Kinds of still pictures."""
_VIEW = 1.15  # inches, side of a short-axis view
_GAP = 0.03
_LEFT, _HEAD, _TITLE, _FOOT, _BETWEEN = 0.12, 0.40, 0.24, 0.45, 0.30
_CURVE = 2.1


def save_picture(
    path: Path | str, hearts: Sequence[Heart], *, titles: Sequence[str] | None = None, caption: str = ""
) -> None:
    """Draw hearts at end-diastole and end-systole, one row a heart, all to one scale in mm.

    Each row has three short-axis cuts (base, middle, apex) and one long-axis cut through the LV axis, at ED and at
    ES in the same planes, and the LV and RV volume over the cycle. What was not imaged is faded; a frame that was
    never observed is left out.

    Args:
        path: a ``.png``, ``.pdf`` or ``.svg`` to write.
        hearts: at least one; its kind (simulated, generated …) stands over each.
        titles: what else to say of each; without them, the conditions.
        caption: a line for the foot.

    Raises:
        InputError: no heart, another suffix, or no imaged plane with an LV at end-diastole.
    """
    path = Path(path)
    if path.suffix.lower() not in STILL:
        raise InputError(f"picture {path.name!r}: expected a name that ends in {', '.join(STILL)}")
    figure = picture(hearts, titles=titles, caption=caption)
    with new_file(path) as partial:
        figure.savefig(partial, dpi=_DPI)


def picture(hearts: Sequence[Heart], *, titles: Sequence[str] | None = None, caption: str = "") -> Picture:
    """The figure that :func:`save_picture` writes."""
    words = all_titles(hearts, titles)
    windows = window_around(hearts)
    row = _VIEW * max(1.0, windows[0].half[0] / windows[0].half[2])
    phase_width = 4 * _VIEW + 3 * _GAP
    sheet = Sheet(
        _LEFT + 2 * phase_width + 0.2 + 0.6 + _CURVE + 0.15,
        _HEAD + len(hearts) * (_TITLE + row + _BETWEEN) + _FOOT,
    )
    starts = (_LEFT, _LEFT + phase_width + 0.2)
    _head(sheet, starts, phase_width)
    top = top_ml(hearts)
    for i, (heart, window, title) in enumerate(zip(hearts, windows, words, strict=True)):
        y = _HEAD + i * (_TITLE + row + _BETWEEN)
        sheet.text(_LEFT, y + 0.03, title, size=8.5)
        for x, frame in zip(starts, (0, heart.phenotypes.es_frame), strict=True):
            axes = [sheet.axes(x + k * (_VIEW + _GAP), y + _TITLE, _VIEW, row) for k in range(4)]
            _draw_phase(axes, heart, frame, window)
            if i == 0 and x == starts[0]:
                _scale_bar(axes[0])
        draw_curves(sheet.axes(sheet.width - 0.15 - _CURVE, y + 0.12, _CURVE, row + 0.04), heart, top)
    note = "RV on the left; short axis: anterior up; long axis: base up"
    foot(sheet, hearts, f"{caption}  ·  {note}" if caption else note)
    return sheet.figure


def _head(sheet: Sheet, starts: tuple[float, float], phase_width: float) -> None:
    for x, phase in zip(starts, ("End-diastole", "End-systole"), strict=True):
        sheet.text(x + phase_width / 2, 0.04, phase, size=9.5, ha="center")
        for k, name in enumerate((*PLANES, "4-chamber-like")):
            sheet.text(x + k * (_VIEW + _GAP) + _VIEW / 2, 0.23, name, size=7.5, ha="center", colour=GREY)


def _draw_phase(axes: list[Axes], heart: Heart, frame: int | None, window: Window) -> None:
    px_per_mm = 2 * _DPI * _VIEW / (2 * window.half[2])
    cuts: list[tuple[Cut, int]] = [("short", z) for z in short_axis_planes(heart).values()]
    cuts.append(("four_chamber", long_axis_yx(heart)[0]))
    for axis, (cut, index) in zip(axes, cuts, strict=True):
        axis.set_axis_off()
        if frame is None:
            axis.text(0.5, 0.5, "not observed", transform=axis.transAxes, ha="center", fontsize=7.5, color=GREY)
            continue
        image = cut_image(heart, frame, cut, index, window, px_per_mm)
        tall = window.half[1] if cut == "short" else window.half[0]
        axis.imshow(image, extent=(-window.half[2], window.half[2], -tall, tall), interpolation="antialiased")


def _scale_bar(axis: Axes, mm: float = 20.0) -> None:
    left, low = axis.get_xlim()[0] + 2, axis.get_ylim()[0] + 2
    axis.add_patch(Rectangle((left, low), mm, 1.6, color=TEXT, lw=0))
    axis.text(left + mm / 2, low + 3.5, f"{mm:g} mm", ha="center", va="bottom", fontsize=6, color=TEXT)
