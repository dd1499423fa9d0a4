"""Cross-validation: every model trained once a fold, and judged on subjects that it has never seen.

OUT/
    plan.json, steps.json   as everywhere
    folds/K/models/NAME/    a run of cheart train
    folds/K/evaluation/NAME/
    evaluation/NAME/        the folds together: one row a subject
    tables/, result.json, report.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.evaluation.completion import Completion
from cheart.evaluation.generation import Generation
from cheart.models.registry import model_class
from cheart.paper.folds import split_into_folds
from cheart.paper.plan import COPIED, OURS, Plan, claim_folder
from cheart.paper.results import Found, read_found, write_completion, write_generation
from cheart.paper.step_cache import Ledger, Tell, file_fingerprint
from cheart.paper.trial import (
    WEIGHTS,
    Trial,
    copy_first_frame,
    find_start,
    judge_completion,
    judge_generation,
    row_folder,
    train_trial,
)

BEFORE = f"{OURS} as it was"
"""The row of the model that ours goes on from."""


@dataclass(frozen=True)
class Crossed:
    """A cross-validation that is to be done.

    Attributes:
        plan: with a number of folds.
        cohort: whole; its own split does not count.
    """

    plan: Plan
    cohort: Cohort

    @cached_property
    def parts(self) -> list[Cohort]:
        """The cohort, split anew for each fold."""
        assert self.plan.folds is not None
        return split_into_folds(self.cohort, self.plan.folds, seed=self.plan.seed)

    @property
    def models(self) -> list[str]:
        """Those that can complete: with few subjects a fold, distributions say nothing."""
        return [name for name in self.plan.models if "complete" in model_class(name).tasks]

    def trials(self) -> Iterator[Trial]:
        """All trainings, fold by fold."""
        for k, part in enumerate(self.parts, start=1):
            folder = self.plan.out / "folds" / str(k)
            for name in self.models:
                start = self.start_from if name == OURS else None
                places = (folder / "models" / name, folder / "evaluation", folder / "prepared")
                yield Trial(name, part, *places, start_from=start, label=f"fold {k}: ")

    def generating(self) -> list[Trial]:
        """Those that generate too; last, because it takes the longest."""
        return [trial for trial in self.trials() if trial.model == OURS]

    @cached_property
    def start_from(self) -> Path | None:
        """The folder of the model to go on from."""
        return find_start(self.plan)

    def before(self, trial: Trial) -> Trial:
        """The judgement of the model that a trial goes on from."""
        assert trial.start_from is not None
        return Trial(OURS, trial.cohort, trial.start_from, trial.evaluation, label=trial.label, row=BEFORE)

    def steps(self) -> dict[str, float]:
        """All steps in order, and how long each is thought to take in seconds of one core a heart."""
        people, held_out = len(self.cohort), len(self.cohort) / len(self.parts)
        out: dict[str, float] = {}
        for trial in self.trials():
            out[trial.step("train")] = 0.7 * people
            out[trial.step("complete")] = 1.5 * held_out
            if trial.start_from is not None:
                out[self.before(trial).step("complete")] = 1.5 * held_out
            if trial.model == self.models[0]:
                out[f"{trial.label}{COPIED}"] = 0.5 * held_out
        return out | {trial.step("generate"): 1.5 * held_out * self.plan.samples for trial in self.generating()}


def cross_validate(crossed: Crossed, *, tell: Tell) -> tuple[dict[str, Found], dict[str, dict[str, Any]]]:
    """Train and judge what is not done yet; the folds together, by row of the tables, and the steps.

    Raises:
        InputError: too few subjects for the folds, no model that can complete, none to go on from, or a folder begun
            with another plan.
    """
    plan = crossed.plan
    if not crossed.models:
        raise InputError(
            f"--folds judges completion, and of --models {','.join(plan.models)} none can; add cheart or pca"
        )
    expected = crossed.steps()
    claim_folder(plan, crossed.cohort.fingerprint)
    ledger = Ledger(plan.out, expected, tell)
    for trial in crossed.trials():
        train_trial(trial, plan, ledger)
        judge_completion(trial, plan, ledger)
        if trial.start_from is not None:
            judge_completion(crossed.before(trial), plan, ledger)
        if trial.model == crossed.models[0]:
            copy_first_frame(trial, plan, ledger)
    for trial in crossed.generating():
        judge_generation(trial, plan, ledger)
    before = [BEFORE] if plan.start_from is not None and OURS in crossed.models else []
    rows = [*crossed.models, *before, COPIED]
    return {row: _together(plan, row_folder(row)) for row in rows}, ledger.entries


def _together(plan: Plan, folder: str) -> Found:
    """One row of the tables: what was found in each fold, subjects numbered on; written and read back."""
    assert plan.folds is not None
    parts = [read_found(plan.out / "folds" / str(k) / "evaluation" / folder) for k in range(1, plan.folds + 1)]
    completions = [part.completion for part in parts if part.completion is not None]
    generations = [part.generation for part in parts if part.generation is not None]
    sizes = [len(c.subjects) for c in completions]
    completion = Completion(
        _stack([c.subjects for c in completions], sizes), sum(c.structures_empty for c in completions)
    )
    generation = None
    if generations:
        tables = {n: _stack([getattr(g, n) for g in generations], sizes) for n in ("people", "samples", "real_seams")}
        generation = Generation(**tables, structures_empty=sum(g.structures_empty for g in generations))
    out = plan.out / "evaluation" / folder
    write_completion(out, completion)
    if generation is not None:
        write_generation(out, generation)
    return read_found(out)


def _stack(tables: list[pd.DataFrame], sizes: list[int]) -> pd.DataFrame:
    """Tables of the folds behind one another, with the fold, and subjects numbered on; some may be empty."""
    out, before = [], 0
    for fold, (table, size) in enumerate(zip(tables, sizes, strict=True), start=1):
        if len(table):
            numbered = table.assign(subject=table["subject"] + before)
            numbered.insert(0, "fold", fold)
            out.append(numbered)
        before += size
    return pd.concat(out, ignore_index=True) if out else pd.DataFrame()


def held_out(crossed: Crossed) -> list[int]:
    """Rows of the cohort in the order of the tables' subjects."""
    return [int(i) for part in crossed.parts for i in part.indices("test")[: crossed.plan.subjects]]


def weights_of(crossed: Crossed) -> dict[str, str]:
    """SHA-256 of all weights, by step."""
    return {f"{t.label}{t.model}": file_fingerprint(t.run / WEIGHTS) for t in crossed.trials()}
