"""What is normal for a person: the distribution of every measure given conditions, from hearts that a model makes.

For a measure y (its logarithm where it is positive by nature) and encoded conditions x

    y | x = φ(x)·β + σ(x) r,    ln σ²(x) = ψ(x)·γ,    z = g(r)

with φ the conditions, the square of every number and its product with every level, and ψ the conditions (least squares,
and Harvey's regression of the squared residuals, Econometrica 44:461, 1976). It is fitted to hearts that a model
generated for people like those it was trained on, so that it is the model's own conditional distribution, in a form
that answers at once for any age. g takes the quantiles of the hearts' own r to those of N(0, 1): patients of several
diseases are not normally distributed.

Conditions that are not known are drawn, given those that are, as the training cohort has them; the distribution is then
the mixture. A heart of which some slices were seen is held against what would be measured of a normal heart on such
slices: their errors, found on the same hearts, move the mean and widen the spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import norm

from cheart.conditions import Conditions, Encoding, Person, rounded
from cheart.errors import InputError
from cheart.normal.measures import MEASURES
from cheart.population import Population

MIN_HEARTS = 100
"""Fewer hearts make no norms."""

DRAWS = 300
"""People that stand for conditions that are not known."""

_RIDGE = 1e-3
_LEAST_KNOWN = 0.5  # share of the hearts that must show a measure
_PROBABLE = (1e-12, 1 - 1e-12)
_DIGITS = 6

_SHARES = np.array([0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.975, 0.99])
"""Quantiles at which g is known; beyond the outer three it goes on straight."""


@dataclass(frozen=True, eq=False)
class Norms:
    """A distribution of measures given conditions.

    Attributes:
        encoding: how conditions become numbers, with the ranges of training.
        population: for conditions that are not known.
        names: of the measures, M.
        mean: [M, F] β.
        spread: [M, G] γ.
        quantiles: [M, Q] of r, at :data:`_SHARES`.
        precision: [F, F] (ΦᵀΦ)⁻¹, from which the error of the mean follows.
        errors: by distance of slices in mm, [M, 2]: mean and SD of the error that such slices make (of the logarithm
            where the measure is positive).
        correlation: [M, M] of what conditions leave open.
        hearts: how many it was made of.
        source: what made them, for people.
    """

    encoding: Encoding
    population: Population
    names: tuple[str, ...]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    precision: NDArray[np.float64]
    errors: Mapping[float, NDArray[np.float64]]
    correlation: NDArray[np.float64]
    hearts: int
    source: str

    @classmethod
    def fit(
        cls,
        encoding: Encoding,
        population: Population,
        people: Sequence[Conditions],
        measured: Sequence[Mapping[str, float]],
        *,
        errors: Mapping[float, Sequence[tuple[Mapping[str, float], Mapping[str, float]]]] | None = None,
        source: str,
    ) -> Norms:
        """From hearts whose owners' conditions are known.

        Args:
            encoding, population: of the conditions.
            people: conditions of each heart's owner.
            measured: :func:`cheart.normal.measures.measure` of each.
            errors: by distance of slices in mm, pairs of what such slices show of a heart and what the whole heart is.
            source: for people.

        Raises:
            InputError: fewer than :data:`MIN_HEARTS` hearts.
        """
        if len(people) < MIN_HEARTS:
            raise InputError(f"norms of {len(people)} hearts: at least {MIN_HEARTS} are needed (--hearts)")
        table = np.array([[row.get(name, np.nan) for name in MEASURES] for row in measured], float)
        names = tuple(
            n for n, column in zip(MEASURES, table.T, strict=True) if np.isfinite(column).mean() >= _LEAST_KNOWN
        )
        y = _forward(names, table[:, [list(MEASURES).index(n) for n in names]])
        x = encoding.encode(list(people)).astype(float)
        design, shape = _design(encoding, x), _shape(encoding, x)
        fits = [_fit_one(design, shape, column) for column in y.T]
        mean, spread = np.array([f[0] for f in fits]), np.array([f[1] for f in fits])
        left = (y - design @ mean.T) / np.exp(shape @ spread.T / 2)
        held_out = left / (
            1 - design.shape[1] / len(design)
        )  # as if each heart had been left out, by the mean leverage
        quantiles = np.nanquantile(held_out, _SHARES, axis=0).T
        left = np.where(np.isfinite(left), left, 0.0)
        inverse = np.linalg.pinv(design.T @ design, rcond=1e-9, hermitian=True)
        found = {mm: _errors(names, pairs) for mm, pairs in (errors or {}).items()}
        return cls(
            encoding, population, names, rounded(mean, _DIGITS), rounded(spread, _DIGITS), rounded(quantiles, 4),
            rounded(inverse, _DIGITS),
            {mm: rounded(e, _DIGITS) for mm, e in found.items()}, rounded(np.corrcoef(left.T), 3), len(people), source,
        )  # fmt: skip

    def given(self, conditions: Person, *, slices_mm: float | None = None, seed: int = 0) -> Normal:
        """The distribution for a person.

        Args:
            conditions: what is known of them; the rest is drawn.
            slices_mm: the distance of the slices that were seen; None: the whole heart was.
            seed: of the draws.
        """
        known = {n: v for n, v in self.encoding.schema.read(conditions).items() if n in conditions}
        whole = all(known.get(n) is not None for n in self.encoding.schema.names)
        rng = np.random.default_rng(seed)
        people = [self.population.draw(known, rng) for _ in range(1 if whole else DRAWS)]
        x = self.encoding.encode(people).astype(float)
        design = _design(self.encoding, x)
        centre, sd = design @ self.mean.T, np.exp(_shape(self.encoding, x) @ self.spread.T / 2)
        off, wide = self._error_at(slices_mm).T
        leverage = np.einsum("pf,fg,pg->p", design, self.precision, design)
        unsure = sd * np.sqrt(leverage)[:, None]
        return Normal(self.names, centre + off, np.hypot(sd, wide), wide, unsure, self.quantiles, self.correlation)

    def _error_at(self, slices_mm: float | None) -> NDArray[np.float64]:
        """[M, 2] between the distances that were tried, by straight lines from none at 0 mm."""
        if slices_mm is None or not self.errors:
            return np.zeros((len(self.names), 2))
        at = np.array([0.0, *sorted(self.errors)])
        table = np.stack([np.zeros((len(self.names), 2)), *(self.errors[mm] for mm in sorted(self.errors))])
        flat = table.reshape(len(at), -1)
        return np.array([np.interp(slices_mm, at, column) for column in flat.T]).reshape(table.shape[1:])

    def outside(self, conditions: Conditions) -> list[str]:
        """What lies beyond the range of training, a sentence each: of it nothing may be judged."""
        return self.encoding.outside(conditions)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_json` reads it back, with the model's encoding and population."""
        return {
            "format": 1, "names": list(self.names), "mean": self.mean.tolist(), "spread": self.spread.tolist(),
            "quantiles": self.quantiles.tolist(), "precision": self.precision.tolist(),
            "errors": {f"{mm:g}": e.tolist() for mm, e in self.errors.items()},
            "correlation": self.correlation.tolist(), "hearts": self.hearts, "source": self.source,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any], encoding: Encoding, population: Population) -> Norms:
        """Read what :meth:`to_json` wrote.

        Raises:
            InputError: tables of other sizes than the measures and conditions have.
        """
        m, f = len(value["names"]), _design(encoding, np.zeros((1, len(encoding.columns)))).shape[1]
        sizes = {
            "mean": (m, f), "spread": (m, 1 + len(encoding.columns)), "quantiles": (m, len(_SHARES)),
            "precision": (f, f), "correlation": (m, m),
        }  # fmt: skip
        if set(value["names"]) - set(MEASURES) or any(not _has(value[name], size) for name, size in sizes.items()):
            raise InputError(
                "norms of other measures or conditions than these: delete norms.json, and they are made again"
            )
        if any(not _has(rows, (m, 2)) for rows in value["errors"].values()):
            raise InputError("norms with errors of other measures: delete norms.json, and they are made again")
        errors = {float(mm): np.array(e, float) for mm, e in value["errors"].items()}
        arrays = ("mean", "spread", "quantiles", "precision", "correlation")
        read: dict[str, Any] = {name: np.array(value[name], float) for name in arrays}
        about: dict[str, Any] = {"hearts": value["hearts"], "source": value["source"], "errors": errors}
        return cls(encoding=encoding, population=population, names=tuple(value["names"]), **read, **about)


@dataclass(frozen=True, eq=False)
class Normal:
    """What is normal for one person: a mixture over P people that the conditions known may be of.

    Attributes:
        names: of the measures, M.
        mean, sd: [P, M], of logarithms where the measure is positive.
        error: [M] SD of what the imaging adds, contained in ``sd``.
        unsure: [P, M] standard error of the mean.
        quantiles: [M, Q] as in :class:`Norms`.
        correlation: [M, M].
    """

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    error: NDArray[np.float64]
    unsure: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    correlation: NDArray[np.float64]

    def z(self, name: str, value: float) -> tuple[float, float]:
        """z-score of a value, and its standard error.

        The error holds what the imaging adds, what the unknown conditions leave open, and the norms' own error.
        """
        m = self.names.index(name)
        scores = self._scores(m, _forward_one(name, value))
        z = float(scores[0]) if len(scores) == 1 else float(ndtri(np.clip(norm.cdf(scores).mean(), *_PROBABLE)))
        parts = (self.error[m] / self.sd[:, m].mean(), scores.std(), float((self.unsure[:, m] / self.sd[:, m]).mean()))
        return z, float(np.sqrt(np.square(parts).sum()))

    def _scores(self, m: int, y: float) -> NDArray[np.float64]:
        """[P] g((y − mean) / sd)."""
        r = (y - self.mean[:, m]) / self.sd[:, m]
        knots, scores = self.quantiles[m], ndtri(_SHARES)
        low, high = ((scores[a] - scores[b]) / (knots[a] - knots[b]) for a, b in ((2, 0), (-1, -3)))
        beyond = low * np.minimum(r - knots[0], 0) + high * np.maximum(r - knots[-1], 0)
        return np.array(np.interp(r, knots, scores) + beyond)

    def quantile(self, name: str, share: float) -> float:
        """The value below which a share of normal people lies."""
        m = self.names.index(name)
        low, high = (self.mean[:, m] + s * 8 * self.sd[:, m] for s in (-1, 1))
        a, b = float(low.min()), float(high.max())
        for _ in range(60):
            middle = (a + b) / 2
            below = norm.cdf(self._scores(m, middle)).mean()
            a, b = (middle, b) if below < share else (a, middle)
        return float(np.exp(a)) if MEASURES[name].positive else a

    def distance(self, z: Mapping[str, float]) -> tuple[float, int]:
        """Mahalanobis' squared distance of z-scores together, and its degrees of freedom."""
        used = [n for n in self.names if np.isfinite(z.get(n, np.nan))]
        index = [self.names.index(n) for n in used]
        scores = np.array([z[n] for n in used])
        inner = self.correlation[np.ix_(index, index)] + 0.02 * np.eye(len(index))
        return float(scores @ np.linalg.solve(inner, scores)), len(index)


def _has(rows: Sequence[Sequence[float]], size: tuple[int, int]) -> bool:
    """Whether a table has this many rows and columns."""
    return len(rows) == size[0] and all(len(row) == size[1] for row in rows)


def _forward_one(name: str, value: float) -> float:
    return float(np.log(max(value, 1e-9))) if MEASURES[name].positive else float(value)


def _forward(names: Sequence[str], table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the columns [N, M] that are positive by nature."""
    out = table.copy()
    logs = [i for i, name in enumerate(names) if MEASURES[name].positive]
    out[:, logs] = np.log(np.where(table[:, logs] > 0, table[:, logs], np.nan))
    return out


def _numbers(encoding: Encoding) -> list[int]:
    """Columns of encoded conditions that are numbers; the others are indicators."""
    names = [f.name for f in encoding.schema.factors if f.kind == "number"]
    return [i for i, column in enumerate(encoding.columns) if column in names]


def _design(encoding: Encoding, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, F] φ(x)."""
    numbers = _numbers(encoding)
    others = [i for i in range(x.shape[1]) if i not in numbers]
    products = [x[:, i] * x[:, j] for i in numbers for j in others]
    return np.column_stack([np.ones(len(x)), x, x[:, numbers] ** 2, *products])


def _shape(encoding: Encoding, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, G] ψ(x)."""
    return np.column_stack([np.ones(len(x)), x])


def _fit_one(
    design: NDArray[np.float64], shape: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """β by least squares weighted by the spread, γ by the regression of ln r² (whose mean for a normal r is −1.27)."""
    known = np.isfinite(y)
    a, s, y = design[known], shape[known], y[known]
    weight = np.ones(len(y))
    for _ in range(3):
        beta = _ridge(a * weight[:, None], y * weight)
        free = len(y) / max(len(y) - np.linalg.matrix_rank(a), 1)
        gamma = _ridge(s, np.log(np.square(y - a @ beta) * free + 1e-12) + 1.2704)
        scale = np.square(y - a @ beta) * free / np.exp(s @ gamma)
        gamma[0] += np.log(scale.mean())
        weight = np.exp(-s @ gamma / 2)
        weight /= weight.mean()
    return beta, gamma


def _ridge(a: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array(np.linalg.solve(a.T @ a + _RIDGE * np.eye(a.shape[1]), a.T @ y))


def _errors(
    names: Sequence[str], pairs: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]
) -> NDArray[np.float64]:
    """[M, 2] mean and SD of what slices show less what the whole heart is; a measure that they do not show has none."""
    seen, whole = (np.array([[pair[k][n] for n in names] for pair in pairs], float) for k in (0, 1))
    off = _forward(names, seen) - _forward(names, whole)
    known = np.isfinite(off).sum(0)
    filled = np.where(np.isfinite(off), off, 0.0)
    mean = filled.sum(0) / np.maximum(known, 1)
    square = np.where(np.isfinite(off), (off - mean) ** 2, 0.0).sum(0) / np.maximum(known, 1)
    return np.stack([mean, np.sqrt(square)], axis=1)
