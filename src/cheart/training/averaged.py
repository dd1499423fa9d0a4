"""Weights averaged over the last steps (an exponential moving average): what is validated, kept and used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Averaged:
    """The average of a network's parameters and buffers over its steps, each counting ``decay`` of the next.

    The first steps of a training count less, since they are far from where it leads: step n counts as if the decay
    were (1 + n) / (10 + n) where that is less.

    Args:
        network: as it starts.
        decay: below 1; 0 keeps no average at all.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.tensors: dict[str, Tensor] = {}
        if decay:
            self.tensors = {n: t.detach().clone() for n, t in network.state_dict().items() if t.is_floating_point()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after a step (counted from 0)."""
        if not self.tensors:
            return
        now = network.state_dict()
        rate = 1 - min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.tensors.values()), [now[name] for name in self.tensors], rate)

    @contextmanager
    def worn(self, network: nn.Module) -> Iterator[None]:
        """The network with the averaged weights; afterwards it has its own again."""
        self._exchange(network)
        try:
            yield
        finally:
            self._exchange(network)

    @torch.no_grad()
    def _exchange(self, network: nn.Module) -> None:
        now = network.state_dict()
        for name, tensor in self.tensors.items():
            own = now[name].clone()
            now[name].copy_(tensor)
            tensor.copy_(own)
