"""How one heart moves: volume-time curves, descent of the base, twist, and regional amplitude."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Conditions
from cheart.simulation.demographics import DEFAULT_HEART_RATE
from cheart.simulation.phenotypes import Phenotypes


@dataclass(frozen=True)
class Timing:
    """Events of one cycle as fractions of its duration, and how filling is divided.

    Attributes:
        ejection: the ventricle begins to empty.
        end_systole: least volume.
        opening: the mitral valve opens.
        filling: duration of rapid filling.
        atrial: the atrial kick begins.
        closing: the atrial kick ends.
        passive: fraction of the stroke volume that rapid filling brings.
    """

    ejection: float
    end_systole: float
    opening: float
    filling: float
    atrial: float
    closing: float
    passive: float

    @property
    def e_to_a(self) -> float:
        """Peak flow of rapid filling over that of the atrial kick: each goes as volume over duration."""
        return self.passive / self.filling * (self.closing - self.atrial) / (1 - self.passive)

    def emptied(self, phase: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much of the stroke volume is out, 0 at end-diastole and 1 at end-systole, at phases 0 to 1."""
        relaxed = 0.02  # the ventricle widens a little before the valve opens
        out = ramp((phase - self.ejection) / (self.end_systole - self.ejection), early=0.85)
        back = relaxed * ramp((phase - self.end_systole) / (self.opening - self.end_systole))
        back += (self.passive - relaxed) * ramp((phase - self.opening) / self.filling, early=0.8)
        # in between, pulmonary veins go on filling slowly: a diastasis is flat, not level
        slow = 0.06
        back -= slow * ramp((phase - self.opening) / self.filling)
        rest = max(self.closing - self.opening - 0.5 * self.filling, 1e-3)
        back += slow * np.clip((phase - self.opening - 0.5 * self.filling) / rest, 0, 1)
        back += (1 - self.passive) * ramp((phase - self.atrial) / (self.closing - self.atrial))
        return out - back


@dataclass(frozen=True)
class Motion:
    """The parameters of one heart's beat.

    Attributes:
        cycle_s: duration of the cycle, s.
        lv, rv: timing of the two ventricles.
        lv_descent, rv_descent: descent of the AV plane at end-systole, of the LV and at the RV's free wall, mm.
        apex_rise: how far the apex moves towards the base, mm.
        apex_twist, base_twist: rotation at end-systole, degrees, counter-clockwise as seen from the apex.
        regional: 8 coefficients of the regional amplitude of contraction.
    """

    cycle_s: float
    lv: Timing
    rv: Timing
    lv_descent: float
    rv_descent: float
    apex_rise: float
    apex_twist: float
    base_twist: float
    regional: tuple[float, ...]

    def to_row(self) -> dict[str, float]:
        """All parameters under one name each."""
        row = {k: v for k, v in asdict(self).items() if isinstance(v, float)}
        row |= {f"lv_{k}": v for k, v in asdict(self.lv).items()} | {f"rv_{k}": v for k, v in asdict(self.rv).items()}
        row["e_to_a"] = self.lv.e_to_a
        return row | {f"regional_{i}": v for i, v in enumerate(self.regional)}


def draw_motion(conditions: Conditions, phenotypes: Phenotypes, length: float, rng: np.random.Generator) -> Motion:
    """Draw how a heart of these conditions, volumes and length of the LV in mm beats."""
    age = float(conditions["age"])  # type: ignore[arg-type]
    rate = float(conditions.get("heart_rate") or DEFAULT_HEART_RATE)
    cycle = 60.0 / rate
    lv = _draw_timing(age, rate, rng)
    rv = _rv_timing(lv, rng)
    strong = (phenotypes.lvef - 60.0) / 6.0
    lv_descent = np.clip((15.6 + 0.5 * strong - 0.02 * (age - 41) + rng.normal(0, 0.9)) * length / 98, 12.0, 19.0)
    rv_descent = np.clip((22.8 + rng.normal(0, 1.4)) * length / 98, 18.5, 28.0)
    return Motion(
        cycle_s=cycle,
        lv=lv,
        rv=rv,
        lv_descent=float(lv_descent),
        rv_descent=float(rv_descent),
        apex_rise=float(np.clip(rng.normal(1.2, 0.6), 0, 3)),
        apex_twist=float(rng.normal(9.0 + 0.08 * (age - 41), 2.5)),
        base_twist=float(rng.normal(-3.0, 1.2)),
        regional=tuple(float(v) for v in rng.normal(0, 0.05, 8)),
    )


_CLOSING = 0.985
"""The atrial kick ends, as a fraction of the cycle."""


def _draw_timing(age: float, rate: float, rng: np.random.Generator) -> Timing:
    cycle_ms = 60_000.0 / rate
    contraction = np.clip(rng.normal(40, 8), 20, 60)
    ejection = 413 - 1.7 * rate + np.clip(rng.normal(0, 14), -35, 35)  # Weissler
    relaxation = np.clip(rng.normal(90 + 0.35 * (age - 41), 15), 55, 140)
    kick = np.clip(rng.normal(125, 10), 100, 150)
    filling = np.clip(rng.normal(205, 18), 160, 260)
    phases = np.array([contraction, ejection, relaxation, filling, kick]) / cycle_ms
    phases *= min(1.0, 0.97 * _CLOSING / phases.sum())  # a fast heart has no diastasis left, then shortens all
    start, end, opening = np.cumsum(phases)[:3]
    filling, kick = phases[3:]
    # E/A of Benjamin 1992: 2.08 in the 20s, 0.84 in the 70s; peak flows go as volume over duration
    e_to_a = max(2.08 - 0.0248 * (age - 25), 0.7) * np.exp(rng.normal(0, 0.2))
    passive = e_to_a * filling / (kick + e_to_a * filling)
    return Timing(
        ejection=float(start),
        end_systole=float(end),
        opening=float(opening),
        filling=float(filling),
        atrial=float(_CLOSING - kick),
        closing=_CLOSING,
        passive=float(passive),
    )


def _rv_timing(lv: Timing, rng: np.random.Generator) -> Timing:
    """The RV ejects a little longer and fills a little earlier; its filling is divided much as the LV's."""
    later = float(np.clip(rng.normal(0.006, 0.006), -0.01, 0.02))
    return Timing(
        ejection=max(lv.ejection - 0.01, 0.01),
        end_systole=lv.end_systole + later,
        opening=lv.opening - 0.01 + later,
        filling=lv.filling,
        atrial=lv.atrial - 0.01,
        closing=lv.closing,
        passive=float(np.clip(lv.passive + rng.normal(-0.03, 0.03), 0.4, 0.85)),
    )


def ramp(x: NDArray[np.float64], *, early: float = 1.0) -> NDArray[np.float64]:
    """From 0 to 1 as x does, smooth to the second derivative; ``early`` below 1 puts the steepest part before ½."""
    x = np.clip(x, 0.0, 1.0) ** early
    return x**3 * (10 + x * (6 * x - 15))
