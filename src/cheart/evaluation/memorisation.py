"""Does a model hand out its training hearts? See :mod:`cheart.metrics.memorisation`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.cohort import Cohort, Split
from cheart.evaluation.completion import chosen_subjects, encoded_conditions
from cheart.heart import Heart
from cheart.hearts import heart_seed
from cheart.metrics.memorisation import Memorisation, nearest, occupancy
from cheart.model import Model
from cheart.progress import Jobs, collect

DEFINITIONS = (
    "Memorisation: distance (1 − Dice of the occupancy of 8 mm cells at end-diastole and end-systole) to the nearest "
    "training heart of the same cohort, of one generated heart a person and of the real held-out hearts. ratio: of "
    "the medians, 1 is as new as real people are; suspects: fraction of generated hearts nearer than 95 % of the real "
    "ones, 0.05 is usual. Hearts of which planes are missing are left out."
)

WHY_NOT = "Memorisation: not judged (it needs whole hearts, and the cohort that the model was trained on)."
"""What stands where :func:`evaluate_memorisation` has nothing to say."""


def evaluate_memorisation(
    model: Model,
    cohort: Cohort,
    *,
    split: Split = "test",
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs = 1,
) -> dict[str, Any] | None:
    """How near generated hearts come to the cohort's training hearts; None where no whole hearts are at hand.

    Args, Raises: as :func:`cheart.evaluation.generation.evaluate_generation`, and
        cohort: the one that the model was trained on.
        split: which people; the training split has nothing held out.
        seed: of the random latents.
    """
    model.network.require("generate")
    people = [i for i in chosen_subjects(model, cohort, split, subjects) if cohort.observed[i].all()]
    training = [int(i) for i in cohort.indices("train") if cohort.observed[i].all()]
    if (
        split == "train"
        or not people
        or not training
        or model.config["trained_on"]["fingerprint"] != cohort.fingerprint
    ):
        return None
    read = partial(describe_real, cohort)
    known = _described(read, training, "Reading training hearts", jobs)
    held_out, _ = nearest(_described(read, people, "Reading held-out hearts", jobs), known)
    made = _described(partial(_generated, model, cohort, seed), list(enumerate(people)), "Generating", jobs)
    generated, _ = nearest(made, known)
    found = Memorisation(generated, held_out)
    medians = {"generated": float(np.median(generated)), "held_out": float(np.median(held_out))}
    return {"median": medians, "ratio": found.ratio, "suspects": found.suspects, "training_hearts": len(training)}


def _described(
    describe: Callable[[Any], NDArray[np.uint8]], hearts: list[Any], title: str, jobs: Jobs
) -> NDArray[np.uint8]:
    """Descriptors [N, D]; the hearts themselves stay with the workers."""
    return np.stack(collect(describe, hearts, jobs=jobs, title=title))


def describe_real(cohort: Cohort, index: int) -> NDArray[np.uint8]:
    """The descriptor of one subject of a cohort, [D]."""
    return describe(cohort.heart(index))


def _generated(model: Model, cohort: Cohort, seed: int, person: tuple[int, int]) -> NDArray[np.uint8]:
    n, index = person
    labels = model.network.generate(encoded_conditions(model, cohort, index), seed=heart_seed(seed, n))
    return describe(model.heart(labels))


def describe(heart: Heart) -> NDArray[np.uint8]:
    """The descriptor of end-diastole and end-systole, [D]."""
    es = heart.phenotypes.es_frame or 0
    return occupancy(heart.labels[[0, es]], heart.grid)
