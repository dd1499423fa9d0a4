"""``cheart train``: from a cohort to a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
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
    from cheart.cli.console import answer, inform
    from cheart.cohort import Cohort
    from cheart.training.distributed import follows
    from cheart.training.train import train as run_training

    try:
        with tensorboard(run) as log:
            progress = run_training(
                Cohort.open(cohort), run, model=model, preset=preset, settings=settings or [], start_from=start_from,
                seed=seed, device=device, jobs=scheduler or jobs, resume=resume, log=log,
            )  # fmt: skip
    except KeyboardInterrupt:
        inform(f"stopped; cheart train {cohort} -o {run} --resume goes on from the last whole epoch")
        raise
    if follows():
        return  # another process of torchrun answers
    value = {
        "run": str(run),
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch + 1,
        "best_validation_loss": progress.best,
        "seconds": round(progress.seconds, 1),
    }
    text = (
        f"{run}: {progress.epoch} epochs in {progress.seconds:.0f} s; the best is epoch {progress.best_epoch + 1} "
        f"(validation loss {progress.best:.4g}).\nHow good it is: cheart evaluate {run} {cohort}"
    )
    answer(value, text, as_json=as_json)


@contextmanager
def tensorboard(run: Path) -> Iterator[Callable[[dict[str, float]], None]]:
    """Yields a function that logs an epoch's row under ``run/tensorboard``; without TensorBoard it does nothing."""
    if find_spec("tensorboard") is None:
        yield lambda row: None
        return
    from torch.utils.tensorboard import SummaryWriter

    writer: SummaryWriter | None = None

    def log(row: dict[str, float]) -> None:
        nonlocal writer
        writer = writer or SummaryWriter(str(run / "tensorboard"))
        for name, value in row.items():
            if name != "epoch":
                writer.add_scalar(name, value, int(row["epoch"]))

    try:
        yield log
    finally:
        if writer is not None:
            writer.close()
