"""The latent side of CHeart: the condition code, the anatomy code, and their trajectory over the cycle."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConditionNetwork(nn.Sequential):
    """The MLP from encoded conditions [B, E] to the condition code z_c [B, size] (section II-A)."""

    def __init__(self, columns: int, size: int, *, hidden: int = 64) -> None:
        super().__init__(nn.Linear(columns, hidden), nn.ReLU(), nn.Linear(hidden, size))


class TemporalModule(nn.Module):
    """The one-to-many LSTM: from z_c0 to the codes of all frames (section II-B, Fig. 2).

    Hidden and cell state start at zero, the first input is z_c0, each later input the previous code. Frame 0
    is decoded from z_c0 itself.

    Args:
        size: length of a code.
        residual: whether the LSTM's output moves the code away from z_c0 instead of being the code. The paper's
            codes after the first are LSTM outputs, which lie between −1 and 1; adding a learned multiple to z_c0
            keeps who the heart belongs to in plain sight of the decoder.
    """

    def __init__(self, size: int, *, residual: bool = False) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(size, size)
        self.step = nn.Linear(size, size) if residual else None

    def forward(self, start: Tensor, frames: int) -> Tensor:
        """z_c0 [B, size] to the codes [B, T, size]."""
        hidden = cell = torch.zeros_like(start)
        codes = [start]
        for _ in range(frames - 1):
            hidden, cell = self.cell(codes[-1], (hidden, cell))
            codes.append(hidden if self.step is None else start + self.step(hidden))
        return torch.stack(codes, dim=1)


def sample_posterior(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """The reparameterisation trick: z_0 = μ + σ ε, all [B, size]."""
    return mean + torch.exp(0.5 * log_var) * noise


def kl_divergence(mean: Tensor, log_var: Tensor) -> Tensor:
    """D_KL(q(z_0 | x_0, z_c) ‖ N(0, 1)) of each subject, [B] (the second term of Eq. 8)."""
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1)
