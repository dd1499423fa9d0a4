"""Packing a model, to pass it on: a few megabytes with a card; and what that costs, by hearts that both complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import pandas as pd

from cheart.cohort import Cohort
from cheart.evaluation.completion import chosen_subjects, encoded_conditions
from cheart.evaluation.scores import groups
from cheart.evaluation.tables import PHENOTYPES, Cell, Table, estimate, markdown
from cheart.evidence import Evidence
from cheart.files import new_folder, write_json
from cheart.heart import Heart
from cheart.hearts import complete_from
from cheart.labels import STRUCTURES
from cheart.metrics.overlap import dice
from cheart.metrics.statistics import mean_over_frames, summaries
from cheart.model import Model, load
from cheart.models.base import HeartModel, Setting
from cheart.models.find import find_model
from cheart.models.store import WEIGHTS, read_model, write_packed
from cheart.phenotypes import PAPER_FIVE, UNITS
from cheart.progress import track
from cheart.provenance import short_title, without_places
from cheart.schemas import ResultJson, RunJson, read_checked

SAME = "Nothing: there is nothing in it to pack."
DEFINITIONS = (
    "Each heart is completed from frame 0 and its conditions by the whole model and by the packed one. Dice per "
    "structure and frame, mean over frames, then mean ± SD over subjects; d = |packed − whole| of a phenotype."
)


def pack(
    model: Path | str,
    out: Path | str,
    *,
    cohort: Cohort | Path | str | None = None,
    subjects: int = 20,
    evaluations: Sequence[Path | str] = (),
    overwrite: bool = False,
) -> dict[str, Any]:
    """Pack a model to pass it on: a few MB in place of many, a model card, and the log of its training.

    Args:
        model: a folder that ``cheart train`` wrote, or what else :func:`cheart.load` takes.
        out: the folder to write.
        cohort: on whose validation hearts to measure what packing costs.
        subjects: on how many of them.
        evaluations: folders of scores (``scores.save``), for the card.
        overwrite: replace what is there.

    Returns:
        ``megabytes``, ``megabytes_whole``; with a cohort also ``subjects``, ``summary`` and ``definitions``.

    Raises:
        InputError: no model, ``out`` exists, or a cohort that the model cannot complete.
    """
    source = find_model(model)
    stored = read_model(source)
    if cohort is not None and not isinstance(cohort, Cohort):
        cohort = Cohort.open(cohort)
    tables = [read_checked(Path(folder) / "result.json", ResultJson) for folder in evaluations]
    with new_folder(Path(out), overwrite=overwrite) as folder:
        write_packed(folder, stored)
        run = _copy_log(source, folder)
        size, before = ((place / WEIGHTS).stat().st_size / 1e6 for place in (folder, source))
        value: dict[str, Any] = {"model": str(out), "megabytes": size, "megabytes_whole": before}
        packing, command = None, None
        if cohort is not None:
            found = evaluate_packing(load(source), load(folder), cohort, subjects=subjects)
            value |= {"subjects": len(found.subjects), "summary": found.summary(), "definitions": DEFINITIONS}
            packing, command = value, _command(cohort, stored.config)
        holds = stored.network.holds
        text = card(stored.config, run, cohort=command, packing=packing, evaluations=tables, holds=holds)
        (folder / "card.md").write_text(text, encoding="utf-8")
    return value


def _copy_log(source: Path, folder: Path) -> dict[str, Any]:
    """Copy the training's log, as far as there is one, without the places on its machine; returns its run.json."""
    if (source / "metrics.csv").is_file():
        copyfile(source / "metrics.csv", folder / "metrics.csv")
    if not (source / "run.json").is_file():
        return {}
    run: dict[str, Any] = read_checked(source / "run.json", RunJson)
    run["command"] = without_places(run["command"])
    write_json(folder / "run.json", run)
    return run


def _command(cohort: Cohort, config: Mapping[str, Any]) -> str | None:
    """The command that made the training cohort, if that is the one at hand."""
    if cohort.fingerprint != config["trained_on"]["fingerprint"]:
        return None
    return without_places(cohort.info["provenance"]["command"])


@dataclass(frozen=True)
class Packing:
    """What packing a model costs.

    Attributes:
        subjects: one row a subject, numbered: Dice between the two completions (between_lv …), of each with the real
            heart (whole_lv …, packed_lv …), and d_… of each phenotype (mL, LVM g).
    """

    subjects: pd.DataFrame

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean and SD over subjects of every column."""
        return summaries({str(c): self.subjects[c] for c in self.subjects.columns if c != "subject"})


def evaluate_packing(whole: Model, packed: Model, cohort: Cohort, *, subjects: int) -> Packing:
    """Complete a cohort's first validation subjects by both models.

    Raises:
        InputError: the models cannot complete; another grid or frame count; no validation subjects.
    """
    whole.network.require("complete")
    rows = []
    indices = chosen_subjects(whole, cohort, "val", subjects)
    for number, index in enumerate(track(indices, total=len(indices), title="Comparing"), start=1):
        real, conditions = cohort.heart(index), encoded_conditions(whole, cohort, index)
        made = [complete_from(m, Evidence.of_first_frame(real), conditions) for m in (whole, packed)]
        rows.append({"subject": number, **_row(real, *made)})
    return Packing(pd.DataFrame(rows))


def _row(real: Heart, whole: Heart, packed: Heart) -> dict[str, float]:
    row: dict[str, float] = {}
    pairs = {"between": (whole, packed, None), "whole": (real, whole, real), "packed": (real, packed, real)}
    for name, (one, two, seen) in pairs.items():
        observed = None if seen is None else seen.observed
        by_frame = dice(one.labels, two.labels, observed)
        mean = mean_over_frames(by_frame, np.ones(len(by_frame), bool) if seen is None else seen.observed_frames)
        row |= {f"{name}_{s}": float(v) for s, v in zip(STRUCTURES, mean, strict=True)}
    before, after = whole.phenotypes.row(), packed.phenotypes.row()
    return row | {f"d_{n}": abs(after[n] - before[n]) for n in PAPER_FIVE}


Json = Mapping[str, Any]


def card(
    config: Json,
    run: Json,
    *,
    cohort: str | None = None,
    packing: Json | None = None,
    evaluations: Sequence[Json] = (),
    holds: str = HeartModel.holds,
) -> str:
    """The card as Markdown.

    Args:
        config: the model's config.json.
        run: its run.json, or nothing.
        cohort: the command that made the training cohort, if it is known.
        packing: what ``cheart pack --cohort`` measured.
        evaluations: what result.json says, of each folder of ``cheart evaluate -o``.
        holds: what the file has of training subjects (:attr:`cheart.models.base.HeartModel.holds`).
    """
    about = config["trained_on"]
    parts = [
        f"# {config['model']}, trained on {short_title(about['title'])}",
        _first(about),
        _use(holds),
        "## How it was made\n\n" + _recipe(config, run, cohort, evaluations),
        "## Conditions\n\n" + _conditions(Setting.from_json(config["setting"])),
    ]
    if evaluations:
        parts.append("\n\n".join(["## How good it is", *map(_tables, evaluations)]))
    if packing is not None:
        same = packing["megabytes"] == packing["megabytes_whole"]
        parts.append("## What packing changed\n\n" + (SAME if same else _packing(packing)))
    parts.append("## Licence\n\n" + _licence(about))
    return "\n\n".join(parts) + "\n"


def _first(about: Json) -> str:
    simulated = " All of its training hearts are **simulated**: it has learnt the simulator, not people."
    return (
        "A generative model of beating hearts (label maps of LV cavity, myocardium and RV cavity), trained with cheart "
        f"on {about['subjects']} subjects of: {about['title']} ({about['kind']})."
        + (simulated if about["kind"] == "simulated" else "")
    )


def _use(holds: str) -> str:
    return (
        "**Not a medical device.** Do not use it for a diagnosis, for a decision about anyone's care, or for a claim "
        "about a real person: a heart that it makes is no one's heart. Its figures say how well it does on hearts like "
        "those of its training, and nothing about others. What it shows as a condition changes is how hearts of its "
        "training cohort differ, not what the condition causes. Of training subjects it holds means and covariances "
        f"of the conditions, nobody's values; {holds}."
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
