"""Whether a source's label maps can be a person's heart as their header and table have it: figures, doubts, refusals.

**Size.** LV and RV volume and LV mass at end-diastole, by body surface (Mosteller) where weight and height are known,
and the length of the LV cavity where they are not. Beyond :data:`SIZES`, which hold sick hearts as well (the 100 of
ACDC lie within), one alone is a doubt. Where all of them are beyond on the same side, or all but one of the four,
voxels have another size than the header says, and the heart is refused: so are hearts of 0.45 or 2.2 times their
size.

**Reference.** Whether the same three lie in the 95 % prediction intervals of healthy people (Raisi-Estabragh and
others, Healthy Hearts Consortium, JACC Cardiovasc Imaging 2024, doi 10.1016/j.jcmg.2024.01.009; 9,088 people; smooth
contours, by body surface), as straight lines in age. A figure for the table: sick hearts lie beyond, and are no
mistake.

**Beat.** A volume curve that falls and rises once has as much variation as twice its range; frames in another order
have several times that (20 shuffled frames four times). End-systole late in the cycle means frames run backwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Value
from cheart.datasets.recording import SourceLabels
from cheart.errors import InputError
from cheart.labels import LV, MYO, MYOCARDIUM_G_PER_ML, RV
from cheart.phenotypes import surface_m2

SIZES = {
    "lvedv": ((40.0, 480.0), (23.0, 280.0), "mL"),
    "rvedv": ((36.0, 430.0), (18.0, 230.0), "mL"),
    "lvm": ((28.0, 340.0), (20.0, 240.0), "g"),
    "lv_length": ((46.0, 130.0), None, "mm"),
}
"""Within what any grown person's heart lies, and any child's too by m² of body surface; and the unit."""

HEALTHY = {
    "lvedv": {"F": (74.8, -2.9, 10.7), "M": (84.9, -3.3, 13.9)},
    "rvedv": {"F": (76.3, -2.7, 11.4), "M": (90.7, -3.9, 14.8)},
    "lvm": {"F": (41.5, -0.3, 5.0), "M": (53.4, -1.0, 6.9)},
}
"""By m² of body surface: at 45 years, change in ten, SD."""

OPEN = 0.5
"""Of the LV cavity's largest area: what both its end slices have only where one lacks the apex."""

CUT = 0.002
"""Of a heart's labelled voxels at ED: how many may lie on the image's border in plane."""

BEATING = 6
"""Frames from which on a volume curve can be judged."""

TURNS, LATE, STILL = 1.8, 0.55, 0.05
"""A curve's variation over twice its range; where in the cycle ES may be; the least ejection fraction."""

CONTRADICTS = 0.05, 0.1
"""The fullest frame beyond the one called ED, of its volume; that called ES above the least, of the stroke volume."""

DOUBTS = {
    "size": "are of a size that hardly anybody's has",
    "cut": "are cut by the field of view",
    "apex": "have no apex",
    "still": "hardly beat",
    "shuffled": "have frames out of order, or an unsteady segmentation",
    "backwards": "have end-systole late in the cycle",
    "ed": "are fuller in another frame than the one called ED",
    "es": "are emptier in another frame than the one called ES",
}
"""Every doubt by its name in the quality table, as words of hearts."""


@dataclass(frozen=True)
class Doubt:
    """Something about a heart that is hardly so.

    Attributes:
        name: a word for the quality table.
        sentence: what was found, what was expected, and what mends it.
        refuse: it cannot be.
    """

    name: str
    sentence: str
    refuse: bool = False


def examine(
    heart: SourceLabels, person: Mapping[str, Value], *, strict: bool = False
) -> tuple[dict[str, Any], tuple[Doubt, ...]]:
    """Figures for the quality table, ``doubts`` among them, and the doubts.

    Args:
        heart: in its own space.
        person: what is known of the owner: age, sex, weight (kg), height (cm).
        strict: refuse what is in doubt too.

    Raises:
        InputError: what cannot be, in one sentence that says how to mend it.
    """
    size, surface = _size(heart), surface_m2(person) or math.nan
    curve = np.array([heart.volume_ml(t, LV) for t in range(len(heart.labels))])
    turns, late = _beat(curve, heart)
    found = (
        *_odd_size(size, surface, heart),
        *_cut(heart),
        *_odd_beat(turns, late, heart),
        *_contradicted(curve, heart),
    )
    for doubt in found:
        if doubt.refuse or strict:
            raise InputError(doubt.sentence)
    indexed = {f"{name}_per_m2": size[name] / surface for name in HEALTHY}
    figures = {
        "bsa_m2": surface,
        **indexed,
        "lv_length_mm": size["lv_length"],
        "reference": _reference(indexed, person),
    }
    beat = {"volume_turns": turns, "es_phase": late}
    return figures | beat | {"doubts": ",".join(doubt.name for doubt in found) or "none"}, found


def _size(heart: SourceLabels) -> dict[str, float]:
    held = np.flatnonzero((heart.labels[heart.ed] == LV).any(axis=(1, 2)))
    return {
        "lvedv": heart.volume_ml(heart.ed, LV),
        "rvedv": heart.volume_ml(heart.ed, RV),
        "lvm": heart.volume_ml(heart.ed, MYO) * MYOCARDIUM_G_PER_ML,
        "lv_length": float(held[-1] - held[0] + 1) * float(np.linalg.norm(heart.affine[:3, 2])),
    }


def _odd_size(size: Mapping[str, float], surface: float, heart: SourceLabels) -> Iterator[Doubt]:
    known = math.isfinite(surface)
    sides, words = [], []
    for name, (grown, by_surface, unit) in SIZES.items():
        limits, value = (by_surface, size[name] / surface) if known else (grown, size[name])
        if limits is None:
            continue
        sides.append(int(value > limits[1]) - int(value < limits[0]))
        if sides[-1]:
            per = f"{unit}/m²" if known else unit
            words.append(f"{name.replace('_', ' ')} {value:.3g} {per}, expected {limits[0]:g} to {limits[1]:g}")
    if not words:
        return
    all_one_side = max(sides.count(1), sides.count(-1)) >= len(sides) - (0 if known else 1)
    voxel = "×".join(f"{length:.3g}" for length in np.linalg.norm(heart.affine[:3, :3], axis=0))
    said = f"the heart is too {'large' if sum(sides) > 0 else 'small'} for a person ({'; '.join(words)}): "
    mend = f"is the voxel size in the header right ({voxel} mm)? mend the header"
    if not known:
        mend += ", give weight and height if it is a child's"
    yield Doubt("size", f"{said}{mend}, or leave the subject out with --skip-bad", refuse=all_one_side)


def _cut(heart: SourceLabels) -> Iterator[Doubt]:
    ed = heart.labels[heart.ed] > 0
    border = ed.copy()
    border[:, 1:-1, 1:-1] = False
    if border.sum() > CUT * ed.sum():
        yield Doubt(
            "cut",
            f"{border.sum()} labelled voxels lie on the image's border: the heart is cut by the field of view, and its "
            "volumes are too small; segment a larger field, or leave the subject out",
        )
    area = (heart.labels[heart.ed] == LV).sum(axis=(1, 2))
    ends = area[np.flatnonzero(area)[[0, -1]]]
    if len(area) > 2 and ends.min() > OPEN * area.max():
        yield Doubt(
            "apex",
            f"both end slices hold LV cavity of more than {OPEN:.0%} of its largest area: the stack does not reach the "
            "apex, and volumes are too small; add the missing slices, or leave the subject out",
        )


def _beat(curve: NDArray[np.float64], heart: SourceLabels) -> tuple[float, float]:
    """Variation of the LV curve over twice its range, and where in the cycle ES is, from ED; nan where unknown."""
    if len(curve) < BEATING or np.ptp(curve) == 0:
        return math.nan, math.nan
    turns = np.abs(np.diff(curve, append=curve[0])).sum() / (2 * np.ptp(curve))
    return float(turns), float((heart.moments[heart.es] - heart.moments[heart.ed]) % 1)


def _odd_beat(turns: float, late: float, heart: SourceLabels) -> Iterator[Doubt]:
    edv, esv = heart.volume_ml(heart.ed, LV), heart.volume_ml(heart.es, LV)
    many = len(heart.labels) > 1
    if many and all(np.array_equal(heart.labels[0], frame) for frame in heart.labels[1:]):
        yield Doubt(
            "still",
            f"all {len(heart.labels)} frames are the same: give the cycle, or end-diastole alone (a 3D file)",
            refuse=True,
        )
    elif many and 1 - esv / edv < STILL:
        yield Doubt(
            "still",
            f"the LV ejects {1 - esv / edv:.1%} of {edv:.0f} mL: does the cycle hold end-systole? name the frames with "
            "the columns ed and es (from 0)",
        )
    elif turns > TURNS:
        yield Doubt(
            "shuffled",
            f"the LV volume goes up and down {turns:.1f} times in the cycle, expected once: are frames out of order? "
            "put them in order; or is their segmentation unsteady?",
        )
    elif late > LATE:
        yield Doubt(
            "backwards",
            f"end-systole comes after {late:.0%} of the cycle, expected {LATE:.0%} at most: do frames run backwards? "
            "turn them round; or does the file hold a part of the cycle only?",
        )


def _contradicted(curve: NDArray[np.float64], heart: SourceLabels) -> Iterator[Doubt]:
    if len(curve) < 2:
        return
    fullest, least, over, above = int(curve.argmax()), int(curve.argmin()), *CONTRADICTS
    if curve[fullest] > (1 + over) * curve[heart.ed]:
        yield Doubt(
            "ed",
            f"frame {fullest} holds {curve[fullest]:.0f} mL of LV cavity, and the one called ED, {heart.ed}, "
            f"{curve[heart.ed]:.0f} mL: mend the column ed (labelled frames numbered from 0), or leave it out",
        )
    if curve[heart.es] - curve[least] > above * (curve[heart.ed] - curve[least]) > 0:
        yield Doubt(
            "es",
            f"frame {least} holds {curve[least]:.0f} mL of LV cavity, and the one called ES, {heart.es}, "
            f"{curve[heart.es]:.0f} mL: mend the column es (labelled frames numbered from 0), or leave it out",
        )


def _reference(indexed: Mapping[str, float], person: Mapping[str, Value]) -> str:
    """Which of the healthy intervals it lies beyond; without age or sex, those of all grown people together."""
    age, beyond = person.get("age"), []
    ages = (float(age),) if isinstance(age, int | float) else (20.0, 80.0)
    for name, lines in HEALTHY.items():
        value = indexed[f"{name}_per_m2"]
        if not math.isfinite(value):
            return "n/a"
        some = [lines[str(person["sex"])]] if person.get("sex") in lines else list(lines.values())
        means = [(at_45 + change * (years - 45) / 10, sd) for at_45, change, sd in some for years in ages]
        if not min(m - 1.96 * sd for m, sd in means) <= value <= max(m + 1.96 * sd for m, sd in means):
            beyond.append(name)
    return "beyond:" + "+".join(beyond) if beyond else "within"
