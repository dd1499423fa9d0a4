"""TensorBoard, for those who have it installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


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
