"""``cheart pack``: a model in a few megabytes, with its card, to pass on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cheart.cli.options import AsJson, ModelName, OutFolder, Overwrite

if TYPE_CHECKING:
    from cheart.model import Model


def pack(
    model: ModelName,
    out: OutFolder,
    cohort: Annotated[
        Path | None,
        typer.Option("--cohort", metavar="COHORT", help="Measure on its validation hearts what it costs."),
    ] = None,
    subjects: Annotated[int, typer.Option("--subjects", min=2, help="On how many of them.")] = 20,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            "--evaluation", metavar="TABLES", help="What cheart evaluate -o wrote, for the card; may be repeated."
        ),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Pack a model to pass it on: a few MB in place of many, a model card, and the log of its training."""
    from cheart.cli.console import answer
    from cheart.evaluation.model_card import card, packing_tables
    from cheart.files import new_folder, read_json, refuse_existing
    from cheart.model import load
    from cheart.models.find import find_model
    from cheart.models.store import WEIGHTS, read_model, write_packed

    refuse_existing(out, overwrite=overwrite)
    source = find_model(model)
    stored = read_model(source)
    tables = [read_json(folder / "result.json") for folder in evaluation or []]
    with new_folder(out, overwrite=overwrite) as folder:
        write_packed(folder, stored)
        run = _copy_log(source, folder)
        size, before = ((place / WEIGHTS).stat().st_size / 1e6 for place in (folder, source))
        value: dict[str, Any] = {"model": str(out), "megabytes": size, "megabytes_whole": before}
        if cohort is not None:
            value |= _measure(load(source), load(folder), cohort, subjects)
        packing = value if cohort is not None else None
        text = card(stored.config, run, cohort=_command(cohort, stored.config), packing=packing, evaluations=tables)
        (folder / "card.md").write_text(text, encoding="utf-8")
    lines = [f"{out}: {size:.1f} MB in place of {before:.1f} MB, with card.md, which is yours to go over"]
    if packing is not None:
        lines += [f"{value['subjects']} validation subjects", *(t.text() for t in packing_tables(value))]
        lines.append(value["definitions"])
    answer(value, "\n\n".join(lines), as_json=as_json)


def _measure(whole: Model, packed: Model, cohort: Path, subjects: int) -> dict[str, Any]:
    """What packing costs, for the answer and the card."""
    from cheart.cohort import Cohort
    from cheart.evaluation.packing import DEFINITIONS, evaluate_packing

    found = evaluate_packing(whole, packed, Cohort.open(cohort), subjects=subjects)
    return {"subjects": len(found.subjects), "summary": found.summary(), "definitions": DEFINITIONS}


def _copy_log(source: Path, folder: Path) -> dict[str, Any]:
    """Copy the training's log, as far as there is one, without the places on its machine; returns its run.json."""
    from shutil import copyfile

    from cheart.files import read_json, write_json
    from cheart.provenance import without_places

    if (source / "metrics.csv").is_file():
        copyfile(source / "metrics.csv", folder / "metrics.csv")
    if not (source / "run.json").is_file():
        return {}
    run: dict[str, Any] = read_json(source / "run.json")
    run["command"] = without_places(run["command"])
    write_json(folder / "run.json", run)
    return run


def _command(cohort: Path | None, config: Mapping[str, Any]) -> str | None:
    """The command that made the training cohort, if that is the one at hand."""
    from cheart.cohort import Cohort
    from cheart.provenance import without_places

    if cohort is None:
        return None
    found = Cohort.open(cohort)
    if found.fingerprint != config["trained_on"]["fingerprint"]:
        return None
    return without_places(found.info["provenance"]["command"])
