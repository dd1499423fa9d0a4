"""One heart's measures beside what is normal for its owner: by the model, and as published."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scipy.stats import chi2, norm

from cheart.conditions import Conditions
from cheart.normal.measures import MEASURES, Measure
from cheart.normal.norms import Normal
from cheart.normal.published import Range, published
from cheart.phenotypes import surface_m2

RESEARCH = "Research only, not a medical device. It diagnoses nothing; nobody may be treated by it."
"""Stands on every page."""

UNUSUAL = 1.96
"""A z-score beyond this is outside the central 95 %."""

_APART = 1.0  # SD between what the model and a publication take for the mean

JOINT = ("lvedv", "lvef", "lvm", "rvedv", "rvef", "wall_mean", "wall_max")
"""Measures that are judged together."""


@dataclass(frozen=True)
class Published:
    """One published range, and where the person lies in it.

    Attributes:
        range: mean and SD.
        z: of the person's value.
        model_z: of the mean that the model expects: how far apart the two are.
    """

    range: Range
    z: float
    model_z: float

    @property
    def disagrees(self) -> bool:
        """Whether the model expects another mean, by one published SD or more."""
        return abs(self.model_z) >= _APART


@dataclass(frozen=True)
class Finding:
    """One measure of one person.

    Attributes:
        measure: what.
        value: in its unit.
        z, error: z-score by the model's conditional distribution and its standard error; nan where nothing is judged.
        expected, low, high: median and ends of the central 95 % of what the model makes for such people; nan likewise.
        published: by source.
    """

    measure: Measure
    value: float
    z: float
    error: float
    expected: float
    low: float
    high: float
    published: tuple[Published, ...]

    @property
    def centile(self) -> float:
        """Of normal people, how many in a hundred have less."""
        return float(100 * norm.cdf(self.z))

    @property
    def unusual(self) -> bool:
        """Whether it lies outside the central 95 % by the model."""
        return abs(self.z) > UNUSUAL

    @property
    def verdicts_differ(self) -> bool:
        """Whether a published range puts the person outside where the model says inside, or the other way."""
        return math.isfinite(self.z) and any((abs(p.z) > UNUSUAL) != self.unusual for p in self.published)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; nan is null."""
        numbers = {n: _plain(getattr(self, n)) for n in ("value", "z", "error", "centile", "expected", "low", "high")}
        ranges = [
            {**asdict(p.range), "z": _plain(p.z), "model_z": _plain(p.model_z), "disagrees": p.disagrees}
            for p in self.published
        ]
        about = {"name": self.measure.name, "title": self.measure.title, "unit": self.measure.unit}
        return {
            **about,
            **numbers,
            "unusual": self.unusual,
            "published": ranges,
            "verdicts_differ": self.verdicts_differ,
        }


def find(values: Mapping[str, float], conditions: Conditions, normal: Normal | None) -> list[Finding]:
    """All measures that a heart shows, but for the curve.

    Args:
        values: :func:`cheart.normal.measures.measure` of the heart.
        conditions: of its owner.
        normal: what is normal for them; None judges nothing by the model.
    """
    findings = []
    for name, about in MEASURES.items():
        value = values[name]
        if about.family == "curve" or not math.isfinite(value):
            continue
        z = error = expected = low = high = math.nan
        if normal is not None and name in normal.names:
            z, error = normal.z(name, value)
            low, expected, high = (normal.quantile(name, share) for share in (0.025, 0.5, 0.975))
        ranges = tuple(_beside(r, value, expected, conditions) for r in published(name, conditions))
        findings.append(Finding(about, value, z, error, expected, low, high, ranges))
    return findings


def together(findings: list[Finding], normal: Normal) -> float:
    """Of normal people, how many in a hundred are less unusual in the :data:`JOINT` measures taken together."""
    z = {f.measure.name: f.z for f in findings if f.measure.name in JOINT and math.isfinite(f.z)}
    squared, freedom = normal.distance(z)
    return float(100 * chi2.cdf(squared, freedom)) if freedom else math.nan


def _beside(published_range: Range, value: float, expected: float, conditions: Conditions) -> Published:
    size = surface_m2(conditions) if published_range.per_surface else 1.0
    assert size is not None
    z, model = ((v / size - published_range.mean) / published_range.sd for v in (value, expected))
    return Published(published_range, z, model)


def _plain(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
