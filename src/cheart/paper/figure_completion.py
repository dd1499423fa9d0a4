"""Fig. 3: a held-out heart over the cycle beside what each model made of its first frame, and Dice by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from cheart.cohort import Cohort
from cheart.evaluation.completion import COPIED, complete_subject
from cheart.heart import Heart
from cheart.labels import STRUCTURES, TITLES
from cheart.metrics.overlap import dice
from cheart.model import Model
from cheart.models.base import Style
from cheart.models.registry import style_of
from cheart.paper.figure_page import DPI, INK_HEX, WIDTH, CannotDraw, Drawn, Material, plain, show, solid, tight
from cheart.plot.style import GREY, Sheet, structure_legend
from cheart.plot.views import Field, Image, Window, cut_fields, cut_image, long_axis_yx, window_around

FRAMES = 4
"""Fewer observed frames are no cycle to show."""

_COPY_LOOK = Style(COPIED, GREY, (0, (1, 1)), "")
_LEFT, _HEAD, _CELL, _BETWEEN, _FOOT, _CURVES = 0.68, 0.36, 0.78, 0.16, 0.42, 1.36  # inches
_SHARPER = 1.35  # images are cut down to what they show and then drawn larger
_DASHES = (0, (2.2, 1.4))


@dataclass(frozen=True, eq=False)
class Completions:
    """What the figure shows.

    Attributes:
        dice: by model, and of the copied first frame: [N, T, 3], nan in frames that were not observed.
        number: of the subject that is shown, in the split, from 1.
        hearts: that subject's own heart and its completions by model.
        own: the key of its own heart.
    """

    dice: dict[str, NDArray[np.float64]]
    number: int
    hearts: dict[str, Heart]
    own: str


def draw(material: Material) -> Drawn:
    """Complete held-out hearts by every model that can and draw them.

    Raises:
        CannotDraw: no model completes, or hearts of which too few frames were observed.
    """
    models = material.able("complete")
    lead, _ = material.lead("complete")
    data = _gather(material, models, lead)
    n = len(next(iter(data.dice.values())))
    caption = (
        f"(a, b) A held-out {material.held_out} heart over the cycle and what each model made of its end-diastole (ED, "
        f"frame 0, the only frame that it saw) and its owner's conditions: (a) shaded, (b) cut along the long axis, "
        f"four-chamber-like, the held-out heart's outlines dashed over the completions. Shown is the person of median "
        f"Dice by {style_of(lead).label}, not the best. (c) Dice of each frame, mean over {n} held-out people; shaded: "
        f"the 95 % interval of the mean. The first frame copied leaves the panels: it falls to {_lowest(data):.2f} on "
        f"average over the structures. ES: the shown heart's end-systole. {material.training_sentence(models)} "
        f"{material.cohort_sentence(len(material.people))} Nothing here is random."
    )
    return Drawn(figure(data).figure, caption)


def _lowest(data: Completions) -> float:
    """The least Dice, mean over people and structures, of the first frame copied."""
    return float(np.nanmin(np.nanmean(data.dice[COPIED], axis=(0, 2))))


def _gather(material: Material, models: Mapping[str, Model], lead: str) -> Completions:
    cohort, rows = material.cohort, material.people[: material.subjects]
    if min(int(cohort.observed[i].any(axis=1).sum()) for i in rows) < FRAMES:
        raise CannotDraw(f"hearts of which fewer than {FRAMES} frames were observed have no cycle to show")
    found = material.each(partial(_dice_of, models, cohort), rows, "subject")
    by_model = {name: np.stack([one[name] for one in found]) for name in found[0]}
    score = np.nanmean(by_model[lead], axis=(1, 2))
    number = 1 + int(np.argsort(score, kind="stable")[(len(score) - 1) // 2])
    index = rows[number - 1]
    own = f"Held out\n({material.held_out})"
    real = cohort.heart(index)
    hearts = {own: real}
    hearts |= {name: complete_subject(model, cohort, index, real) for name, model in models.items()}
    return Completions(by_model, number, hearts, own)


def _dice_of(models: Mapping[str, Model], cohort: Cohort, index: int) -> dict[str, NDArray[np.float64]]:
    """Of one subject, by model: Dice [T, 3]."""
    real = cohort.heart(index)
    made = {name: complete_subject(model, cohort, index, real).labels for name, model in models.items()}
    made[COPIED] = np.broadcast_to(real.labels[:1], real.labels.shape)
    return {name: dice(real.labels, labels, real.observed) for name, labels in made.items()}


def chosen_frames(heart: Heart) -> list[int]:
    """ED, one frame on the way to ES, ES, and frames spread over the filling; observed ones."""
    es = heart.phenotypes.es_frame or heart.frames // 2
    wanted = [0, es / 2, es, *(es + (heart.frames - es) * k / 4 for k in (1, 2, 3))]
    seen = heart.observed_frames
    return sorted({int(seen[np.abs(seen - w).argmin()]) for w in wanted})


# -- drawing -------------------------------------------------------------------------------------------------------


def figure(data: Completions) -> Sheet:
    """Shaded views over long-axis cuts, a row a model, and the Dice curves on the right."""
    own, rows = data.hearts[data.own], len(data.hearts)
    frames, (window,) = chosen_frames(own), window_around([own])
    solids = tight([solid(heart, t, window, _SHARPER * DPI * _CELL) for heart in data.hearts.values() for t in frames])
    cuts = tight([_cut(heart, own, t, window) for heart in data.hearts.values() for t in frames])
    tall = [_CELL * images[0].shape[0] / images[0].shape[1] for images in (solids, cuts)]
    tops = (_HEAD, _HEAD + rows * tall[0] + _BETWEEN)
    sheet = Sheet(WIDTH, tops[1] + rows * tall[1] + _FOOT)
    for column, t in enumerate(frames):
        _head(sheet, own, t, _LEFT + (column + 0.5) * _CELL)
    for row, name in enumerate(data.hearts):
        title = name if name == data.own else style_of(name).label
        for images, height, top in zip((solids, cuts), tall, tops, strict=True):
            y = top + row * height
            sheet.text(_LEFT - 0.06, y + height / 2 - 0.06 * (1 + title.count("\n")), title, size=7, ha="right")
            for column in range(len(frames)):
                axes = sheet.axes(_LEFT + column * _CELL, y, 0.96 * _CELL, 0.96 * height)
                show(axes, images[row * len(frames) + column])
    sheet.letter(0.04, 0.06, "a")
    sheet.letter(0.04, tops[1] - 0.10, "b")
    _draw_curves(sheet, data, _LEFT + len(frames) * _CELL + 0.42)
    structure_legend(sheet, [Line2D([], [], color=INK_HEX, lw=0.8, ls=_DASHES, label="held-out heart")], size=7)
    return sheet


def _head(sheet: Sheet, heart: Heart, t: int, x: float) -> None:
    es = heart.phenotypes.es_frame
    phase = {0: "ED, given", es: "ES"}.get(t, "")
    when = f"{t * heart.frame_s:.2f} s" if np.isfinite(heart.cycle_s) else f"{t / heart.frames:.0%}"
    sheet.text(x, 0.06, phase, size=7, ha="center")
    sheet.text(x, 0.20, when, size=6.5, ha="center", colour=GREY)


def _cut(heart: Heart, own: Heart, t: int, window: Window) -> Image:
    """The heart in the four-chamber-like plane; over a completion the own heart's outlines, dashed."""
    side = 2 * max(window.half[0], window.half[2])
    square, px_per_mm = Window(window.centre, (side / 2,) * 3), _SHARPER * DPI * _CELL / side
    index = long_axis_yx(own)[0]
    image = cut_image(heart, t, "four_chamber", index, square, px_per_mm)
    if heart is own:
        return image
    return outlined(image, cut_fields(own, t, "four_chamber", index, square, px_per_mm)[0])


def outlined(image: Image, fields: Sequence[Field]) -> Image:
    """An image with the 0.5 levels of fields [height, width] of its own size drawn over it, dashed."""
    canvas = Figure(figsize=(image.shape[1] / DPI, image.shape[0] / DPI), dpi=DPI)
    agg = FigureCanvasAgg(canvas)
    axes = canvas.add_axes((0, 0, 1, 1))
    show(axes, image)
    for inside in fields:
        axes.contour(inside, [0.5], colors=INK_HEX, linewidths=0.7 * _SHARPER, linestyles=[_DASHES])
    axes.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    agg.draw()
    return np.asarray(agg.buffer_rgba())[..., :3].copy()


def _draw_curves(sheet: Sheet, data: Completions, x: float) -> None:
    """One panel a structure with Dice by frame, and the legend beneath the lowest."""
    own = data.hearts[data.own]
    legend = 0.135 * len(data.dice) + 0.1
    height = min(1.45, (sheet.height - _HEAD - _FOOT - legend) / len(STRUCTURES) - 0.30)
    # the models' range: on that of the copied first frame they could not be told apart
    low = min(float(np.nanmean(values, axis=0).min()) for name, values in data.dice.items() if name != COPIED)
    es = own.phenotypes.es_frame
    for k, name in enumerate(STRUCTURES):
        axes = sheet.axes(x, _HEAD + k * (height + 0.30), _CURVES, height)
        for model, values in data.dice.items():
            _draw_curve(axes, values[:, :, k], _COPY_LOOK if model == COPIED else style_of(model))
        if es is not None:
            axes.axvline(es, color=GREY, lw=0.6, ls=(0, (3, 3)), zorder=0)
        axes.set(xlim=(0, own.frames - 1), ylim=(np.floor(low * 20 - 0.5) / 20, 1.0), ylabel="Dice")
        axes.set_title(TITLES[name], loc="left", pad=3)
        plain(axes)
    axes.set_xlabel("frame")
    sheet.letter(x - 0.36, 0.06, "c")
    axes.legend(
        loc="upper left", bbox_to_anchor=(-0.1, -0.36 / height), frameon=False, handlelength=2.6, borderaxespad=0,
        labelspacing=0.35,
    )  # fmt: skip


def _draw_curve(axes: Axes, values: NDArray[np.float64], shown: Style) -> None:
    """Mean over subjects of [N, T] with its 95 % interval."""
    n = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    mean, t = np.nanmean(values, axis=0), np.arange(values.shape[1])
    if len(values) > 2:
        half = 1.96 * np.nanstd(values, axis=0, ddof=1) / np.sqrt(n)
        axes.fill_between(t, mean - half, mean + half, color=shown.colour, alpha=0.18, lw=0)
    axes.plot(t, mean, color=shown.colour, ls=shown.dash, label=shown.label)
