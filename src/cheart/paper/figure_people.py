"""Fig. 4: the heart of a person beside hearts that a model generated for the same conditions."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.lines import Line2D

from cheart.conditions import describe
from cheart.evaluation.completion import encoded_conditions
from cheart.heart import Heart
from cheart.hearts import person_seed
from cheart.labels import LV, RV, hex_colour
from cheart.model import Model
from cheart.models.registry import style_of
from cheart.paper.figure_page import DPI, WIDTH, Drawn, Material, show, solid, tight
from cheart.phenotypes import Phenotypes
from cheart.plot.style import GREY, Sheet, structure_legend
from cheart.plot.views import Image, window_around

GENERATED = 5
"""Hearts a person beside the person's own, as in the paper."""

YOUNG, OLD = 25.0, 65.0
"""The woman and the man whose ages come nearest to these are shown."""

_LEFT, _HEAD, _NUMBERS, _BETWEEN, _FOOT = 1.14, 0.32, 0.34, 0.08, 0.26  # inches


@dataclass(frozen=True, eq=False)
class Person:
    """One person's own heart and the generated ones.

    Attributes:
        number: in the split, from 1.
        words: the conditions, a line each.
        hearts: the person's own heart first.
    """

    number: int
    words: tuple[str, ...]
    hearts: tuple[Heart, ...]


def draw(material: Material) -> Drawn:
    """Choose two people, generate their hearts and draw them.

    Raises:
        CannotDraw: no model generates, or there is nobody to show.
    """
    name, model = material.lead("generate")
    people, rule = choose_people(material)
    shown = [_gather(material, model, number) for number in people]
    caption = (
        f"The {material.held_out} hearts of two held-out people and {GENERATED} hearts that {style_of(name).label} "
        f"generated for each from the same conditions, at end-diastole (ED) and end-systole (ES), all to one scale. "
        f"Chosen by rule: {rule}. Numbers: cavity volumes at ED and ES in mL, left-ventricular mass in g, ejection "
        f"fractions in %. {material.training_sentence({name: model})} {material.cohort_sentence(len(material.people))} "
        f"Random latents: seed {material.seed}, samples 1 to {GENERATED} of each person as in the tables."
    )
    return Drawn(figure(shown, material.held_out).figure, caption)


def choose_people(material: Material) -> tuple[list[int], str]:
    """The numbers (from 1) of the two people in the split, and the rule in words."""
    people = [material.cohort.conditions(i) for i in material.people]
    chosen = []
    for sex, age in (("F", YOUNG), ("M", OLD)):
        ages = [
            (abs(float(p["age"]) - age), n)  # type: ignore[arg-type]
            for n, p in enumerate(people, start=1)
            if p.get("sex") == sex and p.get("age") is not None
        ]
        chosen += [min(ages)[1]] if ages else []
    if len(chosen) == 2:
        return chosen, f"the woman nearest to {YOUNG:g} and the man nearest to {OLD:g} years"
    return sorted({1, len(people)}), "the first and the last of the split, since age and sex are not known"


def _gather(material: Material, model: Model, number: int) -> Person:
    cohort, index = material.cohort, material.people[number - 1]
    conditions = encoded_conditions(model, cohort, index)
    real = cohort.heart(index)
    seeds = [person_seed(material.seed, number, k) for k in range(GENERATED)]
    made = [model.heart(model.network.generate(conditions, seed=seed), real.cycle_s) for seed in seeds]
    words = describe(cohort.conditions(index), cohort.schema).replace("sbp", "SBP").split(", ")
    return Person(number, tuple(words), (real, *made))


def figure(people: list[Person], held_out: str) -> Sheet:
    """Two rows a person: ED and ES; the person's own heart in the first column."""
    images = _images(people)
    cell = (WIDTH - _LEFT - 0.05) / (GENERATED + 1)
    height = cell * images[0, 0, 0].shape[0] / images[0, 0, 0].shape[1]
    row, block = height + _NUMBERS, 2 * (height + _NUMBERS) + _BETWEEN
    sheet = Sheet(WIDTH, _HEAD + len(people) * block + _FOOT)
    for column in range(GENERATED + 1):
        title = f"Generated {column}" if column else f"Held out\n({held_out})"
        sheet.text(_LEFT + (column + 0.5) * cell, 0.05 if column else 0.02, title, size=7.5, ha="center")
    for i, person in enumerate(people):
        top = _HEAD + i * block
        for k, line in enumerate(person.words):
            sheet.text(0.06, top + height / 2 - 0.4 + k * 0.145, line, size=7)
        for phase in (0, 1):
            sheet.text(_LEFT - 0.08, top + phase * row + height / 2 - 0.06, ("ED", "ES")[phase], size=8, ha="right")
            for column, heart in enumerate(person.hearts):
                x, y = _LEFT + column * cell, top + phase * row
                if (i, column, phase) in images:
                    show(sheet.axes(x, y, cell, height), images[i, column, phase])
                    _write_numbers(sheet, heart.phenotypes, phase, x + cell / 2, y + height + 0.02)
    _part(sheet, _LEFT + cell, _HEAD, len(people) * block - _BETWEEN)
    structure_legend(sheet, size=7)
    sheet.text(
        WIDTH - 0.06, sheet.height - 0.2, "LV, RV: volume in mL · EF: left · right", size=6.5, ha="right", colour=GREY
    )
    return sheet


def _images(people: list[Person]) -> dict[tuple[int, int, int], Image]:
    """Shaded views by person, column and phase (0 ED, 1 ES, where it was observed), all of one scale and size."""
    windows = iter(window_around([heart for person in people for heart in person.hearts]))
    found = {}
    for i, person in enumerate(people):
        for column, (heart, window) in enumerate(zip(person.hearts, windows, strict=False)):
            for phase, frame in enumerate((0, heart.phenotypes.es_frame)):
                if frame is not None:
                    found[i, column, phase] = solid(heart, frame, window, DPI * WIDTH / len(person.hearts))
    return dict(zip(found, tight(list(found.values())), strict=True))


def _write_numbers(sheet: Sheet, measured: Phenotypes, phase: int, x: float, y: float) -> None:
    """Beneath a view: the cavities' volumes, and mass or ejection fractions."""
    lv, rv = (measured.lvesv, measured.rvesv) if phase else (measured.lvedv, measured.rvedv)
    sheet.text(x - 0.05, y, f"LV {lv:.0f}", size=6.5, ha="right", colour=hex_colour(LV))
    sheet.text(x + 0.05, y, f"RV {rv:.0f}", size=6.5, colour=hex_colour(RV))
    below = f"EF {measured.lvef:.0f} · {measured.rvef:.0f} %" if phase else f"mass {measured.lvm:.0f} g"
    sheet.text(x, y + 0.125, below, size=6.5, ha="center", colour=GREY)


def _part(sheet: Sheet, x: float, y: float, height: float) -> None:
    """A line between a person's own heart and the generated ones."""
    ends = [1 - y / sheet.height, 1 - (y + height) / sheet.height]
    sheet.figure.add_artist(Line2D([x / sheet.width] * 2, ends, color=GREY, lw=0.5))
