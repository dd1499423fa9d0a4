"""End-diastole as a vector that is Gaussian, given what is hidden: so that what is hidden can be told from it exactly.

With k the kind of heart (:mod:`.people`) and τ ≥ 0.3 the severity of its disease (cut normal, mean 1), the form is

    e | k, τ, person  ~  N(m_k + τ l_k, D_k R D_k)

over the logarithms of size (against what a healthy heart of that person measures), the length, the tilt of the base,
and the coefficients of three smooth fields (cavity, wall, RV). A disease enters as m_k (what all of its hearts have)
and l_k (what grows with severity): thinned territories, a thick septum, a flattened one. Then

    p(k, τ | e, person)  ∝  p(k | person) p(τ) p(e | k, τ)

is a mixture of cut normals in τ, in closed form (:func:`posterior`): the key to p(beat | end-diastole, person).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr
from scipy.stats import truncnorm

from cheart.simulation import surfaces
from cheart.simulation.clinical.people import KIND_NAMES, KINDS
from cheart.simulation.clinical.segments import TERRITORIES, field_of
from cheart.simulation.surfaces import THETA, Field, S

SIZES = ("lv", "mass", "rv", "elongation")
SCALARS = (
    *SIZES,
    "rv_apex",
    "rv_widen",
    "rv_turn",
    "tilt_x",
    "tilt_y",
    "rv_drop",
    "bend_0",
    "bend_1",
    "bend_2",
    "bend_3",
)
"""Names of the first entries of a form: log ratios of size, log of the length at its volume, where the RV begins, how
wide it sits and how it is turned, slope of the mitral plane towards the RV and towards anterior, by how much the
tricuspid valve lies lower (mm), bend of the axis (mm)."""

ANGLE_ORDER, HEIGHT_ORDERS = 4, 5
_PER_FIELD = HEIGHT_ORDERS * (2 * ANGLE_ORDER + 1) - 1
N_FORM = len(SCALARS) + 3 * _PER_FIELD
CAVITY, WALL, RV = (slice(len(SCALARS) + i * _PER_FIELD, len(SCALARS) + (i + 1) * _PER_FIELD) for i in range(3))

_FIELD_SD = (0.06, 0.085, 0.14)
_SCALAR_MEAN = np.array([0, 0, 0, -0.015, surfaces.RV_APEX, 0, 0, -0.05, 0.03, 4.0, 0, 0, 0, 0])
_SCALAR_SD = np.array([0.14, 0.14, 0.145, 0.052, 0.025, 0.05, 0.09, 0.045, 0.045, 1.6, 2.0, 2.0, 1.0, 1.0])
_SIZE_CORRELATION = np.array([[1, 0.45, 0.8, 0], [0.45, 1, 0.35, 0], [0.8, 0.35, 1, 0], [0, 0, 0, 1]])

SEVERITY_SD, LEAST_SEVERITY = 0.35, 0.3

# what a kind adds to the log sizes: always, and times severity; and how much more its sizes vary
_SIZE: dict[str, tuple[tuple[float, ...], tuple[float, ...], float]] = {
    "healthy": ((0, 0, 0, 0), (0, 0, 0, 0), 1.0),
    "hypertensive": ((0, 0, 0, 0), (-0.02, 0.24, -0.05, 0), 1.1),
    "athlete": ((0.17, 0.20, 0.18, -0.05), (0, 0, 0, 0), 0.9),
    "hcm_septal": ((-0.05, 0.17, -0.06, 0), (0, 0.36, -0.02, 0), 1.25),
    "hcm_concentric": ((-0.06, 0.20, -0.06, 0), (-0.06, 0.40, -0.05, 0), 1.25),
    "hcm_apical": ((-0.03, 0.10, -0.03, 0), (0, 0.30, -0.02, 0), 1.25),
    "dcm": ((0.48, 0.34, 0.06, -0.08), (0.14, 0.12, 0.08, -0.05), 1.3),
    "dcm_lbbb": ((0.50, 0.34, 0.04, -0.08), (0.16, 0.14, 0.06, -0.06), 1.3),
    "infarct_lad": ((0.20, 0.08, -0.18, -0.02), (0.12, 0.08, 0, -0.05), 1.25),
    "infarct_lad_distal": ((0.15, 0.08, -0.18, -0.03), (0.10, 0.07, 0, -0.02), 1.25),
    "infarct_rca": ((0.18, 0.08, -0.15, -0.03), (0.10, 0.07, 0, -0.04), 1.25),
    "infarct_lcx": ((0.18, 0.08, -0.18, -0.03), (0.10, 0.07, 0, -0.04), 1.25),
    "rv": ((-0.05, -0.08, 0.12, 0), (-0.10, -0.04, 0.24, 0.03), 1.25),
}


@cache
def basis() -> NDArray[np.float64]:
    """[44, HEIGHTS, ANGLES]: cosines in height times a Fourier series in angle, without the mean; unit coefficients
    give a random field of unit variance that falls off with order as in :mod:`cheart.simulation.anatomy`."""
    along = np.cos(np.pi * np.arange(HEIGHT_ORDERS)[None] * S[:, None])
    around = surfaces.fourier(ANGLE_ORDER)
    k = np.repeat(np.arange(ANGLE_ORDER + 1), 2)[1:]
    scale = (1.0 + np.arange(HEIGHT_ORDERS))[:, None] ** -0.9 * (1.0 + k)[None] ** -1.6
    scale[0, 0] = 0.0
    variance = np.einsum("hj,jk,tk->ht", along**2, scale**2, around**2).mean()
    products = np.einsum("hj,tk,jk->jkht", along, around, scale / np.sqrt(variance))
    return products.reshape(-1, S.size, THETA.size)[1:]


def field(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fields [..., HEIGHTS, ANGLES] of coefficients [..., 44]."""
    return np.asarray(np.tensordot(coefficients, basis(), 1))


def _coefficients(of: Field) -> NDArray[np.float64]:
    """The coefficients whose field is nearest to one, beside its mean."""
    flat = basis().reshape(_PER_FIELD, -1)
    return np.asarray(np.linalg.lstsq(flat @ flat.T, flat @ (of - of.mean()).ravel(), rcond=None)[0])


def _bump(angle: float, width: float) -> NDArray[np.floating]:
    """A hill in angle [1, ANGLES], degrees."""
    return np.exp(-((np.degrees(np.angle(np.exp(1j * (THETA - np.radians(angle))))) / width) ** 2))[None]


def _height(middle: float, width: float) -> NDArray[np.floating]:
    """A hill in height [HEIGHTS, 1]."""
    return np.exp(-(((S - middle) / width) ** 2))[:, None]


def _shape_effect(name: str) -> list[tuple[slice, NDArray[np.floating]]]:
    """What severity adds to the log of the cavity's radius, of the wall and of the RV."""
    level = np.ones((S.size, 1))
    if name == "hypertensive":
        return [(WALL, 0.06 * level * np.cos(THETA - np.pi / 4))]
    if name == "hcm_septal":
        return [(WALL, 0.82 * _height(0.68, 0.36) * _bump(25, 60)), (CAVITY, -0.05 * _height(0.7, 0.3) * _bump(20, 50))]
    if name == "hcm_apical":
        return [
            (WALL, 0.75 * _height(0.1, 0.26) * np.ones_like(THETA)),
            (CAVITY, -0.12 * _height(0.1, 0.2) * _bump(0, 999)),
        ]
    if name in ("dcm", "dcm_lbbb"):
        return [(CAVITY, 0.07 * _height(0.2, 0.3) * np.ones_like(THETA))]
    if name in TERRITORIES:
        scar = field_of(TERRITORIES[name])
        return [(WALL, -0.50 * scar), (CAVITY, 0.06 * scar)]
    if name == "rv":
        flat = 0.5 + 0.5 * S[:, None]
        return [(CAVITY, -0.17 * flat * _bump(0, 55) + 0.05 * flat * _bump(90, 40) + 0.05 * flat * _bump(-90, 40))]
    return []


@dataclass(frozen=True, eq=False)
class Moments:
    """Of every kind: m_k and l_k [KINDS, N_FORM], and Cholesky factors of the sizes' covariance [KINDS, 4, 4]."""

    mean: NDArray[np.float64]
    slope: NDArray[np.float64]
    size_root: NDArray[np.float64]
    sd: NDArray[np.float64]


@cache
def moments() -> Moments:
    """The moments of the form of each kind; the sizes are correlated, all else is not."""
    mean, slope = np.zeros((2, len(KINDS), N_FORM))
    sd = np.append(_SCALAR_SD, np.repeat(_FIELD_SD, _PER_FIELD))
    roots = []
    for i, name in enumerate(KIND_NAMES):
        mean[i, : len(SCALARS)] = _SCALAR_MEAN
        always, grows, wider = _SIZE[name]
        mean[i, :4] += always
        slope[i, :4] = grows
        for where, effect in _shape_effect(name):
            slope[i, where] = _coefficients(np.broadcast_to(effect, (S.size, THETA.size)))
        if name == "rv":
            slope[i, SCALARS.index("rv_widen")] = 0.12
        roots.append(np.linalg.cholesky(_SIZE_CORRELATION) * (_SCALAR_SD[:4] * wider)[:, None])
    return Moments(mean, slope, np.stack(roots), sd)


def draw_severity(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """[n] severities of the prior: a normal cut at its lower end."""
    low = (LEAST_SEVERITY - 1) / SEVERITY_SD
    return np.asarray(truncnorm.rvs(low, np.inf, loc=1, scale=SEVERITY_SD, size=n, random_state=rng))


def draw_form(kind: NDArray[np.intp], severity: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Forms [n, N_FORM] of hearts of known kind [n] and severity [n]."""
    m = moments()
    form = rng.standard_normal((kind.size, N_FORM)) * m.sd
    form[:, :4] = np.einsum("nij,nj->ni", m.size_root[kind], form[:, :4] / m.sd[:4])
    return np.asarray(m.mean[kind] + severity[:, None] * m.slope[kind] + form)


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of kind and severity.

    Attributes:
        kinds: [KINDS], probabilities.
        mean, sd: [KINDS], of the normal that is the severity's where it is cut at LEAST_SEVERITY.
    """

    kinds: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    def draw(self, rng: np.random.Generator, n: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Kinds [n] and severities [n]."""
        kind = rng.choice(self.kinds.size, size=n, p=self.kinds)
        mean, sd = self.mean[kind], self.sd[kind]
        low = (LEAST_SEVERITY - mean) / sd
        return kind, np.asarray(truncnorm.rvs(low, np.inf, loc=mean, scale=sd, size=n, random_state=rng))


def prior(kinds: NDArray[np.float64]) -> Posterior:
    """What is known before a heart is seen: the kinds' prevalences [KINDS]."""
    return Posterior(kinds, np.ones(kinds.size), np.full(kinds.size, SEVERITY_SD))


def posterior(form: NDArray[np.float64], kinds: NDArray[np.float64]) -> Posterior:
    """What end-diastole tells of kind and severity.

    Args:
        form: [N_FORM].
        kinds: [KINDS], prevalences among the person's like.
    """
    m = moments()
    off = form - m.mean
    whitened, slope = off / m.sd, m.slope / m.sd
    for i, root in enumerate(m.size_root):
        whitened[i, :4] = np.linalg.solve(root, off[i, :4])
        slope[i, :4] = np.linalg.solve(root, m.slope[i, :4])
    # log p(e | k, τ) = const − Σ log det − ½|w|² + τ (w·s) − ½ τ² |s|², and the prior of τ
    log_det = np.log(np.einsum("kii->ki", m.size_root)).sum(1)
    precision = (slope**2).sum(1) + 1 / SEVERITY_SD**2
    mean = ((whitened * slope).sum(1) + 1 / SEVERITY_SD**2) / precision
    sd = precision**-0.5
    evidence = -log_det - (whitened**2).sum(1) / 2 + mean**2 * precision / 2 + np.log(sd)
    evidence += log_ndtr((mean - LEAST_SEVERITY) / sd)
    with np.errstate(divide="ignore"):
        log_p = evidence + np.log(kinds)
    p = np.exp(log_p - log_p.max())
    return Posterior(p / p.sum(), mean, sd)
