"""How large a heart is, given its owner: volumes, ejection fraction and mass as a statistical model.

With x̄ = E[x | age, sex], each of LVEDV and LVM is drawn as

    value = m_sex(age) · (1 + b_h ln(height / height̄) + b_b (BMI − BMĪ) + b_p (SBP − SBP̄)) + σ_sex ε

so that the means by sex and age are m by construction. The ejection fractions of the two ventricles are drawn from
sex and age alone (hardly predictable from demographics: R² 6.7 % in Petersen et al., PLoS ONE 12:e0185114, 2017)
and go together; LVESV = LVEDV (1 − LVEF); RVEDV follows from RVEF because both ventricles pump the same volume.

Means and spreads: Healthy Hearts Consortium (Raisi-Estabragh et al., JACC CVI 2024), White, smooth contours,
prediction intervals by sex and decade. Effects of BMI and SBP: Petersen et al. 2017 (UK Biobank); of height on mass:
Chirinos et al., Hypertension 56:91, 2010.
LV mass is on the scale of the UK Digital Heart Project's atlas (mean shape of 1,093 hearts: 106 g), which is
1.15 times that of the consortium's smooth contours.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from cheart.conditions import Conditions
from cheart.errors import InputError
from cheart.simulation.demographics import expected

UKDHP_MASS = 1.15
"""LV mass in the UK Digital Heart Project's label maps over that of the consortium's smooth contours."""

MAX_SHUNT = 0.045
"""Largest difference of the stroke volumes of the two ventricles, as a fraction: healthy hearts have no shunt."""


@dataclass(frozen=True)
class Phenotypes:
    """What a heart measures, exactly (of the continuous surfaces, not of voxels): mL, mass in g."""

    lvedv: float
    lvesv: float
    rvedv: float
    rvesv: float
    lvm: float

    @property
    def lvef(self) -> float:
        """LV ejection fraction, %."""
        return 100 * (1 - self.lvesv / self.lvedv)

    @property
    def rvef(self) -> float:
        """RV ejection fraction, %."""
        return 100 * (1 - self.rvesv / self.rvedv)

    def to_row(self) -> dict[str, float]:
        """The five phenotypes and the two ejection fractions."""
        return {**asdict(self), "lvef": self.lvef, "rvef": self.rvef}


@dataclass(frozen=True)
class _Effects:
    """Relative effects on a quantity: of ln height, of 1 kg/m² of BMI, of 1 mmHg."""

    height: float
    bmi: float
    sbp: float

    def of(self, conditions: Conditions) -> float:
        mean = expected(float(conditions["age"]), str(conditions["sex"]))  # type: ignore[arg-type]
        height, weight, sbp = (float(conditions[k]) for k in ("height", "weight", "sbp"))  # type: ignore[arg-type]
        bmi = weight / (height / 100) ** 2
        return self.height * np.log(height / mean.height) + self.bmi * (bmi - mean.bmi) + self.sbp * (sbp - mean.sbp)


# Petersen 2017: +1 SD of BMI (4.3 kg/m²) and of SBP (18 mmHg); Chirinos 2010: LVM ∝ height^1.7 within sexes, and ∝ BSA.
# Within the published intervals, such that the fraction of variance explained (R²) is the published one as well.
_LVEDV_EFFECTS = _Effects(height=1.0, bmi=0.048 / 4.3, sbp=0.045 / 18)
_LVM_EFFECTS = _Effects(height=1.6, bmi=0.080 / 4.3, sbp=0.063 / 18)

# value at 45 years, change per year; residual standard deviation after the conditions
_LVEDV = {"F": (136.2, -0.61, 18.9), "M": (175.7, -0.82, 26.8)}
_LVM = {"F": (76.0, -0.12, 10.8), "M": (111.1, -0.28, 16.3)}
_LVEF = {"F": (61.6, 0.06, 6.0), "M": (59.2, 0.04, 6.6)}
_RVEF = {"F": (61.0, 0.066, 6.0), "M": (57.3, 0.045, 6.3)}
_EF_TOGETHER = 0.8
_EF_WIDENS = 0.004  # a year: the volumes fall with age, the published spread of LVESV does not
_EF_RANGE = (44.0, 77.0)
_SHUNT = (0.011, 0.012)
_MAX_DRAWS = 1000
_SIZE_TOGETHER = 0.45
"""Correlation of what is left of LVEDV and of LVM when the conditions are known."""


def draw_phenotypes(conditions: Conditions, rng: np.random.Generator) -> Phenotypes:
    """Draw a heart's size for one person; call again for another heart of the same person's kind.

    Raises:
        InputError: conditions so far out that no plausible heart is drawn.
    """
    sex, years = str(conditions["sex"]), float(conditions["age"]) - 45  # type: ignore[arg-type]
    for _ in range(_MAX_DRAWS):
        e = rng.normal(size=5)
        lvedv = _linear(_LVEDV[sex], years, _LVEDV_EFFECTS.of(conditions), e[0])
        mass_noise = _SIZE_TOGETHER * e[0] + np.sqrt(1 - _SIZE_TOGETHER**2) * e[1]
        lvm = UKDHP_MASS * _linear(_LVM[sex], years, _LVM_EFFECTS.of(conditions), mass_noise)
        wider = 1 + _EF_WIDENS * years
        lvef = _linear(_LVEF[sex], years, 0.0, wider * e[2])
        rvef = _linear(_RVEF[sex], years, 0.0, wider * (_EF_TOGETHER * e[2] + np.sqrt(1 - _EF_TOGETHER**2) * e[3]))
        shunt = float(np.clip(_SHUNT[0] + _SHUNT[1] * e[4], -MAX_SHUNT, MAX_SHUNT))
        stroke = lvedv * lvef / 100
        rvedv = stroke * (1 + shunt) * 100 / rvef
        drawn = Phenotypes(lvedv, lvedv - stroke, rvedv, rvedv - stroke * (1 + shunt), lvm)
        if _plausible(drawn):
            return drawn
    raise InputError(
        f"no healthy heart is known for {', '.join(f'{k} {v}' for k, v in conditions.items())}; "
        "the simulated cohort is of adults of usual size and pressure"
    )


def expected_sizes(conditions: Conditions) -> tuple[float, float, float]:
    """LVEDV (mL), LV mass (g) and RVEDV (mL) that a healthy heart of these conditions has on average."""
    sex, years = str(conditions["sex"]), float(conditions["age"]) - 45  # type: ignore[arg-type]
    lvedv = _linear(_LVEDV[sex], years, _LVEDV_EFFECTS.of(conditions), 0.0)
    lvm = UKDHP_MASS * _linear(_LVM[sex], years, _LVM_EFFECTS.of(conditions), 0.0)
    lvef, rvef = (_linear(ef[sex], years, 0.0, 0.0) for ef in (_LVEF, _RVEF))
    return lvedv, lvm, lvedv * lvef * (1 + _SHUNT[0]) / rvef


def true_distribution(conditions: Conditions, *, n: int, seed: int) -> pd.DataFrame:
    """What hearts a person of these conditions may have: the distribution that a model should learn.

    Returns:
        n rows: lvedv, lvesv, rvedv, rvesv (mL), lvm (g), lvef, rvef (%).
    """
    rng = np.random.default_rng(seed)
    return pd.DataFrame([draw_phenotypes(conditions, rng).to_row() for _ in range(n)])


def true_completions(conditions: Conditions, *, lvedv: float, rvedv: float, n: int, seed: int) -> pd.DataFrame:
    """How a heart of these end-diastolic volumes may beat: draws of p(beat | end-diastole, conditions).

    Both stroke volumes agree but for a small shunt, so that the ratio of the two volumes tells of the ejection
    fractions; nothing else of end-diastole does. Draws of the LV's are weighted by how likely the RV's is that the
    ratio demands with them, and drawn again by their weights.

    Args:
        conditions: age, sex, weight, height and sbp, all known.
        lvedv, rvedv: in mL.
        n: draws.
        seed: the same seed gives the same draws.

    Returns:
        n rows: lvesv, rvesv (mL), lvef, rvef (%).
    """
    rng, sex, years = np.random.default_rng(seed), str(conditions["sex"]), float(conditions["age"]) - 45  # type: ignore[arg-type]
    many = max(50 * n, 5000)
    (left, left_slope, left_sd), (right, right_slope, right_sd) = _LVEF[sex], _RVEF[sex]
    wider, common = 1 + _EF_WIDENS * years, rng.normal(size=many)
    shunt = np.clip(_SHUNT[0] + _SHUNT[1] * rng.normal(size=many), -MAX_SHUNT, MAX_SHUNT)
    lvef = left + left_slope * years + left_sd * wider * common
    rvef = lvef * (1 + shunt) * lvedv / rvedv
    off = rvef - right - right_slope * years - right_sd * wider * _EF_TOGETHER * common
    own = right_sd * wider * np.sqrt(1 - _EF_TOGETHER**2)
    low, high = _EF_RANGE
    possible = (lvef >= low) & (lvef <= high) & (rvef >= low - 4) & (rvef <= high)
    weight = np.exp(-0.5 * np.square(off / own)) * rvef * possible  # rvef: of the change from RVEDV to it
    which = rng.choice(many, size=n, p=weight / weight.sum())
    lvef, rvef = lvef[which], rvef[which]
    return pd.DataFrame(
        {"lvesv": lvedv * (1 - lvef / 100), "rvesv": rvedv * (1 - rvef / 100), "lvef": lvef, "rvef": rvef}
    )


def _linear(parameters: tuple[float, float, float], years: float, effect: float, noise: float) -> float:
    at_45, per_year, sd = parameters
    return float((at_45 + per_year * years) * (1 + effect) + sd * noise)


def _plausible(p: Phenotypes) -> bool:
    """No healthy heart is further out; without this, one draw in some thousands is not a heart."""
    low, high = _EF_RANGE
    return (
        low <= p.lvef <= high
        and low - 4 <= p.rvef <= high
        and p.lvedv >= 70
        and p.rvedv >= 70
        and 0.42 <= p.lvm / p.lvedv <= 1.15
        and 0.75 <= p.rvedv / p.lvedv <= 1.6
    )
