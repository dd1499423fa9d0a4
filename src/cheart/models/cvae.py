"""CVAE: a conditional variational autoencoder of whole beats, without a temporal module (a baseline of the paper).

    z      ~ q(z | x_0, c), trained towards N(0, 1)
    x      ~ p(x | z, c)                 all frames at once
    loss   = −log p(x | z, c) + β KL

The conditions, embedded, are concatenated in the encoder and in the decoder. The encoder sees end-diastole, the one
frame that both tasks have: with all frames as its input it could not complete. The representation says what x is:
label maps with the frames as channels, or coefficients of a shape basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor

from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.baseline import check_sizes, presets_of
from cheart.models.latent import ConditionNetwork, StandardPrior, sample_posterior
from cheart.models.linear_start import start_autoencoder
from cheart.models.process_group import normal
from cheart.models.registry import register
from cheart.models.representation import NetworkRepresentation


@dataclass(frozen=True)
class CVAEOptions:
    """What can be set of the network.

    Attributes:
        representation: ``voxel`` (convolutions, frames as channels) or ``shape`` (MLPs on coefficients of a basis).
        latent: length of z.
        embedding: length of the conditions' embedding.
        beta: weight β of the KL term.
        width: on voxels, channels of the decoder's last hidden layer; the others are its multiples by 2, 4 and 8.
        box: on voxels, make them only where hearts of the training subjects are, and background elsewhere.
        modes: modes of the shape basis.
        hidden: on a shape basis, width of the MLPs.
    """

    representation: str = "voxel"
    latent: int = 32
    embedding: int = 32
    beta: float = 0.001
    width: int = 16
    box: bool = False
    modes: int = 64
    hidden: int = 64

    def __post_init__(self) -> None:
        check_sizes(self)
        if self.beta < 0:
            raise InputError(f"beta {self.beta:g} must be at least 0")


@register("cvae")
class CVAE(HeartModel):
    """The baseline CVAE."""

    tasks = ("complete", "generate")
    Options = CVAEOptions
    presets = presets_of(voxel={"rate": 1e-3}, beta=0.003)
    style = Style("CVAE", "#d98c00", (0, (3, 1.2, 1, 1.2)), "^")
    seconds_per_heart = {"train": 0.1, "complete": 0.4, "generate": 0.4}

    def __init__(self, setting: Setting, options: CVAEOptions, representation: NetworkRepresentation) -> None:
        super().__init__(setting, options, representation)
        self.prior = StandardPrior()
        columns, size = len(setting.encoding.columns), options.latent + options.embedding
        self.conditions = ConditionNetwork(columns, options.embedding, straight=representation.linear)
        self.encoder: Any = representation.make_encoder(options.latent, options.embedding, options)
        self.decoder: Any = representation.make_beat_decoder(size, options)

    def initialise(self, training: Any) -> None:
        """The best linear model (:mod:`cheart.models.linear_start`), where hearts are nearly linear."""
        if self.representation.linear:
            subjects, sd = training.everyone(), self.representation.basis.sd.astype(np.float64)
            beats, embedding = self.representation.whole_beats(subjects), self.conditions.pass_on(subjects.conditions)
            start_autoencoder(self.encoder, self.decoder, sd, subjects.first.double().numpy(), beats, embedding)

    def predict(
        self, latent: Float[Tensor, "B latent"], conditions: Float[Tensor, "B E"], batch: Any | None = None
    ) -> Float[Tensor, "B T ..."]:
        """z and encoded conditions to what the decoder says of the frames that a batch shows."""
        z = torch.cat([latent, self.conditions(conditions)], dim=1)
        prediction: Tensor = self.representation.predict(self.decoder, z, batch)
        return prediction

    def posterior(self, batch: Any) -> tuple[Float[Tensor, "B latent"], Float[Tensor, "B latent"]]:
        """Mean and log-variance of z."""
        mean, log_var = self.encoder(self.representation.first(batch), self.conditions(batch.conditions))
        return mean, log_var

    def bound(
        self, batch: Any, generator: torch.Generator
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B T ..."], dict[str, float]]:
        """Reconstruction + β KL, averaged over the batch, the prediction that it is of, and both terms for the log."""
        mean, log_var = self.posterior(batch)
        epsilon = normal(*mean.shape, generator=generator).to(mean.device)
        prediction = self.predict(sample_posterior(mean, log_var, epsilon), batch.conditions, batch)
        reconstruction = self.representation.reconstruction(prediction, batch).mean()
        kl = self.prior.divergence(mean, log_var, mean).mean()
        figures = {"reconstruction": float(reconstruction.detach()), "kl": float(kl.detach())}
        return reconstruction + self.options.beta * kl, prediction, figures

    def losses(self, batch: Any, generator: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """The bound."""
        loss, _, figures = self.bound(batch, generator)
        yield "all", loss, figures

    def validation_loss(self, batch: Any) -> Float[Tensor, " B"]:
        """The bound of each subject, decoded from the posterior's mean."""
        mean, log_var = self.posterior(batch)
        reconstruction = self.representation.reconstruction(self.predict(mean, batch.conditions, batch), batch)
        return reconstruction + self.options.beta * self.prior.divergence(mean, log_var, mean)

    def latent_size(self) -> int:
        """Length of z."""
        return self.options.latent

    def encode_first(self, first: Shaped[Tensor, "1 ..."], conditions: Float[Tensor, "1 E"]) -> Float[Tensor, "1 size"]:
        """The posterior's mean."""
        mean: Tensor = self.encoder(first, self.conditions(conditions))[0]
        return mean

    def sample_first(
        self, first: Shaped[Tensor, "1 ..."], conditions: Float[Tensor, "1 E"], generator: torch.Generator
    ) -> Float[Tensor, "1 size"]:
        """A draw of the posterior."""
        mean, log_var = self.encoder(first, self.conditions(conditions))
        return sample_posterior(mean, log_var, torch.randn(mean.shape, generator=generator).to(mean.device))

    def decode_labels(
        self, latent: Float[Tensor, "1 size"], conditions: Float[Tensor, "1 E"]
    ) -> UInt8[np.ndarray, "T Z Y X"]:
        """See :class:`HeartModel`."""
        return self.representation.labels(self.predict(latent, conditions))
