"""``cheart evaluate``: the paper's tables for one model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cheart.cli.options import AsJson, Device, JobsOption, ModelName, Overwrite, Scheduler, Seed

if TYPE_CHECKING:
    import pandas as pd

    from cheart.cohort import Cohort
    from cheart.model import Model


def evaluate(
    model: ModelName,
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="A folder of cheart simulate or cheart import.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the tables; without it they are only printed.")
    ] = None,
    task: Annotated[
        Literal["complete", "generate", "all"] | None,
        typer.Option("--task", help="What to judge; all takes long. Without it completion, if the model can."),
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=2, help="Hearts to generate a person.")] = 20,
    subjects: Annotated[int | None, typer.Option("--subjects", min=1, help="Only the split's first so many.")] = None,
    split: Annotated[Literal["train", "val", "test"], typer.Option("--split", help="Which subjects.")] = "test",
    seed: Seed = 0,
    jobs: JobsOption = None,
    scheduler: Scheduler = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """The paper's Tables I to IV on held-out hearts: completion and generation, with all definitions printed."""
    from cheart.cli.options import open_model, workers
    from cheart.cli.say import answer
    from cheart.cohort import Cohort
    from cheart.files import new_file, new_folder, refuse_existing, write_json
    from cheart.tasks.results import describe_result

    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    trained, people = open_model(model, device), Cohort.open(cohort)
    which: dict[str, Any] = {"split": split, "subjects": subjects, "jobs": workers(jobs, scheduler, trained)}
    told: dict[str, Any] = {"structures_empty": {}, "definitions": {}}
    files: dict[str, pd.DataFrame] = {}
    if task is None:
        task = "complete" if "complete" in trained.network.tasks else "generate"
    if task != "generate" and (task != "all" or "complete" in trained.network.tasks):
        _complete(trained, people, which, told, files)
    if task != "complete" and (task != "all" or "generate" in trained.network.tasks):
        _generate(trained, people, which, samples, seed, told, files)
    about = {"title": people.info["title"], "kind": people.info["kind"], "fingerprint": people.fingerprint}
    count = len(next(iter(files.values())))
    value = describe_result(trained, kind="evaluation", split=split, subjects=count, seed=seed, cohort=about, **told)
    if out is not None:
        with new_folder(out, overwrite=overwrite) as folder:
            write_json(folder / "result.json", value)
            for name, table in files.items():
                with new_file(folder / f"{name}.csv") as partial:
                    table.to_csv(partial, index=False, float_format="%.6g")
    answer(value, _in_words(value, out), as_json=as_json)


def _complete(
    model: Model, cohort: Cohort, which: dict[str, Any], told: dict[str, Any], files: dict[str, pd.DataFrame]
) -> None:
    """Judge completion; what is told and the tables per subject go into ``told`` and ``files``."""
    from cheart.evaluation.completion import DEFINITIONS, evaluate_completion

    ours = evaluate_completion(model, cohort, **which)
    copied = evaluate_completion(model, cohort, copy_first=True, **which)
    told |= {"completion": ours.summary(), "first_frame_copied": copied.summary()}
    told["structures_empty"]["completion"] = ours.structures_empty
    told["definitions"]["completion"] = DEFINITIONS
    files |= {"completion": ours.subjects, "completion_first_frame_copied": copied.subjects}


def _generate(
    model: Model,
    cohort: Cohort,
    which: dict[str, Any],
    samples: int,
    seed: int,
    told: dict[str, Any],
    files: dict[str, pd.DataFrame],
) -> None:
    """Judge generation; see :func:`_complete`."""
    from cheart.evaluation import generation as judge_generation
    from cheart.evaluation import memorisation as judge_memorisation
    from cheart.evaluation import response as judge_response

    made = judge_generation.evaluate_generation(model, cohort, samples=samples, seed=seed, **which)
    judges = (judge_generation, judge_response, judge_memorisation)
    told["generation"] = {
        **made.summary(),
        "samples": samples,
        "response": judge_response.evaluate_response(model, cohort, seed=seed, **which),
        "memorisation": judge_memorisation.evaluate_memorisation(model, cohort, seed=seed, **which),
    }
    told["structures_empty"]["generation"] = made.structures_empty
    told["definitions"]["generation"] = "\n".join(judge.DEFINITIONS for judge in judges)
    files |= {"generation": made.people, "generation_samples": made.samples}


def _in_words(value: dict[str, Any], out: Path | None) -> str:
    """The tables, each group with its definitions beneath."""
    from cheart.evaluation.memorisation import WHY_NOT
    from cheart.evaluation.tables import completion_tables, generation_tables, memorisation_table, response_table

    name, parts = value["model"]["name"], []
    trained_on = value["model"]["trained_on"]
    parts.append(
        f"{value['subjects']} {value['split']} subjects of {value['cohort']['title']} ({value['cohort']['kind']}); "
        f"{name} trained on {trained_on['title']} ({trained_on['kind']})"
    )
    if "completion" in value:
        rows = {name: value["completion"], "first frame copied": value["first_frame_copied"]}
        parts += [table.text() for table in completion_tables(rows)]
        parts.append(_beneath(value, "completion"))
    if "generation" in value:
        told = value["generation"]
        parts += [table.text() for table in generation_tables({name: told})]
        parts.append(response_table({name: told["response"]}).text())
        known = told["memorisation"]
        parts.append(WHY_NOT if known is None else memorisation_table({name: known}).text())
        parts.append(_beneath(value, "generation"))
    if out is not None:
        parts.append(f"Per subject: {out}/*.csv")
    return "\n\n".join(parts)


def _beneath(value: dict[str, Any], task: str) -> str:
    """What stands beneath a group of tables."""
    return f"Structure-frames without a structure: {value['structures_empty'][task]}.\n{value['definitions'][task]}"
