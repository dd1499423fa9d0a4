"""How many patients a model needs: alone, and going on from another model, at end-systole of patients held out.

    python -m benchmarks.learning_curve COHORT --from MODEL [--models motion,ridge] [--patients 10,20,50,70] [--folds 5]

Every subject is held out once. Of the training subjects of a fold the first so many count, in an order in which each
diagnosis comes as often as the others; a tenth of them, at least two, are for validation. A model that goes on is of
the kind of MODEL; the others learn from the patients alone.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

from cheart.cohort import Cohort
from cheart.conditions import DIAGNOSIS
from cheart.evaluation.completion import evaluate_completion
from cheart.model import load
from cheart.paper.folds import kinds_of, split_into_folds
from cheart.training.train import train


def with_patients(cohort: Cohort, count: int) -> Cohort:
    """The cohort with so many training and validation subjects in all; all others count as test subjects."""
    use = np.concatenate([cohort.indices("train"), cohort.indices("val")])
    use = use[np.random.default_rng(0).permutation(len(use))]
    kind = kinds_of(cohort)[use]
    turn = np.array([np.sum(kind[:i] == k) for i, k in enumerate(kind)])  # each diagnosis once, then each twice …
    chosen, held_out = use[np.argsort(turn, kind="stable")[:count]], max(2, count // 10)
    split = np.full(len(cohort), "test", object)
    split[chosen[:held_out]], split[chosen[held_out:]] = "val", "train"
    return cohort.resplit(split.tolist())


def judged(folds: list[Cohort], count: int, model: str, start: str | None) -> pd.DataFrame:
    """The held-out subjects of all folds, completed by models of so many patients."""
    tables = []
    for fold in folds:
        with tempfile.TemporaryDirectory() as folder:
            run, some = Path(folder) / "run", with_patients(fold, count).without(DIAGNOSIS)
            train(some, run, model=model, start_from=start, jobs=1)
            tables.append(evaluate_completion(load(run), fold).subjects)
    return pd.concat(tables, ignore_index=True)


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("cohort", type=Path)
    asked.add_argument("--from", dest="start", required=True)
    asked.add_argument("--models", default="motion,ridge")
    asked.add_argument("--patients", default="10,20,50,80")
    asked.add_argument("--folds", type=int, default=5)
    options = asked.parse_args()
    folds = split_into_folds(Cohort.open(options.cohort), options.folds, seed=0)
    begun = load(options.start)
    known = pd.concat([evaluate_completion(begun, fold).subjects for fold in folds], ignore_index=True)
    rows = {f"{begun.name}, going on": (begun.name, options.start)}
    rows |= {f"{name}, alone": (name, None) for name in options.models.split(",")}
    print("End-systole of patients held out: average Dice, mean ± SD; p: going on and the row, Wilcoxon.\n")
    print(
        f"| patients | | Dice | LVESV, mL off | p |\n|---|---|---|---|---|\n{line(0, begun.name, known, None)}",
        flush=True,
    )
    for count in map(int, options.patients.split(",")):
        first = None
        for name, (model, start) in rows.items():
            found = judged(folds, count, model, start)
            print(line(count, name, found, first), flush=True)
            first = found if first is None else first


def line(count: int, name: str, found: pd.DataFrame, other: pd.DataFrame | None) -> str:
    """A row of the table."""
    off = found["d_lvesv"].abs()
    p = "" if other is None else f"{wilcoxon(found.dice_es, other.dice_es).pvalue:.2g}"
    dice = f"{found.dice_es.mean():.3f} ± {found.dice_es.std():.3f}"
    return f"| {count} | {name} | {dice} | {off.mean():.1f} ± {off.std():.1f} | {p} |"


if __name__ == "__main__":
    main()
