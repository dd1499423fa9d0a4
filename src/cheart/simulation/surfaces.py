"""The mean anatomy: three surfaces around the LV axis as low-order descriptors.

At end-diastole, with height s from 0 (epicardial apex) to 1 (the flat basal plane) and angle θ about the line of the
LV cavity's centroids (θ = 0 towards the RV, 90° anterior), the anatomy is three fields of squared radii in mm²:

    LV cavity:  r² < A(s, θ)           LV wall:  A ≤ r² < P(s, θ)          RV cavity:  P ≤ r² < P + D(s, θ)

Squared radii make every volume a plain integral, V = ½ ∫∫ A dθ dz, linear in the field.

The figures were fitted by least squares to the mean end-diastolic surfaces of 1,093 healthy volunteers of the UK
Digital Heart Project (Bai et al., MedIA 26:133, 2015; RMS 0.3 mm for the LV, 1.0 mm for the RV).
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

Field = NDArray[np.float64]
"""[HEIGHTS, ANGLES]: a quantity over height and angle."""

HEIGHTS, ANGLES = 81, 180
S: NDArray[np.floating] = np.linspace(0.0, 1.0, HEIGHTS)
"""Heights of the nodes, 0 at the epicardial apex and 1 at the basal plane."""
THETA: NDArray[np.floating] = np.arange(ANGLES) * (2 * np.pi / ANGLES)
"""Angles of the nodes in rad, 0 towards the RV, π/2 anterior."""

MEAN_LENGTH = 98.15
"""Epicardial apex to basal plane, mm."""
CAVITY_APEX, RV_APEX = 0.0377, 0.0647
"""Heights s at which the LV cavity and the RV begin."""

_BEND_TOP, _WALL_TOP = 0.95, 0.88  # the mean wall tapers to nothing at the annulus; label maps do not
_TOP = 0.92  # the mean mitral plane is tilted: above, the fitted fields follow its lower side down

# height by Chebyshev polynomials (rows); angle by 1, cos θ, sin θ, … cos 4θ, sin 4θ (columns); times height; mm²
_CAVITY = np.array([
    [1136, -5, -6, -64, 12, -41, 13, 1, 10],
    [-537, 1, 7, 54, 30, 28, 36, -16, 24],
    [-149, -7, -10, 49, -1, 33, 25, -8, -13],
    [-28, 3, 4, 67, 59, -17, 15, -24, 9],
    [-1, -8, -7, -20, 46, -8, 2, 1, -19],
])  # fmt: skip
_OUTER = np.array([
    [1904, 57, 44, -13, -71, -71, 13, -24, 31],
    [-997, -164, -38, -54, 98, -8, -4, 11, 2],
    [-107, 31, 86, 113, -16, 79, 21, -11, -22],
    [-110, -78, -29, 32, 51, -24, 8, -18, 12],
    [3, 40, -17, 17, 37, 7, -15, -0, -20],
])  # fmt: skip
# RV: Chebyshev in height (rows) and across the arc between the insertions (columns); mm²
_RV = np.array([
    [3599, -622, -4, 493, 111, -165],
    [252, 264, 551, 11, -279, 100],
    [445, 467, 1884, -263, 309, 552],
    [-549, 195, 266, -197, 310, -43],
    [211, -129, 279, 44, 65, 27],
])  # fmt: skip
# where the RV meets the LV wall, in degrees: Chebyshev in the RV's height
_INFERIOR = np.array([-47.1, 6.1, 15.1, 0.6, 5.4])
_ANTERIOR = np.array([49.4, 41.4, -11.0, 1.9, -2.3])
# the LV cavity's centroids off the straight axis, mm: Chebyshev in the cavity's height
_BEND_X = np.array([-16.81, 1.49, 2.56, 0.85, -0.02])
_BEND_Y = np.array([-0.41, 0.03, -0.89, 1.74, 0.51])


def relative_height(start: float) -> NDArray[np.floating]:
    """Height [HEIGHTS] from 0 where a structure begins to 1 at the base; 0 below."""
    return np.clip((S - start) / (1 - start), 0.0, 1.0)


def mean_cavity() -> Field:
    """A: squared radius of the LV endocardium, mm²; 0 below the cavity's apex."""
    return _fourier_field(_CAVITY, relative_height(CAVITY_APEX))


def mean_wall() -> Field:
    """P − A: squared radius of the LV epicardium less that of the endocardium, mm²."""
    wall = (_fourier_field(_OUTER, S) - mean_cavity()).clip(0)
    at = _eased(S, _WALL_TOP)
    return np.stack([np.interp(at, S, column) for column in wall.T], axis=1)


def mean_bend() -> NDArray[np.float64]:
    """The cavity's centroids off the straight axis [HEIGHTS, 2] in mm (x, y)."""
    h = 2 * _eased(relative_height(CAVITY_APEX), _BEND_TOP) - 1
    return np.stack([chebyshev.chebval(h, _BEND_X), chebyshev.chebval(h, _BEND_Y)], axis=-1)


def rv_field(*, apex: float = RV_APEX, widen: float = 1.0, turn: float = 0.0) -> Field:
    """D: squared radius of the RV's free wall less that of the LV epicardium, mm².

    Args:
        apex: height s at which the RV begins.
        widen: factor on the arc between the insertions.
        turn: by how much the arc is turned towards anterior, rad.
    """
    h = relative_height(apex)
    top = _eased(h, _TOP)
    low, high = (np.radians(chebyshev.chebval(2 * top - 1, c)) for c in (_INFERIOR, _ANTERIOR))
    middle, half = (low + high) / 2 + turn, widen * (high - low) / 2
    across = (np.angle(np.exp(1j * (THETA[None] - middle[:, None]))) / half[:, None]).clip(-1, 1)
    edge = (1 - across**2) ** 0.7 * np.sqrt(h)[:, None]
    heights = chebyshev.chebvander(2 * top - 1, _RV.shape[0] - 1)
    body = np.einsum("hj,jm,htm->ht", heights, _RV, chebyshev.chebvander(across, _RV.shape[1] - 1))
    # a flat base cuts off what the tilted one of the mean shape still has: it is spread over the heights below
    basal = 1 + 0.25 * np.exp(-(((S - 0.85) / 0.17) ** 2))
    return np.maximum(edge * body, 0.0) * basal[:, None]


def tricuspid() -> NDArray[np.float64]:
    """Fraction of the RV base's extra descent at each angle [ANGLES]: the tricuspid annulus all, the outflow little."""
    anterior = np.clip((np.degrees(np.angle(np.exp(1j * THETA))) - 15) / 50, 0, 1)
    return 1 - 0.8 * anterior**2 * (3 - 2 * anterior)


def _eased(height: NDArray[np.floating], top: float) -> NDArray[np.floating]:
    """Heights that slow down to reach ``top`` at the base: they read a fitted field no higher than it holds."""
    start = 2 * top - 1
    over = np.clip((height - start) / (1 - start), 0, 1)
    return np.minimum(height, start) + (1 - start) * (over - over**2 / 2)


def _fourier_field(coefficients: NDArray, height: NDArray[np.floating]) -> Field:
    top = _eased(height, _TOP)
    heights = chebyshev.chebvander(2 * top - 1, coefficients.shape[0] - 1) * top[:, None]
    return np.maximum(heights @ coefficients @ fourier((coefficients.shape[1] - 1) // 2).T, 0.0)


def fourier(order: int) -> NDArray[np.float64]:
    """1, cos θ, sin θ, … cos kθ, sin kθ at the nodes [ANGLES, 2·order + 1]."""
    columns = [np.ones(ANGLES)]
    for k in range(1, order + 1):
        columns += [np.cos(k * THETA), np.sin(k * THETA)]
    return np.stack(columns, axis=-1)


def integral(field: Field) -> float:
    """½ ∫∫ field dθ ds: a squared radius in mm² becomes a volume per mm of length, mm²."""
    return float(np.pi * np.trapezoid(field.mean(axis=1), S))
