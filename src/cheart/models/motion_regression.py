"""What a plane's motion is predicted by: a kernel ridge regression, chosen by leaving hearts out, alone or on another.

    f(x) = s · f_before(x) + g(x)       g fitted to what s · f_before gets wrong of the training hearts

f_before is the regression of the model that training goes on from; alone, s = 0.
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
"""The same of g, which may have little to add."""

TRUSTS = (0.0, 0.4)
"""Candidates for the weight of a condition."""

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Candidates for s."""

PARTS = 5
"""Parts of the training hearts that are left out in turn."""


@dataclass(frozen=True)
class Widening:
    """From the numbers of one model to those of another that has more conditions and further modes of motion.

    Attributes:
        place: where each encoded condition of the one is among those of the other, [E].
        conditions: of the other, how many.
        curves: J of both.
        modes: M of the other.
    """

    place: Sequence[int]
    conditions: int
    curves: int
    modes: int

    def inputs(self, values: Wide, axis: int) -> Wide:
        """Along an axis at whose end the conditions are."""
        others = values.shape[axis] - len(self.place)
        out = np.zeros((*values.shape[:axis], others + self.conditions, *values.shape[axis + 1 :]))
        out[(slice(None),) * axis + ([*range(others), *(others + i for i in self.place)],)] = values
        return out

    def outputs(self, values: Wide) -> Wide:
        """Of motion in numbers, [..., J·M]."""
        numbers = values.reshape(*values.shape[:-1], self.curves, -1)
        further = [(0, 0)] * (numbers.ndim - 1) + [(0, self.modes - numbers.shape[-1])]
        return np.asarray(np.pad(numbers, further).reshape(*values.shape[:-1], -1))


@dataclass(frozen=True)
class MotionRegression:
    """f, and the features that it takes.

    Attributes:
        centre, into: of :func:`cheart.models.plane_features.fit_features`, [U] and [U, F].
        kernel: f.
    """

    centre: Wide
    into: Wide
    kernel: KernelRegression

    def predict(self, subject: PlaneSubject, conditions: NDArray[np.float32]) -> Wide:
        """f(x) of a subject's planes, [P, C]."""
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
        regression: fitted to all training hearts.
        left: errors [n, C] on each row, by a fit without its heart.
        figures: what was chosen, by name.
    """

    regression: MotionRegression
    left: Wide
    figures: Mapping[str, float]


def fit_motion(data: PlaneData, rows: Rows, y: Wide, *, most: int) -> Chosen:
    """By the best of a few penalties, and weights of the conditions, at leaving hearts out.

    Args:
        data: training subjects.
        rows: whose planes the rows of ``y`` are.
        y: motion of planes in numbers, [n, C].
        most: landmarks at most.
    """
    part, best = _parts(rows), np.inf
    for trust in TRUSTS if data.conditions.shape[1] else TRUSTS[:1]:
        features = _nothing(*fit_features(data, trust=trust))
        x = features.inputs(data, rows)
        for penalty in PENALTIES:
            error = y - left_out(x, y, part, penalty=penalty, most=most)
            if (loss := float(np.square(error).mean())) < best:
                best, chosen, left = loss, (penalty, trust, features, x), error
    penalty, trust, features, x = chosen
    kernel = KernelRegression.fit(x, y, penalty=penalty, most=most)
    fitted = MotionRegression(features.centre, features.into, kernel)
    return Chosen(fitted, left, {"penalty": penalty, "trust": trust})


def go_on(before: MotionRegression, data: PlaneData, rows: Rows, y: Wide, *, most: int) -> Chosen:
    """On another regression, whose features stay: how much of it, and λ, are chosen by leaving hearts out.

    Args:
        before: what is known already.
        data, rows, y, most: as of :func:`fit_motion`; ``most`` landmarks are added.
    """
    part, best, x = _parts(rows), np.inf, before.inputs(data, rows)
    known, length = before.kernel.predict(x), before.kernel.length
    for share in SHARES:
        rest = y - share * known
        for penalty in FURTHER_PENALTIES:
            error = rest - left_out(x, rest, part, penalty=penalty, most=most, length=length)
            if (loss := float(np.square(error).mean())) < best:
                best, chosen, left = loss, (share, penalty), error
    share, penalty = chosen
    further = KernelRegression.fit(x, y - share * known, penalty=penalty, most=most, length=length)
    fitted = MotionRegression(before.centre, before.into, before.kernel.plus(share, further))
    return Chosen(fitted, left, {"penalty": penalty, "share": share})


def _parts(rows: Rows) -> NDArray[np.intp]:
    """The part of each row: that of its heart."""
    hearts = len(rows.seen)
    return np.asarray(np.random.default_rng(0).permutation(hearts)[rows.heart] % min(PARTS, hearts))


def _nothing(centre: Wide, into: Wide) -> MotionRegression:
    """Features without a regression."""
    none = np.zeros((0, into.shape[1]))
    return MotionRegression(centre, into, KernelRegression(none, none, np.zeros(0), 1.0))
