"""Completion as a prediction: what a model holds for possible of a beat, against what the heart did.

A single completion can be right on average and say nothing of how sure one may be. Samples of p(beat | end-diastole,
conditions) are judged by proper scores, by how often central intervals hold the truth, and by spread against error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cheart.cohort import Cohort, Split
from cheart.evaluation.completion import chosen_subjects, encoded_conditions, phenotypes_of_samples
from cheart.evidence import Evidence
from cheart.hearts import person_seed
from cheart.metrics.bootstrap import mean_interval
from cheart.metrics.proper_scores import LEVELS, coverage, crps_of_samples, energy_score, pit, spread_by_group
from cheart.model import Model
from cheart.progress import Jobs, collect

QUANTITIES = ("lvesv", "rvesv", "lvef", "rvef")
"""What is open when end-diastole is known: mL, mL, and percent."""

TOGETHER = ("lvesv", "rvesv")
"""Scored together by the energy score, in mL."""

DEFINITIONS = (
    "Prediction: samples of p(beat | frame 0, conditions) of each held-out person, measured on the planes that the "
    "real heart was observed on. CRPS: continuous ranked probability score, energy: energy score of LVESV and RVESV "
    "together (fair estimates; less is better; for a single value the absolute error), mean over people with its 95 % "
    "interval by bootstrap over people. Inside: fraction of people whose real value lies in the central 50, 80 and 90 "
    "% interval of their samples, mean over LVESV, RVESV, LVEF and RVEF; width: of the 90 % interval of LVEF. PIT: "
    "mean place of the real LVEF among the samples, 0.50 where there is no bias. Spread / error: root mean variance "
    "of the samples of LVEF over the root mean square error of their mean; below 1 a model is too sure of itself."
)


@dataclass(frozen=True)
class Prediction:
    """What was held for possible of each person's beat.

    Attributes:
        people: one row a person, numbered, without names: subject, real_lvesv, real_rvesv, real_lvef, real_rvef.
        samples: one row a sample: subject, sample, lvesv, rvesv, lvef, rvef; as many for everybody.
    """

    people: pd.DataFrame
    samples: pd.DataFrame

    def drawn(self, name: str) -> NDArray[np.float64]:
        """Samples [N, D] of a quantity."""
        return self.samples[name].to_numpy(float).reshape(len(self.people), -1)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a person: subject, crps_lvesv …, energy."""
        truth = {name: self.people[f"real_{name}"].to_numpy(float) for name in QUANTITIES}
        columns = {f"crps_{name}": crps_of_samples(self.drawn(name), truth[name]) for name in QUANTITIES}
        joint = np.stack([self.drawn(name) for name in TOGETHER], axis=2)
        columns["energy"] = energy_score(joint, np.stack([truth[name] for name in TOGETHER], axis=1))
        return pd.DataFrame({"subject": self.people["subject"].to_numpy(), **columns})

    def summary(self) -> dict[str, Any]:
        """Means of the scores with their intervals, and calibration (empty of a single sample a person)."""
        measures = [name for name in self.scores if name != "subject"]
        means = {name: vars(mean_interval(self.scores[name])) for name in measures}
        return {"scores": means, "calibration": self._calibration(), "samples": self.drawn("lvef").shape[1]}

    def _calibration(self) -> dict[str, float]:
        count = self.drawn("lvef").shape[1]
        if count < 2:
            return {}
        truth = {name: self.people[f"real_{name}"].to_numpy(float) for name in QUANTITIES}
        known = {name: np.isfinite(values) for name, values in truth.items()}
        found: dict[str, float] = {}
        levels = tuple(level for level in LEVELS if round(2 / (1 - level)) <= count + 1)
        if levels:
            intervals = [coverage(self.drawn(n)[known[n]], truth[n][known[n]], levels) for n in QUANTITIES]
            for k, level in enumerate(levels):
                found[f"inside_{round(100 * level)}"] = float(np.mean([one[k].covered.mean() for one in intervals]))
            found[f"width_{round(100 * levels[-1])}"] = float(intervals[QUANTITIES.index("lvef")][-1].width.mean())
        here = known["lvef"]
        found["pit"] = float(pit(self.drawn("lvef")[here], truth["lvef"][here]).mean())
        found["ratio"] = self.spread(np.repeat("all", len(self.people)))["all"]
        return found

    def spread(self, groups: ArrayLike) -> dict[str, float]:
        """Spread over error of LVEF by the group [N] of the people; empty of a single sample a person."""
        truth, samples = self.people["real_lvef"].to_numpy(float), self.drawn("lvef")
        known = np.isfinite(truth)
        if samples.shape[1] < 2:
            return {}
        found = spread_by_group(samples[known], truth[known], np.asarray(groups)[known])
        return {name: one.ratio for name, one in found.items()}


def evaluate_prediction(
    model: Model,
    cohort: Cohort,
    *,
    split: Split = "test",
    samples: int = 20,
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs = 1,
) -> Prediction:
    """Draw completions of the subjects of a split and measure them.

    Args, Raises: as :func:`cheart.evaluation.completion.evaluate_completion`, and
        samples: completions a person.
        seed: completion k of person n depends on (seed, n, k) only.
    """
    model.network.require("complete")
    indices = chosen_subjects(model, cohort, split, subjects)
    work = partial(_predict_one, model, cohort, samples, seed)
    found = collect(work, list(enumerate(indices, start=1)), jobs=jobs, title="Drawing completions")
    return Prediction(pd.DataFrame([row for row, _ in found]), pd.DataFrame([s for _, rows in found for s in rows]))


def _predict_one(
    model: Model, cohort: Cohort, samples: int, seed: int, person: tuple[int, int]
) -> tuple[dict[str, float], list[dict[str, float]]]:
    number, index = person
    real = cohort.heart(index)
    evidence, conditions = Evidence.of_first_frame(real), encoded_conditions(model, cohort, index)
    return phenotypes_of_samples(
        model, real, number,
        lambda k: model.network.complete(evidence, conditions, seed=person_seed(seed, number, k)),
        samples=samples, names=QUANTITIES,
    )  # fmt: skip
