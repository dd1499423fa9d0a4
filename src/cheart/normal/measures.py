"""What is measured of one heart, to be held against what is normal: volumes, mass, function, wall, timing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cheart.heart import Heart
from cheart.normal.segments import SEGMENTS, segment_thickness
from cheart.phenotypes import TITLES, UNITS

Family = Literal["volumes", "wall", "timing", "curve"]
PHASES = 20
"""Moments of the cycle at which the curve of LV volume is compared."""

_TIMED = 10  # frames of a cycle that tell its timing


@dataclass(frozen=True)
class Measure:
    """One quantity.

    Attributes:
        name: in tables and JSON.
        title: for people.
        unit: of the value.
        family: where a page shows it.
        positive: whether its logarithm is what is about normally distributed.
    """

    name: str
    title: str
    unit: str
    family: Family
    positive: bool = True


_VOLUMES = ("lvedv", "lvesv", "lvsv", "lvef", "lvm", "mass_volume", "rvedv", "rvesv", "rvsv", "rvef")

MEASURES: dict[str, Measure] = {
    m.name: m
    for m in (
        *(Measure(name, TITLES[name], UNITS[name], "volumes", not name.endswith("ef")) for name in _VOLUMES),
        Measure("wall_mean", "wall thickness, mean", "mm", "wall"),
        Measure("wall_mid", "wall thickness, mid-cavity", "mm", "wall"),
        Measure("wall_max", "wall thickness, largest", "mm", "wall"),
        Measure("thickening", "systolic wall thickening", "%", "wall", False),
        *(Measure(f"wall_{i}", f"wall, {name} ({i})", "mm", "wall") for i, name in enumerate(SEGMENTS, 1)),
        Measure("es_time", "time of end-systole, of the cycle", "%", "timing", False),
        Measure("early_filling", "refilled at mid-diastole, of SV", "%", "timing", False),
        *(Measure(f"curve_{i:02}", f"LV volume at {i / PHASES:.0%} of the cycle", "% of EDV", "curve", False)
          for i in range(1, PHASES)),
    )
}  # fmt: skip
"""Everything that is measured, by name, in the order of tables."""


def measure(heart: Heart) -> dict[str, float]:
    """All of :data:`MEASURES`, of what was observed alone; nan is what the heart does not show.

    Timing needs a cycle of which ten frames or more were observed. Wall thickness is that of short-axis planes
    (:mod:`cheart.normal.segments`); thickening is the mean of segments 1 to 16 at end-systole over their mean at
    end-diastole, less 1.
    """
    phenotypes = heart.phenotypes
    row = phenotypes.row()
    out = {name: row[name] for name in _VOLUMES}
    wall = segment_thickness(heart.labels[0], heart.observed[0], heart.grid)
    out |= {f"wall_{i}": float(mm) for i, mm in enumerate(wall, 1)}
    ring = wall[:16]
    seen = ring[np.isfinite(ring)]
    out["wall_mid"] = float(wall[6:12].mean())
    if seen.size >= 12:
        out |= {"wall_mean": float(seen.mean()), "wall_max": float(seen.max())}
        es = phenotypes.es_frame
        if es:
            later = segment_thickness(heart.labels[es], heart.observed[es], heart.grid)[:16]
            both = np.isfinite(ring) & np.isfinite(later)
            if both.sum() >= 12:
                out["thickening"] = float(100 * (later[both].mean() / ring[both].mean() - 1))
    out |= _timing(heart.curves[:, 0])
    return {name: out.get(name, math.nan) for name in MEASURES}


def _timing(lv: NDArray[np.float64]) -> dict[str, float]:
    """Of a curve [T] in mL, nan where not observed."""
    known = np.flatnonzero(np.isfinite(lv))
    if known.size < _TIMED or not np.isfinite(lv[0]):
        return {}
    around = np.concatenate([known / len(lv), [1.0]])
    volumes = np.concatenate([lv[known], lv[:1]])
    curve = np.interp(np.arange(1, PHASES) / PHASES, around, volumes)
    es = int(np.argmin(volumes[:-1]))
    moment = around[es] + _vertex(around[es - 1 : es + 2], volumes[es - 1 : es + 2]) if es else 0.0
    half = (moment + 1) / 2
    refilled = (np.interp(half, around, volumes) - volumes[es]) / max(volumes[0] - volumes[es], 1e-9)
    named = {f"curve_{i:02}": float(100 * v / lv[0]) for i, v in enumerate(curve, 1)}
    return named | {"es_time": float(100 * moment), "early_filling": float(100 * refilled)}


def _vertex(at: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Where, from its middle point, the parabola through three points has its least value."""
    if len(at) < 3:
        return 0.0
    a, b, _ = np.polyfit(at - at[1], values, 2)
    return float(np.clip(-b / (2 * a), at[0] - at[1], at[2] - at[1])) if a > 0 else 0.0


def as_imaged(heart: Heart, spacing_mm: float, first: int) -> Heart:
    """The same heart of which only planes about ``spacing_mm`` apart, from plane ``first`` on, were observed."""
    step = max(1, round(spacing_mm / heart.grid.spacing[0]))
    seen = np.zeros_like(heart.observed)
    seen[:, first % step :: step] = heart.observed[:, first % step :: step]
    return replace(heart, observed=seen)
