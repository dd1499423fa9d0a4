"""Completion of held-out hearts: Table I, and how far the phenotypes of completed hearts are from the real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.cohort import Cohort, Split
from cheart.cohort_table import refuse_partial
from cheart.errors import InputError
from cheart.evidence import Evidence
from cheart.heart import Heart
from cheart.hearts import complete_from
from cheart.labels import STRUCTURES
from cheart.metrics.overlap import overlap
from cheart.metrics.statistics import mean_over_frames, summaries
from cheart.metrics.surface_distance import SurfaceReference
from cheart.model import Model
from cheart.phenotypes import PAPER_FIVE
from cheart.progress import Jobs, collect

DEFINITIONS = (
    "Completion from frame 0 and the conditions. Dice, HD (the larger of the two directed maxima) and ASSD (the mean "
    "over the border voxels of both, in 3D) per structure and frame over observed planes, mean over the observed "
    "frames but frame 0, which was given and stands apart (how well a model says again what it was told), then mean ± "
    "SD over subjects; without a structure: the mean of the three; es: at the real heart's end-systole only. A "
    "structure that one of two hearts lacks has Dice 0 and no distance; such structure-frames are counted. Phenotypes "
    "from the same planes of both hearts; d = |completed − real|."
)

MEASURES = ("dice", "hd", "assd")

COPIED = "first frame copied"
"""The row of the heart that stands still, which any completion has to beat."""


@dataclass(frozen=True)
class Completion:
    """How well a model completes held-out hearts.

    Attributes:
        subjects: one row a subject, numbered, without names: dice_lv, dice_myo, dice_rv and their mean dice over the
            frames that were completed, hd and assd alike in mm, all three at end-systole (dice_es…) and of the given
            frame (dice_given…), for each phenotype real_…, completed_… and d_…, and whether the completed heart is
            valid (:mod:`cheart.validity`), 1 or 0.
        structures_empty: structure-frames in which one of the two hearts, or both, lacked the structure.
    """

    subjects: pd.DataFrame
    structures_empty: int

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean and SD over subjects of every measure."""
        return summaries({c: self.subjects[c] for c in self.subjects.columns if c.startswith((*MEASURES, "d_"))})


def evaluate_completion(
    model: Model,
    cohort: Cohort,
    *,
    split: Split = "test",
    subjects: int | None = None,
    copy_first: bool = False,
    jobs: Jobs = 1,
) -> Completion:
    """Complete the subjects of a split and compare with what was observed.

    Args:
        model: a trained model that can complete.
        cohort: on the model's grid, with its number of frames.
        split: which subjects.
        subjects: only the first so many of them.
        copy_first: judge the first frame repeated instead of the model: what any model has to beat.
        jobs: processes (−1: one a core) or a Dask scheduler; the result does not depend on them.

    Raises:
        InputError: another grid or frame count, no subjects in the split, or nothing observed after the first frame.
    """
    model.network.require("complete")
    indices = chosen_subjects(model, cohort, split, subjects)
    for number, index in enumerate(indices, start=1):
        if cohort.observed[index].any(axis=1).sum() < 2:
            raise InputError(f"{cohort.path}: subject {number} of {split} was observed at end-diastole only")
    title = "Copying the first frame" if copy_first else "Completing"
    judged = collect(partial(_judge_one, model, cohort, copy_first), indices, jobs=jobs, title=title)
    rows, empty = zip(*judged, strict=True)
    return Completion(pd.DataFrame([{"subject": n, **row} for n, row in enumerate(rows, start=1)]), sum(empty))


def _judge_one(model: Model, cohort: Cohort, copy_first: bool, index: int) -> tuple[dict[str, float], int]:
    """The row of one subject, and how many structures were empty."""
    real = cohort.heart(index)
    if copy_first:
        still = np.ascontiguousarray(np.broadcast_to(real.labels[:1], real.labels.shape))
        return Judge(real).completed(model.heart(still, real.cycle_s))
    return Judge(real).completed(complete_subject(model, cohort, index, real))


def complete_subject(model: Model, cohort: Cohort, index: int, real: Heart) -> Heart:
    """What a model makes of the first frame of a subject's own heart, and of the subject's conditions."""
    conditions = encoded_conditions(model, cohort, index)
    return complete_from(model, Evidence.of_first_frame(real), conditions, cycle_s=real.cycle_s)


def phenotypes_of_samples(
    model: Model,
    real: Heart,
    number: int,
    draw: Callable[[int], NDArray[np.uint8]],
    *,
    samples: int,
    names: Sequence[str],
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Phenotypes of a person's own heart, and a row each of samples, over the planes that were observed of it.

    Args:
        model: whose samples they are.
        real: the person's heart.
        number: the person's.
        draw: label maps [T, Z, Y, X] of a seed's number k.
        samples: how many.
        names: of the phenotypes.
    """
    rows = []
    for k in range(samples):
        own = replace(model.heart(draw(k), real.cycle_s), observed=real.observed).phenotypes.row()
        rows.append({"subject": number, "sample": k + 1, **{name: own[name] for name in names}})
    truth = real.phenotypes.row()
    return {"subject": number, **{f"real_{name}": truth[name] for name in names}}, rows


class Judge:
    """A real heart that made hearts are compared with; its surfaces are found once."""

    def __init__(self, real: Heart) -> None:
        self.real = real
        self._surfaces = SurfaceReference(real.labels, real.grid, real.observed)

    def likeness(
        self, made: Heart, *, given: bool = False
    ) -> tuple[dict[str, float], dict[str, NDArray[np.float64]], int]:
        """Dice, HD and ASSD (dice_lv …, dice, hd_lv …), each by frame [T, 3], and how many structures were empty.

        Args:
            made: the other heart.
            given: whether frame 0 was given, which the means are then without.
        """
        frames = np.array([t for t in self.real.observed_frames if t or not given], int)
        shared = overlap(self.real.labels, made.labels, self.real.observed)
        distance = self._surfaces.compare(made.labels)
        by_frame = dict(zip(MEASURES, (shared.dice, distance.hd, distance.assd), strict=True))
        row: dict[str, float] = {}
        for name, values in by_frame.items():
            row |= _by_structure(name, mean_over_frames(values, frames))
        return row, by_frame, int((shared.one_empty + shared.both_empty).sum())

    def completed(self, made: Heart) -> tuple[dict[str, float], int]:
        """The row of one completed heart (see :class:`Completion`), and how many structures were empty."""
        row, by_frame, missing = self.likeness(made, given=True)
        for name, values in by_frame.items():
            row |= _by_structure(f"{name}_es", values[self.real.phenotypes.es_frame or 0])
            row |= _by_structure(f"{name}_given", values[0])
        truth, own = self.real.phenotypes.row(), replace(made, observed=self.real.observed).phenotypes.row()
        for name in PAPER_FIVE:
            row |= {f"real_{name}": truth[name], f"completed_{name}": own[name]}
            row[f"d_{name}"] = abs(own[name] - truth[name])
        return row | {"valid": int(made.validity.valid)}, missing


def _by_structure(name: str, values: NDArray[np.float64]) -> dict[str, float]:
    """One value a structure [3], and their mean."""
    row = {f"{name}_{s}": float(v) for s, v in zip(STRUCTURES, values, strict=True)}
    return {**row, name: float(values.mean())}


def chosen_subjects(model: Model, cohort: Cohort, split: Split, subjects: int | None) -> list[int]:
    """Rows of the cohort that are to be judged.

    Raises:
        InputError: another grid or frame count than the model's, or no subjects in the split.
    """
    if (cohort.grid, cohort.frames) != (model.grid, model.frames):
        raise InputError(
            f"the cohort has {cohort.frames} frames on {cohort.grid.name}, the model {model.frames} on "
            f"{model.grid.name}; import or simulate it with --grid {model.grid.name} --frames {model.frames}"
        )
    refuse_partial(cohort.info, cohort.path, to="to judge a model")
    indices = [int(i) for i in cohort.indices(split)][:subjects]
    if not indices:
        raise InputError(f"{cohort.path} has no {split} subjects (column split of participants.tsv)")
    return indices


def encoded_conditions(model: Model, cohort: Cohort, index: int) -> NDArray[np.float32]:
    """A subject's conditions, as far as the model takes them, as its network takes them [E]."""
    person = cohort.conditions(index)
    known = {name: person[name] for name in model.encoding.schema.names if name in person}
    conditions, _ = model.resolve_conditions(known, unknown="missing", rng=np.random.default_rng(0))
    return model.encode(conditions)
