"""Sums whose terms are too large to keep at once: each term's gradient is taken before the next term is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Term = Callable[[Tensor, slice], Tensor]
"""From the inputs of some frames [B, t, ...], and which frames they are, to one number."""


def sum_in_chunks(term: Term, inputs: Tensor, parameters: Sequence[Tensor], chunks: Sequence[slice]) -> Tensor:
    """Σ term(inputs[:, chunk], chunk) with the gradients of a plain sum, in the memory of one term.

    Forward computes each term and, while what it needs is at hand, its gradients; they are added up and wait for
    backward, which multiplies them by the slope of what comes after. Nothing is computed twice.
    """
    if not torch.is_grad_enabled():
        return torch.stack([term(inputs[:, chunk], chunk) for chunk in chunks]).sum()
    result: Tensor = _ChunkedSum.apply(term, chunks, inputs, *parameters)
    return result


class _ChunkedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, term: Term, chunks: Sequence[slice], inputs: Tensor, *parameters: Tensor) -> Tensor:
        leaf = inputs.detach().requires_grad_()
        total, sums = inputs.new_zeros(()), [torch.zeros_like(t) for t in (leaf, *parameters)]
        for chunk in chunks:
            with torch.enable_grad():
                value = term(leaf[:, chunk], chunk)
                grads = torch.autograd.grad(value, (leaf, *parameters))
            total += value.detach()
            for a, b in zip(sums, grads, strict=True):
                a += b
        ctx.save_for_backward(*sums)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return None, None, *(grads[0] * s for s in ctx.saved_tensors)
