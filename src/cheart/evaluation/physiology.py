"""Are the hearts such as bodies have? What no score of overlap or of single volumes sees, beside the real hearts' own.

One completed and one generated heart of each held-out person are measured as :mod:`cheart.validity` measures any heart.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cheart.cohort import Cohort, Split
from cheart.evaluation.completion import chosen_subjects, complete_subject
from cheart.evaluation.generation import generate_subject
from cheart.heart import Heart
from cheart.metrics.bootstrap import bootstrap
from cheart.model import Model
from cheart.progress import Jobs, collect

RISE = 0.02
"""By what fraction of the stroke volume the LV may grow from one frame to the next before end-systole."""

DEFINITIONS = (
    "Physiology, one heart a person. islands, holes: fraction of hearts in which a structure has a detached piece "
    "(26-connected) or heart encloses background in any frame. LV open: fraction in which LV cavity touches the RV "
    "or, but at the base, background. wall: the largest change of the wall's volume over the cycle, as a fraction of "
    "that at end-diastole (muscle is all but incompressible), mean over hearts. ED later: fraction whose LV is larger "
    f"in another frame than frame 0. rising: fraction whose LV grows by more than {RISE:.0%} of the stroke volume from "
    "one frame to the next before end-systole. seam: fraction whose step from the last frame to the first is their "
    "largest. |LVSV − RVSV|: mean, mL (0 but for shunts and leaking valves). r: correlation of LVEF and RVEF over "
    "hearts, with its 95 % interval by bootstrap over people. Frames that were not observed do not count, of real "
    "hearts."
)

REAL, COMPLETED, GENERATED = "real hearts", "completed", "generated"


def physiology(heart: Heart) -> dict[str, float]:
    """What is measured of one heart; nan is what its observed frames do not show."""
    found, own = heart.validity, heart.phenotypes
    lv, es = heart.curves[:, 0], own.es_frame or 0
    systole = lv[: es + 1][np.isfinite(lv[: es + 1])]
    rise = float(np.diff(systole).max()) if systole.size > 2 else float("nan")
    return {
        "valid": float(found.valid),
        "islands": float(any(found.islands)),
        "holes": float(found.holes > 0),
        "open": float(found.contacts > 0),
        "wall": found.wall_spread,
        "later": float(found.ed_excess > 0),
        "rising": float(rise > RISE * own.lvsv) if np.isfinite(rise) else float("nan"),
        "seam": float(found.seam > 1) if np.isfinite(found.seam) else float("nan"),
        "stroke": abs(own.lvsv - own.rvsv),
        "lvef": own.lvef,
        "rvef": own.rvef,
    }


def audit(rows: pd.DataFrame) -> dict[str, float]:
    """Means over hearts, and the correlation of both ejection fractions with its interval: r, r_low, r_high."""
    means = {str(name): float(rows[name].mean()) for name in rows if name not in ("lvef", "rvef", "subject")}
    both = rows[["lvef", "rvef"]].dropna().to_numpy(float)
    if len(both) < 3:
        return {**means, "r": float("nan"), "r_low": float("nan"), "r_high": float("nan")}
    found = bootstrap(lambda who: _correlation(both[who]), np.arange(len(both)))
    return {**means, "r": found.value, "r_low": found.low, "r_high": found.high}


def _correlation(pairs: np.ndarray) -> float:
    return float(np.corrcoef(pairs.T)[0, 1]) if (pairs.std(axis=0) > 0).all() else float("nan")


def evaluate_physiology(
    model: Model,
    cohort: Cohort,
    *,
    split: Split = "test",
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs = 1,
) -> dict[str, Any]:
    """Audit one completed and one generated heart of each person, and the real ones.

    Args, Raises: as :func:`cheart.evaluation.generation.evaluate_generation`, of a model of any task.

    Returns:
        By whose hearts (:data:`REAL`, :data:`COMPLETED`, :data:`GENERATED`), what :func:`audit` says of them.
    """
    people = list(enumerate(chosen_subjects(model, cohort, split, subjects), start=1))
    found = collect(partial(_look, model, cohort, seed), people, jobs=jobs, title="Auditing hearts")
    kinds = [
        REAL,
        *(k for k, task in ((COMPLETED, "complete"), (GENERATED, "generate")) if task in model.network.tasks),
    ]
    return {kind: audit(pd.DataFrame([one[kind] for one in found])) for kind in kinds}


def _look(model: Model, cohort: Cohort, seed: int, person: tuple[int, int]) -> dict[str, dict[str, float]]:
    number, index = person
    real = cohort.heart(index)
    found = {REAL: physiology(real)}
    if "complete" in model.network.tasks:
        found[COMPLETED] = physiology(complete_subject(model, cohort, index, real))
    if "generate" in model.network.tasks:
        found[GENERATED] = physiology(generate_subject(model, cohort, index, number, seed=seed, cycle_s=real.cycle_s))
    return found
