"""Training by several processes, as torchrun starts them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cheart.cohort import Cohort
from cheart.conditions import Encoding

PROCESSES = 2


class Together:
    """``torchrun --nproc-per-node 2 -m cheart train`` without the command line, on loopback.

    The processes stay for the next training: a process takes longer to start than to train these networks.
    """

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        spawn = get_context("spawn")
        self.pools = [
            ProcessPoolExecutor(1, spawn, initializer=_begin, initargs=(rank, port)) for rank in range(PROCESSES)
        ]

    def train(
        self, cohort: Cohort, run: Path, *, processes: int = PROCESSES, double: bool = False, **recipe: Any
    ) -> None:
        """Train with one or all of the processes.

        ``double`` computes in float64, for networks on voxels: what is left of a difference is then no rounding.
        """
        given = (processes, double, str(cohort.path), str(run), recipe)
        waiting = [pool.submit(_train, *given) for pool in self.pools[:processes]]
        done, left = wait(waiting, return_when=FIRST_EXCEPTION)
        if left:  # they wait for one that failed
            self.end()
        for one in done:
            one.result()

    def end(self) -> None:
        """End the processes, at once."""
        for pool in self.pools:
            for process in list(pool._processes.values()):
                process.kill()
            pool.shutdown()


@pytest.fixture(scope="module")
def together() -> Iterator[Together]:
    """Two processes."""
    started = Together()
    yield started
    started.end()


def _begin(rank: int, port: int) -> None:
    where = {"RANK": rank, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in where.items()})


def _train(processes: int, double: bool, cohort: str, run: str, recipe: dict[str, Any]) -> None:
    from cheart.training.train import train

    os.environ["WORLD_SIZE"] = str(processes)
    with _float64() if double else nullcontext():
        train(Cohort.open(cohort), Path(run), jobs=1, device="cpu", **recipe)


@contextmanager
def _float64() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        encode = Encoding.encode
        patch.setattr(Encoding, "encode", lambda *given: encode(*given).astype(np.float64))
        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(torch.float32)
