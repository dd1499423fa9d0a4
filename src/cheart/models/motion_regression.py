"""What a plane's motion is predicted by: a kernel ridge regression, chosen by leaving hearts out, alone or on another.

    f(x) = s · f_before(x) + g(x)       g fitted to what s · f_before gets wrong of the training hearts

f_before is that of the model that training goes on from; alone, there is none. Each has features of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cheart.models.kernel_regression import KernelRegression, left_out
from cheart.models.plane_features import Wide, fit_features, raw
from cheart.models.planes import PlaneData, PlaneSubject
from cheart.models.uncertainty import Rows

PENALTIES = (0.03, 0.1, 0.3, 1.0)
"""Candidates for λ of the kernel ridge regression."""

FURTHER_PENALTIES = (*PENALTIES, 3.0, 10.0)
"""The same of g beside f_before: it may have little to add."""

TRUSTS = (0.0, 0.4)
"""Candidates for the weight of a condition."""

PARTS = 5
"""Parts of the training hearts that are left out in turn."""


@dataclass(frozen=True)
class Widening:
    """From the numbers of one model to those of another that has more conditions and further modes.

    Attributes:
        anatomy: modes of end-diastole of the one and of the other, whose first ones are the same.
        place: where each encoded condition of the one is among those of the other, [E].
        conditions: of the other, how many.
        curves: J of both.
        modes: M of the other.
    """

    anatomy: tuple[int, int]
    place: Sequence[int]
    conditions: int
    curves: int
    modes: int

    def inputs(self, values: Wide, axis: int) -> Wide:
        """Along an axis that begins with a plane's own anatomy and ends with the conditions."""
        (own, widened), others = self.anatomy, values.shape[axis] - self.anatomy[0] - len(self.place)
        between = widened + others
        to = [*range(own), *range(widened, between), *(between + i for i in self.place)]
        out = np.zeros((*values.shape[:axis], between + self.conditions, *values.shape[axis + 1 :]))
        out[(slice(None),) * axis + (to,)] = values
        return out

    def outputs(self, values: Wide) -> Wide:
        """Of motion in numbers, [..., J·M]."""
        numbers = values.reshape(*values.shape[:-1], self.curves, -1)
        further = [(0, 0)] * (numbers.ndim - 1) + [(0, self.modes - numbers.shape[-1])]
        return np.asarray(np.pad(numbers, further).reshape(*values.shape[:-1], -1))


@dataclass(frozen=True)
class MotionRegression:
    """A regression, and the features that it takes.

    Attributes:
        centre, into: of :func:`cheart.models.plane_features.fit_features`, [U] and [U, F].
        kernel: the regression.
    """

    centre: Wide
    into: Wide
    kernel: KernelRegression

    def predict(self, subject: PlaneSubject, conditions: NDArray[np.float32]) -> Wide:
        """What it says of a subject's planes, [P, C]."""
        return self.kernel.predict((raw(subject, conditions) - self.centre) @ self.into)

    def widened(self, by: Widening) -> MotionRegression:
        """The same for more conditions, which play no part, and further modes, which do not move."""
        kernel = replace(
            self.kernel,
            landmarks=by.inputs(self.kernel.landmarks, 1),
            weights=by.outputs(self.kernel.weights),
            centre=by.outputs(self.kernel.centre),
        )
        return MotionRegression(by.inputs(self.centre, 0), by.inputs(by.inputs(self.into, 0), 1), kernel)

    def inputs(self, data: PlaneData, rows: Rows) -> Wide:
        """x of the rows, [n, F]."""
        hearts = zip(data.subjects, data.conditions, rows.seen, strict=True)
        return np.concatenate([(raw(s, c)[planes] - self.centre) @ self.into for s, c, planes in hearts])


@dataclass(frozen=True)
class Chosen:
    """A fitted regression.

    Attributes:
        regression: g, fitted to all training hearts.
        share: s, of what was known already; 0 where nothing was.
        left: errors [n, C] on each row, by a fit without its heart.
        figures: what was chosen, by name.
    """

    regression: MotionRegression
    share: float
    left: Wide
    figures: Mapping[str, float]


def fit_motion(data: PlaneData, rows: Rows, y: Wide, *, most: int, known: Wide | None = None) -> Chosen:
    """By the best of a few penalties, weights of the conditions and shares at leaving hearts out.

    Args:
        data: training subjects.
        rows: whose planes the rows of ``y`` are.
        y: motion of planes in numbers, [n, C].
        most: landmarks at most.
        known: what f_before says of the same, [n, C].
    """
    part, best = _parts(rows), np.inf
    both = y if known is None else np.concatenate([y, known], axis=1)
    for trust in TRUSTS if data.conditions.shape[1] else TRUSTS[:1]:
        features = _nothing(*fit_features(data, trust=trust))
        x = features.inputs(data, rows)
        for penalty in PENALTIES if known is None else FURTHER_PENALTIES:
            off = both - left_out(x, both, part, penalty=penalty, most=most)
            share, error = (0.0, off) if known is None else _best_share(*np.split(off, 2, axis=1))
            if (loss := float(np.square(error).mean())) < best:
                best, chosen, left = loss, (penalty, trust, share, features, x), error
    penalty, trust, share, features, x = chosen
    at = without_conditions(x, rows.heart, data.conditions.shape[1]) if trust else None
    kernel = KernelRegression.fit(x, y if known is None else y - share * known, penalty=penalty, most=most, at=at)
    figures = {"penalty": penalty, "trust": trust} | ({} if known is None else {"share": share})
    return Chosen(replace(features, kernel=kernel), share, left, figures)


def without_conditions(x: Wide, heart: NDArray[np.intp], conditions: int) -> Wide:
    """The rows [n, F] with other conditions, which are the last so many features, for their owners': drawn from the
    Gaussian of all, so that of the conditions a model file holds means and covariances alone.

    Args:
        x: rows.
        heart: whose row each is, [n].
        conditions: how many features they are.
    """
    people = np.unique(heart, return_index=True)[1]
    known = x[people, -conditions:]
    drawn = np.random.default_rng(0).multivariate_normal(known.mean(axis=0), np.cov(known.T, ddof=0), len(people))
    return np.concatenate([x[:, :-conditions], drawn[np.searchsorted(heart[people], heart)]], axis=1)


def _best_share(off: Wide, known: Wide) -> tuple[float, Wide]:
    """s, and what is left: fitted with y − s · known for y, left-out hearts are off by ``off`` − s · ``known``."""
    share = float(np.clip((off * known).sum() / max(np.square(known).sum(), 1e-12), 0, 1))
    return share, np.asarray(off - share * known)


def _parts(rows: Rows) -> NDArray[np.intp]:
    """The part of each row: that of its heart."""
    hearts = len(rows.seen)
    return np.asarray(np.random.default_rng(0).permutation(hearts)[rows.heart] % min(PARTS, hearts))


def _nothing(centre: Wide, into: Wide) -> MotionRegression:
    """Features without a regression."""
    none = np.zeros((0, into.shape[1]))
    return MotionRegression(centre, into, KernelRegression(none, none, np.zeros(0), 1.0))
