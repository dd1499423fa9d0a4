"""Linear regression of curves in time, with what is known already as the prior (Bishop 2006, section 3.3).

    y_r        = w_r M x_r + noise, variance 1 in units of Λ         rows r: one heart at one time
    M          ~ N(0, C ⊗ Λ ⊗ 1)                C = L Lᵀ over the curve's parameters, Λ diagonal over x

Known curves come whole, so that their posterior is of the same form as the prior and costs next to nothing:

    Λ'         = (Λ⁻¹ + τ XᵀX)⁻¹,  M' = A τ X Λ'      τ: how much of a new heart a known one counts
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Bool, Float64, Int
from numpy.typing import NDArray

Array = NDArray[np.float64]

TRUSTS = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Candidates for τ."""

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Candidates for each part of Λ."""

LEFT_OUT = 150
"""Hearts that are left out one at a time, at most, to choose between candidates."""


@dataclass(frozen=True)
class Rows:
    """Observations, those of a heart behind one another.

    Attributes:
        heart: whose.
        waves, inputs, values: w, x and y.
    """

    heart: Int[np.ndarray, " R"]
    waves: Float64[np.ndarray, "R H"]
    inputs: Float64[np.ndarray, "R F"]
    values: Float64[np.ndarray, "R K"]

    def of(self, keep: Bool[np.ndarray, " R"]) -> Rows:
        """Some of the rows."""
        return Rows(self.heart[keep], self.waves[keep], self.inputs[keep], self.values[keep])

    def along(self, time: Float64[np.ndarray, "H q"]) -> Rows:
        """The same with waves w L; a heart with more than q rows is given in q, which say the same of M."""
        parts = []
        for heart in np.unique(self.heart):
            part = self.of(self.heart == heart)
            waves, values = part.waves @ time, part.values
            if len(waves) > time.shape[1]:
                turn, _ = np.linalg.qr(waves)
                waves, values = turn.T @ waves, turn.T @ values
            count = len(waves)
            parts.append(Rows(part.heart[:count], waves, part.inputs[:count], values))
        return Rows(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("heart", "waves", "inputs", "values")))


@dataclass(frozen=True)
class Curves:
    """Whole curves that are known."""

    inputs: Float64[np.ndarray, "N F"]
    amplitudes: Float64[np.ndarray, "N H K"]


@dataclass(frozen=True)
class Regression:
    """What was learned.

    Attributes:
        weight: M.
        left: what each new heart did otherwise than the others predicted.
        chosen: candidates, by name.
        loss: mean square of a value of a heart that was left out.
    """

    weight: Float64[np.ndarray, "H F K"]
    left: Float64[np.ndarray, "N H K"]
    chosen: dict[str, float]
    loss: float


def time_factor(
    amplitudes: Float64[np.ndarray, "N H K"], waves: Float64[np.ndarray, "T H"], *, kept: float = 0.999
) -> Float64[np.ndarray, "H q"]:
    """L, so that L Lᵀ is so much of the amplitudes' second moment; 1 at its greatest frame."""
    values, vectors = np.linalg.eigh(np.einsum("nhk,ngk->hg", amplitudes, amplitudes, optimize=True))
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    keep = int(np.searchsorted(np.cumsum(values), kept * values.sum())) + 1
    factor = vectors[:, :keep] * np.sqrt(values[:keep])
    scaled: Array = factor / np.sqrt(np.square(waves @ factor).sum(axis=1).max())
    return scaled


def learn(
    rows: Rows, known: Curves, time: Float64[np.ndarray, "H q"], parts: Mapping[str, Float64[np.ndarray, " F"]]
) -> Regression:
    """M from new rows and what lies along L of known curves; τ and the strength of each part of Λ's diagonal by the
    hearts left out. Part ``free`` counts as it is."""
    given, along = rows.along(time), np.linalg.pinv(time)
    before = Curves(known.inputs, np.einsum("qh,nhk->nqk", along, known.amplitudes, optimize=True))
    hearts = np.unique(given.heart)
    tried = given.of(np.isin(given.heart, hearts[:: max(1, len(hearts) // LEFT_OUT)][:LEFT_OUT]))
    names = [name for name in parts if name != "free"]
    best: dict[str, float] = {}
    least = np.inf
    for trust, *strengths in product(TRUSTS, *(STRENGTHS for _ in names)):
        chosen = {"trust": trust, **dict(zip(names, strengths, strict=True))}
        loss = float(np.square(_Fit.of(tried, before, parts, chosen).left_out()).mean())
        if loss < least:
            least, best = loss, chosen
    fit = _Fit.of(given, before, parts, best)
    weight = np.einsum("hq,qfk->hfk", time, fit.weight(), optimize=True)
    return Regression(weight, _as_curves(replace(given, values=fit.left_out()), time), best, least)


@dataclass(frozen=True)
class _Fit:
    """One choice of candidates, along L: C is 1.

    Attributes:
        rows: the new hearts.
        scale: Λ'.
        before: M'.
        inverse: of the rows' covariance.
        solved: that times what M' leaves of the rows' values.
    """

    rows: Rows
    scale: Float64[np.ndarray, "F F"]
    before: Float64[np.ndarray, "q F K"]
    inverse: Float64[np.ndarray, "R R"]
    solved: Float64[np.ndarray, "R K"]

    @classmethod
    def of(cls, rows: Rows, known: Curves, parts: Mapping[str, Array], chosen: Mapping[str, float]) -> _Fit:
        root = np.sqrt(sum(chosen.get(name, 1.0) * part for name, part in parts.items()))
        x = known.inputs * root
        inner = np.linalg.inv(np.eye(len(root)) + chosen["trust"] * x.T @ x)
        scale = root[:, None] * inner * root
        inputs = chosen["trust"] * known.inputs @ scale
        before = np.tensordot(known.amplitudes, inputs, (0, 0)).transpose(0, 2, 1)
        predicted = np.einsum("rq,rqk->rk", rows.waves, np.tensordot(rows.inputs, before, (1, 1)))
        covariance = (rows.waves @ rows.waves.T) * (rows.inputs @ scale @ rows.inputs.T) + np.eye(len(rows.heart))
        inverse = np.linalg.inv(covariance)
        return cls(rows, scale, before, inverse, inverse @ (rows.values - predicted))

    def left_out(self) -> Float64[np.ndarray, "R K"]:
        """What is left of each heart's rows when M is learned from the others."""
        left = np.empty_like(self.solved)
        for heart in np.unique(self.rows.heart):
            own = self.rows.heart == heart
            left[own] = np.linalg.solve(self.inverse[np.ix_(own, own)], self.solved[own])
        return left

    def weight(self) -> Float64[np.ndarray, "q F K"]:
        """M."""
        rows = self.rows
        return self.before + np.einsum(
            "rq,rf,rk->qfk", rows.waves, rows.inputs @ self.scale, self.solved, optimize=True
        )


def _as_curves(rows: Rows, time: Float64[np.ndarray, "H q"]) -> Float64[np.ndarray, "N H K"]:
    """The likeliest amplitudes behind rows along L."""
    out = []
    for heart in np.unique(rows.heart):
        own = rows.of(rows.heart == heart)
        within = own.waves @ own.waves.T
        out.append(time @ own.waves.T @ np.linalg.solve(within + 1e-3 * np.eye(len(within)), own.values))
    return np.stack(out)
