"""Parts of the report beyond the paper: proper scores and calibration, joint measures, physiology."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cheart.evaluation import joint as judge_joint
from cheart.evaluation import physiology as judge_physiology
from cheart.evaluation import prediction as judge_prediction
from cheart.evaluation import references
from cheart.evaluation.generation import Generation
from cheart.evaluation.joint import HALVED, halves, joint, phenotypes_of
from cheart.evaluation.score_tables import joint_table, physiology_table, prediction_tables, spread_table
from cheart.evaluation.tables import Marks, Table
from cheart.paper import comparison as statistics
from cheart.paper.sections import FOLDS, Outcome, Section

SMALLEST_GROUP = 5
"""People of a diagnosis below whom spread and error say nothing."""


def score_sections(outcome: Outcome) -> list[Section]:
    """All of them, as far as there is something to show."""
    return [part for part in (_prediction(outcome), _joint(outcome), _physiology(outcome)) if part is not None]


def _prediction(outcome: Outcome) -> Section | None:
    found = outcome.of("prediction")
    if not found:
        return None
    summaries = {row: one.summary() for row, one in found.items()}
    folds = FOLDS if outcome.kinds is not None else ""
    definitions = f"{folds}{judge_prediction.DEFINITIONS} {references.DEFINITIONS}"
    part = Section("prediction", "How sure may one be of a completion?", (), definitions)
    spreads: list[Table] = []
    if outcome.groups is not None:
        names, counts = np.unique(outcome.groups, return_counts=True)
        shown = [str(n) for n, count in zip(names, counts, strict=True) if n and count >= SMALLEST_GROUP]
        rows = {row: one.spread(outcome.groups) for row, one in found.items()}
        spreads += [spread_table(rows, shown)] if shown else []

    def draw(marks: Marks) -> list[Table]:
        return [*prediction_tables(summaries, marks), *spreads]

    return outcome.tested(part, {row: one.scores for row, one in found.items()}, statistics.PREDICTION, draw)


def _joint(outcome: Outcome) -> Section | None:
    generations: Mapping[str, Generation] = {**outcome.of("generation"), **outcome.of("reference")}
    if not generations or outcome.kinds is not None:
        return None
    pairs = {row: phenotypes_of(one) for row, one in generations.items()}
    real = next(iter(pairs.values()))[0]
    rows: dict[str, Mapping[str, Any]] = {row: joint(*pair) for row, pair in pairs.items()}
    tables = [joint_table({**rows, HALVED: halves(real)}, "Joint: the five phenotypes", "joint-phenotypes")]
    shapes = outcome.of("shapes")
    if shapes:
        half = next(iter(shapes.values()))["halves"]
        tables.append(joint_table({**shapes, HALVED: half}, "Joint: shapes", "joint-shapes"))
    few = () if any(rows.values()) else ("Not computed: the real hearts are too few, or all alike.",)
    return Section(
        "joint", "Are the hearts real ones, all values together?", tuple(tables), judge_joint.DEFINITIONS, gaps=few
    )


def _physiology(outcome: Outcome) -> Section | None:
    found = outcome.of("physiology")
    if not found or outcome.kinds is not None:
        return None
    real = judge_physiology.REAL
    rows = {real: next(iter(found.values()))[real]}
    rows |= {f"{row}, {kind}": one for row, by in found.items() for kind, one in by.items() if kind != real}
    return Section(
        "physiology", "Are the hearts such as bodies have?", (physiology_table(rows),), judge_physiology.DEFINITIONS
    )
