"""The whole of it: cohort, trainings, judgements, tables, report.

OUT/
    plan.json, steps.json   what was asked; what is done, of which inputs, in what time
    cohort/                 simulated, where none was given
    prepared/               what the models share of it
    models/NAME/            a run of cheart train
    evaluation/NAME/        one row a subject (cheart.paper.results)
    tables/                 CSV, Markdown and LaTeX
    figures/                PNG and SVG
    result.json             everything, for machines
    report.html             everything, for people
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cheart.cohort import Cohort
from cheart.files import read_json
from cheart.grid import Grid
from cheart.models.registry import model_class
from cheart.paper.crossed import Crossed, cross_validate
from cheart.paper.crossed_report import write_crossed
from cheart.paper.plan import COPIED, OURS, Plan, claim_folder
from cheart.paper.report import Outcome, write_report
from cheart.paper.results import read_found
from cheart.paper.step_cache import Ledger, Tell
from cheart.paper.together import FIGURES, TRUTH, draw_figures, judge_truth
from cheart.paper.trial import COPIED_FOLDER, Trial, copy_first_frame, find_start, train_and_judge
from cheart.simulation.cohort import simulate

SIMULATE = "simulate the cohort"


def reproduce(plan: Plan, *, tell: Tell = lambda text: None) -> dict[str, Any]:
    """Do what is not done yet, and write the report.

    Returns:
        What ``result.json`` says.

    Raises:
        InputError: the folder was begun with another plan; whatever simulation, training and judging refuse.
    """
    given = None if plan.cohort is None else Cohort.open(plan.cohort)
    if plan.folds is not None:
        assert given is not None
        crossed = Crossed(plan, given)
        return write_crossed(crossed, *cross_validate(crossed, tell=tell))
    start = find_start(plan)
    claim_folder(plan, None if given is None else given.fingerprint)
    ledger = Ledger(plan.out, expected_steps(plan, given), tell)
    cohort = _simulated(plan, ledger) if given is None else given
    trials = _trials(plan, cohort, start)
    for trial in trials:
        train_and_judge(trial, plan, ledger)
    completing = [trial for trial in trials if "complete" in model_class(trial.model).tasks]
    if completing:
        copy_first_frame(completing[0], plan, ledger)
    judge_truth(trials, plan, ledger)
    draw_figures(trials, plan, ledger)
    evaluation = plan.out / "evaluation"
    found = {trial.model: read_found(evaluation / trial.model) for trial in trials}
    copied = read_found(evaluation / COPIED_FOLDER).completion if completing else None
    why_no_truth = read_json(evaluation / "truth.json")["not_judged"] if (evaluation / "truth.json").is_file() else ""
    return write_report(plan, cohort, Outcome(found, copied, why_no_truth, ledger.entries))


def _trials(plan: Plan, cohort: Cohort, start: Path | None) -> list[Trial]:
    models, evaluation, prepared = (plan.out / name for name in ("models", "evaluation", "prepared"))
    return [
        Trial(name, cohort, models / name, evaluation, prepared, start_from=start if name == OURS else None)
        for name in plan.models
    ]


def _simulated(plan: Plan, ledger: Ledger) -> Cohort:
    path = plan.out / "cohort"

    def simulated() -> None:
        simulate(
            path,
            n=plan.people,
            seed=plan.seed,
            grid=Grid.parse(plan.grid),
            jobs=-1 if plan.jobs is None else plan.jobs,
            overwrite=path.exists(),
        )

    ledger.do(
        SIMULATE, {"people": plan.people, "grid": plan.grid, "seed": plan.seed}, [path / "cohort.json"], simulated
    )
    return Cohort.open(path)


READING = 0.7
SHARES = {
    "move": 0.1, "look": 0.03, "copy": 0.3, "simulate": 0.2, "truth": 0.1, "figure": 0.2,
}  # fmt: skip
"""Seconds of one core a heart on the half grid, roughly, beside what the models themselves cost
(:class:`cheart.models.base.HeartModel`), and what reading the cohort once adds to the first training. They only serve
the time left, so only their ratios matter."""


def expected_steps(plan: Plan, cohort: Cohort | None) -> dict[str, float]:
    """All steps in order, and how long each is thought to take; only ratios matter."""
    people = plan.people if cohort is None else len(cohort)
    held_out = people // 5 if cohort is None else len(cohort.indices("test"))
    judged = held_out if plan.subjects is None else min(plan.subjects, held_out)
    steps = {SIMULATE: SHARES["simulate"] * people} if cohort is None else {}
    for name in plan.models:
        first, *rest = Trial(name, cohort, Path(), Path()).steps()  # type: ignore[arg-type]
        cost = model_class(name).seconds_per_heart
        steps[first] = (cost["train"] + (READING if name == plan.models[0] else 0)) * people
        for step in rest:
            kind = step.split()[0]
            hearts = {"generate": judged * plan.samples, "move": 200, "look": people}.get(kind, judged)
            steps[step] = {**SHARES, **cost}[kind] * hearts
    if any("complete" in model_class(name).tasks for name in plan.models):
        steps[COPIED] = SHARES["copy"] * judged
    if any("generate" in model_class(name).tasks for name in plan.models):
        steps[TRUTH] = SHARES["truth"] * judged
    steps[FIGURES] = SHARES["figure"] * 14 * plan.scale.ageing
    return steps
