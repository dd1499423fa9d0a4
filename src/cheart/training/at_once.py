"""Training of models that are fitted in one go: the same run folder as the loop's, with one epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cheart.files import new_file
from cheart.models.base import FittedModel
from cheart.models.store import write_weights
from cheart.training.data import Data
from cheart.training.loop import Progress


def fit_at_once(
    network: FittedModel,
    training: Data,
    validation: Data,
    *,
    run: Path,
    log: Callable[[dict[str, float]], None] = lambda row: None,
) -> Progress:
    """Fit a model and write its weights and the one row of metrics.csv; going on with such a run fits it again."""
    start = time.perf_counter()
    cpu = torch.device("cpu")
    everyone = (data.batch(np.arange(len(data)), cpu) for data in (training, validation))
    loss, figures = network.fit(*everyone)
    row = {"epoch": 1, **figures, "validation": loss, "seconds": time.perf_counter() - start}
    write_weights(run, network)
    with new_file(run / "metrics.csv") as partial:
        pd.DataFrame([row]).to_csv(partial, index=False, float_format="%.6g")
    log(row)
    return Progress(epoch=1, best=loss, best_epoch=0, seconds=row["seconds"], rows=[row])
