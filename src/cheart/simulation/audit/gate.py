"""Can a clinical cohort tell models apart? What knowing the truth is worth over a linear model, in motion and in EF.

End-diastole and the conditions are given, the beat is to be predicted:

* **oracle**: the true p(beat | end-diastole, conditions), :func:`cheart.simulation.clinical.heart.true_completions`;
* **ridge**, **kernel ridge** (Gaussian kernel) and **gradient boosting** on what end-diastole measures (volumes, mass,
  length, radii and walls of the 17 segments, the RV's form) and the conditions; five-fold cross-validated, with their
  settings chosen within each fold.

Motion is judged by R² pooled over :data:`cheart.simulation.clinical.coupling.MOTION_NUMBERS` (all in mm), EF by the
CRPS: of the oracle's draws, and of normal distributions with each reference's own spread. A cohort in which the
oracle is not well above ridge, or ridge as good as anything, cannot tell models apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Schema
from cheart.metrics.proper_scores import crps_of_normal, crps_of_samples
from cheart.progress import track
from cheart.simulation.audit.verdict import Row
from cheart.simulation.clinical.beat import timings
from cheart.simulation.clinical.coupling import cavity_radii, motion_numbers
from cheart.simulation.clinical.form import SCALARS
from cheart.simulation.clinical.heart import ClinicalTruth, geometry_of, true_completions

MOTION_GAIN, EF_GAIN, SURE = 0.08, 0.12, 5.0
"""By how much the oracle has to be above ridge in R² of motion and in CRPS of EF (a share), and how many standard
errors a nonlinear reference has to be above ridge."""

FEWEST = 600
"""People from whom a gate can be judged."""

_DRAWS = 200
_FOLDS = 5

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """One predictor: squared errors of motion [N] in mm², CRPS of EF [N] in points, and R² of motion and of EF."""

    name: str
    motion: Array
    crps: Array
    motion_r2: float
    ef_r2: float


@dataclass(frozen=True, eq=False)
class Studied:
    """What the check needs of one heart, without its surfaces.

    Attributes:
        row: conditions, phenotypes and group.
        given: [F], what end-diastole measures, and the conditions. motion: [21], mm.
        oracle_motion, oracle_ef: mean motion [21] and draws of EF [D] of p(beat | end-diastole, conditions).
        emptied: [2, 20], volume curves of LV and RV as shares of the stroke volume. lv_ml: [T], mL.
    """

    row: dict[str, Any]
    given: Array
    motion: Array
    oracle_motion: Array
    oracle_ef: Array
    emptied: Array
    lv_ml: Array


def study(truth: ClinicalTruth, schema: Schema, *, seed: int) -> Studied:
    """Measure one heart, and draw what the oracle knows of it from the conditions of a schema."""
    g, form = geometry_of(truth), truth.form[None]
    sizes = [g.lvedv[0], g.lvm[0], g.rvedv[0], g.length[0]]
    beat = {k: np.array([v]) for k, v in truth.beat.items()} | {"amplitude": truth.amplitude[None]}
    drawn = true_completions(truth, n=_DRAWS, seed=seed)
    return Studied(
        row={**truth.conditions, **truth.phenotypes.to_row(), "group": truth.group},
        given=np.array(
            [*sizes, *g.wall[0], *cavity_radii(g, form)[0], *form[0, 4 : len(SCALARS)], *_known(truth, schema)]
        ),
        motion=motion_numbers(g, beat)[0],
        oracle_motion=drawn.filter(like="motion_").to_numpy(float).mean(0),
        oracle_ef=drawn["lvef"].to_numpy(float),
        emptied=np.array([timing.emptied(np.arange(20) / 20) for timing in timings(truth.beat)]),
        lv_ml=truth.lv_ml,
    )


def gate(hearts: Sequence[Studied]) -> list[Judged]:
    """Judge the oracle and the three references on a cohort's hearts."""
    inputs, motion = np.stack([h.given for h in hearts]), np.stack([h.motion for h in hearts])
    ef, samples = np.array([h.row["lvef"] for h in hearts]), np.stack([h.oracle_ef for h in hearts])
    oracle_motion = np.stack([h.oracle_motion for h in hearts])
    rows = [_judge("oracle", oracle_motion, samples.mean(1), motion, ef, crps_of_samples(samples, ef))]
    target = np.column_stack([motion, ef])
    references = (("ridge", _ridge), ("kernel ridge", _kernel_ridge), ("boosting", _boosting))
    for name, fit in track(references, total=len(references), title="Gate"):
        found, spread = _cross_validated(fit, inputs, target)
        rows.append(_judge(name, found[:, :-1], found[:, -1], motion, ef, crps_of_normal(found[:, -1], spread, ef)))
    return rows


def gate_rows(judged: Sequence[Judged]) -> list[Row]:
    """The gate as lines of a check; fewer than :data:`FEWEST` people are described, not judged."""
    by = {j.name: j for j in judged}
    n, ridge, oracle = judged[0].crps.size, by["ridge"], by["oracle"]
    decides = n >= FEWEST
    rows = [
        Row("gate", f"{j.name}: R² of motion, R² and CRPS of EF", "–", _figures(j, ridge), None, "by definition")
        for j in judged
    ]
    motion_gain, ef_gain = oracle.motion_r2 - ridge.motion_r2, 1 - oracle.crps.mean() / ridge.crps.mean()
    ahead = {j.name: _errors_ahead(ridge.motion, j.motion) for j in judged if j.name not in ("oracle", "ridge")}
    best = max(ahead, key=lambda name: ahead[name])
    verdicts = [
        ("oracle over ridge, R² of motion", f"≥ {MOTION_GAIN:.2f}", f"{motion_gain:+.3f}", motion_gain >= MOTION_GAIN),
        ("oracle over ridge, CRPS of EF", f"≥ {EF_GAIN:.0%}", f"{ef_gain:.1%}", ef_gain >= EF_GAIN),
        (
            "best nonlinear reference over ridge, motion",
            f"> {SURE:g} standard errors", f"{ahead[best]:.1f} ({best})", ahead[best] > SURE,
        ),
    ]  # fmt: skip
    return rows + [Row("gate", *v[:3], bool(v[3]) if decides else None, "by definition") for v in verdicts]


def _figures(j: Judged, ridge: Judged) -> str:
    figures = f"{j.motion_r2:.3f}, {j.ef_r2:.3f}, {j.crps.mean():.2f} points"
    if j is ridge:
        return figures
    return f"{figures} ({1 - j.crps.mean() / ridge.crps.mean():+.0%} on ridge)"


def _errors_ahead(ridge: Array, other: Array) -> float:
    """By how many standard errors the other is better, over people."""
    gain = ridge - other
    return float(gain.mean() / (gain.std(ddof=1) / np.sqrt(gain.size)))


def _judge(name: str, found: Array, found_ef: Array, motion: Array, ef: Array, crps: Array) -> Judged:
    error = ((motion - found) ** 2).sum(1)
    total = ((motion - motion.mean(0)) ** 2).sum()
    ef_r2 = 1 - ((ef - found_ef) ** 2).sum() / ((ef - ef.mean()) ** 2).sum()
    return Judged(name, error, crps, float(1 - error.sum() / total), float(ef_r2))


def _known(truth: ClinicalTruth, schema: Schema) -> list[float]:
    numbers: list[float] = []
    for factor in schema.factors:
        value = truth.conditions[factor.name]
        if factor.kind == "number":
            numbers.append(float(value))  # type: ignore[arg-type]
        else:
            numbers += [float(value == level) for level in factor.levels[1:]]
    return numbers


Fit = Callable[[Array, Array, Array], tuple[Array, float]]


def _cross_validated(fit: Fit, inputs: Array, target: Array) -> tuple[Array, Array]:
    """Predictions [N, K] by models that did not see the person, and each fold's spread of EF [N]."""
    found, spread = np.zeros_like(target), np.zeros(len(target))
    fold = np.random.default_rng(0).permutation(len(target)) % _FOLDS
    for k in range(_FOLDS):
        train, held = fold != k, fold == k
        mean, sd = inputs[train].mean(0), inputs[train].std(0) + 1e-9
        found[held], spread[held] = fit((inputs[train] - mean) / sd, target[train], (inputs[held] - mean) / sd)
    return found, spread


def _ridge(x: Array, y: Array, new: Array) -> tuple[Array, float]:
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(np.logspace(-1, 3, 9)).fit(x, y)
    left = model.predict(x)[:, -1] - y[:, -1]
    return model.predict(new), float(np.sqrt(left @ left / max(len(x) - x.shape[1] - 1, 1)))


def _kernel_ridge(x: Array, y: Array, new: Array) -> tuple[Array, float]:
    from sklearn.kernel_ridge import KernelRidge

    inner = np.arange(len(x)) % _FOLDS == 0
    tried = []
    for gamma in (1e-3, 3e-3, 1e-2, 3e-2):
        for alpha in (0.01, 0.03, 0.1, 0.3, 1.0):
            middle = y[~inner].mean(0)
            model = KernelRidge(kernel="rbf", gamma=gamma, alpha=alpha).fit(x[~inner], y[~inner] - middle)
            off = model.predict(x[inner]) + middle - y[inner]
            tried.append((float((off**2).sum()), gamma, alpha, float(np.sqrt((off[:, -1] ** 2).mean()))))
    _, gamma, alpha, spread = min(tried)
    middle = y.mean(0)
    model = KernelRidge(kernel="rbf", gamma=gamma, alpha=alpha).fit(x, y - middle)
    return model.predict(new) + middle, spread


def _boosting(x: Array, y: Array, new: Array) -> tuple[Array, float]:
    """Of the six principal components of motion, and of EF."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def fit(x: Array, y: Array) -> HistGradientBoostingRegressor:
        return HistGradientBoostingRegressor(
            max_iter=150,
            learning_rate=0.06,
            max_leaf_nodes=8,
            min_samples_leaf=15,
            l2_regularization=1.0,
            random_state=0,
        ).fit(x, y)

    middle = y[:, :-1].mean(0)
    modes = np.linalg.svd(y[:, :-1] - middle, full_matrices=False)[2][:6]
    scores = np.column_stack([(y[:, :-1] - middle) @ modes.T, y[:, -1]])
    found = np.column_stack([fit(x, column).predict(new) for column in scores.T])
    inner = np.arange(len(x)) % _FOLDS == 0
    off = fit(x[~inner], y[~inner, -1]).predict(x[inner]) - y[inner, -1]
    return np.column_stack([found[:, :-1] @ modes + middle, found[:, -1]]), float(np.sqrt((off**2).mean()))
