"""The joint distribution of conditions in a cohort: for drawing those that a person left out.

It holds means and covariances only, of groups in which no person can be told apart, so that a model can carry it: of a
group smaller than :data:`SMALLEST_GROUP` nothing is kept but how frequent it is, its members count in no sum at all (or
they could be had by subtraction), and all numbers are rounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Conditions, Encoding, Schema, Value, rounded
from cheart.errors import InputError

SMALLEST_GROUP = 10
"""People of a combination of levels from which on it has a mean and a covariance of its own."""

_DIGITS = 3


@dataclass(frozen=True)
class Population:
    """A mixture with one Gaussian of the number factors for each combination of levels.

    Attributes:
        schema: the factors.
        combinations: the levels of each component, in the order of the schema's level factors.
        fraction: [M], each component's fraction of the people.
        mean: [M, F] of the number factors, in their units.
        covariance: [M, F, F].
        trained: the range in which draws must lie, [F, 2].
    """

    schema: Schema
    combinations: tuple[tuple[Value, ...], ...]
    fraction: NDArray[np.float64]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    trained: NDArray[np.float64]

    @classmethod
    def fit(cls, encoding: Encoding, people: Sequence[Conditions]) -> Population:
        """From the training subjects; a factor that nobody has known stays unknown in every draw.

        Components borrow the whole cohort's covariance, as if it had been seen in ten people; small ones are as
        the whole cohort is.
        """
        schema = encoding.schema
        numbers = [f.name for f in schema.factors if f.kind == "number"]
        levels = [f for f in schema.factors if f.kind == "level"]
        values = np.array([[_number(p.get(n)) for n in numbers] for p in people], float).reshape(len(people), -1)
        of_person = [tuple(p.get(f.name) for f in levels) for p in people]
        sizes = Counter(of_person)
        large = np.array([sizes[combination] >= SMALLEST_GROUP for combination in of_person], bool)
        counted = large if large.any() else np.ones(len(people), bool)
        known = ~np.isnan(values) & counted[:, None]
        centre = np.array([values[known[:, j], j].mean() if known[:, j].any() else 0 for j in range(len(numbers))])
        filled = np.where(known, values, centre)
        overall = np.cov(filled[counted], rowvar=False, bias=True).reshape(len(numbers), len(numbers))
        combinations, fraction, mean, covariance = [], [], [], []
        for combination in product(*[(*f.levels, None) for f in levels]):
            n = sizes[combination]
            if not n:
                continue
            rows = filled[[c == combination for c in of_person]] if n >= SMALLEST_GROUP else np.empty((0, len(numbers)))
            centred = rows - (rows.mean(axis=0) if len(rows) else 0)
            combinations.append(combination)
            fraction.append(n / len(people))
            mean.append((rows.sum(axis=0) + centre) / (len(rows) + 1))
            covariance.append((centred.T @ centred + 10 * overall) / (len(rows) + 10))
        trained = np.array([encoding.trained[n] for n in numbers], float).reshape(-1, 2)
        arrays = (np.array(fraction), rounded(np.array(mean), _DIGITS), rounded(np.array(covariance), _DIGITS), trained)
        return cls(schema, tuple(combinations), *arrays)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the number factors."""
        return tuple(f.name for f in self.schema.factors if f.kind == "number")

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the level factors."""
        return tuple(f.name for f in self.schema.factors if f.kind == "level")

    def draw(self, known: Conditions, rng: np.random.Generator) -> dict[str, Value]:
        """Conditions like a person's of this cohort who has the known values; the known ones stay as they are.

        A factor that nobody in the cohort has known (its range is empty) stays missing.
        """
        given = np.array([known.get(n) is not None for n in self.numbers], bool) & (
            self.trained[:, 0] < self.trained[:, 1]
        )
        x = np.array([_number(known.get(n)) for n in self.numbers], float)
        fits = np.array([self._fits(c, known) for c in self.combinations], bool)
        log = np.log(self.fraction) + self._log_likelihood(x, given)
        if fits.any():  # levels that nobody in the cohort combined say nothing about the numbers
            log[~fits] = -np.inf
        weight = np.exp(log - log.max())
        component = int(rng.choice(len(self.fraction), p=weight / weight.sum()))
        drawn = self._conditional(component, x, given, rng)
        person: dict[str, Value] = dict(zip(self.levels, self.combinations[component], strict=True))
        for j, name in enumerate(self.numbers):
            low, high = self.trained[j]
            person[name] = float(np.clip(drawn[j], low, high)) if high > low else None
        person |= {name: value for name, value in known.items() if value is not None}
        return {name: person.get(name) for name in self.schema.names}

    def _fits(self, combination: tuple[Value, ...], known: Conditions) -> bool:
        return all(known.get(n) in (None, level) for n, level in zip(self.levels, combination, strict=True))

    def _log_likelihood(self, x: NDArray[np.float64], given: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Log density of the given numbers under each component, but for a constant, [M]."""
        log = np.zeros(len(self.fraction))
        for m, (mean, covariance) in enumerate(zip(self.mean, self.covariance, strict=True)):
            c = _ridged(covariance[np.ix_(given, given)])
            d = (x - mean)[given]
            log[m] = -0.5 * (d @ np.linalg.solve(c, d) + np.linalg.slogdet(c)[1]) if given.any() else 0.0
        return log

    def _conditional(
        self, m: int, x: NDArray[np.float64], given: NDArray[np.bool_], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        mean, covariance = self.mean[m], self.covariance[m]
        free = ~given
        if not free.any():
            return x
        gain = np.zeros((int(free.sum()), int(given.sum())))
        if given.any():
            gain = np.linalg.solve(_ridged(covariance[np.ix_(given, given)]), covariance[np.ix_(given, free)]).T
        centre = mean[free] + gain @ (x - mean)[given]
        left = covariance[np.ix_(free, free)] - gain @ covariance[np.ix_(given, free)]
        out = x.copy()
        out[free] = rng.multivariate_normal(centre, left, check_valid="ignore", method="eigh")
        return out

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_json` reads it back."""
        return {
            "combinations": [list(c) for c in self.combinations],
            "fraction": self.fraction.tolist(),
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], encoding: Encoding) -> Population:
        """Read what :meth:`to_json` wrote, with the encoding that stands beside it.

        Raises:
            InputError: arrays that do not fit one another or the encoding; levels that its schema has not; a covariance
                that is none.
        """
        schema = encoding.schema
        trained = np.array([encoding.trained[f.name] for f in schema.factors if f.kind == "number"], float)
        combinations = tuple(tuple(c) for c in value["combinations"])
        levels = [f.levels for f in schema.factors if f.kind == "level"]
        if any(len(c) != len(levels) or any(v not in (None, *n) for v, n in zip(c, levels)) for c in combinations):  # noqa: B905
            raise InputError("population: combinations are not of the schema's levels")
        m, f = len(combinations), len(trained)
        shapes: tuple[tuple[int, ...], ...] = ()
        try:
            fraction, mean, covariance = (np.array(value[k], float) for k in ("fraction", "mean", "covariance"))
            shapes = fraction.shape, mean.reshape(m, f).shape, covariance.reshape(m, f, f).shape
        except ValueError:  # of other sizes
            pass
        if shapes != ((m,), (m, f), (m, f, f)) or abs(fraction.sum() - 1) > 1e-6:
            raise InputError(f"population: expected fractions of {m} groups that sum to 1, and means of {f} numbers")
        mean, covariance = mean.reshape(m, f), covariance.reshape(m, f, f)
        off = f * 0.5 * 10.0 ** (1 - _DIGITS)  # by so much rounding may move eigenvalues, in the largest entries
        if not np.allclose(covariance, covariance.transpose(0, 2, 1), rtol=1e-3) or (
            f and np.linalg.eigvalsh(covariance).min() < -off * np.abs(covariance).max()
        ):
            raise InputError("population: a covariance is not symmetric, or negative")
        return cls(schema, combinations, fraction, mean, covariance, trained.reshape(-1, 2))


def _number(value: Value) -> float:
    return float("nan") if value is None else float(value)


def _ridged(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """A covariance that can be inverted, also where a factor never varied."""
    return matrix + 1e-9 * np.eye(len(matrix)) * max(float(np.trace(matrix)), 1.0)
