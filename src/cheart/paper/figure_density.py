"""Fig. 5: phenotypes against age, the density of held-out hearts and of the hearts that each model generated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from cheart.evaluation.tables import PHENOTYPES
from cheart.models.registry import style_of
from cheart.paper.figure_page import INK_HEX, WIDTH, CannotDraw, Drawn, Material, phenotype_columns, plain
from cheart.plot.style import GREY, Sheet

Array = NDArray[np.float64]

FRACTIONS = (0.95, 0.75, 0.50)
"""The contours: the smallest regions that hold these fractions of the density."""

FEWEST = 10
"""People of known age below which there is no density to show."""

_POINTS = 96
_LEFT, _HEAD, _PANEL, _GAP, _FOOT = 0.98, 0.30, 0.98, 0.12, 0.62  # inches


@dataclass(frozen=True)
class Ages:
    """Phenotypes of people of known age.

    Attributes:
        age: [N] years.
        real: by phenotype, [N].
        made: by model and phenotype, [N, K] with K samples a person.
        w1: by model and phenotype, W1 as in Table IV.
    """

    age: Array
    real: dict[str, Array]
    made: dict[str, dict[str, Array]]
    w1: dict[str, dict[str, float]]


def draw(material: Material) -> Drawn:
    """Draw what the judges of generation measured.

    Raises:
        CannotDraw: nothing was generated, or too few ages are known.
    """
    data = _gather(material)
    models = {name: material.models[name] for name in data.made}
    samples = next(iter(next(iter(data.made.values())).values())).shape[1]
    caption = (
        f"Phenotypes against age. Top row: the {material.held_out} hearts of {data.age.size} held-out people (dots) "
        f"and their density. Below: the density of {samples} hearts a person that each model generated from the same "
        f"people's conditions; lines: the contours of the top row. Contours hold 50, 75 and 95 % of a density "
        f"(Gaussian kernels, in every panel of a column of the width that Scott's rule gives the held-out hearts). W1: "
        f"Wasserstein distance of the pooled phenotype, mean over samples, as in Table IV. "
        f"{material.training_sentence(models)} {material.cohort_sentence(data.age.size)} Seed {material.seed}."
    )
    return Drawn(figure(data, material.held_out).figure, caption)


def _gather(material: Material) -> Ages:
    generations = material.generated
    count = min(len(g.people) for g in generations.values())
    ages = [material.cohort.conditions(i).get("age") for i in material.people[:count]]
    known = np.array([a is not None for a in ages])
    if known.sum() < FEWEST:
        raise CannotDraw(f"the age of {int(known.sum())} held-out people is known; a density needs {FEWEST}")
    real: dict[str, Array] = {}
    made: dict[str, dict[str, Array]] = {}
    w1: dict[str, dict[str, float]] = {}
    for name, generation in generations.items():
        made[name] = {}
        for phenotype in PHENOTYPES:
            table = generation.samples.pivot(index="subject", columns="sample", values=phenotype)
            made[name][phenotype] = table.to_numpy(float)[:count][known]
            real[phenotype] = generation.people[f"real_{phenotype}"].to_numpy(float)[:count][known]
        w1[name] = {p: entry["w1"]["mean"] for p, entry in generation.distributions().items()}
    return Ages(np.array([float(a) for a in ages if a is not None]), real, made, w1)


def density(x: Array, y: Array, at_x: Array, at_y: Array, width: tuple[float, float]) -> Array:
    """Gaussian kernel estimate [len(at_y), len(at_x)] of points [n], of widths along x and y, summing to 1."""
    kernels = [np.exp(-0.5 * ((at[:, None] - v) / w) ** 2) for at, v, w in ((at_x, x, width[0]), (at_y, y, width[1]))]
    found = kernels[1] @ kernels[0].T
    return found / found.sum()


def thresholds(values: Array, fractions: tuple[float, ...] = FRACTIONS) -> list[float]:
    """The densities above which the smallest regions hold ``fractions`` of the mass, rising where those fall."""
    ordered = np.sort(values.ravel())[::-1]
    mass = np.cumsum(ordered)
    return [float(ordered[min(int(np.searchsorted(mass, f * mass[-1])), ordered.size - 1)]) for f in fractions]


# -- drawing -------------------------------------------------------------------------------------------------------


def figure(data: Ages, held_out: str) -> Sheet:
    """A row of held-out hearts and one a model; a column a phenotype."""
    rows = ["", *data.made]
    sheet = Sheet(WIDTH, _HEAD + len(rows) * (_PANEL + _GAP) - _GAP + _FOOT)
    for phenotype, title, x, width in phenotype_columns(_LEFT):
        view = _View.of(data, phenotype)
        sheet.text(x + width / 2, 0.08, title, size=7.5, ha="center")
        for row, name in enumerate(rows):
            axes = sheet.axes(x, _HEAD + row * (_PANEL + _GAP), width, _PANEL)
            _panel(axes, data, view, name, phenotype)
            axes.tick_params(labelbottom=row == len(rows) - 1)
            if row == len(rows) - 1:
                axes.set_xlabel("age (years)")
    for row, name in enumerate(rows):
        title = style_of(name).label if name else f"Held out\n({held_out})"
        colour = style_of(name).colour if name else INK_HEX
        y = _HEAD + row * (_PANEL + _GAP) + _PANEL / 2 - 0.06 * (1 + title.count("\n"))
        sheet.text(0.06, y, title, size=8, colour=colour)
    note = "regions: 50, 75 and 95 % of the density · lines: the same of the held-out hearts"
    sheet.text(_LEFT, sheet.height - 0.2, note, size=6.5, colour=GREY)
    return sheet


@dataclass(frozen=True)
class _View:
    """One column's axes: points along age and phenotype, and the kernels' widths."""

    x: Array
    y: Array
    width: tuple[float, float]
    real: Array

    @classmethod
    def of(cls, data: Ages, phenotype: str) -> _View:
        own = ~np.isnan(data.real[phenotype])
        age, real = data.age[own], data.real[phenotype][own]
        sides = tuple(max(float(v.std(ddof=1)), 1e-6) * v.size ** (-1 / 6) for v in (age, real))
        half = 4.2 * max(float(real.std(ddof=1)), 1e-6)
        x = np.linspace(age.min() - 2.5 * sides[0], age.max() + 2.5 * sides[0], _POINTS)
        y = np.linspace(max(0.0, real.mean() - half), real.mean() + half, _POINTS)
        width = (sides[0], sides[1])
        return cls(x, y, width, density(age, real, x, y, width))


def _panel(axes: Axes, data: Ages, view: _View, name: str, phenotype: str) -> None:
    colour = style_of(name).colour if name else "#6a6a72"
    if name:
        made = data.made[name][phenotype]
        ages = np.repeat(data.age, made.shape[1])
        own = ~np.isnan(made.ravel())
        values = density(ages[own], made.ravel()[own], view.x, view.y, view.width)
    else:
        values = view.real
    shades = LinearSegmentedColormap.from_list("", ["white", colour])([0.28, 0.52, 0.80])
    _fill(axes, view, values, shades)
    if name:
        axes.contour(view.x, view.y, view.real, _rising(thresholds(view.real)), colors=INK_HEX, linewidths=0.55)
        if phenotype in data.w1[name]:
            text = f"W1 {data.w1[name][phenotype]:.1f}"
            axes.text(0.97, 0.97, text, transform=axes.transAxes, ha="right", va="top", fontsize=6.5)
    else:
        axes.plot(data.age, data.real[phenotype], "o", ms=1.1, mew=0, color=INK_HEX, alpha=0.7)
    axes.set(xlim=(view.x[0], view.x[-1]), ylim=(view.y[0], view.y[-1]))
    axes.set_xticks([t for t in (20, 40, 60, 80) if view.x[0] <= t <= view.x[-1]])
    plain(axes)


def _fill(axes: Axes, view: _View, values: Array, shades: Array) -> None:
    inside = _rising(thresholds(values))
    axes.contourf(view.x, view.y, values, [*inside, max(float(values.max()), inside[-1] * 1.01)], colors=shades)


def _rising(found: list[float]) -> list[float]:
    """Levels that rise strictly, as matplotlib needs them: a density of few points may have equal ones."""
    return [float(v) for v in np.maximum.accumulate(np.array(found) * (1 + 1e-6 * np.arange(len(found))) + 1e-300)]
