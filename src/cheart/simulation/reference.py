"""What is published of healthy hearts: the figures that a simulated cohort is calibrated to and judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HHC, UKDHP, UKB, PAPER, CHIRINOS = "HHC 2024", "UKDHP", "UK Biobank 2017", "CHeart 2023", "Chirinos 2010"

SOURCES = {
    HHC: "Raisi-Estabragh et al., JACC Cardiovasc Imaging 2024 (Healthy Hearts Consortium): White, smooth contours, "
    "95 % prediction intervals by sex and decade, at the mean age of each group",
    UKDHP: "UK Digital Heart Project, mean shape and modes of 1,093 volunteers: Bai et al., MedIA 26:133, 2015",
    UKB: "Petersen et al., PLoS ONE 12:e0185114, 2017 (n = 4,651)",
    CHIRINOS: "Hypertension 56:91 (MESA and Asklepios, n = 7,528): mass ∝ height^1.7, neither 1 nor 2.7, sex allowed "
    "for; about linear in BSA (Mosteller's here)",
    PAPER: "Qiao et al., IEEE TMI 2023, section III-A",
    "Corden 2016": "J Cardiovasc Magn Reson 18:32 (UK Digital Heart Project, n = 1,530)",
    "Cheng 2009": "Circ Cardiovasc Imaging, MESA (n = 5,004); longitudinally Eng et al., Radiology 278:714, 2016",
    "Carlsson 2007": "Am J Physiol 293:H636 (n = 11): LV 16.4, RV 23.4 mm",
    "Andre 2015": "J Cardiovasc Magn Reson 17:25 (n = 150): midwall circumferential strain −21.3 ± 3.3 %",
    "Alhakak 2023": "Clin Res Cardiol (Copenhagen, n = 1,969): 40 + 292 ms of a cycle of 952 ms",
    "Benjamin 1992": "Am J Cardiol (Framingham, n = 127): E/A 2.08 ± 0.55 in the 20s, 0.84 ± 0.29 in the 70s",
    "computed": "from the UKDHP mean shape with wall volume, EF and descent as published",
    "by definition": "wall volume conserved, no shunt, one piece each, LV open at the base only, no LV-RV contact",
}
"""The sources in full, by the short names that the check prints."""

DECADES = (18, 30, 40, 50, 60, 70)
"""Lower ends of the age groups of :data:`INTERVALS`; the last is open."""

MIDDLES = (24.0, 35.0, 45.0, 55.0, 65.0, 75.0)
"""Ages at which the intervals of :data:`INTERVALS` stand."""

INTERVALS: dict[tuple[str, str], tuple[tuple[float, float], ...]] = {
    ("lvedv", "F"): ((107, 191), (101, 185), (94, 179), (88, 173), (82, 166), (76, 160)),
    ("lvesv", "F"): ((36, 82), (33, 78), (30, 75), (27, 72), (24, 69), (20, 66)),
    ("rvedv", "F"): ((105, 197), (99, 191), (93, 185), (87, 179), (81, 173), (75, 167)),
    ("rvesv", "F"): ((37, 86), (33, 82), (30, 79), (26, 75), (23, 72), (19, 68)),
    ("lvm", "F"): ((55, 102), (54, 101), (53, 99), (51, 98), (50, 97), (49, 96)),
    ("lvef", "F"): ((49, 72), (49, 72), (50, 73), (51, 74), (51, 74), (52, 75)),
    ("rvef", "F"): ((47, 71), (48, 72), (49, 73), (50, 74), (51, 75), (52, 76)),
    ("lvedv", "M"): ((134, 252), (126, 244), (117, 235), (109, 227), (101, 218), (92, 210)),
    ("lvesv", "M"): ((46, 113), (42, 109), (39, 105), (35, 101), (31, 98), (27, 94)),
    ("rvedv", "M"): ((146, 269), (136, 260), (127, 250), (117, 240), (108, 231), (98, 221)),
    ("rvesv", "M"): ((55, 126), (50, 121), (45, 116), (40, 111), (34, 106), (29, 101)),
    ("lvm", "M"): ((82, 152), (79, 149), (76, 147), (73, 144), (70, 141), (67, 138)),
    ("lvef", "M"): ((46, 71), (46, 71), (47, 72), (47, 72), (47, 72), (48, 73)),
    ("rvef", "M"): ((43, 69), (44, 70), (45, 71), (45, 71), (46, 72), (46, 72)),
}
"""95 % prediction intervals by sex and age group (HHC): mL, g, %; the mean is the middle, the SD the width / 3.92."""


@dataclass(frozen=True)
class Normal:
    """A published mean and standard deviation."""

    mean: float
    sd: float


def normal(quantity: str, sex: str, age: float) -> Normal:
    """Published mean and SD of a volume (mL), mass (g) or ejection fraction (%) at an age, by straight lines between
    the middles of the age groups."""
    low, high = np.array(INTERVALS[quantity, sex]).T
    at = [float(np.interp(age, MIDDLES, values)) for values in ((low + high) / 2, (high - low) / 3.92)]
    return Normal(*at)


SEGMENT_MM: NDArray[np.float64] = np.array(
    [7.2, 7.2, 6.9, 6.3, 6.6, 7.5, 6.1, 6.5, 7.7, 6.5, 6.1, 6.7, 5.2, 5.8, 5.6, 5.5, 4.3]
)
"""Wall thickness of the UKDHP mean shape by AHA segment, mm."""

SECTIONS_MM2: NDArray[np.float64] = np.array(
    [
        [1868, 2181, 2297, 2243, 2038, 1737, 1360, 942, 494],
        [3074, 3553, 3687, 3569, 3278, 2844, 2327, 1733, 1089],
        [2982, 3215, 2970, 2487, 1919, 1387, 959, 611, 261],
    ],
    dtype=float,
)
"""Areas of LV cavity, LV with wall, and RV of the UKDHP mean shape at a tenth to nine tenths of the length, mm²."""

MEAN_SHAPE = {"lvedv": 150.65, "lvm": 106.4, "rvedv": 173.5}
"""Volumes (mL) and mass (g) of the UKDHP mean shape."""
