"""Tables of proper scores, calibration, joint measures and physiology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cheart.evaluation.tables import UNKNOWN, Marks, Table, marked
from cheart.metrics.proper_scores import LEVELS
from cheart.phenotypes import UNITS

_SCORES = (("crps_lvesv", "CRPS LVESV, mL"), ("crps_rvesv", "CRPS RVESV, mL"), ("crps_lvef", "CRPS LVEF, points"),
           ("crps_rvef", "CRPS RVEF, points"), ("energy", "energy, mL"))  # fmt: skip
_PHYSIOLOGY = (
    ("islands", "islands", 2), ("holes", "holes", 2), ("open", "LV open", 2), ("wall", "wall", 3),
    ("later", "ED later", 2), ("rising", "rising", 2), ("seam", "seam", 2),
    ("stroke", f"|LVSV − RVSV|, {UNITS['lvsv']}", 1),
)  # fmt: skip


def prediction_tables(rows: Mapping[str, Mapping[str, Any]], marks: Marks | None = None) -> list[Table]:
    """Scores, and calibration where there is more than one sample a person.

    Args:
        rows: by row, ``Prediction.summary()``.
        marks: of the cells of the scores.
    """
    scores = [
        (
            name,
            *(ranged(one["scores"][key], 2, (marks or {}).get((key, name), "")) for key, _ in _SCORES),
            str(one["samples"]),
        )
        for name, one in rows.items()
    ]
    levels = [f"{round(100 * level)}" for level in LEVELS]
    keys = [*(f"inside_{level}" for level in levels), f"width_{levels[-1]}", "pit", "ratio"]
    heads = ["", *(f"inside {level} %" for level in levels), f"width {levels[-1]} %, points", "PIT", "spread / error"]
    digits = dict.fromkeys(keys, 2) | {f"width_{levels[-1]}": 1}
    calibration = [
        (name, *(number(one["calibration"].get(key), digits[key]) for key in keys))
        for name, one in rows.items()
        if one["calibration"]
    ]
    title = "Prediction of the beat from end-diastole"
    tables = [Table(f"{title}: scores", ("", *(head for _, head in _SCORES), "samples"), tuple(scores), "prediction")]
    if calibration:
        tables.append(Table(f"{title}: calibration", tuple(heads), tuple(calibration), "calibration"))
    return tables


def spread_table(rows: Mapping[str, Mapping[str, float]], groups: Sequence[str]) -> Table:
    """Spread over error by group, by row of ``Prediction.spread``."""
    lines = [(name, *(number(one.get(group), 2) for group in groups)) for name, one in rows.items() if one]
    return Table("Spread over error of LVEF, by group", ("", *groups), tuple(lines), "spread-by-group")


def joint_table(rows: Mapping[str, Mapping[str, Any]], title: str, name: str) -> Table:
    """By row, of :func:`cheart.evaluation.joint.joint`."""
    lines = [
        (
            row, number(one.get("energy"), 3), number(one.get("c2st"), 2), number(one.get("density"), 2),
            f"{one['coverage']:.2f} ({one['expected']:.2f})" if one else UNKNOWN,
        )
        for row, one in rows.items()
    ]  # fmt: skip
    return Table(title, ("", "energy", "C2ST", "density", "coverage (expected)"), tuple(lines), name)


def physiology_table(rows: Mapping[str, Mapping[str, float]]) -> Table:
    """By whose hearts, of :func:`cheart.evaluation.physiology.audit`."""
    lines = [
        (
            name,
            *(number(one[key], digits) for key, _, digits in _PHYSIOLOGY),
            ranged({"value": one["r"], "low": one["r_low"], "high": one["r_high"]}, 2),
        )
        for name, one in rows.items()
    ]
    heads = ("", *(head for _, head, _ in _PHYSIOLOGY), "r of LVEF and RVEF")
    return Table("Physiology", heads, tuple(lines), "physiology")


def number(value: float | None, digits: int) -> str:
    """With so many digits; what is not known as such."""
    return UNKNOWN if value is None or value != value else f"{value:.{digits}f}"


def ranged(entry: Mapping[str, float | None], digits: int, mark: str = "") -> str:
    """A value with its interval, and with its mark."""
    if entry["value"] is None or entry["value"] != entry["value"]:
        return UNKNOWN
    text = f"{entry['value']:.{digits}f}"
    if entry["low"] is not None and entry["low"] == entry["low"]:
        text += f" ({entry['low']:.{digits}f} to {entry['high']:.{digits}f})"
    return marked(text, mark)
