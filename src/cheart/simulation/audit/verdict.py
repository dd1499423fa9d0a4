"""One line of a check: a published figure, the cohort's own, and whether it is inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SURE = 2.6
"""Standard errors by which a cohort must exclude a band to break it: about once in a hundred by chance, where the truth
lies just on the band, and never where it lies well inside."""


@dataclass(frozen=True)
class Row:
    """One line of the check.

    Attributes:
        group: what it is about.
        quantity, published, ours, source: in words.
        inside: whether the cohort is inside the published band; None where it is not judged.
    """

    group: str
    quantity: str
    published: str
    ours: str
    inside: bool | None
    source: str

    def __post_init__(self) -> None:
        if self.inside is not None:  # numpy's own truth is neither True nor JSON
            object.__setattr__(self, "inside", bool(self.inside))


def within(value: float, low: float, high: float, *, error: float = 0.0) -> bool:
    """Whether a value with its standard error does not exclude a band."""
    return bool(low - SURE * error <= value <= high + SURE * error)


def mean_row(quantity: str, values: Sequence[float], low: float, high: float, source: str) -> Row:
    """A row on a mean over hearts."""
    mean, sd = float(np.mean(values)), float(np.std(values))
    inside = within(mean, low, high, error=sd / np.sqrt(len(values)))
    return Row("motion", quantity, f"{low:g} to {high:g}", f"{mean:.1f} ± {sd:.1f}", inside, source)


def stroke_row(table: pd.DataFrame, group: str) -> Row:
    """The row on both ventricles' stroke volumes."""
    most = float(((table.rvedv - table.rvesv) / (table.lvedv - table.lvesv) - 1).abs().max())
    quantity = "RV over LV stroke volume, largest difference"
    return Row(group, quantity, "≤ 5 %", f"{most:.1%}", most <= 0.05, "by definition")


def explained(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Adjusted R² of a linear regression, and its standard error."""
    design = np.column_stack([np.ones(len(x)), x])
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    r2 = 1 - (left @ left / (len(x) - design.shape[1])) / y.var(ddof=1)
    return float(r2), float(2 * np.sqrt(max(r2, 0.01)) * (1 - r2) / np.sqrt(len(x)))


def slope_of(x: NDArray[np.float64], y: NDArray[np.float64], which: int) -> tuple[float, float]:
    """One coefficient of a linear regression, and its standard error."""
    design = np.column_stack([np.ones(len(x)), x])
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    left = y - design @ coefficients
    covariance = np.linalg.inv(design.T @ design) * (left @ left) / (len(x) - design.shape[1])
    return float(coefficients[which + 1]), float(np.sqrt(covariance[which + 1, which + 1]))
