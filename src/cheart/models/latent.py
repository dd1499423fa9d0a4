"""The latent side of CHeart: the condition code, the anatomy code, and their trajectory over the cycle."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConditionNetwork(nn.Module):
    """The MLP from encoded conditions [B, E] to the condition code z_c [B, size] (section II-A).

    Args:
        columns: E.
        size: length of z_c.
        straight: add a linear map beside the MLP, so that a linear dependence need not be learned through it.
        hidden: width of the MLP.
    """

    def __init__(self, columns: int, size: int, *, straight: bool = False, hidden: int = 64) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(columns, hidden), nn.ReLU(), nn.Linear(hidden, size))
        self.straight = nn.Linear(columns, size, bias=False) if straight else None

    def forward(self, conditions: Tensor) -> Tensor:
        """[B, E] to [B, size]."""
        code = self.mlp(conditions)
        return code if self.straight is None else code + self.straight(conditions)


class TemporalModule(nn.Module):
    """The one-to-many LSTM: from z_c0 to the codes of all frames (section II-B, Fig. 2).

    Hidden and cell state start at zero, the first input is z_c0, each later input the previous code. Frame 0
    is decoded from z_c0 itself.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(size, size)

    def forward(self, start: Tensor, frames: int) -> Tensor:
        """z_c0 [B, size] to the codes [B, T, size]."""
        hidden = cell = torch.zeros_like(start)
        codes = [start]
        for _ in range(frames - 1):
            hidden, cell = self.cell(codes[-1], (hidden, cell))
            codes.append(hidden)
        return torch.stack(codes, dim=1)


class HarmonicModule(nn.Module):
    """A periodic trajectory from z_c0 through the codes of all frames, in place of the LSTM.

        z_ct = z_c0 + Σ_k (cos 2πkt/T − 1) a_k + sin(2πkt/T) b_k,   (a, b) = linear (z_c0) + MLP (z_c0) + R ε

    Frame 0 is z_c0 itself and frame T is frame 0: the cycle closes by construction. What is nearly linear, how
    hearts of different shape move, is a linear map that can be learned from few hearts; the MLP learns the rest.
    R ε is what end-diastole and conditions do not tell of a heart's motion, such as most of its ejection fraction:
    ε is 0 when a heart is completed and N(0, 1) when one is generated (see :func:`cheart.training.loose.loosen`).

    Args:
        size: length of z_c0.
        room: further numbers of a code, 0 at frame 0, for motion that leads where no end-diastole lies.
        harmonics: how many multiples of the heart rate.
        hidden: width of the MLP.
        loose: length of ε.
    """

    def __init__(self, size: int, *, room: int, harmonics: int, hidden: int, loose: int) -> None:
        super().__init__()
        self.harmonics, self.room = harmonics, room
        out = 2 * harmonics * (size + room)
        self.linear = nn.Linear(size, out)
        self.correction = nn.Sequential(nn.Linear(size, hidden), nn.SiLU(), nn.Linear(hidden, out))
        for parameter in (*self.linear.parameters(), *self.correction[2].parameters()):
            nn.init.zeros_(parameter)
        self.register_buffer("loose", torch.zeros(loose, out))
        self.loose: Tensor

    def forward(self, start: Tensor, frames: int, free: Tensor | None = None) -> Tensor:
        """z_c0 [B, size], and ε [B, loose] if it is not 0, to the codes [B, T, size + room]."""
        amplitudes = self.amplitudes(start)
        if free is not None:
            amplitudes = amplitudes + free @ self.loose
        amplitudes = amplitudes.unflatten(1, (2 * self.harmonics, -1))
        motion = torch.einsum("tk,bks->bts", self.waves(frames).to(start), amplitudes)
        return motion + nn.functional.pad(start, (0, self.room))[:, None]

    def amplitudes(self, start: Tensor) -> Tensor:
        """a and b of all harmonics, [B, 2·harmonics·(size + room)]."""
        return self.linear(start) + self.correction(start)

    def waves(self, frames: int) -> Tensor:
        """cos 2πkt/T − 1, then sin 2πkt/T, [T, 2·harmonics]."""
        angle = 2 * torch.pi * torch.arange(frames)[:, None] * torch.arange(1, self.harmonics + 1) / frames
        return torch.cat([torch.cos(angle) - 1, torch.sin(angle)], dim=1)


class StandardPrior(nn.Module):
    """p(z_0) = N(0, 1), as the paper has it."""

    def standardise(self, latent: Tensor, code: Tensor) -> Tensor:
        """z_0 [B, latent] as numbers that are N(0, 1) under the prior given z_c [B, code]."""
        return latent

    def place(self, standard: Tensor, code: Tensor) -> Tensor:
        """The way back of :meth:`standardise`."""
        return standard

    def divergence(self, mean: Tensor, log_var: Tensor, code: Tensor) -> Tensor:
        """D_KL(q(z_0 | x_0, z_c) ‖ p(z_0)) of each subject, [B] (the second term of Eq. 8)."""
        return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1)


class LearnedPrior(nn.Module):
    """p(z_0 | z_c) = N(m(z_c), (WᵀW)⁻¹) with a learned mean and a learned precision, trained by the KL term itself.

    With a small β the codes of real hearts do not fill N(0, 1): they hang together and depend on the conditions, and
    hearts drawn from N(0, 1) are then too much alike. A Gaussian with the codes' own mean and covariance, as in
    conditional VAEs (Sohn et al. 2015), is where they really are.
    """

    def __init__(self, latent: int, code: int) -> None:
        super().__init__()
        self.mean = nn.Linear(code, latent)
        self.factor = nn.Parameter(torch.zeros(latent, latent))
        nn.init.zeros_(self.mean.weight)
        nn.init.zeros_(self.mean.bias)

    def whitener(self) -> Tensor:
        """W [latent, latent], lower triangular with a positive diagonal."""
        return torch.tril(self.factor, -1) + torch.diag(torch.exp(torch.diag(self.factor)))

    def standardise(self, latent: Tensor, code: Tensor) -> Tensor:
        """See :meth:`StandardPrior.standardise`."""
        return (latent - self.mean(code)) @ self.whitener().T

    def place(self, standard: Tensor, code: Tensor) -> Tensor:
        """See :meth:`StandardPrior.place`."""
        solved = torch.linalg.solve_triangular(self.whitener(), standard.T, upper=False).T
        return self.mean(code) + solved

    def divergence(self, mean: Tensor, log_var: Tensor, code: Tensor) -> Tensor:
        """See :meth:`StandardPrior.divergence`."""
        spread = log_var.exp() @ self.whitener().square().sum(dim=0)  # tr(W Σ_q Wᵀ)
        distance = self.standardise(mean, code).square().sum(dim=1)
        return 0.5 * (spread + distance - mean.shape[1] - log_var.sum(dim=1)) - torch.diag(self.factor).sum()


def sample_posterior(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """The reparameterisation trick: z_0 = μ + σ ε, all [B, size]."""
    return mean + torch.exp(0.5 * log_var) * noise
