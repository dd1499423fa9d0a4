"""``cheart info``: what is in a cohort, a model or a result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cheart.cli.options import AsJson


def info(
    source: Annotated[
        str, typer.Argument(metavar="PATH", help="A cohort, a model (or bundled), or a folder of results.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say what is in a cohort, a model or a result."""
    from cheart.cli.console import answer
    from cheart.errors import InputError
    from cheart.models.find import find_model

    kinds = {"cohort.json": _cohort, "config.json": _model, "result.json": _result}
    path = find_model(source)
    for name, describe in kinds.items():
        if (path / name).is_file():
            value, text = describe(path)
            answer(value, text, as_json=as_json)
            return
    what = "is not there" if not path.exists() else f"holds none of {', '.join(kinds)}"
    raise InputError(f"{path} {what}: expected a cohort, a model or a folder of results")


def _cohort(path: Path) -> tuple[dict[str, Any], str]:
    from cheart.cohort import SPLITS, Cohort

    cohort = Cohort.open(path)
    splits = {s: len(cohort.indices(s)) for s in SPLITS}
    conditions = []
    for factor in cohort.schema.factors:
        column = cohort.table[factor.name].dropna()
        known: dict[str, Any] = {"name": factor.name, "kind": factor.kind, "known": len(column)}
        if factor.kind == "level":
            known["levels"] = {str(k): int(v) for k, v in column.value_counts().items()}
        elif len(column):
            known |= {"unit": factor.unit, "low": float(column.min()), "high": float(column.max())}
        conditions.append(known)
    observed = cohort.observed.any(axis=2).sum(axis=1)
    value = {
        "path": str(path),
        "kind": cohort.info["kind"],
        "title": cohort.info["title"],
        "subjects": len(cohort),
        "splits": splits,
        "frames": cohort.frames,
        "observed_frames": {"least": int(observed.min()), "most": int(observed.max())},
        "observed_planes": float(cohort.observed.mean()),
        "grid": cohort.grid.name,
        "conditions": conditions,
        "left_out": len(cohort.left_out),
        "warnings": list(cohort.warnings),
        "fingerprint": cohort.fingerprint,
        "provenance": cohort.info["provenance"],
    }
    lines = [
        f"{path}: a cohort, {cohort.info['kind']}: {cohort.info['title']}",
        f"  {len(cohort)} subjects ({', '.join(f'{n} {s}' for s, n in splits.items())})",
        f"  {cohort.frames} frames on the grid {cohort.grid.name}; {observed.min()} to {observed.max()} frames of a "
        f"subject observed, {value['observed_planes']:.0%} of all planes",
        *(f"  {_factor_line(c)}" for c in conditions),
        *(f"  {text}" for text in cohort.warnings),
        *([f"  {len(cohort.left_out)} left out (left-out.tsv)"] if cohort.left_out else []),
    ]
    return value, "\n".join(lines)


def _factor_line(known: dict[str, Any]) -> str:
    if "levels" in known:
        content = ", ".join(f"{n} {level}" for level, n in known["levels"].items())
    elif "low" in known:
        content = f"{known['low']:g} to {known['high']:g} {known['unit']}"
    else:
        content = ""
    return f"{known['name']}: {content or 'nobody'} ({known['known']} known)"


def _model(path: Path) -> tuple[dict[str, Any], str]:
    from cheart.models.find import CARDS
    from cheart.models.store import read_model
    from cheart.schemas import RunJson, read_checked

    stored = read_model(path)
    setting, trained_on = stored.network.setting, stored.config["trained_on"]
    run = read_checked(path / "run.json", RunJson) if (path / "run.json").is_file() else {}
    card = next((path / name for name in CARDS if (path / name).is_file()), None)
    value = {
        "path": str(path),
        "kind": "model",
        "model": stored.network.name,
        "tasks": list(stored.network.tasks),
        "parameters": sum(p.numel() for p in stored.network.parameters()),
        "fitted_numbers": sum(b.numel() for b in stored.network.buffers()),
        "frames": setting.frames,
        "grid": setting.grid.name,
        "conditions": {n: list(r) for n, r in setting.encoding.trained.items()},
        "trained_on": trained_on,
        "options": stored.config["options"],
        "training": stored.config["training"],
        "run": run,
        "card": card and str(card),
    }
    ranges = [f"  {n}: trained on {low:g} to {high:g}" for n, (low, high) in setting.encoding.trained.items()]
    done = "finished" if run.get("finished", True) else "not finished: cheart train … --resume goes on"
    steps, at_once = value["parameters"], value["fitted_numbers"]
    parameters = f"{steps:,} parameters" if steps else f"{at_once:,} numbers, fitted at once"
    lines = [
        f"{path}: a {stored.network.name} model that can {' and '.join(stored.network.tasks)}",
        f"  trained on {trained_on['title']} ({trained_on['kind']}, {trained_on['subjects']} subjects); {done}",
        f"  {parameters}; {setting.frames} frames on the grid {setting.grid.name}",
        *ranges,
    ]
    if card is not None:
        lines += [f"  not a medical device; what it is and is not for, and how good it is: {card}"]
    return value, "\n".join(lines)


def _result(path: Path) -> tuple[dict[str, Any], str]:
    from cheart.schemas import ResultJson, read_checked

    value = read_checked(path / "result.json", ResultJson)
    count = value.get("hearts", value.get("subjects"))
    lines = [f"{path}: {value['kind']}" + ("" if count is None else f", {count} hearts")]
    if value.get("model"):
        trained_on = value["model"]["trained_on"]
        lines.append(f"  by a {value['model']['name']} model trained on {trained_on['title']} ({trained_on['kind']})")
    elif value.get("cohort"):
        lines.append(f"  of several models on {value['cohort']['title']}; report.html has it all")
    lines += [
        f"  made {value['provenance']['made']} with cheart {value['provenance']['cheart']}: "
        f"{value['provenance']['command']}",
    ]
    return {"path": str(path), **value}, "\n".join(lines)
