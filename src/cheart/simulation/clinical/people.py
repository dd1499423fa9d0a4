"""Who comes to a clinic, and what is hidden in their hearts: kinds of heart with prevalences that depend on the person.

A *kind* is what generates a heart: a diagnosis (the *group*, kept as truth), and within it a form of the disease. How
often each occurs depends on age, sex, body mass index and systolic pressure (a logistic model). The mix is that of a
clinic's referrals, with each diagnosis common enough to be learnt, not that of a population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Conditions, Factor, Schema
from cheart.simulation.demographics import HEART_RATE, PAPER_SCHEMA, draw_person

GROUPS = ("healthy", "hypertensive", "athlete", "hcm", "dcm", "infarct", "rv")
"""The diagnoses: healthy, hypertensive remodelling, athlete's heart, hypertrophic and dilated cardiomyopathy, infarct,
overload of the RV."""

GROUP = Factor("group", "level", levels=GROUPS, description="Diagnosis")

AGE = (52.0, 18.0)
"""Mode and spread of the age before it is cut to the paper's range: people of a clinic are older than volunteers."""


@dataclass(frozen=True)
class Kind:
    """What generates a heart.

    Attributes:
        name, group: of the kind, and its diagnosis.
        fraction: of its group.
        heart_rate: mean at rest, beats a minute.
    """

    name: str
    group: str
    fraction: float
    heart_rate: float


KINDS = (
    Kind("healthy", "healthy", 1.0, 65),
    Kind("hypertensive", "hypertensive", 1.0, 69),
    Kind("athlete", "athlete", 1.0, 54),
    Kind("hcm_septal", "hcm", 0.60, 66),
    Kind("hcm_concentric", "hcm", 0.25, 67),
    Kind("hcm_apical", "hcm", 0.15, 65),
    Kind("dcm", "dcm", 0.65, 76),
    Kind("dcm_lbbb", "dcm", 0.35, 74),
    Kind("infarct_lad", "infarct", 0.28, 72),
    Kind("infarct_lad_distal", "infarct", 0.22, 70),
    Kind("infarct_rca", "infarct", 0.30, 69),
    Kind("infarct_lcx", "infarct", 0.20, 70),
    Kind("rv", "rv", 1.0, 76),
)
KIND_NAMES = tuple(kind.name for kind in KINDS)
GROUP_OF = np.array([GROUPS.index(kind.group) for kind in KINDS])
"""[KINDS]: index of each kind's group."""

HEART_RATE_SD = 8.5

# logit against healthy at 50 years, a woman, BMI 26, 128 mmHg; then by decade, man, 5 kg/m², 15 mmHg.
# Signs as published: infarct by age, sex, weight and pressure; hypertension by pressure, age and weight (Framingham);
# athletes young, lean, more often men; cardiomyopathies little by age, 1.5 men to a woman.
_PREVALENCE = {
    "hypertensive": (-1.35, 0.35, 0.10, 0.40, 0.90),
    "athlete": (-2.10, -0.60, 0.50, -0.80, -0.20),
    "hcm": (-1.30, 0.00, 0.40, 0.05, 0.00),
    "dcm": (-1.40, 0.15, 0.50, 0.10, 0.00),
    "infarct": (-1.50, 0.55, 0.90, 0.25, 0.20),
    "rv": (-1.35, -0.10, -0.20, 0.00, -0.10),
}


def prevalence(conditions: Conditions) -> NDArray[np.float64]:
    """How probable each kind is for a person [KINDS]; a heart rate or a group among the conditions counts.

    Args:
        conditions: age, sex, weight, height and sbp, all known; heart_rate and group where they are.
    """
    age, weight, height, sbp, rate = (
        float("nan" if conditions.get(k) is None else conditions[k])  # type: ignore[arg-type]
        for k in ("age", "weight", "height", "sbp", "heart_rate")
    )
    bmi = weight / (height / 100) ** 2
    x = np.array([1, (age - 50) / 10, conditions["sex"] == "M", (bmi - 26) / 5, (sbp - 128) / 15])
    logits = np.array([0.0, *(np.dot(_PREVALENCE[group], x) for group in GROUPS[1:])])
    found = np.exp(logits - logits.max())[GROUP_OF] * np.array([kind.fraction for kind in KINDS])
    if not np.isnan(rate):
        off = (rate - np.array([k.heart_rate for k in KINDS])) / HEART_RATE_SD
        found = found * np.exp(-(off**2) / 2)
    if conditions.get("group") is not None:
        found = found * (GROUPS.index(str(conditions["group"])) == GROUP_OF)
    return np.asarray(found / found.sum())


def draw_patient(rng: np.random.Generator) -> dict[str, float | str]:
    """Draw one person's five conditions; see :func:`cheart.simulation.demographics.draw_person`."""
    return draw_person(rng, age=AGE)


def clinical_schema(*, heart_rate: bool = False, group: bool = False) -> Schema:
    """The paper's conditions and, where asked for, the heart rate and the diagnosis."""
    return Schema((*PAPER_SCHEMA.factors, *([HEART_RATE] if heart_rate else []), *([GROUP] if group else [])))
