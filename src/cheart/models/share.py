"""A batch that several processes share: what a model must know of the subjects that are not here.

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
class Share:
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


_share: Share | None = None


@contextmanager
def sharing(share: Share | None) -> Iterator[None]:
    """Compute on a share of a batch; None: on the whole of it."""
    global _share
    _share = share
    try:
        yield
    finally:
        _share = None


def shared() -> Share | None:
    """The share that is here; None: the whole batch."""
    return _share


def normal(count: int, size: int, *, noise: torch.Generator) -> Tensor:
    """N(0, 1) for the subjects here, [count, size]."""
    if _share is None:
        return torch.randn(count, size, generator=noise)
    return torch.randn(_share.total, size, generator=noise)[_share.start :][:count]


def uniform(count: int, *, noise: torch.Generator) -> Tensor:
    """U(0, 1) for the subjects here, [count]."""
    if _share is None:
        return torch.rand(count, generator=noise)
    return torch.rand(_share.total, generator=noise)[_share.start :][:count]


def weight() -> float:
    """What the mean over the subjects here counts in the batch's."""
    return 1.0 if _share is None else _share.count / _share.total


def batch_mean(values: Tensor) -> Tensor:
    """The mean over the whole batch of values [B, ...] of the subjects here; gradients reach all of them."""
    return values.mean(dim=0) if _share is None else everywhere(values.sum(dim=0)) / _share.total


def everywhere(values: Tensor) -> Tensor:
    """The sum over all processes that share the batch; gradients are summed likewise."""
    if _share is None:
        return values
    summed: Tensor = _Sum.apply(values)
    return summed


def least_anywhere(value: int, device: torch.device) -> int:
    """The least value of all processes that share the batch, for decisions that they must take alike."""
    if _share is None:
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
