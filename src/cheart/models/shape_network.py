"""Networks on a shape basis: a linear map and an MLP from and to the whitened coefficients of modes.

What is nearly linear starts out right (:mod:`cheart.models.linear_start`); the MLP, which starts at zero, learns the
rest.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from cheart.models.latent import ConditionNetwork


class ShapeEncoder(nn.Module):
    """q(z_0 | x_0, z_c) from the whitened coefficients of end-diastole."""

    def __init__(self, modes: int, latent: int, embedding: int, *, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(modes + embedding, latent)
        self.correction = nn.Sequential(nn.Linear(modes + embedding, hidden), nn.SiLU(), nn.Linear(hidden, 2 * latent))
        nn.init.zeros_(self.correction[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.correction[2].bias)  # type: ignore[arg-type]

    def forward(
        self, coefficients: Float[Tensor, "B K"], embedding: Float[Tensor, "B C"]
    ) -> tuple[Float[Tensor, "B latent"], Float[Tensor, "B latent"]]:
        """Whitened coefficients and z_c to mean and log-variance of z_0."""
        x = torch.cat([coefficients, embedding], dim=1)
        mean, log_var = self.correction(x).chunk(2, dim=1)
        return self.linear(x) + mean, log_var - 2.0


class ShapeDecoder(nn.Module):
    """p(x_t | z_t, z_c): from a latent to the whitened coefficients of the frame; the same weights for all frames."""

    def __init__(self, size: int, modes: int, *, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, modes)
        self.correction = nn.Sequential(
            nn.Linear(size, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, modes)
        )
        nn.init.zeros_(self.correction[4].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.correction[4].bias)  # type: ignore[arg-type]

    def forward(self, latents: Float[Tensor, "*frames size"]) -> Float[Tensor, "*frames K"]:
        """Latents, such as [B, T, size], to whitened coefficients, such as [B, T, K]."""
        return self.linear(latents) + self.correction(latents)


class ShapeBeatDecoder(ShapeDecoder):
    """From a latent to the whitened coefficients of all frames at once."""

    def __init__(self, size: int, frames: int, modes: int, *, hidden: int) -> None:
        super().__init__(size, frames * modes, hidden=hidden)
        self.frames = frames

    def forward(self, latent: Float[Tensor, "B size"]) -> Float[Tensor, "B T K"]:
        """Latents to whitened coefficients of all frames."""
        return super().forward(latent).unflatten(1, (self.frames, -1))


class ShapeCritic(nn.Module):
    """From a beat's coefficients to features and a few numbers: a discriminator, or a CVAE-GAN's condition regressor.

    An MLP, spectrally normalised as :class:`cheart.models.voxel_network.VoxelCritic` is, with conditions by projection.

    Args:
        size: coefficients of a beat, T·K.
        out: how many numbers.
        conditions: columns of the encoded conditions that it is given, 0 for none.
        hidden: width.
    """

    FEATURES = 64

    def __init__(self, size: int, *, out: int, hidden: int, conditions: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(nn.Linear(a, b)) for a, b in ((size, hidden), (hidden, hidden), (hidden, self.FEATURES))
        )
        self.last = spectral_norm(nn.Linear(self.FEATURES, out))
        self.conditions = ConditionNetwork(conditions, self.FEATURES) if conditions else None

    def forward(
        self, beat: Float[Tensor, "B T K"], conditions: Float[Tensor, "B E"] | None = None
    ) -> tuple[Float[Tensor, "B out"], Float[Tensor, "B {self.FEATURES}"]]:
        """Beats of whitened coefficients to numbers and features."""
        # per root of the frames: two whitened beats of one mode each then differ by a few units, whatever T
        x = beat.flatten(1) / beat.shape[1] ** 0.5
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        numbers = self.last(x)
        if self.conditions is not None and conditions is not None:
            numbers = numbers + (self.conditions(conditions) * x).mean(dim=1, keepdim=True)
        return numbers, x

    def unit(self, beat: Float[Tensor, "B T K"]) -> float:
        """Whitened coefficients are in units of their own."""
        return 1.0
