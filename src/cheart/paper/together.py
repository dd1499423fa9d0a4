"""The steps that take all models at once: the truth of a simulated cohort, and the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from cheart.errors import InputError
from cheart.evaluation.truth import evaluate_truth, true_phenotypes
from cheart.files import read_json, write_json
from cheart.model import load
from cheart.models.registry import model_class
from cheart.paper.figures import make_figures
from cheart.paper.html import Picture
from cheart.paper.plan import Plan
from cheart.paper.results import read_found, write_truth
from cheart.paper.step_cache import Ledger, file_fingerprint
from cheart.paper.trial import WEIGHTS, Trial, judging_jobs
from cheart.training.loop import choose_device

TRUTH, FIGURES = "compare with the truth", "draw the figures"


def judge_truth(trials: Sequence[Trial], plan: Plan, ledger: Ledger) -> None:
    """Hold what was generated against the true distribution, where the cohort has one."""
    able = [trial for trial in trials if "generate" in model_class(trial.model).tasks]
    if not able:
        return
    told = able[0].evaluation / "truth.json"

    def work() -> None:
        try:
            truths = true_phenotypes(able[0].cohort, split=able[0].split, subjects=plan.subjects, seed=plan.seed)
        except InputError as reason:  # such as an imported cohort, of which nobody knows the truth
            write_json(told, {"not_judged": str(reason)})
            return
        for trial in able:
            folder = trial.evaluation / trial.model
            generation = read_found(folder).generation
            assert generation is not None
            write_truth(folder, evaluate_truth(generation, truths))
        write_json(told, {"not_judged": ""})

    ledger.do(TRUTH, _inputs(able, plan), [told], work)


def draw_figures(trials: Sequence[Trial], plan: Plan, ledger: Ledger) -> None:
    """Draw every figure that the models and the cohort allow, and note which and why not."""
    folder = plan.out / "figures"
    inputs = {**_inputs(trials, plan), "ageing": plan.scale.ageing}
    ledger.do(FIGURES, inputs, [folder / "figures.json"], partial(_draw, trials, plan, folder))


def _draw(trials: Sequence[Trial], plan: Plan, folder: Path) -> None:
    jobs = judging_jobs(plan)
    device = str(choose_device(plan.device))
    models = {trial.model: load(trial.run, device=device) for trial in trials}
    found = {trial.model: read_found(trial.evaluation / trial.model) for trial in trials}
    generations = {name: f.generation for name, f in found.items() if f.generation is not None}
    folder.mkdir(exist_ok=True)
    files = make_figures(
        models, trials[0].cohort, generations, folder,
        seed=plan.seed, jobs=jobs if isinstance(jobs, int) else 1, split=trials[0].split, samples=plan.scale.ageing,
    )  # fmt: skip
    told = [{k: v for k, v in asdict(file).items() if k not in ("png", "svg")} for file in files]
    write_json(folder / "figures.json", told)


def read_pictures(folder: Path) -> tuple[list[Picture], list[str]]:
    """The figures that were drawn, and for the others why not."""
    told: list[dict[str, Any]] = read_json(folder / "figures.json")
    drawn = [
        Picture(f["name"], f"{f['number']}: {f['title']}", f["caption"], folder / f"{f['name']}.png")
        for f in told
        if not f["skipped"]
    ]
    return drawn, [f"{f['number']} ({f['title']}) was not drawn: {f['skipped']}" for f in told if f["skipped"]]


def _inputs(trials: Sequence[Trial], plan: Plan) -> Mapping[str, Any]:
    """All that the steps of several models depend on."""
    weights = {trial.model: file_fingerprint(trial.run / WEIGHTS) for trial in trials}
    about = {"cohort": trials[0].cohort.fingerprint, "split": trials[0].split, "seed": plan.seed}
    return {**about, "weights": weights, "subjects": plan.subjects, "samples": plan.samples}
