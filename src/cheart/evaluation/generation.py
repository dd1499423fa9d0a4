"""Generation for held-out people: Tables II, III and IV, and whether beats close.

For every person, hearts are drawn from that person's conditions, measured and forgotten: memory does not grow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cheart.cohort import Cohort, Split
from cheart.conditions import Value, decade
from cheart.errors import InputError
from cheart.evaluation.completion import MEASURES, Judge, chosen_subjects, encoded_conditions
from cheart.heart import Heart
from cheart.hearts import person_seed
from cheart.labels import STRUCTURES
from cheart.metrics.distributions import compare_distributions
from cheart.metrics.overlap import seam
from cheart.metrics.statistics import Better, mean_and_best, summaries
from cheart.model import Model
from cheart.phenotypes import PAPER_FIVE
from cheart.progress import Jobs, collect

LIKENESS = (
    "Generation from each person's conditions. Dice, HD and ASSD against the real heart of that person as in "
    "completion; d = |generated − real| of a phenotype. Mean: over a person's samples; best: the largest Dice, the "
    "smallest HD, ASSD and d of them, each by itself; then mean ± SD over people."
)
DISTRIBUTIONS = (
    "Distributions: W1 (Wasserstein-1, in the phenotype's unit) and KL(real ‖ generated) in nats of the phenotypes of "
    "all people, pooled and as the mean over age decades of 5 people or more, each draw having one sample of every "
    "person; mean ± SD over draws. Densities for KL: Gaussian kernels of Silverman's width for the real sample, on one "
    "support of mean ± 5 SD of the real sample."
)
SEAM = (
    "Seam: the step from the last frame to the first, |mL| and Dice; jumps: fraction of hearts in which that step is "
    "larger than any other of the beat in at least one structure."
)
DEFINITIONS = f"{LIKENESS} {DISTRIBUTIONS} {SEAM}"

NO_DECADE = ("unknown age", "other ages")
"""What stands in place of a decade where there is none."""

_SMALLER = ("hd", "assd", *(f"d_{name}" for name in PAPER_FIVE))
BETTER: dict[str, Better] = {"dice": "max", **dict.fromkeys(_SMALLER, "min")}
"""The measures of Tables II and III, and which way is better."""


@dataclass(frozen=True)
class Generation:
    """How hearts that a model generates compare with the real hearts of the same people.

    Attributes:
        people: one row a person, numbered, without names: the age decade, real_lvm …, and of each measure of
            :data:`BETTER` its mean and best over samples (dice_mean, dice_best …).
        samples: one row a sample: person, sample, the measures, lvm …, and its seam.
        real_seams: one row a person whose every plane was observed.
        structures_empty: structure-frames in which one of two hearts, or both, lacked the structure.
    """

    people: pd.DataFrame
    samples: pd.DataFrame
    real_seams: pd.DataFrame
    structures_empty: int

    def summary(self) -> dict[str, Any]:
        """Everything that the tables show."""
        columns = [c for c in self.people.columns if c.endswith(("_mean", "_best"))]
        return {
            "likeness": summaries({c: self.people[c] for c in columns}),
            "distributions": self.distributions(),
            "seam": {"generated": _seam_summary(self.samples), "real": _seam_summary(self.real_seams)},
        }

    def distributions(self) -> dict[str, dict[str, Any]]:
        """Table IV by phenotype; empty where the real hearts are too few or all alike."""
        found = {}
        for name in PAPER_FIVE:
            drawn = self.samples.pivot(index="sample", columns="subject", values=name).to_numpy()
            try:
                ages = self.people["decade"]
                d = compare_distributions(self.people[f"real_{name}"], drawn, ages, no_group=NO_DECADE)
            except InputError:
                continue
            values = {
                "w1": d.wasserstein_pooled,
                "kl": d.kl_pooled,
                "w1_by_decade": d.wasserstein_by_group,
                "kl_by_decade": d.kl_by_group,
            }
            found[name] = {**summaries(values), "decades": list(d.groups), "decades_left_out": list(d.left_out)}
        return found


def evaluate_generation(
    model: Model,
    cohort: Cohort,
    *,
    split: Split = "test",
    samples: int = 20,
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs = 1,
) -> Generation:
    """Generate hearts for the people of a split and compare them with the real ones.

    Args, Raises: as :func:`cheart.evaluation.completion.evaluate_completion`, of a model that can generate, and
        samples: hearts a person.
        seed: the latent of sample k of person n depends on (seed, n, k) only.
    """
    model.network.require("generate")
    indices = chosen_subjects(model, cohort, split, subjects)
    work = partial(_judge_person, model, cohort, samples, seed)
    people = collect(work, list(enumerate(indices, start=1)), jobs=jobs, title="Generating and comparing")
    return Generation(
        pd.DataFrame([one.row for one in people]),
        pd.DataFrame([row for one in people for row in one.samples]),
        pd.DataFrame([one.seam for one in people if one.seam is not None]),
        sum(one.structures_empty for one in people),
    )


@dataclass(frozen=True)
class _Person:
    """The rows of one person; see :class:`Generation`."""

    row: dict[str, Any]
    samples: list[dict[str, float]]
    seam: dict[str, float] | None
    structures_empty: int


def generate_subject(
    model: Model, cohort: Cohort, index: int, number: int, *, seed: int, cycle_s: float = float("nan")
) -> Heart:
    """The first heart that a model makes for the conditions of a subject, who is person ``number`` of those judged."""
    labels = model.network.generate(encoded_conditions(model, cohort, index), seed=person_seed(seed, number, 0))
    return model.heart(labels, cycle_s)


def _judge_person(model: Model, cohort: Cohort, samples: int, seed: int, person: tuple[int, int]) -> _Person:
    """Generate the samples of one person, (number, row of the cohort), one after the other."""
    number, index = person
    real = cohort.heart(index)
    judge, conditions = Judge(real), encoded_conditions(model, cohort, index)
    truth = judge.real.phenotypes.row()
    rows: list[dict[str, float]] = []
    empty = 0
    for k in range(samples):
        labels = model.network.generate(conditions, seed=person_seed(seed, number, k))
        row, missing = _judge(judge, truth, model.heart(labels, real.cycle_s))
        rows.append({"subject": number, "sample": k + 1, **row})
        empty += missing
    about = {"subject": number, "decade": age_decade(cohort.conditions(index).get("age"))}
    about |= {f"real_{name}": truth[name] for name in PAPER_FIVE}
    return _Person(
        about | _mean_and_best(rows), rows, {"subject": number, **_seam(real)} if real.observed.all() else None, empty
    )


def _judge(judge: Judge, truth: dict[str, float], made: Heart) -> tuple[dict[str, float], int]:
    """One sample's row, and how many structures were empty."""
    likeness, _, missing = judge.likeness(made)
    row = {name: likeness[name] for name in likeness if name.startswith(MEASURES)}
    own = replace(made, observed=judge.real.observed).phenotypes.row()
    row |= {name: own[name] for name in PAPER_FIVE}
    row |= {f"d_{name}": abs(own[name] - truth[name]) for name in PAPER_FIVE}
    return row | _seam(made), missing


def _mean_and_best(rows: list[dict[str, float]]) -> dict[str, float]:
    """The columns of Tables II and III of one person."""
    out: dict[str, float] = {}
    for name, better in BETTER.items():
        mean, best = mean_and_best(np.array([[row[name] for row in rows]]), better)
        out |= {f"{name}_mean": float(mean[0]), f"{name}_best": float(best[0])}
    return out


def _seam(heart: Heart) -> dict[str, float]:
    found = seam(heart.labels, heart.grid)
    row = {f"seam_ml_{s}": abs(float(v)) for s, v in zip(STRUCTURES, found.ml, strict=True)}
    row |= {f"seam_dice_{s}": float(v) for s, v in zip(STRUCTURES, found.dice, strict=True)}
    return {**row, "jump": float((np.abs(found.ml) > found.largest_ml).any())}


def _seam_summary(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    return summaries({c: rows[c] for c in rows.columns if c.startswith(("seam", "jump"))})


def age_decade(age: Value) -> str:
    """The age decade, or why there is none."""
    if age is None:
        return NO_DECADE[0]
    return decade(float(age)) if 10 <= float(age) < 80 else NO_DECADE[1]
