"""Training by several processes, under torchrun: one process's weights, in less time.

    torchrun --nproc-per-node 2 -m cheart train COHORT -o RUN

Each process computes its part of every batch (:mod:`cheart.models.process_group`); the gradients' sum is the whole
batch's gradient, so the same step is taken everywhere. Process 0 leads: it checks, reads the cohort, builds and starts
the network and hands it out in a folder beside the run's files; it alone writes, shows progress and logs. A run's files
do not tell how many processes made it, and any number can go on with it.
"""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch import distributed as dist

from cheart.models.base import HeartModel
from cheart.models.process_group import LocalBatch, computing
from cheart.models.store import read_model, write_config, write_weights
from cheart.schemas import RunJson, read_checked

HANDED = ".partial-handed-out"
"""Folder within a run's in which the leader hands out the network, its options and what it read of the cohort."""

_PATIENCE = timedelta(days=1)
"""How long processes wait for each other: reading a large cohort takes hours; torchrun ends them when one dies."""


@dataclass(frozen=True)
class Part:
    """One process's part of a batch.

    Attributes:
        which: its subjects.
        weight: what their mean loss counts in the batch's; the weights of all processes add up to 1.
    """

    which: Integer[np.ndarray, " B"]
    weight: float


@dataclass(frozen=True)
class Team:
    """The processes of a training, seen from one of them; one process is a team too.

    Attributes:
        rank: this process's number.
        size: how many there are.
        device: where this one computes.
    """

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    @contextmanager
    def part(self, which: Integer[np.ndarray, " B"]) -> Iterator[Part]:
        """Compute this process's part of a batch. A batch with fewer subjects than processes all compute alike."""
        if self.size == 1 or len(which) < self.size:
            yield Part(which, 1 / self.size)
            return
        places = np.array_split(np.arange(len(which)), self.size)
        mine = places[self.rank]
        local = LocalBatch(int(mine[0]), len(mine), len(which), max(map(len, places)))
        with computing(local):
            yield Part(which[mine], len(mine) / len(which))

    def own(self, everyone: Integer[np.ndarray, " N"]) -> Integer[np.ndarray, " n"]:
        """This process's subjects of those that are judged one by one; there may be none."""
        return np.array_split(everyone, self.size)[self.rank]

    def all_of(self, own: Float[Tensor, " n"], total: int) -> Float[Tensor, " N"]:
        """What each process found of its :meth:`own` subjects, [total], on all of them."""
        if self.size == 1:
            return own
        found = own.new_zeros(total)
        found[torch.from_numpy(self.own(np.arange(total)))] = own
        dist.all_reduce(found)
        return found

    def add_up(self, parameters: Sequence[Tensor], figures: dict[str, float], weight: float) -> dict[str, float]:
        """Sum the gradients of the parts, in place, and return the weighted mean of their figures."""
        if self.size == 1:
            return figures
        gradients = [p.grad for p in parameters if p.grad is not None]
        together = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(together)
        for gradient, summed in zip(gradients, together.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(summed.view_as(gradient))
        added = torch.tensor([weight * v for v in figures.values()], dtype=torch.float64, device=self.device)
        dist.all_reduce(added)
        return dict(zip(figures, added.tolist(), strict=True))

    def as_leader(self, value: float) -> float:
        """The leader's value, so that all decide alike."""
        if self.size == 1:
            return value
        leaders = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(leaders, src=0)
        return float(leaders)

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            self.as_leader(0.0)  # a barrier that needs no device to be guessed

    def hand_out(self, run: Path, network: HeartModel, about: dict[str, Any]) -> None:
        """The leader's side of :func:`follow`."""
        if self.size == 1:
            return
        write_config(run / HANDED, network, **about)
        write_weights(run / HANDED, network)
        self.wait()  # they read it now
        self.wait()  # they have read it
        shutil.rmtree(run / HANDED)


def join(device: torch.device) -> Team:
    """The team of this process: torchrun's, or itself."""
    if not {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= os.environ.keys() or os.environ["WORLD_SIZE"] == "1":
        return Team(device)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
        atexit.register(dist.destroy_process_group)
    return Team(device, dist.get_rank(), dist.get_world_size())


def follows() -> bool:
    """Whether this process is one of a team that another leads."""
    return dist.is_initialized() and dist.get_rank() > 0


def follow(
    team: Team, run: Path, read: Callable[[HeartModel, Path], Any]
) -> tuple[HeartModel, Any, dict[str, Any], int]:
    """What the leader hands out: the network, what ``read`` makes of it and the folder, its config, the run's seed."""
    team.wait()
    stored = read_model(run / HANDED)
    data, seed = read(stored.network, run / HANDED), read_checked(run / "run.json", RunJson)["seed"]
    team.wait()
    return stored.network, data, dict(stored.config), seed
