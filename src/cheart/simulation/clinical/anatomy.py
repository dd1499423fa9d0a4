"""End-diastole of a clinical heart: the fields of :mod:`cheart.simulation.surfaces` under a tilted base.

The base is a plane of slope T, not a flat cut: a voxel at (x, y, z) lies at the height

    s = (z − apex) / κ,   κ(x, y) = length + T · ((x, y) − the middle of the base)

so that heights are sheared, all of them in proportion. With r and θ about the axis at s, κ = κ₀(s) + T(θ) r, and the
volume between two fields of squared radii is still in closed form:

    V = ∫∫ [κ₀ (outer − inner) / 2 + T(θ) (outer^1.5 − inner^1.5) / 3] dθ ds

The tricuspid valve lies lower than the mitral one: RV near the free wall is cut off towards the base.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.align.pose import TEMPLATE_CENTRE
from cheart.labels import MYOCARDIUM_G_PER_ML
from cheart.simulation import surfaces
from cheart.simulation.anatomy import BOX, MARGIN, slice_centroids
from cheart.simulation.clinical.form import CAVITY, RV, SCALARS, WALL, field
from cheart.simulation.phenotypes import Phenotypes
from cheart.simulation.surfaces import ANGLES, CAVITY_APEX, THETA, Field, S

_DETAIL_ORDERS = 11
_CAVITY_DETAIL, _WALL_DETAIL = 0.0225, 0.055
"""Beyond the fourth order a real surface still varies by .40 mm (cavity) and .42 mm (epicardium), here as shares."""
_STEP = 2 * np.pi / ANGLES


@dataclass(frozen=True, eq=False)
class Frame:
    """How heights lie in space.

    Attributes:
        centre: [HEIGHTS, 2], the axis (x, y), mm.
        base: z of the middle of the base, mm. length: from there to the epicardial apex, mm.
        tilt: slope of the base towards x and y.
        turn: rad from the angles of the fields to those of space.
    """

    centre: NDArray[np.float64]
    base: float
    length: float
    tilt: NDArray[np.float64]
    turn: float

    @property
    def stretch(self) -> NDArray[np.float64]:
        """κ₀ [HEIGHTS, 1]: mm of z a unit of height, on the axis."""
        return np.asarray(self.length + (self.centre - self.centre[-1]) @ self.tilt)[:, None]

    @property
    def slope(self) -> NDArray[np.float64]:
        """T(θ) [ANGLES]."""
        angle = THETA + self.turn
        return np.asarray(self.tilt[0] * np.cos(angle) + self.tilt[1] * np.sin(angle))

    def volume(self, inner: Field | float, outer: Field) -> float:
        """mL between two fields of squared radii in mm²."""
        area = self.stretch * (outer - inner) / 2 + self.slope * (outer**1.5 - inner**1.5) / 3
        return float(np.trapezoid(area.sum(1) * _STEP, S)) / 1000

    def centroid(self, inner: Field | float, outer: Field) -> NDArray[np.float64]:
        """(x, y, z) in mm of what lies between two fields."""
        k, t, x, y = self.stretch, self.slope, np.cos(THETA + self.turn), np.sin(THETA + self.turn)
        m2, m3, m4 = ((outer ** (p / 2) - inner ** (p / 2)) / p for p in (2, 3, 4))
        volume = k * m2 + t * m3
        moments = (
            self.centre[:, :1] * volume + (k * m3 + t * m4) * x,
            self.centre[:, 1:] * volume + (k * m3 + t * m4) * y,
            S[:, None] * (k**2 * m2 + 2 * k * t * m3 + t**2 * m4),
        )
        whole = np.trapezoid(volume.sum(1), S)
        at = np.array([np.trapezoid(m.sum(1), S) for m in moments]) / whole
        return np.asarray(at + np.array([0.0, 0.0, self.base - self.length]))


@dataclass(frozen=True, eq=False)
class ClinicalAnatomy:
    """The end-diastolic surfaces of one heart in the template pose.

    Attributes:
        frame: see :class:`Frame`.
        cavity, wall, rv: A, P − A and D, mm² (:mod:`cheart.simulation.surfaces`).
        rv_drop: [ANGLES], how far the RV's base lies below that of the LV, mm.
    """

    frame: Frame
    cavity: Field
    wall: Field
    rv: Field
    rv_drop: NDArray[np.float64]

    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The corners (x, y, z) in mm of the box around the heart at end-diastole."""
        frame, radius = self.frame, np.sqrt(self.cavity + self.wall + self.rv)
        angle = THETA + frame.turn
        x, y = (frame.centre[:, i, None] + radius * f(angle) for i, f in enumerate((np.cos, np.sin)))
        z = frame.base - frame.length + S[:, None] * (frame.stretch + frame.slope * radius)
        return np.array([x.min(), y.min(), frame.base - frame.length]), np.array([x.max(), y.max(), z.max()])

    def fits(self) -> bool:
        """Whether the heart lies within the template's box, so that no grid over it clips a heart."""
        low, high = self.extent()
        return bool(np.all(low > -BOX + MARGIN) and np.all(high < BOX - MARGIN))


def draw_detail(rng: np.random.Generator) -> tuple[Field, Field]:
    """What a form does not hold: the orders of cavity and wall beyond it (logarithms of the radius and of the wall)."""
    orders = np.arange(_DETAIL_ORDERS)
    along = np.cos(np.pi * orders[None] * S[:, None])
    around = surfaces.fourier(_DETAIL_ORDERS - 1)
    k = np.repeat(orders, 2)[1:]
    scale = (1.0 + orders)[:, None] ** -1.0 * (1.0 + k)[None] ** -1.0
    scale[np.ix_(orders < 5, k < 5)] = 0.0
    variance = np.einsum("hj,jk,tk->ht", along**2, scale**2, around**2).mean()
    cavity, wall = (
        along @ (rng.standard_normal(scale.shape) * scale) @ around.T * (sd / np.sqrt(variance))
        for sd in (_CAVITY_DETAIL, _WALL_DETAIL)
    )
    return cavity, wall


def build_anatomy(
    form: NDArray[np.float64], size: Phenotypes, length: float, detail: tuple[Field, Field]
) -> ClinicalAnatomy:
    """The surfaces of a form, with exactly the volumes and the mass of the phenotypes, in the template pose."""
    v = dict(zip(SCALARS, form, strict=False))
    cavity = surfaces.mean_cavity() * np.exp(2 * (field(form[CAVITY]) + detail[0]))
    wall = surfaces.mean_wall() * np.exp(field(form[WALL]) + detail[1])
    apex = float(np.clip(v["rv_apex"], CAVITY_APEX + 0.02, 0.16))
    rv = surfaces.rv_field(apex=apex, widen=float(np.exp(v["rv_widen"])), turn=v["rv_turn"]) * np.exp(field(form[RV]))
    h = 2 * S - 1
    bend = surfaces.mean_bend() + np.stack(
        [v["bend_0"] * (2 * h**2 - 1) + v["bend_2"] * (4 * h**3 - 3 * h),
         v["bend_1"] * (2 * h**2 - 1) + v["bend_3"] * (4 * h**3 - 3 * h)], -1
    )  # fmt: skip
    frame, drop = _straight(bend, cavity, length), max(v["rv_drop"], 0.5) * surfaces.tricuspid()
    tilt = np.clip(form[[SCALARS.index("tilt_x"), SCALARS.index("tilt_y")]], -0.18, 0.18)
    # volumes depend a little on the turn (through the tilt), and the turn on the volumes: twice around settles both
    for _ in range(2):
        cavity, wall, rv = _sized(frame, cavity, wall, rv, drop, size)
        outer = cavity + wall
        frame = _posed(frame, cavity, outer, outer + kept(frame, outer, rv, drop), tilt)
    return ClinicalAnatomy(frame, *_sized(frame, cavity, wall, rv, drop, size), drop)


def _sized(
    frame: Frame, cavity: Field, wall: Field, rv: Field, drop: NDArray[np.float64], size: Phenotypes
) -> tuple[Field, Field, Field]:
    """The fields with the volumes and the mass of the phenotypes, by one factor each."""
    cavity = cavity * solve_scale(lambda f: frame.volume(0.0, f * cavity), size.lvedv)
    inner, wall_ml = cavity, size.lvm / MYOCARDIUM_G_PER_ML
    wall = wall * solve_scale(lambda f: frame.volume(inner, inner + f * wall), wall_ml)
    outer = inner + wall
    return (
        cavity,
        wall,
        rv * solve_scale(lambda f: frame.volume(outer, outer + kept(frame, outer, f * rv, drop)), size.rvedv),
    )


def kept(frame: Frame, outer: Field, rv: Field, drop: NDArray[np.float64]) -> Field:
    """The RV's field D without what lies above its valve: the rest shrinks towards the septum over the drop."""
    left = (1 - S)[:, None] * (frame.stretch + frame.slope * np.sqrt(outer))
    return np.asarray(rv * np.clip(left / drop, 0, 1))


def solve_scale(volume: Callable[[float], float], target: float) -> float:
    """f with volume(f) = target, where the volume is nearly in proportion to f: the secant method."""
    old, f = 1.0, 1.0
    at = volume(f)
    slope = at
    for _ in range(12):
        old, f = f, f + (target - at) / slope
        before, at = at, volume(f)
        if abs(at - target) < 1e-9 * target:
            break
        if f != old:
            slope = (at - before) / (f - old)
    return f


def _straight(bend: NDArray[np.float64], cavity: Field, length: float) -> Frame:
    """The axis through the cavity's centroids, without trend: the LV stands upright."""
    inside = S >= CAVITY_APEX + 0.01
    weight = np.sqrt(cavity[inside].mean(1))
    trend = [np.polyval(np.polyfit(S[inside], b[inside], 1, w=weight), S) for b in bend.T]
    centre = bend - np.stack(trend, axis=-1) - slice_centroids(cavity, inside)
    return Frame(centre, 0.0, length, np.zeros(2), 0.0)


def _posed(frame: Frame, cavity: Field, outer: Field, free: Field, tilt: NDArray[np.float64]) -> Frame:
    """Turn and move the frame so that the landmarks of :mod:`cheart.align.pose` come out, with this tilt."""
    towards = frame.centroid(outer, free) - frame.centroid(0.0, cavity)
    turn = -float(np.arctan2(towards[1], towards[0]))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    frame = Frame(frame.centre @ rotation.T, frame.base, frame.length, tilt, frame.turn + turn)
    off = np.array(TEMPLATE_CENTRE) - frame.centroid(0.0, outer)
    return Frame(frame.centre + off[:2], frame.base + float(off[2]), frame.length, tilt, frame.turn)
