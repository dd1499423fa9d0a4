"""How a heart beats, given its form: function from mass and volume, wall stress, sphericity and local wall thickness.

The ejection fraction follows from geometry and from what the wall does. With W and V the volumes of wall and cavity,
and S the share by which the volume within the midwall shrinks, an incompressible wall gives

    EF = (1 + W / 2V) S F,    S = S_max / (1 + exp(−u)),    F: mean function of the 17 segments

so that a thick wall ejects more for the same shortening (de Simone et al., JACC 23:1444, 1994; Aurigemma et al., JACC
26:195, 1995). u falls with wall stress (pressure × volume / mass, higher in a round ventricle; Gunther and Grossman,
Circulation 59:679, 1979), steeply once the ventricle is dilated out of proportion to its mass, and with the severity of
the disease. Each segment loses function where it is scarred, thinner than its neighbours (below about 5.5 mm a wall
rarely thickens; Baer et al., Circulation 91:1006, 1995), or thicker than some 15 mm. The RV has a curve of its own, and
what leaves one ventricle leaves the other: the weaker one limits the stroke volume.

De Simone (doi 10.1016/0735-1097(94)90390-5) and Weissler were looked up and say so; Aurigemma, Gunther and Grossman,
and Baer are cited from memory and were not at hand to check.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cheart.labels import MYOCARDIUM_G_PER_ML
from cheart.simulation import surfaces
from cheart.simulation.clinical.form import CAVITY, WALL, basis
from cheart.simulation.clinical.people import HEART_RATE_SD, KIND_NAMES, KINDS
from cheart.simulation.clinical.segments import N_SEGMENTS, PARTITION, TERRITORIES, means_of
from cheart.simulation.reference import MEAN_SHAPE
from cheart.simulation.surfaces import MEAN_LENGTH

Array = NDArray[np.float64]

_SHORTENING, _AT_REST = 0.70, 0.80
"""S_max, and u of a healthy heart of usual form."""
_MOST = 0.88
"""Ejection fractions saturate below this."""

# of each kind: u without severity, u a unit of severity, spread of u, the RV's own loss without and by severity
_STATE: dict[str, tuple[float, float, float, float, float]] = {
    "healthy": (0.0, 0.0, 0.30, 0.0, 0.0),
    "hypertensive": (0.10, -0.15, 0.36, 0.0, 0.0),
    "athlete": (0.05, 0.0, 0.30, 0.0, 0.0),
    "hcm_septal": (1.0, 0.0, 0.72, 0.9, 0.0),
    "hcm_concentric": (0.90, -0.10, 0.72, 0.9, 0.0),
    "hcm_apical": (0.75, 0.0, 0.68, 0.9, 0.0),
    "dcm": (-1.35, -0.40, 0.42, 0.0, -0.50),
    "dcm_lbbb": (-1.25, -0.35, 0.42, 0.0, -0.40),
    "infarct_lad": (-0.10, -0.10, 0.48, 0.0, 0.0),
    "infarct_lad_distal": (-0.30, -0.15, 0.48, 0.0, 0.0),
    "infarct_rca": (-0.35, -0.20, 0.48, 0.0, -0.15),
    "infarct_lcx": (-0.40, -0.20, 0.48, 0.0, 0.0),
    "rv": (-0.25, -0.05, 0.32, -0.2, -0.35),
}
_LBBB = KIND_NAMES.index("dcm_lbbb")
_SEPTUM = np.isin(np.arange(1, 18), (2, 3, 8, 9, 14)).astype(float)
_LATERAL = np.isin(np.arange(1, 18), (5, 6, 11, 12, 16)).astype(float)
_USUAL = np.repeat([0.95, 1.0, 1.08, 1.1], [6, 6, 4, 1])  # the apex contracts more than the base
_SCAR = np.array([TERRITORIES.get(name, np.zeros(N_SEGMENTS)) for name in KIND_NAMES])


@dataclass(frozen=True, eq=False)
class Geometry:
    """What the form of n hearts measures at end-diastole, in the person's own units.

    Attributes:
        lvedv, rvedv: mL. lvm: g. length: epicardial apex to base, mm.
        dilated, heavy, rv_dilated: logarithms of LVEDV, mass and RVEDV against those of the person's healthy like.
        wall: [n, 17], thickness in mm. thin: [n, 17], its logarithm against what is usual in a heart of that size.
        stress: wall stress against a healthy heart's at 125 mmHg. age: years. sbp: mmHg.
    """

    lvedv: Array
    lvm: Array
    rvedv: Array
    length: Array
    dilated: Array
    heavy: Array
    rv_dilated: Array
    wall: Array
    thin: Array
    stress: Array
    age: Array
    sbp: Array


@cache
def _segment_tables() -> tuple[Array, Array, Array, Array]:
    """Means over the segments of the wall's basis [44, 17] and of A and W [17] of the mean shape; shares of it."""
    cavity, wall = surfaces.mean_cavity(), surfaces.mean_wall()
    share = (PARTITION * wall).sum((1, 2))
    return means_of(basis()), means_of(cavity), means_of(wall), share / share.sum()


def geometry(form: Array, expected: Array, age: Array, sbp: Array) -> Geometry:
    """Measure forms.

    Args:
        form: [n, N_FORM].
        expected: [n, 3], LVEDV, mass and RVEDV of the healthy like
        (:func:`cheart.simulation.phenotypes.expected_sizes`). age, sbp: [n].
    """
    on_segments, cavity, wall, share = _segment_tables()
    lvedv, lvm, rvedv = (np.exp(form[:, :3]) * expected).T
    length = MEAN_LENGTH * (lvedv / MEAN_SHAPE["lvedv"]) ** (1 / 3) * np.exp(form[:, 3])
    local = form[:, WALL] @ on_segments
    local = local - np.log(np.exp(local) @ share)[:, None]
    a = cavity * (lvedv / MEAN_SHAPE["lvedv"] * MEAN_LENGTH / length)[:, None]
    w = wall * np.exp(local) * (lvm / MEAN_SHAPE["lvm"] * MEAN_LENGTH / length)[:, None]
    ratio = lvm / MYOCARDIUM_G_PER_ML / lvedv
    usual = MEAN_SHAPE["lvm"] / MYOCARDIUM_G_PER_ML / MEAN_SHAPE["lvedv"]
    stress = sbp / 125 * (usual / ratio) ** 0.8 * np.exp(-1.5 * form[:, 3])
    return Geometry(
        lvedv,
        lvm,
        rvedv,
        length,
        form[:, 0],
        form[:, 1],
        form[:, 2],
        np.sqrt(a + w) - np.sqrt(a),
        local,
        stress,
        age,
        sbp,
    )


def cavity_radii(g: Geometry, form: Array) -> Array:
    """Mean radius of the cavity in each segment at end-diastole [n, 17], mm."""
    on_segments, cavity, _, _ = _segment_tables()
    size = g.lvedv / MEAN_SHAPE["lvedv"] * MEAN_LENGTH / g.length
    return np.asarray(np.sqrt(cavity * size[:, None]) * np.exp(form[:, CAVITY] @ on_segments))


def segment_function(g: Geometry, kind: NDArray[np.intp], severity: Array) -> Array:
    """f [n, 17]: how well each segment works, 1 where nothing is wrong, below 0 where it bulges."""
    scarred = 1 - 1.10 * _SCAR[kind] * severity[:, None]
    thin = 1 / (1 + np.exp(-(g.thin + 0.42) / 0.06))
    thick = 1 / (1 + np.exp((g.wall - 15.5) / 2.0))
    f = _USUAL * np.where(scarred > 0, scarred * thin, scarred) * thick
    lbbb = (kind == _LBBB)[:, None]
    return np.asarray(np.clip(f + lbbb * (0.10 * _LATERAL - 0.35 * _SEPTUM), -0.35, None))


def _softplus(x: Array, width: float) -> Array:
    return np.asarray(width * np.logaddexp(0, x / width))


def _draw(rng: np.random.Generator, mean: Array | float, sd: float, n: int, low: float, high: float) -> Array:
    return np.clip(mean + sd * rng.standard_normal(n), low, high)


def draw_beat(
    g: Geometry,
    kind: NDArray[np.intp],
    severity: Array,
    rng: np.random.Generator,
    heart_rate: float | None = None,
) -> dict[str, Array]:
    """Draw how n hearts beat.

    Args:
        g: their form.
        kind, severity: [n], what is hidden.
        rng: where chance comes from.
        heart_rate: beats a minute; None draws it as well.

    Returns:
        By name [n]: heart_rate, lvesv and rvesv (mL), the motion of base and apex (mm), twist (degrees), timing (ms),
        ...; ``amplitude`` [n, 17] is how much each segment contracts, relative to the others.
    """
    n = kind.size
    usual_rate = np.array([k.heart_rate for k in KINDS])[kind]
    rate: Array = np.rint(np.clip(usual_rate + HEART_RATE_SD * rng.standard_normal(n), 32, 125))
    if heart_rate is not None:
        rate = np.full(n, heart_rate)
    function = segment_function(g, kind, severity)
    own, by_severity, spread, rv_own, rv_by_severity = np.array([_STATE[name] for name in KIND_NAMES])[kind].T

    share = _segment_tables()[3]
    healthy = float(_USUAL @ share)
    whole = function @ share / healthy
    beyond = g.dilated - 0.6 * np.maximum(g.heavy, 0)  # dilated out of proportion to the mass
    u = _AT_REST + own + by_severity * severity + spread * rng.standard_normal(n)
    u += -0.45 * np.log(g.stress) - 2.0 * _softplus(beyond - 0.22, 0.06) + 0.003 * (g.age - 50)
    shortening = _SHORTENING / (1 + np.exp(-u))
    ratio = g.lvm / MYOCARDIUM_G_PER_ML / g.lvedv
    able = (1 + ratio / 2) * shortening * np.maximum(whole, 0.1)
    lv_able = g.lvedv * able * (1 + (able / _MOST) ** 6) ** (-1 / 6)

    rv_u = (
        2.1
        + rv_own
        + rv_by_severity * severity
        - 2.6 * _softplus(g.rv_dilated - 0.12, 0.08)
        + 0.40 * rng.standard_normal(n)
    )
    rv_able = g.rvedv * 0.80 / (1 + np.exp(-rv_u))
    stroke = (lv_able**-10 + rv_able**-10) ** -0.1
    shunt = np.clip(0.011 + 0.012 * rng.standard_normal(n), -0.045, 0.045)
    ef, rvef = stroke / g.lvedv, stroke * (1 + shunt) / g.rvedv

    amplitude = np.clip(function + 0.12 * rng.standard_normal((n, N_SEGMENTS)), -0.4, None)
    stiff = np.exp(-0.35 * np.maximum(np.log(g.wall.mean(1) / 8.5), 0))  # long-axis motion goes first in hypertrophy
    long_axis = (np.maximum(ef, 0.05) / 0.60) ** 0.8 * g.length / 98
    beat = {
        "heart_rate": rate,
        "lvesv": g.lvedv - stroke,
        "rvesv": g.rvedv - stroke * (1 + shunt),
        "amplitude": amplitude,
        "lv_descent": np.clip((15.4 * stiff - 0.02 * (g.age - 45)) * long_axis + rng.normal(0, 1.1, n), 1.5, 21),
        "rv_descent": np.clip(22.5 * (rvef / 0.57) ** 0.7 * g.length / 98 + rng.normal(0, 1.8, n), 4, 29),
        "apex_rise": _draw(rng, 1.2, 0.6, n, 0, 3),
        "apex_twist": (9 + 0.08 * (g.age - 45)) * np.minimum(ef / 0.58, 1.25) * stiff**-0.5 + rng.normal(0, 2, n),
        "base_twist": -3 * np.minimum(ef / 0.58, 1.25) + rng.normal(0, 1, n),
        "narrowing": _draw(rng, 0.11 * rvef / 0.57, 0.05, n, 0, 0.35),
        "tilt_x": rng.normal(0, 0.02, n),
        "tilt_y": rng.normal(0, 0.02, n),
    }
    return beat | _timing(g, kind, ef, rate, rng)


def _timing(g: Geometry, kind: NDArray[np.intp], ef: Array, rate: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Durations in ms and shares; a weak ventricle takes longer to open the valve and ejects for less (Weissler et al.,
    Circulation 37:149, 1968); thick or old ones relax late, and the weakest fill in one rush."""
    n = kind.size
    weak = np.clip((0.55 - ef) / 0.40, 0, 1)
    thick = np.clip(np.log(g.wall.mean(1) / 8.5), 0, 0.6)
    lbbb = kind == _LBBB
    ratio = np.maximum(2.08 - 0.0248 * (g.age - 25), 0.7) * np.exp(-0.9 * thick + rng.normal(0, 0.2, n))
    restrictive = weak > 0.55 + 0.25 * rng.standard_normal(n)
    return {
        "pre_ejection": _draw(rng, 42 + 35 * weak + 40 * lbbb, 8, n, 20, 140),
        "ejection": 413 - 1.7 * rate - 45 * weak + _draw(rng, 0, 15, n, -40, 40),
        "relaxation": _draw(rng, 90 + 0.35 * (g.age - 41) + 50 * thick + 20 * weak * ~restrictive, 15, n, 50, 170),
        "filling": _draw(rng, 205 - 35 * restrictive + 30 * thick, 20, n, 130, 270),
        "kick": _draw(rng, 125, 10, n, 95, 155),
        "e_to_a": np.clip(np.where(restrictive, 2.4 * np.exp(rng.normal(0, 0.2, n)), ratio), 0.4, 4.5),
        "early": _draw(rng, 0.85 + 0.18 * weak - 0.25 * thick, 0.07, n, 0.55, 1.25),
        "rush": _draw(rng, 0.80 + 0.2 * thick, 0.06, n, 0.55, 1.15),
        "slow": _draw(rng, 0.06, 0.025, n, 0.0, 0.14),
        "relaxed": _draw(rng, 0.02 + 0.02 * weak, 0.008, n, 0.0, 0.07),
        "rv_later": _draw(rng, 0.006 + 0.02 * lbbb, 0.010, n, -0.025, 0.045),
        "rv_early": _draw(rng, 1.0, 0.08, n, 0.75, 1.3),
        "rv_passive": rng.normal(-0.03, 0.04, n),
        "dyssynchrony": _draw(rng, 0.35 * lbbb + 0.05 * weak, 0.05, n, -0.15, 0.6),
    }


MOTION_NUMBERS = (
    *(f"segment {i + 1}, inward, mm" for i in range(N_SEGMENTS)),
    "LV base, mm", "RV base, mm", "RV free wall, mm", "apex, mm",
)  # fmt: skip
"""What the motion from end-diastole to end-systole is judged by: all in mm, so that their squares may be added."""


def motion_numbers(g: Geometry, beat: dict[str, Array]) -> Array:
    """Motion at end-systole [n, 21] in mm, by :data:`MOTION_NUMBERS`, from the segments' mean radii."""
    _, cavity, _, _ = _segment_tables()
    share = (PARTITION * surfaces.mean_cavity()).sum((1, 2))
    shrink = 1 - (beat["lv_descent"] + beat["apex_rise"]) / g.length
    left = beat["lvesv"] / g.lvedv / shrink
    pulls, bulges = split(beat["amplitude"])
    grown = BULGE * bulges
    exponent = solve_exponent(pulls, share / share.sum() * np.exp(grown), left)
    radius = np.sqrt(cavity * (g.lvedv / MEAN_SHAPE["lvedv"] * MEAN_LENGTH / g.length)[:, None])
    inward = radius * (1 - np.exp((exponent[:, None] * pulls + grown) / 2))
    depth = 34.0 * (g.rvedv / MEAN_SHAPE["rvedv"]) ** (1 / 3)
    free_wall = depth * (1 - beat["rvesv"] / g.rvedv / (1 - beat["rv_descent"] / g.length))
    return np.column_stack([inward, beat["lv_descent"], beat["rv_descent"], free_wall, beat["apex_rise"]])


BULGE = 0.5
"""By how much the log of the squared radius grows in systole where the amplitude is −1: dyskinesia, whatever the rest
does."""


def split(amplitude: Array) -> tuple[Array, Array]:
    """How much a region pulls and how much it bulges: both above 0 (smoothly), their difference is the amplitude."""
    pulls = _softplus(amplitude, 0.06)
    return pulls, pulls - amplitude


def solve_exponent(pulls: Array, share: Array, left: Array) -> Array:
    """b [n] such that Σ share exp(b·pulls) = left, of arrays [n, k]: Newton's method on its (convex) logarithm."""
    b = np.log(left) / np.maximum((pulls * share).sum(1), 0.1)
    for _ in range(20):
        grown = np.exp(b[:, None] * pulls) * share
        total = grown.sum(1)
        b = np.clip(b - (np.log(total) - np.log(left)) * total / (grown * pulls).sum(1), -80.0, 1.0)
    return np.asarray(b)
