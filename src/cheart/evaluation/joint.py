"""Are generated hearts, all values together, such as the real ones? Phenotypes, and the coefficients of their shapes.

W1 and KL (Table IV) look at one phenotype at a time; volumes that go together in no real heart pass them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.cohort import Cohort, Split
from cheart.errors import InputError
from cheart.evaluation.completion import chosen_subjects
from cheart.evaluation.generation import Generation, generate_subject
from cheart.evaluation.memorisation import describe, describe_real
from cheart.metrics.distributions import wasserstein
from cheart.metrics.two_samples import classifier_test, density_and_coverage, energy_distance, standardised
from cheart.model import Model
from cheart.phenotypes import PAPER_FIVE
from cheart.progress import Jobs, collect

Array = NDArray[np.float64]

DRAWS = 5
"""Draws of one heart a person that the classifier is asked about, at most; the other measures take all."""
HALVES = 20
"""How often the real people are halved."""
COEFFICIENTS = 12
TRAINING = 200
"""Training hearts of which the shape coefficients are made, at most."""

HALVED = "real, half against half"

DEFINITIONS = (
    "Joint: the five phenotypes of all people together, in units of the real hearts' SDs, one heart a person and "
    f"draw, mean over draws; shapes: the first {COEFFICIENTS} principal components of which 8 mm cells each structure "
    "fills at end-diastole and end-systole, of training hearts, one heart a person. energy: energy distance without "
    "bias, 0 for one distribution. C2ST: accuracy of a classifier (SVM with a Gaussian kernel, five folds, a person's "
    "hearts in one fold) that is asked which are real; 0.50: it cannot tell. density and coverage (Naeem 2020, k = "
    "5): how often generated hearts lie within the fifth neighbour's distance of real ones, and the fraction of real "
    "hearts with a generated one so near; 1 and the expected value in brackets for one distribution. Real, half "
    "against half: the same between random halves of the real people, who are half as many: what chance alone makes "
    "of one distribution."
)


def joint(real: Array, made: Array) -> dict[str, float]:
    """Measures of real hearts [N, K] against draws [R, N, K] of one heart a person; people with unknown values are left
    out. Empty where people are too few, or all alike.
    """
    known = np.isfinite(real).all(axis=1) & np.isfinite(made).all(axis=(0, 2))
    real, made = real[known], made[:, known]
    try:
        pairs = [standardised(real, draw) for draw in made]
        tests = [classifier_test(real, draw).accuracy for draw in made[:DRAWS]]
        near = [density_and_coverage(*pair) for pair in pairs]
    except InputError:
        return {}
    return {
        "energy": float(np.mean([energy_distance(*pair) for pair in pairs])),
        "c2st": float(np.mean(tests)),
        "density": float(np.mean([one.density for one in near])),
        "coverage": float(np.mean([one.coverage for one in near])),
        "expected": near[0].expected,
    }


def phenotypes_of(generation: Generation) -> tuple[Array, Array]:
    """The real [N, 5] and the generated phenotypes [R, N, 5]."""
    real = generation.people[[f"real_{name}" for name in PAPER_FIVE]].to_numpy(float)
    drawn = [generation.samples.pivot(index="sample", columns="subject", values=name).to_numpy() for name in PAPER_FIVE]
    return real, np.stack(drawn, axis=2)


def halves(real: Array, *, seed: int = 0) -> dict[str, Any]:
    """Measures of :func:`joint` between random halves of real hearts [N, K], and W1 of each column: mean and SD."""
    rng = np.random.default_rng([seed, 0x4A])
    real = real[np.isfinite(real).all(axis=1)]
    size, found, w1 = len(real) // 2, [], []
    for _ in range(HALVES):
        mixed = rng.permutation(len(real))
        one, other = real[mixed[:size]], real[mixed[size : 2 * size]]
        found.append(joint(one, other[None]))
        w1.append([wasserstein(a, b) for a, b in zip(one.T, other.T, strict=True)] if size > 1 else [])
    if not all(found):
        return {}
    means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
    return {
        **means,
        "w1": [{"mean": float(m), "sd": float(s)} for m, s in zip(np.mean(w1, 0), np.std(w1, 0, ddof=1), strict=True)],
    }


def evaluate_shapes(
    model: Model,
    cohort: Cohort,
    *,
    training: Cohort,
    split: Split = "test",
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs = 1,
) -> dict[str, Any] | None:
    """Shape coefficients of one generated heart a person against the real ones; None where hearts are not whole.

    Args, Raises: as :func:`cheart.evaluation.generation.evaluate_generation`, and
        training: whose training subjects the coefficients are made of.

    Returns:
        What :func:`joint` says, and under ``halves`` what :func:`halves` says of the real hearts.
    """
    model.network.require("generate")
    people = [i for i in chosen_subjects(model, cohort, split, subjects) if cohort.observed_of(i).all()]
    learnt = [int(i) for i in training.indices("train") if training.observed_of(int(i)).all()][:TRAINING]
    if len(learnt) < 2 * COEFFICIENTS or not people:
        return None
    mean, axes = _axes(collect(partial(describe_real, training), learnt, jobs=jobs, title="Reading training hearts"))
    real = collect(partial(describe_real, cohort), people, jobs=jobs, title="Reading held-out hearts")
    work = partial(_generated, model, cohort, seed)
    made = collect(work, list(enumerate(people, start=1)), jobs=jobs, title="Generating")
    one, other = ((np.stack(found).astype(float) - mean) @ axes for found in (real, made))
    return {**joint(one, other[None]), "halves": halves(one)}


def _axes(hearts: Sequence[NDArray[np.uint8]]) -> tuple[Array, Array]:
    """Mean [D] and principal axes [D, COEFFICIENTS] of descriptors."""
    x = np.stack(hearts).astype(float)
    mean = x.mean(axis=0)
    return mean, np.linalg.svd(x - mean, full_matrices=False)[2][:COEFFICIENTS].T


def _generated(model: Model, cohort: Cohort, seed: int, person: tuple[int, int]) -> NDArray[np.uint8]:
    number, index = person
    return describe(generate_subject(model, cohort, index, number, seed=seed))
