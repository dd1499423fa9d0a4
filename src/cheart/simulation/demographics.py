"""Who the simulated people are: the joint distribution of age, sex, height, weight and systolic pressure.

Ages and the fraction of women follow the paper's cohort (section III-A: 18 to 73 years, 56 % women) and its parent
project (Corden et al., JCMR 18:32, 2016: 41.3 ± 13.0 years). How height, weight and pressure hang together is a
regression on NHANES 2009-12 (non-Hispanic White, no diabetes, BMI below 35), with pressures raised by 6 mmHg and
weights lowered by 5 % towards the London volunteers of the same scanner (exCMR).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cheart.conditions import PAPER_SCHEMA, Conditions, Factor, Schema
from cheart.errors import InputError

HEART_RATE = Factor("heart_rate", "number", "bpm", 30, 200, description="Heart rate at rest")
HEART_RATE_SCHEMA = Schema((*PAPER_SCHEMA.factors, HEART_RATE))
"""The paper's conditions and, as a sixth, the heart rate."""

DEFAULT_HEART_RATE = 62.5
"""Where nothing is said of the heart rate: a cycle of 0.96 s, the mean resting rate of the exCMR volunteers."""

WOMEN = 0.56
"""Fraction of women in the paper's cohort."""

RANGES = {"age": (18.0, 73.0), "weight": (33.0, 131.0), "height": (142.0, 195.0), "sbp": (79.0, 183.0)}
"""The paper's ranges (section III-A). Whoever falls outside is drawn again."""

_AGE_MODE, _AGE_SD = 38.5, 15.8
_HEART_RATE_MEAN, _HEART_RATE_SD = {"F": 65.5, "M": 62.5}, 8.0


@dataclass(frozen=True)
class _Body:
    """Regressions of one sex; age enters as years from 45, height as cm from the mean of that age."""

    height: float
    height_age: float
    height_sd: float
    log_weight: float
    log_weight_age: float
    log_weight_height: float
    log_weight_sd: float
    sbp: float
    sbp_age: float
    sbp_bmi: float
    sbp_sd: float


_BODIES = {
    "F": _Body(164.2, -0.066, 6.6, 4.226 - 0.05, 0.0019, 0.0105, 0.169, 115.3 + 6, 0.41, 0.44, 13.1),
    "M": _Body(177.7, -0.047, 7.0, 4.431 - 0.05, 0.0020, 0.0122, 0.147, 121.4 + 6, 0.23, 0.18, 13.6),
}


@dataclass(frozen=True)
class Expected:
    """What a person of a given age and sex has on average: height in cm, BMI in kg/m², pressure in mmHg."""

    height: float
    bmi: float
    sbp: float


def expected(age: float, sex: str) -> Expected:
    """The average person of an age and sex, about whom the effects of body size and pressure are counted."""
    body, years = _BODIES[sex], age - 45
    height = body.height + body.height_age * years
    # the mean of weight / height² where weight is log-normal and goes with height: second order in both spreads
    log_bmi = body.log_weight + body.log_weight_age * years - 2 * np.log(height / 100)
    spread = body.log_weight_sd**2 + ((body.log_weight_height - 2 / height) * body.height_sd) ** 2
    bmi = float(np.exp(log_bmi + spread / 2))
    return Expected(height, bmi, body.sbp + body.sbp_age * years + body.sbp_bmi * (bmi - 26))


def draw_person(
    rng: np.random.Generator, *, heart_rate: bool = False, age: tuple[float, float] = (_AGE_MODE, _AGE_SD)
) -> dict[str, float | str]:
    """Draw one person's conditions, whole in the sense of :data:`cheart.conditions.PAPER_SCHEMA`.

    Args:
        rng: where chance comes from.
        heart_rate: also draw the resting heart rate (then the cycle's duration follows it).
        age: mode and spread of the age in years, before it is cut to the paper's range.

    Returns:
        age (years), sex, weight (kg), height (cm), sbp (mmHg), rounded as a questionnaire would, and heart_rate (bpm).
    """
    sex = "F" if rng.random() < WOMEN else "M"
    while True:
        person = _draw_body(rng, sex, age)
        if all(low <= person[name] <= high for name, (low, high) in RANGES.items()):
            break
    conditions: dict[str, float | str] = {"age": person.pop("age"), "sex": sex, **person}
    if heart_rate:
        rate = np.clip(rng.normal(_HEART_RATE_MEAN[sex], _HEART_RATE_SD), 45, 95)
        conditions["heart_rate"] = round(float(rate))
    return conditions


def _draw_body(rng: np.random.Generator, sex: str, ages: tuple[float, float]) -> dict[str, float]:
    body = _BODIES[sex]
    age = rng.normal(*ages)
    years = age - 45
    taller = rng.normal(0, body.height_sd)
    height = body.height + body.height_age * years + taller
    weight = np.exp(
        body.log_weight
        + body.log_weight_age * years
        + body.log_weight_height * taller
        + rng.normal(0, body.log_weight_sd)
    )
    bmi = weight / (height / 100) ** 2
    sbp = body.sbp + body.sbp_age * years + body.sbp_bmi * (bmi - 26) + rng.normal(0, body.sbp_sd)
    return {
        "age": float(np.floor(age)),
        "weight": round(float(weight), 1),
        "height": round(float(height), 1),
        "sbp": round(float(sbp)),
    }


def complete_conditions(conditions: Conditions) -> dict[str, float | str]:
    """Check that a person's conditions are all known, as drawing a true heart needs.

    Raises:
        InputError: a condition is missing, or a value that its factor refuses.
    """
    person = HEART_RATE_SCHEMA.read(conditions)
    person["heart_rate"] = person["heart_rate"] or DEFAULT_HEART_RATE
    missing = [name for name, value in person.items() if value is None]
    if missing:
        raise InputError(
            f"to simulate a heart, {', '.join(missing)} must be known (given: "
            f"{', '.join(f'{k} {v}' for k, v in conditions.items())}); draw a person with draw_person"
        )
    return {name: value for name, value in person.items() if value is not None}
