"""Fig. 7: a heart through the decades with what has changed, and phenotypes of many hearts by sex and age."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from cheart.conditions import PAPER_SCHEMA, Value, describe
from cheart.errors import CheartWarning, InputError
from cheart.heart import Heart
from cheart.hearts import heart_seed
from cheart.labels import BACKGROUND, COLOURS, LV, MYO, RV
from cheart.model import Model
from cheart.models.registry import style_of
from cheart.paper.figure_page import (
    DPI,
    WIDTH,
    CannotDraw,
    Drawn,
    Material,
    phenotype_columns,
    plain,
    show,
    solid,
    tight,
)
from cheart.paper.figure_people import choose_people
from cheart.phenotypes import PAPER_FIVE
from cheart.plot.style import GREY, Sheet
from cheart.plot.views import INK, Field, Image, Window, cut_fields, long_axis_yx, window_around
from cheart.simulation.cohort import true_hearts

AGES = (25.0, 35.0, 45.0, 55.0, 65.0, 75.0)
"""The middles of the adult decades: a model that knows age in decades and one that knows years are asked alike."""

_TRUE_DRAWS = 20  # a person

SEXES = {"F": ("women", "#b0448c"), "M": ("men", "#2b7a78")}
"""Titles and colours."""

BAND = (0.025, 0.975)

_LEFT, _HEAD, _BETWEEN, _FOOT, _PANEL = 0.62, 0.28, 0.10, 0.30, 1.25  # inches
_SHARPER = 1.35
_GONE = (84, 84, 92)  # of a structure, and nothing is there now
_TINT = 0.20


def draw(material: Material) -> Drawn:
    """Make and draw ageing hearts.

    Raises:
        CannotDraw: no model generates, or it does not know age and sex.
    """
    name, model = material.lead("generate")
    data = _gather(material, model)
    n = len(data.sampled) // (len(SEXES) * len(AGES))
    whose = "the heart of a held-out person" if data.own else "a drawn heart"
    truth = (
        " Dashed: mean and 95 % interval of the simulator's own distribution for the same people, the truth that "
        "the model was to learn."
        if data.truth is not None
        else ""
    )
    low, high = model.encoding.trained["age"]
    beyond = f" Ages beyond the training range ({low:g} to {high:g}) are marked †." if data.beyond else ""
    caption = (
        f"Ageing by {style_of(name).label}. (a) One heart, {whose} ({data.words}), at {AGES[0]:g} to {AGES[-1]:g} "
        f"years with its latent and all other conditions held: shaded views at end-diastole (ED) and end-systole (ES), "
        f"and in the four-chamber-like plane what has changed since {AGES[0]:g}: full colour is what now lies where "
        "something "
        f"else lay, dark grey where now nothing is. (b) Phenotypes of {n} generated hearts a sex and age, weight, "
        f"height and pressure drawn as the training cohort has them at that age: mean and 95 % interval of hearts."
        f"{truth}{beyond} What people of different ages have, not what happens to one person. "
        f"{material.training_sentence({name: model})} {material.cohort_sentence(len(material.people))} "
        f"Seed {material.seed}."
    )
    return Drawn(figure(data).figure, caption)


@dataclass(frozen=True, eq=False)
class Ageing:
    """One heart through the decades, and many.

    Attributes:
        words: the conditions of the one heart's owner, without the age.
        own: whether it is the heart of a held-out person (else its latent was drawn).
        hearts: at each of :data:`AGES`.
        sampled: one row a heart: sex, age, and the five phenotypes.
        truth: the same columns, drawn from the simulator for the same people; None where the cohort is not simulated.
        beyond: the ages outside the training range.
    """

    words: str
    own: bool
    hearts: tuple[Heart, ...]
    sampled: pd.DataFrame
    truth: pd.DataFrame | None
    beyond: tuple[float, ...]


def _gather(material: Material, model: Model) -> Ageing:
    """Make the hearts of Fig. 7.

    Raises:
        CannotDraw: the model does not know age and sex.
    """
    for name in ("age", "sex"):
        if name not in model.encoding.schema.names:
            raise CannotDraw(f"the model does not know {name}; it was trained on {model.trained_on}")
    words, own, hearts = _one_heart(material, model)
    people = [(sex, age, k) for sex in ("F", "M") for age in AGES for k in range(material.samples)]
    sampled = material.each(partial(_sample, model, material.seed), people, "heart")
    measured = pd.DataFrame([heart for heart, _ in sampled])
    low, high = model.encoding.trained["age"]
    beyond = tuple(age for age in AGES if not low <= age <= high)
    return Ageing(words, own, hearts, measured, _truth(material, [person for _, person in sampled]), beyond)


def _one_heart(material: Material, model: Model) -> tuple[str, bool, tuple[Heart, ...]]:
    """The young person of Fig. 4 through the decades."""
    (first, *_), _ = choose_people(material)
    index = material.people[first - 1]
    schema, person = model.encoding.schema, material.cohort.conditions(index)
    known = {name: person[name] for name in schema.names if person.get(name) is not None}
    own = "complete" in model.network.tasks
    heart = material.cohort.heart(index) if own else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CheartWarning)  # the figure marks ages beyond the training range
        made = tuple(model.vary("age", list(AGES), heart=heart, conditions=known, seed=material.seed))
    words = describe(known, schema).replace("sbp", "SBP").split(", ")
    return ", ".join(w for w in words if not w.startswith("age ")), own, made


def _sample(model: Model, seed: int, who: tuple[str, float, int]) -> tuple[dict[str, float | str], dict[str, Value]]:
    """The phenotypes of a heart of (sex, age, number), and the conditions that it was made for.

    The number fixes the latent and how the person differs from the average one of that sex and age, so that a
    number followed through the ages is one person growing older.
    """
    sex, age, number = who
    key = heart_seed(heart_seed(seed, 7), number)
    person, _ = model.resolve_conditions({"age": age, "sex": sex}, unknown="draw", rng=np.random.default_rng(key))
    heart = model.heart(model.network.generate(model.encode(person), seed=key)).phenotypes.row()
    return {"sex": sex, "age": age, **{name: heart[name] for name in PAPER_FIVE}}, person


def _truth(material: Material, people: list[dict[str, Value]]) -> pd.DataFrame | None:
    """What the simulator gives the same people."""
    if not material.simulated or any(p.get(name) is None for p in people for name in PAPER_SCHEMA.names):
        return None
    tables = []
    for number, person in enumerate(people):
        try:
            drawn = true_hearts(material.cohort, person, n=_TRUE_DRAWS, seed=heart_seed(material.seed, number))
        except InputError:  # nobody like that is in the simulator
            continue
        tables.append(drawn[list(PAPER_FIVE)].assign(sex=person["sex"], age=person["age"]))
    return pd.concat(tables, ignore_index=True) if tables else None


# -- drawing -------------------------------------------------------------------------------------------------------


def figure(data: Ageing) -> Sheet:
    """The heart above, the curves below."""
    window = window_around(list(data.hearts))[0]
    frames = [(0, heart.phenotypes.es_frame or 0) for heart in data.hearts]
    rows = [_solids(data, frames, window, 0), _changes(data, frames, window, 0)]
    rows += [_solids(data, frames, window, 1), _changes(data, frames, window, 1)]
    shaded, cut = tight(rows[0] + rows[2]), tight(rows[1] + rows[3])
    n = len(AGES)
    rows = [shaded[:n], cut[:n], shaded[n:], cut[n:]]
    cell = (WIDTH - _LEFT - 0.05) / n
    heights = [cell * row[0].shape[0] / row[0].shape[1] for row in rows]
    lower = _HEAD + sum(heights) + 4 * _BETWEEN + 0.22
    sheet = Sheet(WIDTH, lower + 0.24 + _PANEL + 0.30 + _FOOT)
    for column, age in enumerate(AGES):
        title = f"{age:g} years" + (" †" if age in data.beyond else "")
        sheet.text(_LEFT + (column + 0.5) * cell, 0.06, title, size=7.5, ha="center")
    y = _HEAD
    for title, row, height in zip(("ED", "changed\nat ED", "ES", "changed\nat ES"), rows, heights, strict=True):
        sheet.text(_LEFT - 0.06, y + height / 2 - 0.06 * (1 + title.count("\n")), title, size=7, ha="right")
        for column, image in enumerate(row):
            width = 0.92 * cell
            show(sheet.axes(_LEFT + column * cell + 0.04 * cell, y, width, 0.92 * height), image)
        y += height + _BETWEEN
    sheet.letter(0.04, 0.04, "a")
    _legend(sheet, y)
    sheet.letter(0.04, lower, "b")
    _draw_curves(sheet, data, lower)
    return sheet


def _solids(data: Ageing, frames: list[tuple[int, int]], window: Window, phase: int) -> list[Image]:
    pixels = _SHARPER * DPI * WIDTH / 7
    return [solid(heart, at[phase], window, pixels) for heart, at in zip(data.hearts, frames, strict=True)]


def _changes(data: Ageing, frames: list[tuple[int, int]], window: Window, phase: int) -> list[Image]:
    side = 2 * max(window.half[0], window.half[2])
    square, px_per_mm = Window(window.centre, (side / 2,) * 3), _SHARPER * DPI * WIDTH / 7 / side
    index = long_axis_yx(data.hearts[0])[0]

    def cut(heart: Heart, frame: int) -> list[Field]:
        return cut_fields(heart, frame, "four_chamber", index, square, 2 * px_per_mm)[0]

    then = cut(data.hearts[0], frames[0][phase])
    return [change_image(then, cut(heart, at[phase])) for heart, at in zip(data.hearts, frames, strict=True)]


def structure_at(fields: list[Field]) -> NDArray[np.uint8]:
    """Labels of the smooth fields of a cut (RV, LV with its wall, LV cavity), [height, width]."""
    labels = np.full(fields[0].shape, BACKGROUND, np.uint8)
    for field, label in zip(fields, (RV, MYO, LV), strict=True):
        labels[field > 0.5] = label
    return labels


def change_image(then: list[Field], now: list[Field]) -> Image:
    """What lies now where something else lay then.

    Args:
        then, now: smooth fields of the cuts, each [2 height, 2 width].

    Returns:
        [height, width, 3]: full colours where the structure is another one, dark grey where nothing is now, and a tint
        of the structures where all is as it was; the outlines of now.
    """
    before, after = structure_at(then), structure_at(now)
    paints = np.full((4, 3), 255.0)
    for label, colour in COLOURS.items():
        paints[label] = colour
    changed = (before != after)[..., None]
    full = paints.copy()
    full[BACKGROUND] = _GONE
    full[MYO] = (206, 140, 40)  # the sand of the wall, deeper: on white it would hardly be seen
    image = np.where(changed, full[after], 255 + _TINT * (paints[after] - 255))
    for field in now:
        dy, dx = np.gradient(field)
        away = np.abs(field - 0.5) / np.maximum(np.hypot(dy, dx), 1e-3)
        line = (np.clip(1.8 - away, 0, 1) * (field > 0.02))[..., None]
        image = image + (np.array(INK, float) - image) * line * 0.8
    height, width = (n // 2 for n in image.shape[:2])
    halves = image[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    return np.clip(np.round(halves), 0, 255).astype(np.uint8)


def _legend(sheet: Sheet, y: float) -> None:
    colours = {"LV cavity": COLOURS[LV], "Myocardium": (206, 140, 40), "RV cavity": COLOURS[RV], "nothing": _GONE}
    handles = [Patch(color="#{:02x}{:02x}{:02x}".format(*c), label=name) for name, c in colours.items()]
    handles.append(Patch(facecolor="#f6e9df", edgecolor=GREY, lw=0.4, label="pale: as before"))
    sheet.text(_LEFT, y + 0.005, f"now, where it was something else at {AGES[0]:g}:", size=6.5, colour=GREY)
    corner = ((_LEFT + 2.15) / sheet.width, 1 - (y - 0.055) / sheet.height)
    sheet.figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=corner,
        ncols=5, frameon=False, fontsize=6.5, handlelength=1.0, handleheight=1.0, columnspacing=1.2,
    )  # fmt: skip


def _draw_curves(sheet: Sheet, data: Ageing, top: float) -> None:
    for name, title, x, width in phenotype_columns(0.42):
        axes = sheet.axes(x, top + 0.24, width, _PANEL)
        for sex, (_, colour) in SEXES.items():
            _draw_band(axes, data.sampled[data.sampled["sex"] == sex], name, colour)
            if data.truth is not None:
                _draw_truth(axes, data.truth[data.truth["sex"] == sex], name, colour)
        axes.set(xlim=(AGES[0] - 2, AGES[-1] + 2), xticks=[25, 45, 65], ylim=(0, None))
        axes.set_title(title, pad=3)
        axes.set_xlabel("age (years)")
        plain(axes)
    handles: list[Patch | Line2D] = [Patch(color=c, label=title) for title, c in SEXES.values()]
    if data.truth is not None:
        handles += [
            Line2D([], [], color=GREY, lw=1.2, ls=(0, (4, 1.5)), label="truth, mean"),
            Line2D([], [], color=GREY, lw=0.7, ls=(0, (1.2, 1.2)), label="truth, 95 %"),
        ]
    sheet.figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.36 / sheet.width, 0.0), ncols=4, frameon=False,
        handlelength=2.2, handleheight=0.8, columnspacing=1.5,
    )  # fmt: skip


def _draw_band(axes: Axes, hearts: pd.DataFrame, name: str, colour: str) -> None:
    """Mean and 95 % interval of hearts by age."""
    by_age = hearts.groupby("age")[name]
    mean = by_age.mean()
    ages = mean.index.to_numpy(float)
    axes.fill_between(ages, by_age.quantile(BAND[0]), by_age.quantile(BAND[1]), color=colour, alpha=0.16, lw=0)
    axes.plot(ages, mean, color=colour, marker="o", ms=2.2)


def _draw_truth(axes: Axes, hearts: pd.DataFrame, name: str, colour: str) -> None:
    by_age = hearts.groupby("age")[name]
    mean = by_age.mean()
    ages = mean.index.to_numpy(float)
    axes.plot(ages, mean, color=colour, lw=1.2, ls=(0, (4, 1.5)))
    for quantile in BAND:
        axes.plot(ages, by_age.quantile(quantile), color=colour, lw=0.7, ls=(0, (1.2, 1.2)))
