"""Training by several processes, as torchrun starts them."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.multiprocessing import spawn

from cheart.cohort import Cohort
from cheart.conditions import Encoding


def train_together(cohort: Cohort, run: Path, *, processes: int = 2, double: bool = False, **recipe: Any) -> None:
    """``torchrun --nproc-per-node 2 -m cheart train`` without the command line, on loopback.

    ``double`` computes in float64, for networks on voxels: what is left of a difference is then no rounding.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(_one, (processes, port, double, str(cohort.path), str(run), recipe), nprocs=processes)


def _one(rank: int, processes: int, port: int, double: bool, cohort: str, run: str, recipe: dict[str, Any]) -> None:
    where = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in where.items()})
    if double:
        encode = Encoding.encode
        Encoding.encode = lambda *given: encode(*given).astype(np.float64)  # type: ignore[method-assign]
        torch.set_default_dtype(torch.float64)
    from cheart.training.train import train

    train(Cohort.open(cohort), Path(run), jobs=1, device="cpu", **recipe)
