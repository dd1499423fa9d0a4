"""CGAN: a conditional generative adversarial network of whole beats (Mirza and Osindero 2014; generation only).

    generator      x = G(z, c), z ~ N(0, 1), all frames at once
    discriminator  D(x, c), real beats against made ones of the same conditions; non-saturating logistic
                   losses, and a penalty on D's slope at real beats

A GAN has no likelihood for early stopping to watch. Here it watches the energy score (Gneiting and Raftery 2007) of
what the representation says of beats, volume-time curves or coefficients: E‖V − v‖ − ½ E‖V − V'‖ over a few fixed z a
subject. It is a proper score, lowest where generated beats are distributed as the real ones of the same conditions
are, so that neither a collapsed nor a deaf generator wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.baseline import PLAYED, check_sizes, presets_of, slope_penalty, softplus_losses
from cheart.models.latent import ConditionNetwork
from cheart.models.linear_start import start_generator
from cheart.models.process_group import normal
from cheart.models.registry import register
from cheart.models.representation import NetworkRepresentation

DRAWS = 4
"""Draws of z a subject that the validation loss looks at."""


@dataclass(frozen=True)
class CGANOptions:
    """What can be set of the networks.

    Attributes:
        representation: ``voxel`` (convolutions, frames as channels) or ``shape`` (MLPs on coefficients of a basis).
        latent: length of z.
        embedding: length of the conditions' embedding.
        width: on voxels, channels of the generator's last hidden layer and of the discriminator's first.
        box: on voxels, make them only where hearts of the training subjects are, and background elsewhere.
        modes: modes of the shape basis.
        hidden: on a shape basis, width of the MLPs.
        penalty: weight of the discriminator's squared slope at real beats; on voxels it takes the place of spectral
            normalisation.
    """

    representation: str = "voxel"
    latent: int = 32
    embedding: int = 32
    width: int = 16
    box: bool = False
    modes: int = 64
    hidden: int = 64
    penalty: float = 0.0

    def __post_init__(self) -> None:
        check_sizes(self)
        if self.penalty < 0:
            raise InputError(f"penalty {self.penalty:g} must be at least 0")


@register("cgan")
class CGAN(HeartModel):
    """The baseline CGAN. It generates; it does not complete."""

    tasks = ("generate",)
    Options = CGANOptions
    presets = presets_of(voxel={**PLAYED, "momentum": 0.0, "penalty": 0.3}, penalty=10.0, momentum=0.5)
    style = Style("CGAN", "#3f9fd4", (0, (6, 1.2, 1, 1.2, 1, 1.2)), "v")
    seconds_per_heart = {"train": 0.2, "generate": 0.4}

    def __init__(self, setting: Setting, options: CGANOptions, representation: NetworkRepresentation) -> None:
        super().__init__(setting, options, representation)
        columns, size = len(setting.encoding.columns), options.latent + options.embedding
        self.conditions = ConditionNetwork(columns, options.embedding, straight=representation.linear)
        self.generator: Any = representation.make_beat_decoder(size, options)
        self.discriminator: Any = representation.make_critic(1, options, conditions=columns)

    def initialise(self, training: Any) -> None:
        """The best linear model (:mod:`cheart.models.linear_start`), where hearts are nearly linear."""
        if self.representation.linear:
            subjects, sd = training.everyone(), self.representation.basis.sd.astype(np.float64)
            beats, embedding = self.representation.whole_beats(subjects), self.conditions.pass_on(subjects.conditions)
            start_generator(self.generator, sd, beats, embedding, self.options.latent)

    def predict(
        self, latent: Float[Tensor, "B latent"], conditions: Float[Tensor, "B E"], batch: Any | None = None
    ) -> Float[Tensor, "B T ..."]:
        """z and encoded conditions to what the generator says of the frames that a batch shows."""
        z = torch.cat([latent, self.conditions(conditions)], dim=1)
        prediction: Tensor = self.representation.predict(self.generator, z, batch)
        return prediction

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """The two players."""
        made_by = (self.conditions, self.generator)
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": [p for module in made_by for p in module.parameters()],
        }

    def losses(self, batch: Any, generator: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """One step of each player."""
        draw = normal(len(batch.conditions), self.options.latent, generator=generator).to(batch.conditions.device)
        made = self.representation.predicted(self.predict(draw, batch.conditions, batch), batch)
        beat = self.representation.real(batch).requires_grad_(self.options.penalty > 0)
        real = self._verdict(beat, batch)
        fake = self._verdict(made.detach(), batch)
        verdicts = {"verdict_real": float(real.detach().mean()), "verdict_made": float(fake.detach().mean())}
        steep = (
            self.options.penalty * slope_penalty(real, beat, self.discriminator.unit(beat))
            if self.options.penalty
            else 0.0
        )
        yield "discriminator", softplus_losses(real, fake) + steep, verdicts
        verdict = self._verdict(made, batch)
        yield "generator", F.softplus(-verdict).mean(), {}

    def _verdict(self, beat: Float[Tensor, "B t ..."], batch: Any) -> Float[Tensor, "B 1"]:
        """D's numbers for beats."""
        verdict: Tensor = self.representation.judge(self.discriminator, beat, batch, batch.conditions)[0]
        return verdict

    def validation_loss(self, batch: Any) -> Float[Tensor, " B"]:
        """The energy score of each subject: in mL per frame and structure, or in mm per frame and voxel."""
        size = (DRAWS, len(batch.conditions), self.options.latent)
        draws = torch.randn(size, generator=torch.Generator().manual_seed(0)).to(batch.conditions)
        predictions = (self.predict(z, batch.conditions, batch) for z in draws)
        made = [self.representation.outcome(self.representation.predicted(p, batch)) for p in predictions]
        real = self.representation.outcome(self.representation.real(batch))
        near = torch.stack([(m - real).norm(dim=1) for m in made]).mean(0)
        apart = torch.stack([(a - b).norm(dim=1) for a, b in combinations(made, 2)]).mean(0)
        return near - apart / 2

    def latent_size(self) -> int:
        """Length of z."""
        return self.options.latent

    def decode_labels(
        self, latent: Float[Tensor, "1 size"], conditions: Float[Tensor, "1 E"]
    ) -> UInt8[np.ndarray, "T Z Y X"]:
        """See :class:`HeartModel`."""
        return self.representation.labels(self.predict(latent, conditions))
