"""A first measure of a model: completion of held-out hearts, by Dice and by phenotypes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.cohort import Cohort, Split
from cheart.errors import InputError
from cheart.evaluation.overlap import dice
from cheart.evaluation.phenotypes import PAPER_FIVE, UNITS, phenotypes
from cheart.labels import STRUCTURES
from cheart.progress import track
from cheart.sequence import Sequence
from cheart.tasks.trained import TrainedModel

DEFINITIONS = (
    "Completion from frame 0 and the conditions. Dice per structure and frame over observed planes, mean over the "
    "observed frames (the first one too, as in the paper's Table I), then mean ± SD over subjects; dice_es: at the "
    "real heart's end-systole only. Phenotypes from the same planes of both hearts; d = |completed − real|."
)


@dataclass(frozen=True)
class Completion:
    """How well a model completes held-out hearts.

    Attributes:
        subjects: one row a subject, numbered, without names: dice_lv, dice_myo, dice_rv and their mean dice, the
            same at end-systole (dice_es…), and for each phenotype real_…, completed_… and d_….
        structures_empty: structure-frames in which one of the two hearts was empty (Dice 0 or undefined).
    """

    subjects: pd.DataFrame
    structures_empty: int

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean and SD over subjects of every measure."""
        columns = [c for c in self.subjects.columns if c.startswith(("dice", "d_"))]
        table = self.subjects[columns]
        return {c: {"mean": float(table[c].mean()), "sd": float(table[c].std())} for c in columns}


def evaluate_completion(
    model: TrainedModel, cohort: Cohort, *, split: Split = "test", copy_first: bool = False
) -> Completion:
    """Complete every subject of a split and compare with what was observed.

    Args:
        model: a trained model that can complete.
        cohort: on the model's grid, with its number of frames.
        split: which subjects.
        copy_first: judge the first frame repeated instead of the model: what any model has to beat.

    Raises:
        InputError: another grid or frame count, no subjects in the split, or nothing observed after the first frame.
    """
    model.network.must("complete")
    if (cohort.grid, cohort.frames) != (model.grid, model.frames):
        raise InputError(
            f"the cohort has {cohort.frames} frames on {cohort.grid.name}, the model {model.frames} on "
            f"{model.grid.name}; import or simulate it with --grid {model.grid.name} --frames {model.frames}"
        )
    indices = [int(i) for i in cohort.indices(split)]
    if not indices:
        raise InputError(f"{cohort.path} has no {split} subjects (column split of participants.tsv)")
    rows, empty = [], 0
    for number, index in enumerate(track(indices, total=len(indices), title="Completing"), start=1):
        real = cohort.sequence(index)
        if len(real.observed_frames) < 2:
            raise InputError(f"{cohort.path}: subject {number} of {split} was observed at end-diastole only")
        made = np.broadcast_to(real.labels[:1], real.labels.shape)
        if not copy_first:
            made = _completed(model, cohort, index, real)
        row, missing = judge(real, model.heart(np.ascontiguousarray(made), real.cycle_s))
        rows.append({"subject": number, **row})
        empty += missing
    return Completion(pd.DataFrame(rows), empty)


def judge(real: Sequence, made: Sequence) -> tuple[dict[str, float], int]:
    """The measures of one completed heart (see :class:`Completion`), and how many structures were empty."""
    scores = dice(real.labels, made.labels, real.observed)  # [T, 3]
    truth, ours = phenotypes(real), phenotypes(made, observed=real.observed)
    over_frames = np.nanmean(scores[real.observed_frames], axis=0)
    row = {f"dice_{s}": float(v) for s, v in zip(STRUCTURES, over_frames, strict=True)}
    row["dice"] = float(over_frames.mean())
    at_es = scores[truth.es_frame or 0]
    row |= {f"dice_es_{s}": float(v) for s, v in zip(STRUCTURES, at_es, strict=True)}
    row["dice_es"] = float(at_es.mean())
    for name in PAPER_FIVE:
        was, now = truth.row()[name], ours.row()[name]
        row |= {f"real_{name}": was, f"completed_{name}": now, f"d_{name}": abs(now - was)}
    return row, int(np.isnan(scores[real.observed_frames]).sum())


def _completed(model: TrainedModel, cohort: Cohort, index: int, real: Sequence) -> NDArray[np.uint8]:
    """The model's completion [T, Z, Y, X], told the subject's conditions as far as the model takes them."""
    person = cohort.conditions(index)
    known = {name: person[name] for name in model.encoding.schema.names if name in person}
    conditions, _ = model.settle(known, unknown="missing", rng=np.random.default_rng(0))
    return model.network.complete(real.labels[0], real.observed[0], model.encode(conditions))


def unit_of(measure: str) -> str:
    """The unit of a column of the table."""
    return UNITS.get(measure.split("_", 1)[-1], "")
