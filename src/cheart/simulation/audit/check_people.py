"""The people of a cohort and the sizes of their hearts against what is published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from cheart.simulation import reference
from cheart.simulation.audit.verdict import SURE, Row, explained, slope_of, stroke_row, within
from cheart.simulation.phenotypes import UKDHP_MASS
from cheart.simulation.reference import CHIRINOS, HHC, PAPER, UKB, UKDHP

_dependence = partial(Row, "dependence")
_CELL = 30  # people, in a group by sex and decade


def demographics(table: pd.DataFrame) -> list[Row]:
    """Age, sex, weight, height and pressure of a table of people."""
    rows = []
    known = {name: table[name].dropna() for name in ("age", "weight", "height", "sbp", "sex") if name in table}
    bands = {"age": (18, 73, "years"), "weight": (33, 131, "kg"), "height": (142, 195, "cm"), "sbp": (79, 183, "mmHg")}
    for name, (low, high, unit) in bands.items():
        values = known.get(name, pd.Series(dtype=float))
        if len(values):
            ours = f"{values.min():g}–{values.max():g}, mean {values.mean():.1f} ± {values.std():.1f}"
            inside = bool(values.min() >= low and values.max() <= high)
            rows.append(Row("people", f"{name}, {unit}", f"{low}–{high}", ours, inside, PAPER))
    if len(known.get("age", ())) > 1:
        age = known["age"]
        inside = within(age.mean(), 40, 42.6, error=age.std() / len(age) ** 0.5)
        ours = f"{age.mean():.1f} ± {age.std():.1f}"
        rows.append(Row("people", "mean age, years", "41.3 ± 13.0", ours, inside, "Corden 2016"))
    if len(known.get("sex", ())):
        fraction = float((known["sex"] == "F").mean())
        error = float(np.sqrt(0.56 * 0.44 / len(known["sex"])))
        rows.append(Row("people", "women", "56 %", f"{fraction:.0%}", within(fraction, 0.55, 0.57, error=error), PAPER))
    return rows


_UNITS = {"lvedv": "mL", "lvesv": "mL", "rvedv": "mL", "rvesv": "mL", "lvm": "g", "lvef": "%", "rvef": "%"}


def sizes(table: pd.DataFrame) -> list[Row]:
    """Volumes, mass and ejection fractions by sex and decade, of a table with conditions and phenotypes."""
    rows = []
    for quantity in ("lvedv", "lvesv", "rvedv", "rvesv", "lvm", "lvef", "rvef"):
        scale = UKDHP_MASS if quantity == "lvm" else 1.0
        for sex in ("F", "M"):
            cells = _cells(table, quantity, sex, scale) if {"age", "sex"} <= set(table) else []
            rows += _size_rows(quantity, sex, cells) if cells else []
        values = table[quantity].dropna()
        typical = " and ".join(f"{sex} {reference.normal(quantity, sex, 45).mean * scale:.0f}" for sex in ("F", "M"))
        ours = f"{values.mean():.1f} ± {values.std():.1f}"
        name = f"{quantity.upper()}, all, {_UNITS[quantity]}"
        rows.append(Row("size", name, f"at 45: {typical}", ours, None, _source(quantity)))
    mass = table["lvm"].dropna()
    inside = within(mass.mean(), 100, 112, error=mass.std() / len(mass) ** 0.5)
    rows.append(Row("size", "LV mass, mean of all, g", "106 (100–112)", f"{mass.mean():.1f}", inside, UKDHP))
    return [*rows, stroke_row(table, "size")]


def _source(quantity: str) -> str:
    return f"{HHC} × {UKDHP_MASS}" if quantity == "lvm" else HHC


@dataclass(frozen=True)
class _Cell:
    """One sex and decade: departures from the published mean and SD (fractions), and their standard errors."""

    name: str
    mean: float
    mean_error: float
    sd: float
    sd_error: float


def _cells(table: pd.DataFrame, quantity: str, sex: str, scale: float) -> list[_Cell]:
    cells = []
    for low, high in zip(reference.DECADES, (*reference.DECADES[1:], 200), strict=True):
        people = table[(table.sex == sex) & (table.age >= low) & (table.age < high)]
        values = people[quantity].dropna()
        if len(values) < _CELL:
            continue
        published = reference.normal(quantity, sex, float(people.age.mean()))
        mean, sd = published.mean * scale, published.sd * scale
        name = f"{sex} {low}–{high - 1}" if high < 200 else f"{sex} {low}+"
        mean_error, sd_error = (
            values.std() / np.sqrt(len(values)) / mean,
            values.std() / sd / np.sqrt(2 * (len(values) - 1)),
        )
        cells.append(_Cell(name, values.mean() / mean - 1, mean_error, values.std() / sd - 1, sd_error))
    return cells


def _size_rows(quantity: str, sex: str, cells: list[_Cell]) -> list[Row]:
    source = _source(quantity)
    middle = reference.normal(quantity, sex, 45)
    name = f"{quantity.upper()} {sex}"

    def worst(departure: Callable[[_Cell], float], error: Callable[[_Cell], float], band: float) -> tuple[str, bool]:
        cell = max(cells, key=lambda c: abs(departure(c)) - SURE * error(c))
        return f"{departure(cell):+.1%} ({cell.name})", within(departure(cell), -band, band, error=error(cell))

    mean, mean_inside = worst(lambda c: c.mean, lambda c: c.mean_error, 0.05)
    sd, sd_inside = worst(lambda c: c.sd, lambda c: c.sd_error, 0.15)
    scale = UKDHP_MASS if quantity == "lvm" else 1.0
    unit = _UNITS[quantity]
    of_mean, of_sd = f"{middle.mean * scale:.0f} {unit}", f"{middle.sd * scale:.1f} {unit}"
    return [
        Row("size", f"{name}, mean by decade", f"±5 % (at 45: {of_mean})", mean, mean_inside, source),
        Row("size", f"{name}, SD by decade", f"±15 % (at 45: {of_sd})", sd, sd_inside, source),
    ]


_EXPLAINED = {"lvm": (0.60, 0.70), "lvedv": (0.47, 0.57), "lvesv": (0.36, 0.47), "lvef": (-1, 0.10), "rvef": (-1, 0.10)}
_SLOPES = (
    ("lvm", "bmi", 4.3, 7.6, 8.9),
    ("lvm", "sbp", 18.0, 5.9, 7.7),
    ("lvedv", "bmi", 4.3, 4.0, 5.6),
    ("lvedv", "sbp", 18.0, 3.6, 5.4),
)


def dependence(table: pd.DataFrame) -> list[Row]:
    """How much the conditions explain, and the slopes on them, of a table with conditions and phenotypes."""
    needed = ["age", "sex", "weight", "height", "sbp"]
    if not set(needed) <= set(table):
        return []
    people = table.dropna(subset=needed)
    if len(people) < 100:
        return []
    female = (people.sex == "F").to_numpy(float)
    bmi = people.weight / (people.height / 100) ** 2
    rows = []
    for quantity, (low, high) in _EXPLAINED.items():
        x = np.column_stack([people[["age", "weight", "height", "sbp"]], female, female * people.age])
        r2, error = explained(x, people[quantity].to_numpy(float))
        band = f"{low:.2f}–{high:.2f}" if low > 0 else f"≤ {high:.2f}"
        inside = within(r2, low, high, error=error)
        rows.append(_dependence(f"R² of {quantity.upper()} on the five conditions", band, f"{r2:.3f}", inside, UKB))
    x = np.column_stack([people[["age", "height", "sbp"]], bmi, female])
    for quantity, name, per, low, high in _SLOPES:
        slope, error = slope_of(x, np.log(people[quantity].to_numpy(float)), 2 if name == "sbp" else 3)
        inside = within(100 * per * slope, low, high, error=100 * per * error)
        unit = "mmHg" if name == "sbp" else "kg/m²"
        effect = f"{quantity.upper()} per +{per:g} {unit} of {name.upper()}"
        rows.append(_dependence(effect, f"{low:g}–{high:g} %", f"{100 * per * slope:+.1f} %", inside, UKB))
    return rows + _scaling(people) + _ageing(people)


def _scaling(people: pd.DataFrame) -> list[Row]:
    """The exponents of height and of body surface area in LV mass, sexes allowed for."""
    female = (people.sex == "F").to_numpy(float)
    area = np.sqrt(people.weight * people.height / 3600)  # m², Mosteller
    rows = []
    for name, size, published, low, high in (
        ("height", people.height, "1.7 (1.4–2)", 1.4, 2.0),
        ("BSA", area, "about 1 (0.85–1.15)", 0.85, 1.15),
    ):
        x = np.column_stack([np.log(size), female])
        exponent, error = slope_of(x, np.log(people.lvm.to_numpy(float)), 0)
        inside = within(exponent, low, high, error=error)
        quantity = f"LVM by {name}, exponent in each sex"
        rows.append(_dependence(quantity, published, f"{exponent:.2f}", inside, CHIRINOS))
    return rows


def _ageing(people: pd.DataFrame) -> list[Row]:
    rows = []
    concentric = people.lvm / people.lvedv
    for sex, low, high in (("F", -8.0, -4.0), ("M", -10.5, -5.5)):
        own = people[people.sex == sex]
        if len(own) < 50:
            continue
        slope, error = slope_of(own[["age"]].to_numpy(float), own.lvedv.to_numpy(float), 0)
        inside, band = within(10 * slope, low, high, error=10 * error), f"{low:g} to {high:g} mL"
        rows.append(_dependence(f"LVEDV {sex} per decade of age", band, f"{10 * slope:+.1f} mL", inside, HHC))
        slope, error = slope_of(own[["age"]].to_numpy(float), concentric[own.index].to_numpy(float), 0)
        inside, ours = within(slope, 0, np.inf, error=error), f"{10 * slope:+.3f} g/mL"
        rows.append(_dependence(f"mass/volume {sex} per decade of age", "rises", ours, inside, "Cheng 2009"))
    return rows
