"""CVAE: a conditional variational autoencoder of whole beats, without a temporal module (a baseline of the paper).

    z      ~ q(z | x_0, c), trained towards N(0, 1)
    x      ~ p(x | z, c)                 all frames at once, as channels
    loss   = −log p(x | z, c) + β KL

The conditions are concatenated in the encoder, as constant channels, and in the decoder, to the code. The encoder
sees end-diastole, the one frame that both tasks have: with all frames as its input it could not complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting
from cheart.models.beat import BeatDecoder
from cheart.models.latent import ConditionNetwork, StandardPrior, sample_posterior
from cheart.models.voxel import VoxelBatch, VoxelEncoder, masked_cross_entropy


@dataclass(frozen=True)
class CVAEOptions:
    """What can be set of the network.

    Attributes:
        latent: length of z.
        code: length of the conditions' embedding.
        beta: weight β of the KL term.
        width: channels of the decoder's last hidden layer; the others are its multiples by 2, 4 and 8.
    """

    latent: int = 32
    code: int = 32
    beta: float = 0.001
    width: int = 16

    def __post_init__(self) -> None:
        if min(self.latent, self.code, self.width) < 1 or self.beta < 0:
            raise InputError("latent, code and width must be at least 1, and beta at least 0")


class CVAE(HeartModel):
    """The baseline CVAE, on voxels."""

    name = "cvae"
    tasks = ("complete", "generate")
    reads = "voxels"

    def __init__(self, setting: Setting, options: CVAEOptions) -> None:
        super().__init__(setting)
        self.options, self.prior = options, StandardPrior()
        shape = setting.grid.shape
        self.conditions = ConditionNetwork(len(setting.encoding.columns), options.code)
        self.encoder = VoxelEncoder(shape, options.latent, options.code)
        self.decoder = BeatDecoder(shape, setting.frames, options.latent + options.code, width=options.width)

    def logits(self, latent: Tensor, conditions: Tensor) -> Tensor:
        """z [B, latent] and encoded conditions [B, E] to label logits [B, T, 4, Z, Y, X]."""
        return self.decoder(torch.cat([latent, self.conditions(conditions)], dim=1))

    def posterior(self, batch: VoxelBatch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z, each [B, latent]."""
        mean, log_var = self.encoder(batch.labels[:, 0], self.conditions(batch.conditions))
        return mean, log_var

    def bound(self, batch: VoxelBatch, noise: torch.Generator) -> tuple[Tensor, Tensor, dict[str, float]]:
        """Reconstruction + β KL, averaged over the batch, the logits that it is of, and both terms for the log."""
        mean, log_var = self.posterior(batch)
        draw = torch.randn(mean.shape, generator=noise).to(mean.device)
        logits = self.logits(sample_posterior(mean, log_var, draw), batch.conditions)
        reconstruction = masked_cross_entropy(logits, batch.labels, batch.observed).mean()
        kl = self.prior.divergence(mean, log_var, mean).mean()
        figures = {"reconstruction": float(reconstruction.detach()), "kl": float(kl.detach())}
        return reconstruction + self.options.beta * kl, logits, figures

    def losses(self, batch: VoxelBatch, noise: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """The bound."""
        loss, _, figures = self.bound(batch, noise)
        yield "all", loss, figures

    def validation_loss(self, batch: VoxelBatch) -> Tensor:
        """The bound of each subject [B], decoded from the posterior's mean."""
        mean, log_var = self.posterior(batch)
        logits = self.logits(mean, batch.conditions)
        reconstruction = masked_cross_entropy(logits, batch.labels, batch.observed)
        return reconstruction + self.options.beta * self.prior.divergence(mean, log_var, mean)

    def latent_size(self) -> int:
        """Length of z."""
        return self.options.latent

    def _encode(self, first: NDArray[np.uint8], observed: NDArray[np.bool_], conditions: Tensor) -> Tensor:
        mean, _ = self.encoder(torch.from_numpy(first)[None].to(self.device), self.conditions(conditions))
        return mean

    def _decode(self, code: Tensor, conditions: Tensor) -> NDArray[np.uint8]:
        return self.logits(code, conditions)[0].argmax(dim=1).to(torch.uint8).cpu().numpy()
