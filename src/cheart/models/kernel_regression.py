"""Kernel ridge regression: the mean of a Gaussian process, on landmarks where there are many rows.

    k(x, x')  = (1 + √3 d/ℓ) exp(−√3 d/ℓ),  d = |x − x'|        Matérn 3/2 (Rasmussen and Williams 2006, eq. 4.17)
    f(x)      = ȳ + k(x, L) α,  (K_LN K_NL + λ K_LL) α = K_LN (y − ȳ)        subset of regressors (eq. 8.11)

With all rows as landmarks that is (K + λ 1) α = y − ȳ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Wide = NDArray[np.float64]

REACH = 2.0
"""ℓ in typical distances between rows."""

JITTER = 1e-6


@dataclass(frozen=True)
class KernelRegression:
    """A fitted regression.

    Attributes:
        landmarks: L, [M, F].
        weights: α, [M, C].
        centre: ȳ, [C].
        length: ℓ.
    """

    landmarks: Wide
    weights: Wide
    centre: Wide
    length: float

    @classmethod
    def fit(cls, x: Wide, y: Wide, *, penalty: float, most: int, at: Wide | None = None) -> KernelRegression:
        """Of rows x [N, F] and y [N, C]; ℓ is :data:`REACH` times the median distance between landmarks.

        Args:
            x, y: the rows.
            penalty: λ.
            most: landmarks at most, spread over the rows.
            at: what stands for the rows as landmarks, [N, F], where they are not to be kept themselves.
        """
        chosen = np.unique(np.linspace(0, len(x) - 1, min(most, len(x))).astype(int))
        landmarks, centre = (x if at is None else at)[chosen], y.mean(axis=0)
        apart = distances(landmarks, landmarks)
        length = float(REACH * np.median(apart))
        own = matern(apart / length)
        if len(chosen) == len(x) and at is None:
            weights = np.linalg.solve(own + penalty * np.eye(len(x)), y - centre)
        else:
            across = matern(distances(landmarks, x) / length)
            system = across @ across.T + penalty * own
            system[np.diag_indices_from(system)] += JITTER * len(x)
            weights = np.linalg.solve(system, across @ (y - centre))
        return cls(landmarks, weights, centre, length)

    def predict(self, x: Wide) -> Wide:
        """f(x), [n, C], of rows [n, F]."""
        return np.asarray(self.centre + matern(distances(x, self.landmarks) / self.length) @ self.weights)

    def times(self, share: float) -> KernelRegression:
        """A share of it."""
        return replace(self, weights=share * self.weights, centre=share * self.centre)


def matern(apart: Wide) -> Wide:
    """The Matérn 3/2 kernel of distances in lengths ℓ."""
    scaled = np.sqrt(3.0) * apart
    return np.asarray((1 + scaled) * np.exp(-scaled))


def distances(a: Wide, b: Wide) -> Wide:
    """Euclidean distances [n, m] between rows [n, F] and [m, F]."""
    squared = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    return np.asarray(np.sqrt(squared.clip(0)))


def left_out(
    x: Wide, y: Wide, part: NDArray[np.intp], *, penalty: float, most: int, length: float | None = None
) -> Wide:
    """What a regression on the other parts says of each row, [N, C]: :meth:`KernelRegression.fit`, part by part [N]."""
    out = np.zeros_like(y)
    for k in range(int(part.max()) + 1):
        own = part == k
        if own.any() and not own.all():
            out[own] = KernelRegression.fit(x[~own], y[~own], penalty=penalty, most=most).predict(x[own])
    return out
