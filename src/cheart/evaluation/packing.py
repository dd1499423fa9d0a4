"""What packing a model costs: hearts that the whole model and the packed one complete, beside each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cheart.cohort import Cohort
from cheart.evaluation.completion import chosen_subjects, encoded_conditions
from cheart.heart import Heart
from cheart.labels import STRUCTURES
from cheart.metrics.overlap import dice
from cheart.metrics.statistics import mean_over_frames, summaries
from cheart.model import Model
from cheart.phenotypes import PAPER_FIVE
from cheart.progress import track

DEFINITIONS = (
    "Each heart is completed from frame 0 and its conditions by the whole model and by the packed one. Dice per "
    "structure and frame, mean over frames, then mean ± SD over subjects; d = |packed − whole| of a phenotype."
)


@dataclass(frozen=True)
class Packing:
    """What packing a model costs.

    Attributes:
        subjects: one row a subject, numbered: Dice between the two completions (between_lv …), of each with the real
            heart (whole_lv …, packed_lv …), and d_… of each phenotype (mL, LVM g).
    """

    subjects: pd.DataFrame

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean and SD over subjects of every column."""
        return summaries({str(c): self.subjects[c] for c in self.subjects.columns if c != "subject"})


def evaluate_packing(whole: Model, packed: Model, cohort: Cohort, *, subjects: int) -> Packing:
    """Complete a cohort's first validation subjects by both models.

    Raises:
        InputError: the models cannot complete; another grid or frame count; no validation subjects.
    """
    whole.network.require("complete")
    rows = []
    indices = chosen_subjects(whole, cohort, "val", subjects)
    for number, index in enumerate(track(indices, total=len(indices), title="Comparing"), start=1):
        real, conditions = cohort.heart(index), encoded_conditions(whole, cohort, index)
        made = [m.heart(m.network.complete(real.labels[0], real.observed[0], conditions)) for m in (whole, packed)]
        rows.append({"subject": number, **_row(real, *made)})
    return Packing(pd.DataFrame(rows))


def _row(real: Heart, whole: Heart, packed: Heart) -> dict[str, float]:
    row: dict[str, float] = {}
    pairs = {"between": (whole, packed, None), "whole": (real, whole, real), "packed": (real, packed, real)}
    for name, (one, two, seen) in pairs.items():
        observed = None if seen is None else seen.observed
        by_frame = dice(one.labels, two.labels, observed)
        mean = mean_over_frames(by_frame, np.ones(len(by_frame), bool) if seen is None else seen.observed_frames)
        row |= {f"{name}_{s}": float(v) for s, v in zip(STRUCTURES, mean, strict=True)}
    before, after = whole.phenotypes.row(), packed.phenotypes.row()
    return row | {f"d_{n}": abs(after[n] - before[n]) for n in PAPER_FIVE}
