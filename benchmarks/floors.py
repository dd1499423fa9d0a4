"""What end-systole costs without any shape: the floors that a model of hearts has to beat, and the ceiling.

    python benchmarks/floors.py COHORT [--folds 5] [--training 300] [--subjects 150]

The test subjects of a cohort by its training subjects, or every subject held out once in so many folds. Where people
have diagnoses as a condition, a second regression is given them: what they are worth.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from cheart.cohort import Cohort
from cheart.conditions import DIAGNOSIS
from cheart.evaluation.prediction import Prediction
from cheart.evaluation.references import VOLUMES, diagnoses, reference_predictions
from cheart.paper.folds import split_into_folds

SAMPLES = 200


def floors(parts: list[Cohort], subjects: int | None) -> tuple[dict[str, Prediction], np.ndarray]:
    """The predictions of every row for the test subjects of every part, and their diagnoses in that order."""
    found, kinds = defaultdict(list), []
    for part in parts:
        held_out = part.indices("test").tolist()[:subjects]
        kinds.append(diagnoses(part, held_out))
        rows = reference_predictions(part, held_out, part.without(DIAGNOSIS), samples=SAMPLES)
        if DIAGNOSIS in part.schema.names:
            given = reference_predictions(part, held_out, part, samples=SAMPLES)[VOLUMES]
            rows = {**rows, f"{VOLUMES} with {DIAGNOSIS}": given}
        for name, one in rows.items():
            found[name].append(one)
    return {name: joined(found) for name, found in found.items()}, np.concatenate(kinds)


def joined(parts: list[Prediction]) -> Prediction:
    """One prediction of several; subjects are numbered on."""
    before = np.cumsum([0, *(len(part.people) for part in parts)])
    people, samples = (
        pd.concat([t.assign(subject=t["subject"] + n) for t, n in zip(tables, before, strict=False)], ignore_index=True)
        for tables in ([part.people for part in parts], [part.samples for part in parts])
    )
    return Prediction(people, samples)


def with_fewer(cohort: Cohort, training: int) -> Cohort:
    """The cohort with only the first so many training subjects."""
    split = cohort.table["split"].to_numpy(object).copy()
    split[cohort.indices("train")[training:]] = "val"
    return cohort.resplit(split.tolist())


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("cohort", type=Path)
    for name in ("folds", "training", "subjects"):
        asked.add_argument(f"--{name}", type=int)
    options = asked.parse_args()
    cohort = Cohort.open(options.cohort)
    if options.training:
        cohort = with_fewer(cohort, options.training)
    parts = [cohort] if options.folds is None else split_into_folds(cohort, options.folds, seed=0)
    rows, kinds = floors(parts, options.subjects)
    groups = sorted({*kinds} - {""})
    heads = ["", "LVESV off, mL", "RVESV off, mL", "CRPS LVEF, points", "RVEF", "energy, mL", "inside 90 %", *groups]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name, one in rows.items():
        found, spread = one.summary(), one.spread(kinds)
        off = [np.abs(one.drawn(q).mean(axis=1) - one.people[f"real_{q}"]).mean() for q in ("lvesv", "rvesv")]
        scores = [found["scores"][key] for key in ("crps_lvef", "crps_rvef", "energy")]
        cells = [f"{v:.1f}" for v in off] + [f"{s['value']:.2f} ({s['low']:.2f} to {s['high']:.2f})" for s in scores]
        cells += [
            f"{v:.2f}" if v is not None else ""
            for v in (found["calibration"].get("inside_90"), *map(spread.get, groups))
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
