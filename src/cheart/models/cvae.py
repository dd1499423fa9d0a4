"""CVAE: a conditional variational autoencoder of whole beats, without a temporal module (a baseline of the paper).

    z      ~ q(z | x_0, c), trained towards N(0, 1)
    x      ~ p(x | z, c)                 all frames at once
    loss   = −log p(x | z, c) + β KL

The conditions, embedded, are concatenated in the encoder and in the decoder. The encoder sees end-diastole, the one
frame that both tasks have: with all frames as its input it could not complete. The space says what x is: label maps
with the frames as channels, or coefficients of a shape basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.beat import BeatSpace, beat_space, check_space, shape_presets
from cheart.models.latent import ConditionNetwork, StandardPrior, sample_posterior
from cheart.models.registry import register
from cheart.models.shape import ShapeBasis
from cheart.models.share import normal


@dataclass(frozen=True)
class CVAEOptions:
    """What can be set of the network.

    Attributes:
        space: ``voxel`` (convolutions, frames as channels) or ``shape`` (MLPs on coefficients of a shape basis).
        latent: length of z.
        code: length of the conditions' embedding.
        beta: weight β of the KL term.
        width: on voxels, channels of the decoder's last hidden layer; the others are its multiples by 2, 4 and 8.
        modes: modes of the shape basis.
        hidden: on a shape basis, width of the MLPs.
    """

    space: str = "voxel"
    latent: int = 32
    code: int = 32
    beta: float = 0.001
    width: int = 16
    modes: int = 64
    hidden: int = 64

    def __post_init__(self) -> None:
        check_space(self)
        if self.beta < 0:
            raise InputError(f"beta {self.beta:g} must be at least 0")


@register("cvae")
class CVAE(HeartModel):
    """The baseline CVAE. Build it with the cohort's setting; a shape space needs its basis."""

    tasks = ("complete", "generate")
    Options = CVAEOptions
    presets = shape_presets(beta=0.003)
    style = Style("CVAE", "#d98c00", (0, (3, 1.2, 1, 1.2)), "^")
    seconds_per_heart = {"train": 0.1, "complete": 0.4, "generate": 0.4}

    def __init__(self, setting: Setting, options: CVAEOptions, basis: ShapeBasis | None = None) -> None:
        super().__init__(setting)
        self.options, self.prior = options, StandardPrior()
        self.space: BeatSpace = beat_space(setting, options, basis)
        self.reads = self.space.reads
        columns = len(setting.encoding.columns)
        self.conditions = ConditionNetwork(columns, options.code, straight=self.space.straight)
        self.encoder = self.space.make_encoder(options.latent, options.code)
        self.decoder = self.space.make_decoder(options.latent + options.code)

    def predict(self, latent: Tensor, conditions: Tensor) -> Tensor:
        """z [B, latent] and encoded conditions [B, E] to what the space's decoder says of all frames."""
        prediction: Tensor = self.decoder(torch.cat([latent, self.conditions(conditions)], dim=1))
        return prediction

    def posterior(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z, each [B, latent]."""
        mean, log_var = self.encoder(self.space.first(batch), self.conditions(batch.conditions))
        return mean, log_var

    def bound(self, batch: Any, noise: torch.Generator) -> tuple[Tensor, Tensor, dict[str, float]]:
        """Reconstruction + β KL, averaged over the batch, the prediction that it is of, and both terms for the log."""
        mean, log_var = self.posterior(batch)
        draw = normal(*mean.shape, noise=noise).to(mean.device)
        prediction = self.predict(sample_posterior(mean, log_var, draw), batch.conditions)
        reconstruction = self.space.reconstruction(prediction, batch).mean()
        kl = self.prior.divergence(mean, log_var, mean).mean()
        figures = {"reconstruction": float(reconstruction.detach()), "kl": float(kl.detach())}
        return reconstruction + self.options.beta * kl, prediction, figures

    def losses(self, batch: Any, noise: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """The bound."""
        loss, _, figures = self.bound(batch, noise)
        yield "all", loss, figures

    def validation_loss(self, batch: Any) -> Tensor:
        """The bound of each subject [B], decoded from the posterior's mean."""
        mean, log_var = self.posterior(batch)
        reconstruction = self.space.reconstruction(self.predict(mean, batch.conditions), batch)
        return reconstruction + self.options.beta * self.prior.divergence(mean, log_var, mean)

    def latent_size(self) -> int:
        """Length of z."""
        return self.options.latent

    def _encode(self, first: NDArray[np.uint8], observed: NDArray[np.bool_], conditions: Tensor) -> Tensor:
        mean: Tensor = self.encoder(self.space.describe(first, observed).to(self.device), self.conditions(conditions))[
            0
        ]
        return mean

    def _decode(self, code: Tensor, conditions: Tensor) -> NDArray[np.uint8]:
        return self.space.labels(self.predict(code, conditions))
