"""``cheart evaluate``: the paper's tables for one model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cheart.cli.options import AsJson, Device, JobsOption, ModelFile, ModelName, Overwrite, Scheduler, Seed, Strict


def evaluate(
    model: ModelName,
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="A folder of cheart simulate or cheart import.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the tables; without it they are only printed.")
    ] = None,
    task: Annotated[
        Literal["complete", "predict", "generate", "all"] | None,
        typer.Option("--task", help="predict: draws of completion; all takes long. Without it complete, if it can."),
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=2, help="Hearts to generate or to draw a person.")] = 20,
    subjects: Annotated[int | None, typer.Option("--subjects", min=1, help="Only the split's first so many.")] = None,
    split: Annotated[
        Literal["train", "val", "test", "all"],
        typer.Option("--split", help="Which subjects; all: of a cohort that the model was not trained on."),
    ] = "test",
    seed: Seed = 0,
    jobs: JobsOption = None,
    scheduler: Scheduler = None,
    device: Device = "auto",
    code: ModelFile = None,
    strict: Strict = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """The paper's Tables I to IV on held-out hearts: completion and generation, with all definitions printed."""
    from cheart.cli.console import answer
    from cheart.cli.options import workers
    from cheart.evaluation.scores import evaluate as judge
    from cheart.files import refuse_existing
    from cheart.model import load

    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    trained = load(model, model=code, device=device)
    jobs_or_address = workers(jobs, scheduler, trained)
    scores = judge(
        trained, cohort, split=split, task=task, samples=samples, subjects=subjects, seed=seed, jobs=jobs_or_address
    )
    text = str(scores)
    if out is not None:
        scores.save(out, overwrite=overwrite)
        text += f"\n\nPer subject: {out}/*.csv"
    answer(dict(scores.summary), text, as_json=as_json)
    if strict and not scores.valid:
        raise typer.Exit(1)
