"""Training of models that are fitted in one go: the same run folder as the loop's, with one epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from cheart.files import new_file
from cheart.models.base import HeartModel
from cheart.models.store import write_weights
from cheart.training.loop import Progress


def fit_at_once(
    network: HeartModel,
    learn: Callable[[], tuple[float, dict[str, float]]],
    *,
    run: Path,
    log: Callable[[dict[str, float]], None] = lambda row: None,
) -> Progress:
    """Let a model learn and write its weights and the one row of metrics.csv; going on with such a run does so again.

    Args:
        network: the model.
        learn: fits it; returns the mean validation loss, and figures for the log.
        run: the run's folder.
        log: called with the row.
    """
    start = time.perf_counter()
    loss, figures = learn()
    row = {"epoch": 1, **figures, "validation": loss, "seconds": time.perf_counter() - start}
    write_weights(run, network)
    with new_file(run / "metrics.csv") as partial:
        pd.DataFrame([row]).to_csv(partial, index=False, float_format="%.6g")
    log(row)
    return Progress(epoch=1, best=loss, best_epoch=0, seconds=row["seconds"], rows=[row])
