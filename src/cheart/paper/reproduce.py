"""The whole of an experiment: cohort, trainings, judgements, figures, tables, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from cheart.errors import InputError
from cheart.evaluation.completion import COPIED, evaluate_completion
from cheart.evaluation.generation import evaluate_generation
from cheart.evaluation.joint import evaluate_shapes
from cheart.evaluation.latent import evaluate_latent
from cheart.evaluation.memorisation import evaluate_memorisation
from cheart.evaluation.physiology import evaluate_physiology
from cheart.evaluation.prediction import evaluate_prediction
from cheart.evaluation.references import (
    MEAN_EF,
    REFERENCES,
    TRAINING,
    reference_generations,
    reference_predictions,
)
from cheart.evaluation.response import evaluate_response
from cheart.evaluation.truth import PEOPLE, SAMPLES, evaluate_truth, sample_phenotypes, true_phenotypes
from cheart.files import locked, sha256_of, write_json
from cheart.model import load
from cheart.models.device import choose_device
from cheart.paper.experiment import Experiment
from cheart.paper.figure_page import Material
from cheart.paper.figures import make_figures
from cheart.paper.report import write_report
from cheart.paper.results import Part, Results, files_of, join_folds, read_results, write_part
from cheart.paper.run import Run, row_folder
from cheart.paper.step_cache import Step, StepCache, Tell
from cheart.schemas import ExperimentJson, read_checked
from cheart.simulation.cohort import simulate
from cheart.training.train import train

COSTS = {"read": 0.7, "judge": 0.3, "move": 0.1, "look": 0.03, "simulate": 0.2, "truth": 0.1, "figure": 0.2}
"""Seconds of one core a heart on the half grid, roughly, beside what it costs the model; reading the cohort comes with
the first training. They only serve the time left, so only their ratios matter."""

MOVED = 200
"""Hearts that are made to see what conditions do."""


@dataclass(frozen=True)
class Judgement:
    """How one part of a run's results comes about.

    Attributes:
        part: of the results.
        verb: of the step.
        evaluate: takes a model, a cohort, and ``options`` beside the subjects.
        learns: whether it takes the cohort of the training too.
    """

    part: Part
    verb: str
    evaluate: Callable[..., Any]
    options: tuple[str, ...] = ("seed",)
    learns: bool = False


COMPLETE = Judgement("completion", "complete", evaluate_completion, ())
PREDICT = Judgement("prediction", "draw completions of", evaluate_prediction, ("seed", "samples"))
SHAPES = Judgement("shapes", "compare shapes of", evaluate_shapes, learns=True)
AUDIT = Judgement("physiology", "audit hearts of", evaluate_physiology)
GENERATE = Judgement("generation", "generate", evaluate_generation, ("seed", "samples"))
MOVE = Judgement("response", "move conditions of", evaluate_response)
LOOK = Judgement("memorisation", "look for training hearts in", evaluate_memorisation)
LATENT = Judgement("latent", "look into the latent of", evaluate_latent)


def reproduce(experiment: Experiment, *, tell: Tell = lambda text: None) -> dict[str, Any]:
    """Do what is not done yet, and write the report.

    Returns:
        What ``result.json`` says.

    Raises:
        InputError: the folder was begun with another plan; whatever simulation, training and judging refuse.
    """
    experiment.check()
    with locked(experiment.out):
        return _reproduce(experiment, tell)


def _reproduce(experiment: Experiment, tell: Tell) -> dict[str, Any]:
    experiment.claim_folder()
    cache = StepCache(experiment.out)
    cache.run(steps(experiment), tell)
    folders = {row: row_folder(row) for row in [*experiment.rows(), *REFERENCES]}
    evaluation = experiment.out / "evaluation"
    if experiment.folds > 1:
        for folder in folders.values():
            join_folds([place / "evaluation" / folder for place in experiment.places()], evaluation / folder)
    results = {
        row: read_results(evaluation / folder) for row, folder in folders.items() if (evaluation / folder).is_dir()
    }
    results |= _beside(experiment)
    return write_report(experiment, results, cache.entries)


def _beside(experiment: Experiment) -> dict[str, Results]:
    """The rows of another experiment, as its own tables call them and with its folder's name.

    Raises:
        InputError: it judged other people, or drew other hearts.
    """
    other = experiment.beside
    if other is None:
        return {}
    result, plan = read_checked(other / "result.json", ExperimentJson), experiment.lasting()
    theirs = {**result["plan"], "cohort": result["cohort"]["fingerprint"]}
    ours = {**plan, "cohort": experiment.people.fingerprint}
    for name in ("cohort", "subjects", "samples", "seed"):
        if theirs.get(name) != ours[name]:
            raise InputError(f"--beside {other}: its --{name} is {theirs.get(name)}, here it is {ours[name]}")
    rows = [row for row in result["results"] if row != COPIED]
    return {f"{row}, {other.name}": read_results(other / "evaluation" / row_folder(row)) for row in rows}


def steps(experiment: Experiment) -> list[Step]:
    """All that is to be done, in order: completion of every fold, and then what takes longer."""
    people, judged = _sizes(experiment)
    simulated = [] if experiment.cohort is not None else [_simulate(experiment)]
    out: list[Step] = []
    for fold in range(experiment.folds):
        runs = experiment.models_of(fold)
        completing = [run for run in runs if experiment.can(run.name, "complete")]
        for run in [*runs, *experiment.diagnosed(fold)]:
            if run.taken is None:
                out.append(_train(run, people * (run.seconds("train") + (0 if out else COSTS["read"]))))
            if experiment.can(run.name, "complete"):
                out += _judge_completion(run, judged)
        before = experiment.before(fold)
        out += [] if before is None else _judge_completion(before, judged)
        if completing:
            out.append(_copy_first_frame(completing[0], judged * COSTS["judge"]))
            out.append(_predict_by_references(completing[0], people * COSTS["look"]))
    each = [run for fold in range(experiment.folds) for run in experiment.models_of(fold)]
    generating = [run for run in each if run.name in experiment.generating()]
    for run in generating:
        out.append(_judge(run, GENERATE, judged * experiment.hearts * run.seconds("generate")))
        if experiment.folds == 1:
            out += [_judge(run, MOVE, MOVED * COSTS["move"]), _judge(run, LOOK, people * COSTS["look"])]
            out.append(_judge(run, SHAPES, people * COSTS["look"] + judged * run.seconds("generate")))
            if experiment.can(run.name, "complete"):
                out.append(_judge(run, LATENT, judged * 3 * run.seconds("complete")))
    if experiment.folds == 1:
        out += [_judge(run, AUDIT, judged * 2 * run.seconds("complete")) for run in each]
        if generating:
            cost = min(judged, PEOPLE) * SAMPLES * sum(run.seconds("generate") for run in generating)
            out.append(_generate_by_references(generating[0], people * COSTS["look"]))
            out.append(_compare_with_truth(generating, cost))
        out.append(_draw_figures(experiment))
    return simulated + out


def _sizes(experiment: Experiment) -> tuple[float, float]:
    """Subjects in all, and how many of them each fold judges."""
    if experiment.cohort is None:
        people, held_out = experiment.scale.people, experiment.scale.people / 5
    else:
        people = len(experiment.people)
        held_out = people / experiment.folds
        if experiment.folds == 1:
            held_out = len(experiment.people.indices("test") if experiment.judged is None else experiment.judged)
    return people, held_out if experiment.subjects is None else min(experiment.subjects, held_out)


def _simulate(experiment: Experiment) -> Step:
    scale, path = experiment.scale, experiment.out / "cohort"

    def work() -> None:
        jobs = -1 if experiment.jobs is None else experiment.jobs
        begun = any(experiment.out.glob(".cohort.partial-*"))
        how: dict[str, Any] = {"jobs": jobs, "overwrite": path.exists(), "resume": begun}
        simulate(path, n=scale.people, seed=experiment.seed, grid=scale.grid, **how)

    inputs = {"people": scale.people, "grid": scale.grid, "seed": experiment.seed}
    cost = COSTS["simulate"] * scale.people
    return Step("simulate the cohort", cost, lambda: inputs, [path / "cohort.json"], work)


def _train(run: Run, cost: float) -> Step:
    """Train a model, or go on with its training."""
    experiment = run.experiment

    def inputs() -> dict[str, Any]:
        start = None if run.start is None else sha256_of(run.start / run.weights.name)
        about = {"cohort": run.training.fingerprint, "conditions": list(run.training.schema.names), "model": run.name}
        return {**about, "preset": experiment.training_preset, "seed": experiment.seed, "from": start}

    def work() -> None:
        train(
            run.training, run.folder, model=run.model, preset=experiment.training_preset, start_from=run.start,
            prepared=run.place / "prepared", seed=experiment.seed, device=experiment.device,
            jobs=-1 if experiment.jobs is None else experiment.jobs, resume=(run.folder / "run.json").is_file(),
        )  # fmt: skip

    return Step(run.step("train"), cost, inputs, [run.weights], work)


def _judge(run: Run, judge: Judgement, cost: float) -> Step:
    """Judge a trained model on the held-out subjects."""
    experiment = run.experiment
    asked = {"subjects": experiment.subjects, "seed": experiment.seed, "samples": experiment.hearts}
    options = {"split": run.split, **{name: asked[name] for name in ("subjects", *judge.options)}}

    def inputs() -> dict[str, Any]:
        return {"cohort": run.cohort.fingerprint, "weights": sha256_of(run.weights), **options}

    def work() -> None:
        model = load(run.folder, device=experiment.device)
        learnt = {"training": run.training} if judge.learns else {}
        found = judge.evaluate(model, run.cohort, **options, **learnt, jobs=experiment.judging_jobs())
        write_part(run.evaluation, judge.part, found)

    return Step(run.step(judge.verb), cost, inputs, files_of(run.evaluation, judge.part), work)


def _judge_completion(run: Run, judged: float) -> list[Step]:
    """The best completion, and draws of it."""
    cost, draws = judged * run.seconds("complete"), run.experiment.hearts
    return [_judge(run, COMPLETE, cost), _judge(run, PREDICT, cost * draws)]


def _copy_first_frame(run: Run, cost: float) -> Step:
    """Judge the heart that stands still, on the subjects and with the grid of a model that can complete."""
    experiment, folder = run.experiment, run.place / "evaluation" / row_folder(COPIED)
    options: dict[str, Any] = {"split": run.split, "subjects": experiment.subjects}

    def work() -> None:
        jobs = experiment.judging_jobs()
        found = evaluate_completion(load(run.folder), run.cohort, **options, copy_first=True, jobs=jobs)
        write_part(folder, "completion", found)

    def inputs() -> dict[str, Any]:
        return {**options, "cohort": run.cohort.fingerprint}

    return Step(f"{run.label}{COPIED}", cost, inputs, files_of(folder, "completion"), work)


def _predict_by_references(run: Run, cost: float) -> Step:
    """The rows of completion that are no models; see :mod:`cheart.evaluation.references`."""

    def work() -> None:
        for row, found in reference_predictions(**_of_references(run)).items():
            write_part(run.place / "evaluation" / row_folder(row), "prediction", found)

    folder = run.place / "evaluation" / row_folder(MEAN_EF)
    return Step(
        f"{run.label}predict without shapes", cost, partial(_for_references, run), files_of(folder, "prediction"), work
    )


def _generate_by_references(run: Run, cost: float) -> Step:
    """The rows of generation that are no models."""

    def work() -> None:
        for row, found in reference_generations(**_of_references(run)).items():
            write_part(run.place / "evaluation" / row_folder(row), "reference", found)

    folder = run.place / "evaluation" / row_folder(TRAINING)
    return Step("draw people without models", cost, partial(_for_references, run), files_of(folder, "reference"), work)


def _of_references(run: Run) -> dict[str, Any]:
    experiment = run.experiment
    indices = [int(i) for i in run.cohort.indices(run.split)][: experiment.subjects]
    how = {"samples": experiment.hearts, "seed": experiment.seed, "jobs": experiment.judging_jobs()}
    return {"cohort": run.cohort, "indices": indices, "training": run.training, **how}


def _for_references(run: Run) -> dict[str, Any]:
    experiment = run.experiment
    about = {"cohort": run.cohort.fingerprint, "split": run.split, "training": run.training.fingerprint}
    return {**about, "subjects": experiment.subjects, "samples": experiment.hearts, "seed": experiment.seed}


def _compare_with_truth(runs: list[Run], cost: float) -> Step:
    """Hold what was generated against the true distribution, where the cohort has one."""
    experiment = runs[0].experiment
    verdict = experiment.out / "evaluation" / "truth.json"

    def work() -> None:
        try:
            how: dict[str, Any] = {"subjects": experiment.subjects, "seed": experiment.seed}
            truths = true_phenotypes(runs[0].cohort, split=runs[0].split, **how)
        except InputError as reason:  # such as an imported cohort, of which nobody knows the truth
            write_json(verdict, {"not_judged": str(reason)})
            return
        for run in runs:
            model, jobs = load(run.folder, device=experiment.device), experiment.judging_jobs()
            sampled = sample_phenotypes(model, run.cohort, split=run.split, jobs=jobs, **how)
            write_part(run.evaluation, "truth", evaluate_truth(sampled, truths))
        write_json(verdict, {"not_judged": ""})

    return Step("compare with the truth", cost, partial(_inputs, runs), [verdict], work)


def _draw_figures(experiment: Experiment) -> Step:
    """Draw every figure that the models and the cohort allow, and note which and why not."""
    runs, folder, ageing = experiment.models_of(0), experiment.out / "figures", experiment.scale.ageing

    def work() -> None:
        jobs, device = experiment.judging_jobs(), str(choose_device(experiment.device))
        models = {run.name: load(run.folder, device=device) for run in runs if experiment.classes[run.name].drawn}
        results = {run.name: read_results(run.evaluation).generation for run in runs}
        generations = {name: generation for name, generation in results.items() if generation is not None}
        folder.mkdir(exist_ok=True)
        how: dict[str, Any] = {"seed": experiment.seed, "jobs": jobs if isinstance(jobs, int) else 1, "samples": ageing}
        files = make_figures(Material(models, runs[0].cohort, generations, split=runs[0].split, **how), folder)
        drawn = [{name: value for name, value in asdict(file).items() if name != "folder"} for file in files]
        write_json(folder / "figures.json", drawn)

    cost = COSTS["figure"] * 14 * ageing
    return Step("draw the figures", cost, lambda: {**_inputs(runs), "ageing": ageing}, [folder / "figures.json"], work)


def _inputs(runs: list[Run]) -> Mapping[str, Any]:
    """All that the steps of several models depend on."""
    experiment = runs[0].experiment
    weights = {run.name: sha256_of(run.weights) for run in runs}
    about = {"cohort": runs[0].cohort.fingerprint, "split": runs[0].split, "seed": experiment.seed}
    return {**about, "weights": weights, "subjects": experiment.subjects, "samples": experiment.hearts}
