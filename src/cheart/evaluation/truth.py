"""Generated hearts against the true conditional distribution, which only a simulated cohort has.

What a person of given conditions may measure is known exactly (:func:`cheart.simulation.true_distribution`), so that a
model can be told apart that has the right hearts in the right people from one that has them in the wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.cohort import Cohort, Split, read_table
from cheart.conditions import PAPER_SCHEMA
from cheart.errors import InputError
from cheart.evaluation.completion import chosen_subjects, encoded_conditions, phenotypes_of_samples
from cheart.evaluation.generation import Generation
from cheart.hearts import heart_seed, person_seed
from cheart.metrics.bootstrap import mean_interval
from cheart.metrics.distributions import wasserstein
from cheart.metrics.two_samples import energy_distance, standardised
from cheart.model import Model
from cheart.phenotypes import PAPER_FIVE
from cheart.progress import Jobs, collect, track
from cheart.simulation.cohort import TRUTH, true_hearts

DRAWS = 1000
"""True draws a person."""

SAMPLES, PEOPLE = 200, 50
"""Hearts of a model for each person, and people: with 20 hearts the floor hides a spread that is 20 % too small."""

INTERVAL = (0.05, 0.95)
"""Quantiles of the true interval whose coverage is judged."""

DEFINITIONS = (
    f"Truth (simulated cohorts only): of each of the first {PEOPLE} people, draws of the phenotypes that the simulator "
    f"gives people of the same conditions, against {SAMPLES} hearts of the model for that person. W1: Wasserstein-1 in "
    "the phenotype's unit, mean over people; floor: the same for as many true draws as the model has samples, the "
    "score of a perfect model; all five: energy distance of the five phenotypes together in units of the truth's SDs, "
    "without bias, so that a perfect model has 0. Spread: root of the mean variance of the samples of one person over "
    "that of the truth; 1 is right, less is too much alike. Bias: mean over people of (mean of the samples − true "
    "mean), with its 95 % interval. Coverage: fraction of all samples in the central 90 % of their own person's "
    "truth; 0.90 is right. Follow: slope over people of the samples' mean on the true mean; 1 follows the person, 0 "
    "is deaf to conditions. The truth is the exact volume of continuous surfaces at continuous time, samples are "
    "counted in voxels and frames; voxels: the mean of (counted − exact) over the same people's own hearts, a bias "
    "that no model is to blame for."
)


@dataclass(frozen=True)
class Truths:
    """The true conditional distributions of a split's people.

    Attributes:
        draws: by phenotype, [N, D] draws of N people.
        exact: by phenotype, [N], the exact value of each person's own heart.
    """

    draws: dict[str, NDArray[np.float64]]
    exact: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Truthfulness:
    """How a model's hearts agree with the truth.

    Attributes:
        people: one row a person, numbered, without names: energy; of each phenotype w1, floor, covered (fraction of
            samples), and mean and SD of the samples (mean_…, sd_…) and of the truth (true_mean_…, true_sd_…).
        voxels: by phenotype, the mean of counted minus exact over the people's own hearts.
    """

    people: pd.DataFrame
    voxels: dict[str, float]

    def summary(self) -> dict[str, dict[str, float]]:
        """By phenotype: w1, floor, spread, bias (bias_low, bias_high), coverage, follow and voxels; and energy."""
        energy = vars(mean_interval(self.people["energy"]))
        return {**{name: self._of(name) for name in PAPER_FIVE}, "energy": energy}

    def _of(self, name: str) -> dict[str, float]:
        own: dict[str, Any] = {
            k: self.people[f"{k}_{name}"].to_numpy(float)
            for k in ("w1", "floor", "covered", "mean", "sd", "true_mean", "true_sd")
        }
        off = own["mean"] - own["true_mean"]
        reach = 1.96 * off.std(ddof=1) / np.sqrt(off.size) if off.size > 1 else float("nan")
        return {
            "w1": float(own["w1"].mean()),
            "floor": float(own["floor"].mean()),
            "spread": float(np.sqrt(np.mean(own["sd"] ** 2) / np.mean(own["true_sd"] ** 2))),
            "bias": float(off.mean()),
            "bias_low": float(off.mean() - reach),
            "bias_high": float(off.mean() + reach),
            "coverage": float(own["covered"].mean()),
            "follow": _slope(own["true_mean"], own["mean"]),
            "voxels": self.voxels[name],
        }


def true_phenotypes(
    cohort: Cohort, *, split: Split = "test", subjects: int | None = None, draws: int = DRAWS, seed: int = 0
) -> Truths:
    """The true conditional distributions of the people of a split.

    Args:
        cohort: a simulated one.
        split: which people.
        subjects: only the first so many of them.
        draws: true draws a person.
        seed: of the draws; those of person n depend on (seed, n) only.

    Raises:
        InputError: the cohort is not one that ``cheart simulate`` made, or a condition of somebody is not known.
    """
    table = truth_table(cohort)
    indices = [int(i) for i in cohort.indices(split)][:subjects]
    if not indices:
        raise InputError(f"{cohort.path} has no {split} subjects (column split of participants.tsv)")
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in PAPER_FIVE}
    for number, index in enumerate(track(indices, total=len(indices), title="Drawing the truth"), start=1):
        drawn = true_hearts(cohort, known_conditions(cohort, index), n=draws, seed=heart_seed(seed, number))
        for name in PAPER_FIVE:
            found[name].append(drawn[name].to_numpy(float))
    exact = {name: table[name].to_numpy(float)[indices] for name in PAPER_FIVE}
    return Truths({name: np.stack(rows) for name, rows in found.items()}, exact)


def sample_phenotypes(
    model: Model,
    cohort: Cohort,
    *,
    split: Split = "test",
    samples: int = SAMPLES,
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs = 1,
) -> Generation:
    """Hearts for the people of a split, of which phenotypes alone are measured: many more than one can compare.

    Args, Raises: as :func:`cheart.evaluation.generation.evaluate_generation`, whose hearts the first samples are.
    """
    model.network.require("generate")
    people = list(enumerate(chosen_subjects(model, cohort, split, subjects)[:PEOPLE], start=1))
    found = collect(partial(_sample_one, model, cohort, samples, seed), people, jobs=jobs, title="Sampling hearts")
    rows, drawn = zip(*found, strict=True)
    return Generation(pd.DataFrame(rows), pd.DataFrame([row for one in drawn for row in one]), pd.DataFrame(), 0)


def _sample_one(
    model: Model, cohort: Cohort, samples: int, seed: int, person: tuple[int, int]
) -> tuple[dict[str, float], list[dict[str, float]]]:
    number, index = person
    conditions = encoded_conditions(model, cohort, index)
    return phenotypes_of_samples(
        model, cohort.heart(index), number,
        lambda k: model.network.generate(conditions, seed=person_seed(seed, number, k)),
        samples=samples, names=PAPER_FIVE,
    )  # fmt: skip


def evaluate_truth(generation: Generation, truths: Truths) -> Truthfulness:
    """Compare what a model generated with the truth of the same people.

    Args:
        generation: of :func:`sample_phenotypes` on the same split of the same cohort, of at least 2 samples a person.
        truths: of :func:`true_phenotypes`, of as many people or more.

    Raises:
        InputError: people or samples that do not go together.
    """
    count = len(next(iter(truths.draws.values())))
    if len(generation.people) > count:
        raise InputError(f"{len(generation.people)} people were generated for, but the truth is of {count}")
    rows = []
    for number, own in generation.samples.groupby("subject"):
        if len(own) < 2:
            raise InputError("the truth needs at least 2 samples a person (--samples)")
        row: dict[str, float] = {"subject": int(str(number)), "energy": _energy(own, truths, int(str(number)) - 1)}
        for name in PAPER_FIVE:
            row |= _compare(name, own[name].dropna().to_numpy(float), truths.draws[name][int(str(number)) - 1])
        rows.append(row)
    numbers = generation.people["subject"].to_numpy(int) - 1
    voxels = {
        name: float(np.nanmean(generation.people[f"real_{name}"].to_numpy(float) - truths.exact[name][numbers]))
        for name in PAPER_FIVE
    }
    return Truthfulness(pd.DataFrame(rows), voxels)


def _energy(own: pd.DataFrame, truths: Truths, person: int) -> float:
    """Energy distance of a person's samples from the truth, all five phenotypes together."""
    truth = np.stack([truths.draws[name][person] for name in PAPER_FIVE], axis=1)
    return energy_distance(*standardised(truth, own[list(PAPER_FIVE)].dropna().to_numpy(float)))


def _compare(name: str, made: NDArray[np.float64], truth: NDArray[np.float64]) -> dict[str, float]:
    """One person's figures: made [n] against true draws [D]; the first n of them stand in for a perfect model."""
    low, high = np.quantile(truth, INTERVAL)
    measures = {
        "w1": wasserstein(truth, made),
        "floor": wasserstein(truth[made.size :], truth[: made.size]),
        "covered": float(((made >= low) & (made <= high)).mean()),
        "mean": float(made.mean()),
        "sd": float(made.std(ddof=1)),
        "true_mean": float(truth.mean()),
        "true_sd": float(truth.std(ddof=1)),
    }
    return {f"{key}_{name}": value for key, value in measures.items()}


def truth_table(cohort: Cohort) -> pd.DataFrame:
    """What the simulator wrote beside the cohort, a row a subject."""
    if cohort.info["kind"] != "simulated" or not (cohort.path / TRUTH).is_file():
        raise InputError(
            f"{cohort.path}: no true distribution is known ({cohort.info['kind']} hearts without {TRUTH}); "
            "only a cohort of cheart simulate has one"
        )
    return read_table(cohort.path / TRUTH)


def known_conditions(cohort: Cohort, index: int) -> dict[str, Any]:
    """The conditions of a person, on five of which the truth depends at least."""
    person = cohort.conditions(index)
    missing = [name for name in PAPER_SCHEMA.names if person.get(name) is None]
    if missing:
        raise InputError(f"{cohort.path}: the truth needs all five conditions, but somebody's {missing[0]} is n/a")
    return dict(person)


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Of the regression of y on x; nan where x does not vary."""
    spread = float(((x - x.mean()) ** 2).sum())
    return float(((x - x.mean()) * (y - y.mean())).sum() / spread) if spread > 0 else float("nan")
