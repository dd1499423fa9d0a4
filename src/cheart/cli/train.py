"""``cheart train``: from a cohort to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cheart.cli.options import AsJson, Device, Scheduler, Seed


def train(
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="A folder of cheart simulate or cheart import.")],
    run: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Folder to write.")],
    model: Annotated[str, typer.Option("--model", help="Which model.")] = "cheart",
    preset: Annotated[str, typer.Option("--preset", help="quick, laptop or paper.")] = "laptop",
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value; changes the preset.")] = None,
    start_from: Annotated[
        str | None, typer.Option("--from", metavar="MODEL", help="Go on from this model, such as bundled, with COHORT.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    jobs: Annotated[int, typer.Option("--jobs", help="Processes that prepare data; -1 is one a core.")] = -1,
    scheduler: Scheduler = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what stands in RUN.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on a cohort's training subjects; early stopping watches its validation subjects."""
    import cheart
    from cheart.assignments import read_assignments
    from cheart.cli.console import answer, inform
    from cheart.schemas import RunJson, read_checked
    from cheart.training.distributed import follows

    read_assignments(settings or [], "--set", "key=value")  # each once; which keys there are, the model says
    try:
        cheart.train(
            cheart.Cohort.open(cohort), run, model=model, preset=preset, settings=settings or [], start_from=start_from,
            seed=seed, device=device, jobs=scheduler or jobs, resume=resume,
        )  # fmt: skip
    except KeyboardInterrupt:
        inform(f"stopped; cheart train {cohort} -o {run} --resume goes on from the last whole epoch")
        raise
    if follows():
        return  # another process of torchrun answers
    how = read_checked(run / "run.json", RunJson)
    value = {"run": str(run), "seconds": how["training_seconds"]}
    value |= {name: how[name] for name in ("epochs", "best_epoch", "best_validation_loss")}
    text = (
        f"{run}: {how['epochs']} epochs in {how['training_seconds']:.0f} s; the best is epoch {how['best_epoch']} "
        f"(validation loss {how['best_validation_loss']:.4g}).\nHow good it is: cheart evaluate {run} {cohort}"
    )
    answer(value, text, as_json=as_json)
