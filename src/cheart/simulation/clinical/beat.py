"""The surfaces of a clinical heart at any phase of its cycle.

With q(t) the share of the stroke volume that is out, squared radii follow

    A(t) = A₀ exp(b(t) pulls + bulge q(t) bulges + early(t) cos θ)

with b(t) such that the cavity has its volume: a region that pulls twice as well shrinks by the square, one that does
not pull stays, and one that bulges grows. ``early`` is dyssynchrony: the septum before the lateral wall. Every wedge
of wall keeps its volume; the RV's free wall follows its own volume, and its section becomes less of a crescent as it
empties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.simulation.clinical.anatomy import ClinicalAnatomy, Frame, kept, solve_scale
from cheart.simulation.clinical.coupling import BULGE, split
from cheart.simulation.clinical.segments import field_of
from cheart.simulation.heart import turned
from cheart.simulation.motion import Timing, ramp
from cheart.simulation.surfaces import THETA, Field, S

_CLOSING = 0.985
_DELAY = 0.08


@dataclass(frozen=True)
class ClinicalTiming(Timing):
    """Events of one cycle, and the forms of ejection and filling.

    Attributes:
        early: below 1, the steepest part of ejection comes first. rush: the same of rapid filling.
        slow: share of the stroke volume that flows in between rapid filling and the kick.
        relaxed: share by which the ventricle widens before the valve opens.
    """

    early: float
    rush: float
    slow: float
    relaxed: float

    def emptied(self, phase: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`cheart.simulation.motion.Timing.emptied`."""
        out = ramp((phase - self.ejection) / (self.end_systole - self.ejection), early=self.early)
        back = self.relaxed * ramp((phase - self.end_systole) / (self.opening - self.end_systole))
        fast = ramp((phase - self.opening) / self.filling, early=self.rush)
        slow = min(self.slow, 0.5 * self.passive)
        back += (self.passive - self.relaxed - slow) * fast
        rest = max(self.closing - self.opening - 0.5 * self.filling, 1e-3)
        back += slow * np.clip((phase - self.opening - 0.5 * self.filling) / rest, 0, 1)
        back += (1 - self.passive) * ramp((phase - self.atrial) / (self.closing - self.atrial))
        return np.asarray(np.maximum(out - back, 0.0))


def timings(beat: dict[str, float]) -> tuple[ClinicalTiming, ClinicalTiming]:
    """The timing of LV and RV, from durations in ms."""
    cycle = 60_000.0 / beat["heart_rate"]
    names = ("pre_ejection", "ejection", "relaxation", "filling", "kick")
    phases = np.array([beat[name] for name in names]) / cycle
    phases *= min(1.0, 0.97 * _CLOSING / phases.sum())  # a fast heart has no diastasis left, then shortens all
    start, end, opening = np.cumsum(phases)[:3]
    filling, kick = phases[3:]
    passive = beat["e_to_a"] * filling / (kick + beat["e_to_a"] * filling)
    forms = beat["early"], beat["rush"], beat["slow"], beat["relaxed"]
    atrial = _CLOSING - kick
    lv = ClinicalTiming(start, end, opening, filling, atrial, _CLOSING, passive, *forms)
    later = beat["rv_later"]
    rv = ClinicalTiming(
        max(start - 0.01, 0.01), end + later, opening - 0.01 + later, filling, atrial - 0.01, _CLOSING,
        float(np.clip(passive + beat["rv_passive"], 0.35, 0.9)),
        beat["early"] * beat["rv_early"], beat["rush"] / beat["rv_early"], beat["slow"], beat["relaxed"],
    )  # fmt: skip
    return lv, rv


@dataclass(frozen=True, eq=False)
class ClinicalSurfaces:
    """The surfaces at one phase: squared radii in mm² at the angles of space, and how heights lie there."""

    frame: Frame
    cavity: Field
    outer: Field
    free_wall: Field


def surfaces_at(
    anatomy: ClinicalAnatomy,
    beat: dict[str, float],
    amplitude: NDArray[np.float64],
    phase: float,
) -> ClinicalSurfaces:
    """The continuous surfaces at a phase of the cycle.

    Args:
        anatomy: at end-diastole.
        beat: of one heart, by the names of :func:`cheart.simulation.clinical.coupling.draw_beat`, with lvedv and rvedv.
        amplitude: [17], how much each segment contracts.
        phase: 0 (end-diastole) to 1.
    """
    lv, rv_timing = timings(beat)
    out, rv_out = (float(timing.emptied(np.array(phase))) for timing in (lv, rv_timing))
    lv_ml = beat["lvedv"] - (beat["lvedv"] - beat["lvesv"]) * out
    rv_ml = beat["rvedv"] - (beat["rvedv"] - beat["rvesv"]) * rv_out

    rest = anatomy.frame
    descent, rise = beat["lv_descent"] * out, beat["apex_rise"] * out
    tilt = rest.tilt + np.array([beat["tilt_x"], beat["tilt_y"]]) * out
    frame = Frame(rest.centre, rest.base - descent, rest.length - descent - rise, tilt, rest.turn)

    pulls, bulges = split(field_of(amplitude))
    late = float(lv.emptied(np.array(phase - _DELAY))) if phase > _DELAY else 0.0
    early = 2 * beat["dyssynchrony"] * (out - late) * min(1.0, out / 0.2)
    fixed = anatomy.cavity * np.exp(BULGE * out * bulges - early * np.cos(THETA) * _away_from_apex())
    cavity = fixed * np.exp(_exponent(frame, fixed, pulls, lv_ml) * pulls)

    thinner = anatomy.wall * rest.stretch / frame.stretch
    wall_ml = rest.volume(anatomy.cavity, anatomy.cavity + anatomy.wall)
    outer = cavity + thinner * solve_scale(lambda f: frame.volume(cavity, cavity + f * thinner), wall_ml)

    rv = _narrowed(anatomy.rv, 1 - beat["narrowing"] * rv_out)
    drop = (
        anatomy.rv_drop
        + max(beat["rv_descent"] - beat["lv_descent"], 0.0) * rv_out * anatomy.rv_drop / anatomy.rv_drop.max()
    )
    scale = solve_scale(lambda f: frame.volume(outer, outer + kept(frame, outer, f * rv, drop)), rv_ml)
    free = kept(frame, outer, scale * rv, drop)

    twist = np.radians(beat["base_twist"] * S + beat["apex_twist"] * (1 - S)) * out
    turn = frame.turn - twist  # seen from the apex, against our angle
    outer_there = turned(outer, turn)
    return ClinicalSurfaces(
        frame, turned(cavity, turn), outer_there, outer_there + turned(free, frame.turn - 0.3 * twist)
    )


def _narrowed(rv: Field, by: float) -> Field:
    """The RV's field over a narrower arc about its middle: its horns empty first, so that it is less of a crescent."""
    middle = float(np.angle((rv * np.exp(1j * THETA)).sum()))
    away = np.angle(np.exp(1j * (THETA - middle))) / by
    nodes = (middle + np.clip(away, -np.pi, np.pi)) / (2 * np.pi) * THETA.size
    low = np.floor(nodes).astype(int)
    part = nodes - low
    return rv[:, low % THETA.size] * (1 - part) + rv[:, (low + 1) % THETA.size] * part


def _away_from_apex() -> NDArray[np.float64]:
    return np.asarray(np.clip(S / 0.4, 0, 1))[:, None]


def _exponent(frame: Frame, fixed: Field, pulls: Field, target: float) -> float:
    """b such that the cavity has its volume; Newton's method on the logarithm."""
    b = 0.0
    for _ in range(30):
        cavity = fixed * np.exp(b * pulls)
        volume = frame.volume(0.0, cavity)
        if abs(volume - target) < 1e-9 * target:
            break
        slope = float(np.trapezoid((frame.stretch * cavity * pulls).sum(1), S)) * (np.pi / THETA.size) / 1000
        b = float(np.clip(b - np.log(volume / target) * volume / slope, -80.0, 2.0))
    return b
