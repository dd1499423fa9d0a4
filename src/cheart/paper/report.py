"""From results to files: tables, ``result.json`` and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cheart.cohort import SPLITS
from cheart.evaluation.formats import FORMATS
from cheart.evaluation.tables import Table
from cheart.files import new_file, read_json, write_json
from cheart.models.registry import BUILT_IN
from cheart.paper import html
from cheart.paper.experiment import Experiment, Run
from cheart.paper.figures import FigureFile
from cheart.paper.folds import kinds_of
from cheart.paper.recommendations import claims, recommendations
from cheart.paper.results import Results
from cheart.paper.sections import Outcome, Section, sections
from cheart.paper.step_cache import file_fingerprint, in_words
from cheart.provenance import provenance

FORMAT = 2

Entries = Mapping[str, Mapping[str, Any]]
"""What ``steps.json`` says."""


def write_report(experiment: Experiment, results: Mapping[str, Results], steps: Entries) -> dict[str, Any]:
    """Write ``tables/``, ``result.json`` and ``report.html``.

    Args:
        experiment: that is done.
        results: by row of the tables.
        steps: how long each took.

    Returns:
        What ``result.json`` says.
    """
    out, cohort = experiment.out, experiment.people
    outcome = _outcome(experiment, results)
    parts = sections(outcome)
    _write_tables(out / "tables", parts)
    listed = out / "figures" / "figures.json"
    figures = [FigureFile(listed.parent, **figure) for figure in read_json(listed)] if listed.is_file() else []
    checked = claims(outcome, parts) if experiment.folds == 1 else []
    advised = recommendations(outcome, parts)
    runs = {f"{run.label}{run.name}": _training(run) for run in experiment.runs()}
    about = {name: cohort.info[name] for name in ("kind", "title", "fingerprint")}
    counts = {split: len(cohort.indices(split)) for split in SPLITS} if experiment.folds == 1 else len(cohort)
    result = {
        "format": FORMAT,
        "kind": "reproduction" if experiment.folds == 1 else "cross-validation",
        "plan": experiment.lasting() | {"models": experiment.names},
        "cohort": {**about, "grid": cohort.grid.name, "frames": cohort.frames, "subjects": counts},
        "models": runs,
        "claims": [asdict(remark) for remark in checked],
        "recommendations": [asdict(remark) for remark in advised],
        "results": {row: one.summary() for row, one in results.items()},
        "tests": {part.name: [asdict(test) for test in part.tests] for part in parts if part.tests},
        "definitions": {part.name: part.definitions for part in parts},
        "gaps": {part.name: list(part.gaps) for part in parts if part.gaps},
        "figures_not_drawn": [figure.reason for figure in figures if figure.skipped],
        "steps": steps,
        "provenance": provenance(seed=experiment.seed),
    }
    page = html.Page(
        title=_title(experiment),
        lead=_lead(experiment),
        warnings=_warnings(experiment),
        claims=checked,
        recommendations=advised,
        sections=parts,
        figures=figures,
        made=[_trainings(runs), _times(steps)],
        facts=_facts(result),
    )
    _write_text(out / "report.html", html.render(page))
    write_json(out / "result.json", result)
    return result


def _outcome(experiment: Experiment, results: Mapping[str, Results]) -> Outcome:
    kinds = None
    if experiment.folds > 1:
        held_out = [int(i) for part in experiment.splits for i in part.indices("test")[: experiment.subjects]]
        kinds = kinds_of(experiment.people)[held_out]
    verdict = experiment.out / "evaluation" / "truth.json"
    why = read_json(verdict)["not_judged"] if verdict.is_file() else ""
    tasks = {name: model.tasks for name, model in experiment.classes.items()}
    return Outcome(results, tasks, experiment.reference, kinds, why)


def _write_tables(folder: Path, parts: Sequence[Section]) -> None:
    """Every table in every format, and the parts as they stand in the report: ``table-1.md`` is all of Table I."""
    for part in parts:
        for table in part.files():
            for suffix, form in FORMATS.items():
                _write_text(folder / f"{table.name}{suffix}", form(table) + "\n")


def _write_text(path: Path, text: str) -> None:
    with new_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _training(run: Run) -> dict[str, Any]:
    """What is known of a training."""
    about = read_json(run.folder / "run.json")
    names = ("preset", "seed", "epochs", "best_epoch", "best_validation_loss", "training_seconds", "device", "threads")
    return {**{name: about.get(name) for name in names}, "weights": file_fingerprint(run.weights)}


def _title(experiment: Experiment) -> str:
    names = experiment.names
    if experiment.folds > 1:
        return f"Cross-validation: {', '.join(names)}"
    return "Five models of the beating heart" if set(names) == set(BUILT_IN) else f"Models: {', '.join(names)}"


def _lead(experiment: Experiment) -> str:
    cohort = experiment.people
    end = f"Preset {experiment.preset}, seed {experiment.seed}."
    what = f"{cohort.info['title']}, {cohort.frames} frames on the {cohort.grid.name} grid:"
    each = f"{experiment.hearts} hearts generated for each"
    if experiment.folds > 1:
        whom = f"by {experiment.reference}" if experiment.generating() else "by no model"
        return f"{what} {len(cohort)} subjects in {experiment.folds} folds; {each} {whom}. {end}"
    train, val, test = (len(cohort.indices(split)) for split in SPLITS)
    judged = test if experiment.subjects is None else min(experiment.subjects, test)
    return (
        f"{what} {train} for training, {val} for validation, {test} held out, of whom {judged} are judged here; "
        f"{each}. {end}"
    )


def _warnings(experiment: Experiment) -> list[str]:
    out = []
    if experiment.people.info["kind"] == "simulated":
        out.append(
            "These hearts are simulated. The figures say how well a model learns a known distribution, "
            "and nothing about patients."
        )
    if experiment.preset == "quick":
        out.append("A quick look: small networks, short trainings, few subjects. Not for comparison with the paper.")
    before = experiment.before(0)
    if before is not None:
        out.append(f"{before.name} went on from {experiment.start_from}; {before.row} is that model by itself.")
    return [*out, "A research tool; not a medical device."]


def _trainings(runs: Entries) -> Table:
    heads = ("model", "epochs", "best epoch", "validation loss", "time of the epochs", "device", "threads")
    rows = [
        (
            name, str(m["epochs"]), str(m["best_epoch"]), f"{m['best_validation_loss']:.4g}",
            in_words(m["training_seconds"]), str(m["device"]), str(m["threads"]),
        )
        for name, m in runs.items()
    ]  # fmt: skip
    return Table("Trainings (validation losses of different models are not comparable)", heads, tuple(rows))


def _times(steps: Entries) -> Table:
    """How long each step took, and all together."""
    times = [(name, in_words(entry["seconds"]), entry["cheart"]) for name, entry in steps.items()]
    times.append(("all", in_words(sum(entry["seconds"] for entry in steps.values())), ""))
    return Table("Steps, and the time that each took", ("step", "time", "cheart"), tuple(times))


def _facts(result: Mapping[str, Any]) -> dict[str, str]:
    made = result["provenance"]
    return {
        "command": made["command"],
        "made": made["made"],
        "seed": str(made["seed"]),
        "cohort, SHA-256": result["cohort"]["fingerprint"],
        **{f"weights of {name}, SHA-256": about["weights"] for name, about in result["models"].items()},
        "cheart": made["cheart"],
        "Python": f"{made['python']} on {made['machine']}",
        **made["packages"],
    }
