"""One model on one split of one cohort: trained, and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cheart.cohort import Cohort, Split
from cheart.evaluation.completion import evaluate_completion
from cheart.evaluation.generation import evaluate_generation
from cheart.evaluation.memorisation import evaluate_memorisation
from cheart.evaluation.response import evaluate_response
from cheart.files import write_json
from cheart.model import load
from cheart.models.find import find_model
from cheart.models.registry import model_class
from cheart.models.store import read_model
from cheart.paper.plan import COPIED, Plan
from cheart.paper.results import completion_files, generation_files, write_completion, write_generation
from cheart.paper.step_cache import Ledger, file_fingerprint
from cheart.progress import Jobs
from cheart.training.loop import choose_device
from cheart.training.train import train

WEIGHTS = "model.safetensors"
MOVE, LOOK = "move conditions of", "look for training hearts in"
"""Verbs of steps that judge a model that generates."""


def row_folder(row: str) -> str:
    """The name of the folder where the figures of a row of the tables lie."""
    return row.replace(" ", "-")


COPIED_FOLDER = row_folder(COPIED)
"""Where the completion of the heart that stands still lies."""


@dataclass(frozen=True)
class Trial:
    """One model on one split.

    Attributes:
        model: its name.
        cohort: whose training and validation subjects it is trained on, and whose ``split`` it is judged on.
        run: the folder of its training.
        evaluation: the folder of all models' figures.
        prepared: the folder of what models of one cohort share (:mod:`cheart.training.prepared`).
        start_from: a trained model to go on from.
        split: who is held out.
        label: before the names of its steps, such as ``fold 1: ``.
        row: what the tables call it, where that is not the model's name.
    """

    model: str
    cohort: Cohort
    run: Path
    evaluation: Path
    prepared: Path | None = None
    start_from: Path | None = None
    split: Split = "test"
    label: str = ""
    row: str = ""

    @property
    def folder(self) -> Path:
        """Where its figures lie."""
        return self.evaluation / row_folder(self.row or self.model)

    def step(self, verb: str) -> str:
        """The name of one of its steps."""
        return f"{self.label}{verb} {self.row or self.model}"

    def steps(self) -> list[str]:
        """The names of its steps, in order."""
        tasks = model_class(self.model).tasks
        judged = ["complete"] if "complete" in tasks else []
        judged += ["generate", MOVE, LOOK] if "generate" in tasks else []
        return [self.step(verb) for verb in ("train", *judged)]


def find_start(plan: Plan) -> Path | None:
    """The model that ours goes on from; None where it begins by itself.

    Raises:
        InputError: there is none, or not one that this version reads.
    """
    if plan.start_from is None:
        return None
    folder = find_model(plan.start_from)
    read_model(folder)
    return folder


def train_and_judge(trial: Trial, plan: Plan, ledger: Ledger) -> None:
    """Train a model, or go on with its training, and judge all that it can do; what is done already stays."""
    train_trial(trial, plan, ledger)
    _judge(trial, plan, ledger)


def train_trial(trial: Trial, plan: Plan, ledger: Ledger) -> None:
    """Train a model, or go on with its training."""
    start = None if trial.start_from is None else file_fingerprint(trial.start_from / WEIGHTS)
    made_of = {"cohort": trial.cohort.fingerprint, "model": trial.model, "preset": plan.preset, "seed": plan.seed}
    work = partial(_train, trial, plan)
    ledger.do(trial.step("train"), {**made_of, "from": start}, [trial.run / WEIGHTS], work)


def _judge(trial: Trial, plan: Plan, ledger: Ledger) -> None:
    tasks = model_class(trial.model).tasks
    if "complete" in tasks:
        judge_completion(trial, plan, ledger)
    if "generate" in tasks:
        judge_generation(trial, plan, ledger)
        seeded = {"split": trial.split, "subjects": plan.subjects, "seed": plan.seed}
        slopes, memory = trial.folder / "response.json", trial.folder / "memorisation.json"
        ask = partial(_ask, trial, plan, seeded)
        _step(trial, ledger, MOVE, seeded, [slopes], lambda: write_json(slopes, ask(evaluate_response)))
        _step(trial, ledger, LOOK, seeded, [memory], lambda: write_json(memory, ask(evaluate_memorisation)))


def judge_completion(trial: Trial, plan: Plan, ledger: Ledger) -> None:
    """Complete the held-out subjects."""
    who: dict[str, Any] = {"split": trial.split, "subjects": plan.subjects}
    _step(
        trial, ledger, "complete", who, completion_files(trial.folder),
        lambda: write_completion(trial.folder, _ask(trial, plan, who, evaluate_completion)),
    )  # fmt: skip


def judge_generation(trial: Trial, plan: Plan, ledger: Ledger) -> None:
    """Generate hearts for the held-out subjects."""
    drawn = {"split": trial.split, "subjects": plan.subjects, "seed": plan.seed, "samples": plan.samples}
    _step(
        trial, ledger, "generate", drawn, generation_files(trial.folder),
        lambda: write_generation(trial.folder, _ask(trial, plan, drawn, evaluate_generation)),
    )  # fmt: skip


def _step(
    trial: Trial, ledger: Ledger, verb: str, options: Mapping[str, Any], files: list[Path], work: Callable[[], None]
) -> None:
    made_of = {"cohort": trial.cohort.fingerprint, "weights": file_fingerprint(trial.run / WEIGHTS)}
    ledger.do(trial.step(verb), {**made_of, **options}, files, work)


def _ask(trial: Trial, plan: Plan, options: Mapping[str, Any], judge: Callable[..., Any]) -> Any:
    """What a judge says of a trial's model."""
    model = load(trial.run, device=str(choose_device(plan.device)))
    return judge(model, trial.cohort, **options, jobs=judging_jobs(plan))


def copy_first_frame(trial: Trial, plan: Plan, ledger: Ledger) -> None:
    """Judge the heart that stands still, on the subjects and with the grid of a model that can complete."""
    who: dict[str, Any] = {"split": trial.split, "subjects": plan.subjects}
    folder = trial.evaluation / COPIED_FOLDER
    ledger.do(
        f"{trial.label}{COPIED}",
        {**who, "cohort": trial.cohort.fingerprint},
        completion_files(folder),
        lambda: write_completion(
            folder, evaluate_completion(load(trial.run), trial.cohort, **who, copy_first=True, jobs=judging_jobs(plan))
        ),
    )


def judging_jobs(plan: Plan) -> Jobs:
    """Processes that judge."""
    if plan.jobs is not None:
        return plan.jobs
    return -1 if choose_device(plan.device).type == "cpu" else 1


def _train(trial: Trial, plan: Plan) -> None:
    train(
        trial.cohort,
        trial.run,
        model=trial.model,
        preset=plan.preset,
        start_from=trial.start_from,
        prepared=trial.prepared,
        seed=plan.seed,
        device=plan.device,
        jobs=-1 if plan.jobs is None else plan.jobs,
        resume=(trial.run / "run.json").is_file(),
    )
