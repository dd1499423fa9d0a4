"""The latent side of CHeart: the condition embedding z_c, the latent z_0, its prior, its trajectory over the cycle."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy.typing import NDArray
from torch import Tensor, nn

from cheart.models.layer_graph import LayerGraph


class ConditionNetwork(nn.Module):
    """The MLP from encoded conditions [B, E] to the condition embedding z_c [B, size] (section II-A).

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

    def forward(self, conditions: Float[Tensor, "B E"]) -> Float[Tensor, "B size"]:
        """Encoded conditions to z_c."""
        embedding = self.mlp(conditions)
        return embedding if self.straight is None else embedding + self.straight(conditions)

    @torch.no_grad()
    def pass_on(self, conditions: Float[Tensor, "N E"]) -> Float64[np.ndarray, "N size"]:
        """Let the straight path hold encoded conditions as they are, if they fit; returns their embedding."""
        assert self.straight is not None
        nn.init.eye_(self.straight.weight)
        for parameter in self.mlp[2].parameters():
            nn.init.zeros_(parameter)
        return np.asarray(self(conditions).numpy(), np.float64)


class TemporalModule(nn.Module):
    """The one-to-many LSTM: from z_c0 to the latents of all frames (section II-B, Fig. 2).

    Hidden and cell state start at zero, the first input is z_c0, each later input the previous latent. Frame 0
    is decoded from z_c0 itself.
    """

    extra = 0

    def __init__(self, size: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(size, size)

    def forward(
        self, start: Float[Tensor, "B size"], frames: int, epsilon: Tensor | None = None
    ) -> Float[Tensor, "B {frames} size"]:
        """z_c0 to the latents of all frames; there is no motion residual."""
        hidden = cell = torch.zeros_like(start)
        latents = [start]
        for _ in range(frames - 1):
            hidden, cell = self.cell(latents[-1], (hidden, cell))
            latents.append(hidden)
        return torch.stack(latents, dim=1)


class HarmonicModule(nn.Module):
    """A periodic trajectory from z_c0 through the latents of all frames, in place of the LSTM.

        z_ct = z_c0 + Σ_k (cos 2πkt/T − 1) a_k + sin(2πkt/T) b_k,   (a, b) = linear (z_c0) + MLP (z_c0) + R ε

    Frame 0 is z_c0 itself and frame T is frame 0: the cycle closes by construction. What is nearly linear, how
    hearts of different shape move, is a linear map that can be learned from few hearts; the MLP learns the rest.
    R ε is the motion residual: what end-diastole and conditions do not determine of a heart's motion, such as most of
    its ejection fraction. ε is 0 when a heart is completed and N(0, 1) when one is generated.

    Args:
        size: length of z_c0.
        extra: further numbers of a latent, 0 at frame 0, for motion that leads where no end-diastole lies.
        harmonics: how many multiples of the heart rate.
        hidden: width of the MLP.
        residual: length of ε.
    """

    def __init__(self, size: int, *, extra: int, harmonics: int, hidden: int, residual: int) -> None:
        super().__init__()
        self.harmonics, self.extra = harmonics, extra
        out = 2 * harmonics * (size + extra)
        self.linear = nn.Linear(size, out)
        self.correction = nn.Sequential(nn.Linear(size, hidden), nn.SiLU(), nn.Linear(hidden, out))
        for parameter in (*self.linear.parameters(), *self.correction[2].parameters()):
            nn.init.zeros_(parameter)
        self.register_buffer("residual", torch.zeros(residual, out))
        self.residual: Tensor

    def forward(
        self, start: Float[Tensor, "B size"], frames: int, epsilon: Float[Tensor, "B residual"] | None = None
    ) -> Float[Tensor, "B {frames} size+{self.extra}"]:
        """z_c0, and ε if it is not 0, to the latents of all frames."""
        amplitudes = self.linear(start) + self.correction(start)  # a and b of all harmonics
        if epsilon is not None:
            amplitudes = amplitudes + epsilon @ self.residual
        amplitudes = amplitudes.unflatten(1, (2 * self.harmonics, -1))
        motion = torch.einsum("tk,bks->bts", self.waves(frames).to(start), amplitudes)
        return motion + nn.functional.pad(start, (0, self.extra))[:, None]

    def add_to(self, graph: LayerGraph, start: str, epsilon: str, frames: int) -> str:
        """:meth:`forward` as layers."""
        linear = graph.linear("motion.linear", start, self.linear.weight, self.linear.bias)
        mlp, rest = (
            graph.sequence("motion.mlp", start, self.correction),
            graph.linear("motion.rest", epsilon, self.residual.T),
        )
        amplitudes = graph.add("add", "amplitudes", linear, mlp, rest)
        return graph.add("motion", "frames", start, amplitudes, tensors={"waves": self.waves(frames)})

    def waves(self, frames: int) -> Float[Tensor, "{frames} 2*{self.harmonics}"]:
        """cos 2πkt/T − 1, then sin 2πkt/T."""
        angle = 2 * torch.pi * torch.arange(frames)[:, None] * torch.arange(1, self.harmonics + 1) / frames
        return torch.cat([torch.cos(angle) - 1, torch.sin(angle)], dim=1)


class StandardPrior(nn.Module):
    """p(z_0) = N(0, 1), as the paper has it."""

    def standardise(
        self, latent: Float[Tensor, "B latent"], embedding: Float[Tensor, "B C"]
    ) -> Float[Tensor, "B latent"]:
        """z_0 as numbers that are N(0, 1) under the prior given z_c."""
        return latent

    def place(self, standard: Float[Tensor, "B latent"], embedding: Float[Tensor, "B C"]) -> Float[Tensor, "B latent"]:
        """The way back of :meth:`standardise`."""
        return standard

    def add_place(self, graph: LayerGraph, standard: str, embedding: str) -> str:
        """:meth:`place` as layers."""
        return standard

    def divergence(
        self, mean: Float[Tensor, "B latent"], log_var: Float[Tensor, "B latent"], embedding: Float[Tensor, "B C"]
    ) -> Float[Tensor, " B"]:
        """D_KL(q(z_0 | x_0, z_c) ‖ p(z_0)) of each subject (the second term of Eq. 8)."""
        return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1)

    def set_moments(self, weight: NDArray, bias: NDArray, covariance: NDArray) -> None:
        """Start at a mean z_c @ weight [embedding, latent] + bias and a covariance, where they can be learned."""


class LearnedPrior(StandardPrior):
    """p(z_0 | z_c) = N(m(z_c), (WᵀW)⁻¹) with a learned mean and a learned precision, trained by the KL term itself.

    With a small β the latents of real hearts do not fill N(0, 1): they hang together and depend on the conditions, and
    hearts drawn from N(0, 1) are then too much alike. A Gaussian with the latents' own mean and covariance, as in
    conditional VAEs (Sohn et al. 2015), is where they really are.
    """

    def __init__(self, latent: int, embedding: int) -> None:
        super().__init__()
        self.mean = nn.Linear(embedding, latent)
        self.factor = nn.Parameter(torch.zeros(latent, latent))
        nn.init.zeros_(self.mean.weight)
        nn.init.zeros_(self.mean.bias)

    def whitener(self) -> Float[Tensor, "latent latent"]:
        """W, lower triangular with a positive diagonal."""
        return torch.tril(self.factor, -1) + torch.diag(torch.exp(torch.diag(self.factor)))

    def standardise(
        self, latent: Float[Tensor, "B latent"], embedding: Float[Tensor, "B C"]
    ) -> Float[Tensor, "B latent"]:
        """See :class:`StandardPrior`."""
        return (latent - self.mean(embedding)) @ self.whitener().T

    def place(self, standard: Float[Tensor, "B latent"], embedding: Float[Tensor, "B C"]) -> Float[Tensor, "B latent"]:
        """See :class:`StandardPrior`."""
        solved = torch.linalg.solve_triangular(self.whitener(), standard.T, upper=False).T
        return self.mean(embedding) + solved

    def add_place(self, graph: LayerGraph, standard: str, embedding: str) -> str:
        """See :class:`StandardPrior`."""
        spread = graph.linear("prior.spread", standard, torch.linalg.inv(self.whitener().detach().double()))
        return graph.add(
            "add", "prior", graph.linear("prior.mean", embedding, self.mean.weight, self.mean.bias), spread
        )

    def divergence(
        self, mean: Float[Tensor, "B latent"], log_var: Float[Tensor, "B latent"], embedding: Float[Tensor, "B C"]
    ) -> Float[Tensor, " B"]:
        """See :class:`StandardPrior`."""
        spread = log_var.exp() @ self.whitener().square().sum(dim=0)  # tr(W Σ_q Wᵀ)
        distance = self.standardise(mean, embedding).square().sum(dim=1)
        return 0.5 * (spread + distance - mean.shape[1] - log_var.sum(dim=1)) - torch.diag(self.factor).sum()

    def set_moments(self, weight: NDArray, bias: NDArray, covariance: NDArray) -> None:
        """See :class:`StandardPrior`; the covariance is hardly widened."""
        set_parameter(self.mean.weight, weight.T)
        set_parameter(self.mean.bias, bias)
        whitener = np.linalg.inv(np.linalg.cholesky(covariance + 0.02 * np.eye(len(covariance))))
        factor = np.tril(whitener, -1) + np.diag(np.log(np.diag(whitener)))
        set_parameter(self.factor, factor)


def sample_posterior(
    mean: Float[Tensor, "B latent"], log_var: Float[Tensor, "B latent"], epsilon: Float[Tensor, "B latent"]
) -> Float[Tensor, "B latent"]:
    """The reparameterisation trick: z_0 = μ + σ ε."""
    return mean + torch.exp(0.5 * log_var) * epsilon


@torch.no_grad()
def set_parameter(parameter: Tensor, value: NDArray) -> None:
    """Overwrite a parameter."""
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(value, np.float32)))
