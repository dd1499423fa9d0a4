"""Published reference ranges, as they stand in their sources; nothing here comes from a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cheart.conditions import Conditions
from cheart.phenotypes import surface_m2
from cheart.simulation.reference import INTERVALS, MIDDLES

HHC, UKB, MESA = "HHC 2024", "UKB 2017", "MESA 2012"

SOURCES = {
    HHC: "Healthy Hearts Consortium, Raisi-Estabragh Z et al., JACC Cardiovasc Imaging 2024, doi "
    "10.1016/j.jcmg.2024.01.009: 9,088 healthy CMR studies; White, smooth contours (papillary muscles in the cavity), "
    "95 % prediction intervals by sex and decade, absolute and per body surface (Mosteller). Read in a transcript of "
    "its appendix.",
    UKB: "UK Biobank, Petersen SE et al., J Cardiovasc Magn Reson 19:18, 2017: 800 healthy White adults of 45 to 74 "
    "years, papillary muscles in the cavity. Read in a transcription; LVEF in the abstract.",
    MESA: "Kawel N et al., Circ Cardiovasc Imaging 5:500, 2012: 300 healthy adults of 46 to 84 years, mid-cavity wall "
    "at end-diastole in short-axis slices.",
}
"""The sources in full, and how they were read."""

_PER_SURFACE: dict[tuple[str, str], tuple[tuple[float, ...], float]] = {
    ("lvedv", "F"): ((81.0, 78.0, 75.0, 72.0, 69.0, 66.5), 10.7),
    ("lvesv", "F"): ((32.0, 30.5, 29.0, 27.0, 26.0, 24.0), 6.1),
    ("lvsv", "F"): ((49.0, 47.5, 46.5, 44.5, 43.5, 42.0), 7.5),
    ("lvm", "F"): ((42.0, 42.0, 41.5, 41.0, 41.0, 40.5), 5.0),
    ("rvedv", "F"): ((82.0, 79.5, 76.5, 73.5, 70.5, 68.5), 11.4),
    ("rvesv", "F"): ((33.5, 31.5, 30.0, 28.0, 26.5, 24.5), 6.5),
    ("rvsv", "F"): ((49.0, 48.0, 47.0, 46.0, 45.0, 44.0), 8.2),
    ("lvedv", "M"): ((92.0, 88.5, 85.0, 81.5, 78.5, 75.0), 13.9),
    ("lvesv", "M"): ((38.0, 36.5, 34.5, 33.5, 31.5, 30.0), 8.0),
    ("lvsv", "M"): ((54.0, 52.0, 50.0, 48.5, 46.5, 45.0), 9.2),
    ("lvm", "M"): ((55.5, 54.5, 53.5, 52.5, 51.5, 50.5), 6.9),
    ("rvedv", "M"): ((99.0, 95.0, 91.0, 87.0, 83.0, 79.0), 14.8),
    ("rvesv", "M"): ((43.0, 41.0, 39.0, 36.5, 34.0, 32.0), 8.7),
    ("rvsv", "M"): ((56.0, 54.0, 52.0, 51.0, 49.0, 47.0), 10.2),
}
"""HHC per m² of body surface: the middle of each decade's interval, and the SD (width / 3.92, mean over decades)."""

_STROKE: dict[tuple[str, str], tuple[tuple[float, ...], float]] = {
    ("lvsv", "F"): ((90.5, 87.0, 84.0, 81.0, 78.0, 74.5), 14.7),
    ("lvsv", "M"): ((113.0, 109.0, 104.0, 99.5, 95.0, 90.0), 19.4),
    ("rvsv", "F"): ((90.0, 87.5, 85.0, 82.5, 80.0, 77.5), 15.9),
    ("rvsv", "M"): ((117.5, 113.0, 108.5, 104.0, 99.5, 94.5), 21.3),
}

_BY_SEX: dict[str, tuple[str, float, float, dict[str, tuple[float, float]]]] = {
    "lvedv": (UKB, 45, 74, {"F": (124, 21), "M": (166, 32)}),
    "lvesv": (UKB, 45, 74, {"F": (49, 11), "M": (69, 16)}),
    "lvsv": (UKB, 45, 74, {"F": (75, 14), "M": (96, 20)}),
    "lvef": (UKB, 45, 74, {"F": (61, 5), "M": (58, 5)}),
    "wall_mid": (MESA, 46, 84, {"F": (5.3, 0.9), "M": (6.3, 1.1)}),
}
"""Source, ages, and mean and SD by sex."""

_AGES = (18.0, 90.0)  # of HHC


@dataclass(frozen=True)
class Range:
    """A published mean and standard deviation for one person.

    Attributes:
        mean, sd: in the measure's unit, or per m² of body surface.
        source: a key of :data:`SOURCES`.
        per_surface: whether the value is to be divided by the body surface.
    """

    mean: float
    sd: float
    source: str
    per_surface: bool = False

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.mean - 1.96 * self.sd

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.mean + 1.96 * self.sd


def published(measure: str, conditions: Conditions) -> tuple[Range, ...]:
    """What is published of a measure for people of this sex and age; nothing where either is not known or not covered.

    Absolute ranges first, then those per body surface where the surface is known.

    Args:
        measure: a name of :data:`cheart.normal.measures.MEASURES`, or ``wall_mid``, the mean of segments 7 to 12.
        conditions: of the person.
    """
    sex, age = conditions.get("sex"), conditions.get("age")
    if sex is None or age is None:
        return ()
    years, key, found = float(age), (measure, str(sex)), []
    if _AGES[0] <= years <= _AGES[1]:
        if key in INTERVALS:
            low, high = np.array(INTERVALS[key]).T
            mean, sd = (float(np.interp(years, MIDDLES, v)) for v in ((low + high) / 2, (high - low) / 3.92))
            found.append(Range(mean, sd, HHC))
        elif key in _STROKE:
            found.append(Range(float(np.interp(years, MIDDLES, _STROKE[key][0])), _STROKE[key][1], HHC))
    if measure in _BY_SEX:
        source, low_age, high_age, values = _BY_SEX[measure]
        if low_age <= years <= high_age and str(sex) in values:
            found.append(Range(*values[str(sex)], source))
    if key in _PER_SURFACE and _AGES[0] <= years <= _AGES[1] and surface_m2(conditions) is not None:
        means, sd = _PER_SURFACE[key]
        found.append(Range(float(np.interp(years, MIDDLES, means)), sd, HHC, per_surface=True))
    return tuple(found)
