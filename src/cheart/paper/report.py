"""From what was found to files: tables, ``result.json`` and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cheart.cohort import SPLITS, Cohort
from cheart.evaluation.completion import Completion
from cheart.evaluation.formats import FORMATS
from cheart.evaluation.tables import Table
from cheart.files import new_file, read_json, write_json
from cheart.paper import html
from cheart.paper import recommendations as advice
from cheart.paper.plan import Plan
from cheart.paper.results import Found
from cheart.paper.sections import Section, sections
from cheart.paper.step_cache import file_fingerprint, in_words
from cheart.paper.together import read_pictures
from cheart.paper.trial import WEIGHTS
from cheart.provenance import provenance

FORMAT = 1


@dataclass(frozen=True)
class Outcome:
    """What all steps before the report came to.

    Attributes:
        found: by model.
        copied: the first frame copied.
        why_no_truth: why nothing was held against the true distribution; "" where it was.
        steps: the ledger's entries.
    """

    found: Mapping[str, Found]
    copied: Completion | None
    why_no_truth: str
    steps: Mapping[str, Mapping[str, Any]]


def write_report(plan: Plan, cohort: Cohort, outcome: Outcome) -> dict[str, Any]:
    """Write ``tables/``, ``result.json`` and ``report.html``; what ``result.json`` says."""
    parts = sections(outcome.found, outcome.copied, outcome.why_no_truth)
    pictures, undrawn = read_pictures(plan.out / "figures")
    write_tables(plan.out / "tables", parts)
    claims, remarks = advice.claims(outcome.found, parts), advice.advice(outcome.found, outcome.copied, parts)
    models = {name: _trained(plan.out / "models" / name) for name in plan.models}
    result = {
        "format": FORMAT,
        "kind": "reproduction",
        "plan": plan.lasting(cohort.fingerprint) | {"models": list(plan.models)},
        "cohort": _about(cohort),
        "models": models,
        "claims": [asdict(remark) for remark in claims],
        "advice": [asdict(remark) for remark in remarks],
        "found": {name: _summary(found) for name, found in outcome.found.items()},
        "first_frame_copied": None if outcome.copied is None else outcome.copied.summary(),
        "tests": {part.name: [asdict(test) for test in part.tests] for part in parts if part.tests},
        "definitions": {part.name: part.definitions for part in parts},
        "gaps": {part.name: list(part.gaps) for part in parts if part.gaps},
        "figures_not_drawn": undrawn,
        "steps": outcome.steps,
        "provenance": provenance(seed=plan.seed),
    }
    page = html.Page(
        title="Five models of the beating heart" if len(plan.models) == 5 else f"Models: {', '.join(plan.models)}",
        lead=_lead(plan, cohort),
        warnings=_warnings(plan, cohort),
        claims=claims,
        advice=remarks,
        sections=parts,
        pictures=pictures,
        undrawn=undrawn,
        made=_made(models, outcome.steps),
        facts=_facts(result),
    )
    write_text(plan.out / "report.html", html.render(page))
    write_json(plan.out / "result.json", result)
    return result


def write_tables(folder: Path, parts: Sequence[Section]) -> None:
    """Every table in every format, and the parts as they stand in the report: ``table-1.md`` is all of Table I."""
    for part in parts:
        for table in part.files():
            for suffix, form in FORMATS.items():
                write_text(folder / f"{table.name}{suffix}", form(table) + "\n")


def write_text(path: Path, text: str) -> None:
    """A text file, whole or not at all."""
    with new_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _about(cohort: Cohort) -> dict[str, Any]:
    told = {name: cohort.info[name] for name in ("kind", "title", "fingerprint")}
    counts = {split: len(cohort.indices(split)) for split in SPLITS}
    return {**told, "grid": cohort.grid.name, "frames": cohort.frames, "subjects": counts}


def _trained(run: Path) -> dict[str, Any]:
    """What is known of a training."""
    told = read_json(run / "run.json")
    names = ("preset", "seed", "epochs", "best_epoch", "best_validation_loss", "training_seconds", "device", "threads")
    return {**{name: told.get(name) for name in names}, "weights": file_fingerprint(run / WEIGHTS)}


def _summary(found: Found) -> dict[str, Any]:
    completion, generation = found.completion, found.generation
    return {
        "completion": None if completion is None else completion.summary(),
        "generation": None if generation is None else generation.summary(),
        "response": found.response,
        "memorisation": found.memorisation,
        "truth": None if found.truth is None else found.truth.summary(),
    }


def _lead(plan: Plan, cohort: Cohort) -> str:
    counts = {split: len(cohort.indices(split)) for split in SPLITS}
    judged = counts["test"] if plan.subjects is None else min(plan.subjects, counts["test"])
    return (
        f"{cohort.info['title']}, {cohort.frames} frames on the {cohort.grid.name} grid: {counts['train']} for "
        f"training, {counts['val']} for validation, {counts['test']} held out, of whom {judged} are judged here; "
        f"{plan.samples} hearts generated for each. Preset {plan.preset}, seed {plan.seed}."
    )


def _warnings(plan: Plan, cohort: Cohort) -> list[str]:
    said = []
    if cohort.info["kind"] == "simulated":
        said.append(
            "These hearts are simulated. The figures say how well a model learns a known distribution, "
            "and nothing about patients."
        )
    if plan.preset == "quick":
        said.append("A quick look: small networks, short trainings, few subjects. Not for comparison with the paper.")
    return [*said, "A research tool; not a medical device."]


def _made(models: Mapping[str, Mapping[str, Any]], steps: Mapping[str, Mapping[str, Any]]) -> list[Table]:
    heads = ("model", "epochs", "best epoch", "validation loss", "time of the epochs", "device", "threads")
    rows = [
        (
            name, str(m["epochs"]), str(m["best_epoch"]), f"{m['best_validation_loss']:.4g}",
            in_words(m["training_seconds"]), str(m["device"]), str(m["threads"]),
        )
        for name, m in models.items()
    ]  # fmt: skip
    title = "Trainings (validation losses of different models are not comparable)"
    return [Table(title, heads, tuple(rows)), times_table(steps)]


def times_table(steps: Mapping[str, Mapping[str, Any]]) -> Table:
    """The steps of ``steps.json``, how long each took, and all together."""
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
        **{f"weights of {name}, SHA-256": told["weights"] for name, told in result["models"].items()},
        "cheart": made["cheart"],
        "Python": f"{made['python']} on {made['machine']}",
        **made["packages"],
    }
