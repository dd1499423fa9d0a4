"""The process group of a training: what a model must know of the subjects of a batch that are not here.

Under torchrun each process computes some subjects of every batch (:mod:`cheart.training.distributed`). So that the
split changes nothing, random numbers are drawn for the whole batch and each process takes those of its subjects, and
what is not a plain mean over subjects (batch statistics, matched means) is summed over all processes. Where the whole
batch is here, as in every training of one process, these functions are what their names say and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist


@dataclass(frozen=True)
class LocalBatch:
    """The subjects of a batch that are here.

    Attributes:
        start: place of the first of them in the batch.
        count: how many are here, at least one.
        total: how many the batch has.
        most: how many the process with the most has.
    """

    start: int
    count: int
    total: int
    most: int


_local: LocalBatch | None = None


@contextmanager
def computing(local: LocalBatch | None) -> Iterator[None]:
    """Compute on some subjects of a batch; None: on the whole of it."""
    global _local
    _local = local
    try:
        yield
    finally:
        _local = None


def local_batch() -> LocalBatch | None:
    """The subjects that are here; None: the whole batch."""
    return _local


def normal(count: int, size: int, *, generator: torch.Generator) -> Tensor:
    """N(0, 1) for the subjects here, [count, size]."""
    if _local is None:
        return torch.randn(count, size, generator=generator)
    return torch.randn(_local.total, size, generator=generator)[_local.start :][:count]


def uniform(count: int, *, generator: torch.Generator) -> Tensor:
    """U(0, 1) for the subjects here, [count]."""
    if _local is None:
        return torch.rand(count, generator=generator)
    return torch.rand(_local.total, generator=generator)[_local.start :][:count]


def local_weight() -> float:
    """What the mean over the subjects here counts in the batch's."""
    return 1.0 if _local is None else _local.count / _local.total


def batch_mean(values: Tensor) -> Tensor:
    """The mean over the whole batch of values [B, ...] of the subjects here; gradients reach all of them."""
    return values.mean(dim=0) if _local is None else group_sum(values.sum(dim=0)) / _local.total


def group_sum(values: Tensor) -> Tensor:
    """The sum over the process group; gradients are summed likewise."""
    if _local is None:
        return values
    summed: Tensor = _Sum.apply(values)
    return summed


def group_min(value: int, device: torch.device) -> int:
    """The least value in the process group, for decisions that all must take alike."""
    if _local is None:
        return value
    least = torch.tensor(value, device=device)
    dist.all_reduce(least, dist.ReduceOp.MIN)
    return int(least)


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return _summed(grads[0])


def _summed(values: Tensor) -> Tensor:
    values = values.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(values)
    return values
