"""CGAN: a conditional generative adversarial network of whole beats (Mirza and Osindero 2014; generation only).

    generator      x = G(z, c), z ~ N(0, 1), all frames at once, as channels
    discriminator  D(x, c), real beats against made ones of the same conditions; non-saturating logistic losses

A GAN has no likelihood for early stopping to watch. Here it watches the energy score of the volume-time curves
(Gneiting and Raftery 2007), E‖V − v‖ − ½ E‖V − V'‖ over a few fixed codes: a proper score, lowest where the generated
curves are distributed as the real ones of the same conditions are, so that neither a collapsed nor a deaf generator
wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting
from cheart.models.beat import BeatCritic, BeatDecoder, one_hot, seen, softplus_losses
from cheart.models.latent import ConditionNetwork
from cheart.models.voxel import VoxelBatch

DRAWS = 4
"""Codes that the validation loss looks at."""


@dataclass(frozen=True)
class CGANOptions:
    """What can be set of the networks.

    Attributes:
        latent: length of z.
        code: length of the conditions' embedding.
        width: channels of the generator's last hidden layer and of the discriminator's first.
    """

    latent: int = 32
    code: int = 32
    width: int = 16

    def __post_init__(self) -> None:
        if min(self.latent, self.code, self.width) < 1:
            raise InputError("latent, code and width must be at least 1")


class CGAN(HeartModel):
    """The baseline CGAN, on voxels. It generates; it does not complete."""

    name = "cgan"
    tasks = ("generate",)
    reads = "voxels"

    def __init__(self, setting: Setting, options: CGANOptions) -> None:
        super().__init__(setting)
        self.options = options
        shape, columns = setting.grid.shape, len(setting.encoding.columns)
        self.conditions = ConditionNetwork(columns, options.code)
        self.generator = BeatDecoder(shape, setting.frames, options.latent + options.code, width=options.width)
        self.discriminator = BeatCritic(shape, setting.frames, out=1, conditions=columns, width=options.width)

    def logits(self, latent: Tensor, conditions: Tensor) -> Tensor:
        """z [B, latent] and encoded conditions [B, E] to label logits [B, T, 4, Z, Y, X]."""
        return self.generator(torch.cat([latent, self.conditions(conditions)], dim=1))

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """The two players."""
        made_by = (self.conditions, self.generator)
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": [p for module in made_by for p in module.parameters()],
        }

    def losses(self, batch: VoxelBatch, noise: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """One step of each player."""
        draw = torch.randn(len(batch.labels), self.options.latent, generator=noise).to(batch.conditions.device)
        made = seen(self.logits(draw, batch.conditions).softmax(dim=2), batch)
        real, _ = self.discriminator(one_hot(batch), batch.conditions)
        fake, _ = self.discriminator(made.detach(), batch.conditions)
        verdicts = {"verdict_real": float(real.detach().mean()), "verdict_made": float(fake.detach().mean())}
        yield "discriminator", softplus_losses(real, fake), verdicts
        verdict, _ = self.discriminator(made, batch.conditions)
        yield "generator", F.softplus(-verdict).mean(), {}

    def validation_loss(self, batch: VoxelBatch) -> Tensor:
        """The energy score of the volume-time curves of each subject [B], in mL per frame and structure."""
        codes = torch.randn(DRAWS, self.options.latent, generator=torch.Generator().manual_seed(0))
        count = len(batch.labels)
        made = [
            self._volumes(
                seen(self.logits(z.to(batch.conditions).expand(count, -1), batch.conditions).softmax(2), batch)
            )
            for z in codes
        ]
        real = self._volumes(one_hot(batch))
        near = torch.stack([(m - real).flatten(1).norm(dim=1) for m in made]).mean(0)
        apart = torch.stack([(a - b).flatten(1).norm(dim=1) for a, b in combinations(made, 2)]).mean(0)
        return (near - apart / 2) / real[0].numel() ** 0.5

    def latent_size(self) -> int:
        """Length of z."""
        return self.options.latent

    def _volumes(self, beat: Tensor) -> Tensor:
        """Volumes [B, T, 3] in mL of beats [B, T, 4, Z, Y, X] of label probabilities."""
        voxel_ml = float(np.prod(self.setting.grid.spacing)) / 1000
        return beat[:, :, 1:].sum(dim=(3, 4, 5)) * voxel_ml

    def _decode(self, code: Tensor, conditions: Tensor) -> NDArray[np.uint8]:
        return self.logits(code, conditions)[0].argmax(dim=1).to(torch.uint8).cpu().numpy()
