"""Figure T, beyond the paper: each model's conditional distribution beside the true one of a simulated cohort."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from cheart.errors import InputError
from cheart.evaluation.tables import PHENOTYPES
from cheart.evaluation.truth import Truthfulness, evaluate_truth, true_phenotypes
from cheart.models.registry import style_of
from cheart.paper.figure_page import INK_HEX, WIDTH, CannotDraw, Drawn, Material, phenotype_columns, plain
from cheart.phenotypes import TITLES
from cheart.plot.style import GREY, Sheet

_LEFT, _HEAD, _PANEL, _GAP, _LOWER, _FOOT = 0.96, 0.30, 0.98, 0.14, 1.10, 0.62  # inches

_MEASURES = (
    ("w1", "W1 (mL, g)", None),
    ("spread", "spread / true spread", 1.0),
    ("coverage", "in the true 90 %", 0.90),
    ("follow", "follows the person", 1.0),
)
"""Key of the summary, title, and what a perfect model has."""


def draw(material: Material) -> Drawn:
    """Judge the generations against the truth and draw it.

    Raises:
        CannotDraw: nothing was generated, or the cohort's truth is not known.
    """
    generations = material.generated
    count = max(len(g.people) for g in generations.values())
    try:
        truths = true_phenotypes(material.cohort, split=material.split, subjects=count, seed=material.seed)
        found = {name: evaluate_truth(generation, truths) for name, generation in generations.items()}
    except InputError as reason:
        raise CannotDraw(str(reason)) from None
    samples = len(next(iter(generations.values())).samples) // count
    draws = next(iter(truths.draws.values())).shape[1]
    models = {name: material.models[name] for name in found}
    caption = (
        f"Generated hearts against the true conditional distribution, which is known because the cohort is simulated. "
        f"(a) Each dot is one of {count} held-out people: the mean of {samples} hearts generated from the person's "
        f"conditions over the mean of {draws} true draws for the same conditions; line: equality, band: the true "
        f"central 90 % of single hearts, slope: 1 where the model follows the person, 0 where it is deaf to "
        f"conditions. (b) By phenotype: W1 to the truth (short bars: a perfect model's, with as many samples), the "
        f"spread of one person's samples over the true one, the fraction of samples in the person's true central 90 % "
        f"interval, and the slope of (a); grey lines: what is right. The truth is exact volumes, the samples are "
        f"counted in voxels. "
        f"{material.training_sentence(models)} {material.cohort_sentence(count)} Seed {material.seed}."
    )
    return Drawn(figure(found).figure, caption)


def figure(by_model: Mapping[str, Truthfulness]) -> Sheet:
    """Means by person, a row a model and a column a phenotype, above the measures by model."""
    rows = list(by_model)
    lower = _HEAD + len(rows) * (_PANEL + _GAP) + 0.52
    sheet = Sheet(WIDTH, lower + _LOWER + _FOOT)
    for name, title, x, width in phenotype_columns(_LEFT):
        sheet.text(x + width / 2, 0.08, title, size=7.5, ha="center")
        for row, model in enumerate(rows):
            axes = sheet.axes(x, _HEAD + row * (_PANEL + _GAP), width, _PANEL)
            _people(axes, by_model, model, name)
            axes.tick_params(labelbottom=row == len(rows) - 1)
            if row == len(rows) - 1:
                axes.set_xlabel("true mean")
            if x == _LEFT:
                axes.set_ylabel("generated mean")
    for row, model in enumerate(rows):
        y = _HEAD + row * (_PANEL + _GAP) + _PANEL / 2 - 0.06
        sheet.text(0.04, y, style_of(model).label, size=7, colour=style_of(model).colour)
    sheet.letter(0.04, 0.04, "a")
    sheet.letter(0.04, lower - 0.26, "b")
    _measures(sheet, by_model, lower)
    return sheet


def _people(axes: Axes, by_model: Mapping[str, Truthfulness], model: str, name: str) -> None:
    """Every person's generated mean over the true mean."""
    people, shown = by_model[model].people, style_of(model)
    x, y = people[f"true_mean_{name}"].to_numpy(float), people[f"mean_{name}"].to_numpy(float)
    reach = float(people[f"true_sd_{name}"].mean()) * 1.645
    low, high = x.min() - 0.4 * reach, x.max() + 0.4 * reach
    ends = np.array([low, high])
    axes.fill_between(ends, ends - reach, ends + reach, color="#ececef", lw=0, zorder=0)
    axes.plot(ends, ends, color=GREY, lw=0.7, zorder=1)
    axes.plot(x, y, ls="", marker=shown.marker, ms=2.2, mew=0, color=shown.colour, alpha=0.75)
    slope = by_model[model].summary()[name]["follow"]
    axes.text(0.04, 0.98, f"slope {slope:.2f}", transform=axes.transAxes, va="top", fontsize=6.5)
    axes.set(xlim=(low, high), ylim=(low - 0.9 * reach, high + 0.9 * reach))
    plain(axes)


def _measures(sheet: Sheet, by_model: Mapping[str, Truthfulness], top: float) -> None:
    gap = 0.46
    width = (WIDTH - 0.44 - 0.06 - gap * (len(_MEASURES) - 1)) / len(_MEASURES)
    summaries = {name: found.summary() for name, found in by_model.items()}
    for k, (key, title, right) in enumerate(_MEASURES):
        axes = sheet.axes(0.44 + k * (width + gap), top, width, _LOWER)
        if right is not None:
            axes.axhline(right, color=GREY, lw=0.7, zorder=0)
        for i, (model, one) in enumerate(summaries.items()):
            shown, place = style_of(model), np.arange(len(PHENOTYPES)) + 0.16 * (i - (len(summaries) - 1) / 2)
            axes.plot(
                place, [one[p][key] for p in PHENOTYPES], ls="", marker=shown.marker, ms=3.6, mew=0,
                color=shown.colour, label=shown.label,
            )  # fmt: skip
            if key == "w1":
                floors = [one[p]["floor"] for p in PHENOTYPES]
                axes.hlines(floors, place - 0.12, place + 0.12, color=INK_HEX, lw=0.8)
        low, high = axes.get_ylim()
        axes.set_ylim(min(0.0, low), {"coverage": 1.02}.get(key, max(high * 1.05, 1.15)))
        axes.set_title(title, loc="left", pad=4)
        axes.set(xticks=range(len(PHENOTYPES)), xlim=(-0.6, len(PHENOTYPES) - 0.4))
        axes.set_xticklabels([TITLES[p] for p in PHENOTYPES], rotation=40, ha="right", rotation_mode="anchor")
        plain(axes)
    handles, labels = axes.get_legend_handles_labels()
    sheet.figure.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(0.36 / sheet.width, 0), ncols=6, frameon=False,
        handletextpad=0.2, columnspacing=1.4,
    )  # fmt: skip
