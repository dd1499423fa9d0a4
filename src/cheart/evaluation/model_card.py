"""A model card: what a model was trained on, by which commands, how good it is, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cheart.evaluation.formats import markdown
from cheart.evaluation.scores import groups
from cheart.evaluation.tables import PHENOTYPES, Cell, Table, estimate
from cheart.labels import STRUCTURES
from cheart.models.base import Setting
from cheart.phenotypes import UNITS
from cheart.provenance import without_places

Json = Mapping[str, Any]


def card(
    config: Json,
    run: Json,
    *,
    cohort: str | None = None,
    packing: Json | None = None,
    evaluations: Sequence[Json] = (),
) -> str:
    """The card as Markdown.

    Args:
        config: the model's config.json.
        run: its run.json, or nothing.
        cohort: the command that made the training cohort, if it is known.
        packing: what ``cheart pack --cohort`` measured.
        evaluations: what result.json says, of each folder of ``cheart evaluate -o``.
    """
    about = config["trained_on"]
    parts = [
        f"# {config['model']}, trained on {about['title']}",
        _first(about),
        _use(),
        "## How it was made\n\n" + _recipe(config, run, cohort, evaluations),
        "## Conditions\n\n" + _conditions(Setting.from_json(config["setting"])),
    ]
    if evaluations:
        parts.append("\n\n".join(["## How good it is", *map(_tables, evaluations)]))
    if packing is not None:
        parts.append("## What packing changed\n\n" + _packing(packing))
    parts.append("## Licence\n\n" + _licence(about))
    return "\n\n".join(parts) + "\n"


def _first(about: Json) -> str:
    simulated = " All of its training hearts are **simulated**: it has learnt the simulator, not people."
    return (
        "A generative model of beating hearts (label maps of LV cavity, myocardium and RV cavity), trained with cheart "
        f"on {about['subjects']} subjects of: {about['title']} ({about['kind']})."
        + (simulated if about["kind"] == "simulated" else "")
    )


def _use() -> str:
    return (
        "**Not a medical device.** Do not use it for a diagnosis, for a decision about anyone's care, or for a claim "
        "about a real person: a heart that it makes is no one's heart. Its figures say how well it does on hearts like "
        "those of its training, and nothing about others. What it shows as a condition changes is how hearts of its "
        "training cohort differ, not what the condition causes. It holds no training subject's data: means and "
        "covariances of the conditions, principal modes of shapes, and weights."
    )


def _recipe(config: Json, run: Json, cohort: str | None, evaluations: Sequence[Json]) -> str:
    about = config["trained_on"]
    words = ["cheart train cohort -o model", f"--model {config['model']}", f"--preset {config['preset']}"]
    words += [f"--set {setting}" for setting in run.get("settings", [])]
    words += [f"--from {run['started_from']}"] if run.get("started_from") else []
    words += [f"--seed {run['seed']}"] if "seed" in run else []
    commands = [cohort, " ".join(words)] if cohort is not None else [" ".join(words)]
    commands += [without_places(value["provenance"]["command"]) for value in evaluations]
    lines = ["```sh", *commands, "```", "", f"Training cohort's fingerprint: `{about['fingerprint']}`."]
    if run.get("finished"):
        versions = ", ".join(f"{n} {v}" for n, v in {"cheart": run["cheart"], **run["packages"]}.items())
        lines.append(
            f"{run['epochs']} epochs in {run['training_seconds']:.0f} s on {run['device']}; the best is epoch "
            f"{run['best_epoch']} (validation loss {run['best_validation_loss']:.4g}). {versions}."
        )
    return "\n".join(lines)


def _conditions(setting: Setting) -> str:
    """The ranges of training; beyond them the model extrapolates, and says so."""
    trained = setting.encoding.trained
    lines = ["Beyond these ranges it extrapolates, with a warning. Any condition may be left out.", ""]
    lines += ["| condition | trained on |", "| --- | --- |"]
    for factor in setting.encoding.schema.factors:
        low, high = trained.get(factor.name, (None, None))
        known = ", ".join(factor.levels) if factor.kind == "level" else f"{low:g} to {high:g} {factor.unit}"
        lines.append(f"| {factor.name} | {known} |")
    lines += ["", f"{setting.frames} frames on the grid {setting.grid.name}."]
    return "\n".join(lines)


def _tables(summary: Json) -> str:
    cohort = summary["cohort"]
    parts = [f"{summary['subjects']} {summary['split']} subjects of {cohort['title']} ({cohort['kind']})."]
    for tables, beneath in groups(summary).values():
        parts += [*map(markdown, tables), beneath]
    return "\n\n".join(parts)


def packing_tables(packing: Json) -> list[Table]:
    """What packing cost, as tables.

    Args:
        packing: size of both files in MB, subjects, and the summary of :class:`cheart.evaluation.packing.Packing`.
    """
    found = packing["summary"]
    kinds = {
        "whole model and packed one": "between",
        "whole model and real heart": "whole",
        "packed model and real heart": "packed",
    }
    rows: list[tuple[Cell, ...]] = [
        (head, *(estimate(found[f"{key}_{s}"], 4) for s in STRUCTURES)) for head, key in kinds.items()
    ]
    changes: tuple[Cell, ...] = ("between packed and whole", *(estimate(found[f"d_{n}"], 2) for n in PHENOTYPES))
    return [
        Table("Dice of completed hearts", ("between", "LV", "Myo", "RV"), tuple(rows)),
        Table("Phenotypes of completed hearts", ("", *(f"{n.upper()}, {UNITS[n]}" for n in PHENOTYPES)), (changes,)),
    ]


def _packing(packing: Json) -> str:
    head = (
        "Its shape basis is packed (`cheart pack model -o packed --cohort cohort`): "
        f"{packing['megabytes']:.1f} MB in place of {packing['megabytes_whole']:.1f} MB. "
        f"Measured on {packing['subjects']} validation subjects."
    )
    return "\n\n".join([head, *(markdown(table) for table in packing_tables(packing)), packing["definitions"]])


def _licence(about: Json) -> str:
    if about["kind"] == "simulated":
        return "Apache-2.0, as cheart itself."
    return "Choose one that the terms of your data allow, and write it here before you pass this model on."
