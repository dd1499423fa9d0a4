"""Does a model listen to its conditions? Hearts of real people, one condition moved at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.cohort import Cohort, Split
from cheart.conditions import Conditions, Factor, Schema, Value
from cheart.errors import InputError
from cheart.evaluation.completion import chosen_subjects
from cheart.hearts import heart_seed
from cheart.metrics.response import BAR, Response, Slope, cohort_slopes, model_slope
from cheart.model import Model
from cheart.phenotypes import PAPER_FIVE
from cheart.progress import Jobs, collect

HEARTS = 20
"""People whose conditions are moved, at most; each has one random latent."""

DEFINITIONS = (
    "Condition response: a model's slope is that of a phenotype between the training mean − 1 SD and + 1 SD of one "
    "condition (for a level: against the first level), the person's other conditions and random latent held, mean over "
    "people with its 95 % interval; the cohort's is the partial slope of a multiple linear regression over the same "
    f"split. agrees: the intervals meet, and the ratio is within {BAR[0]:g} and {BAR[1]:g}; ignored: clear in the "
    "cohort, not in the model; in brackets, without a ratio: the cohort's own interval has 0 in it."
)


def evaluate_response(
    model: Model,
    cohort: Cohort,
    *,
    split: Split = "test",
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs = 1,
) -> dict[str, dict[str, dict[str, Any]]]:
    """A model's slopes beside the cohort's, by condition (``age``, ``sex:M``) and phenotype.

    Conditions for which the split has too few people, or does not vary, are left out.

    Args, Raises: as :func:`cheart.evaluation.generation.evaluate_generation`; ``seed`` is of the random latents.
    """
    model.network.require("generate")
    indices = chosen_subjects(model, cohort, split, subjects)
    wanted = _cohort_slopes(model, cohort, indices, jobs=jobs)
    people = list(enumerate(indices[:HEARTS]))
    moves = [(f, level) for f in model.encoding.schema.factors for level in (f.levels[1:] or ("",))]
    moves = [(f, level) for f, level in moves if _column(f, level) in wanted]
    tasks = [(factor, level, n, index) for factor, level in moves for n, index in people]
    rows = collect(partial(_moved, model, cohort, seed), tasks, jobs=jobs, title="Moving conditions")
    found = {}
    for place, (factor, level) in enumerate(moves):
        made = np.array(rows[place * len(people) : (place + 1) * len(people)])  # [people, 2, 5]
        ends = np.array([0.0, 1.0]) if level else np.array(_ends(model, factor))
        column = _column(factor, level)
        found[column] = {
            name: _numbers(Response(wanted[column][name], model_slope(ends, made[:, :, k])))
            for k, name in enumerate(PAPER_FIVE)
            if name in wanted[column]
        }
    return found


def _cohort_slopes(model: Model, cohort: Cohort, indices: list[int], *, jobs: Jobs) -> dict[str, dict[str, Slope]]:
    """By column and phenotype; empty where there are too few people."""
    if len(indices) < 2:
        return {}
    columns = condition_columns([cohort.conditions(i) for i in indices], model.encoding.schema)
    rows = collect(partial(_measured, cohort), indices, jobs=jobs, title="Measuring real hearts")
    found: dict[str, dict[str, Slope]] = {}
    for name in PAPER_FIVE:
        try:
            slopes = cohort_slopes(columns, [row[name] for row in rows])
        except InputError:
            continue
        for column, slope in slopes.items():
            found.setdefault(column, {})[name] = slope
    return found


def condition_columns(people: Sequence[Conditions], schema: Schema) -> dict[str, NDArray[np.float64]]:
    """Numbers as they are, levels as 0 and 1 against the first (``sex:M``); [N] each, nan where not known."""
    columns = {}
    for factor in schema.factors:
        values = [person.get(factor.name) for person in people]
        if factor.kind == "number":
            columns[factor.name] = np.array([np.nan if v is None else float(v) for v in values])
        else:
            for level in factor.levels[1:]:
                is_level = [np.nan if v is None else float(v == level) for v in values]
                columns[f"{factor.name}:{level}"] = np.array(is_level)
    return columns


def _measured(cohort: Cohort, index: int) -> dict[str, float]:
    return cohort.heart(index).phenotypes.row()


def _moved(model: Model, cohort: Cohort, seed: int, task: tuple[Factor, str, int, int]) -> list[list[float]]:
    """Phenotypes [2, 5] of one person's heart at both ends of a condition."""
    factor, level, n, index = task
    person = cohort.conditions(index)
    known = {n: person[n] for n in model.encoding.schema.names if n in person}
    values: tuple[Value, Value] = (factor.levels[0], level) if level else _ends(model, factor)
    made = [model.network.generate(model.encode({**known, factor.name: v}), seed=heart_seed(seed, n)) for v in values]
    rows = [model.heart(labels).phenotypes.row() for labels in made]
    return [[row[name] for name in PAPER_FIVE] for row in rows]


def _ends(model: Model, factor: Factor) -> tuple[float, float]:
    """The training mean − 1 SD and + 1 SD of a number factor."""
    centre, scale = model.encoding.centre[factor.name], model.encoding.scale[factor.name]
    return centre - scale, centre + scale


def _column(factor: Factor, level: str) -> str:
    return f"{factor.name}:{level}" if level else factor.name


def _numbers(response: Response) -> dict[str, Any]:
    slopes = {"cohort": response.cohort, "model": response.model}
    numbers = {k: {"slope": s.value, "low": s.low, "high": s.high, "n": s.n} for k, s in slopes.items()}
    return {**numbers, "ratio": response.ratio, "verdict": response.verdict}
