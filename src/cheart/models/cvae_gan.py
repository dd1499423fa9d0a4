"""CVAE-GAN: the CVAE with a discriminator and a condition regressor, by feature matching (Bao et al. 2017).

    discriminator D   real beats against reconstructed ones and ones made from N(0, 1)
    regressor C       the encoded conditions of real beats (Bao's classifier: conditions here are numbers and levels)
    encoder, decoder  the CVAE's bound
                      + λ ½ (‖f_D(x) − f_D(x')‖² + ‖f_C(x) − f_C(x')‖²)      x' the reconstruction of x
                      + λ ½ ‖mean f_D(x) − mean f_D(x_p)‖²                   x_p made from N(0, 1)
                      + λ ½ ‖c − C(x_p)‖²                                    in place of Bao's class centres

The decoder does not play against D's verdict but matches its features, which is what keeps the game stable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from cheart.errors import InputError
from cheart.models.base import Setting, Style
from cheart.models.baseline import PLAYED, presets_of, slope_penalty, softplus_losses
from cheart.models.cvae import CVAE, CVAEOptions
from cheart.models.process_group import batch_mean, normal
from cheart.models.registry import register
from cheart.models.representation import NetworkRepresentation


@dataclass(frozen=True)
class CVAEGANOptions(CVAEOptions):
    """What can be set of the networks.

    Attributes:
        matching: weight λ of the feature matching.
        penalty: weight of the discriminator's squared slope at real beats; on voxels it takes the place of spectral
            normalisation.
    """

    matching: float = 0.01
    penalty: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.matching < 0 or self.penalty < 0:
            raise InputError(f"matching {self.matching:g} and penalty {self.penalty:g} must be at least 0")


@register("cvae-gan")
class CVAEGAN(CVAE):
    """The baseline CVAE-GAN."""

    Options = CVAEGANOptions
    presets = presets_of(voxel={**PLAYED, "rate": 5e-4, "momentum": 0.5}, penalty=10.0, momentum=0.5, beta=0.003)
    style = Style("CVAE-GAN", "#c4609a", (0, (1.2, 1.2)), "D")
    seconds_per_heart = {"train": 0.2, "complete": 0.4, "generate": 0.4}

    def __init__(self, setting: Setting, options: CVAEGANOptions, representation: NetworkRepresentation) -> None:
        super().__init__(setting, options, representation)
        self.matching, self.penalty = options.matching, options.penalty
        self.discriminator: Any = representation.make_critic(1, options)
        self.regressor = representation.make_critic(len(setting.encoding.columns), options)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """The three players."""
        vae = (self.conditions, self.encoder, self.decoder)
        return {
            "discriminator": list(self.discriminator.parameters()),
            "regressor": list(self.regressor.parameters()),
            "all": [p for module in vae for p in module.parameters()],
        }

    def losses(self, batch: Any, generator: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """One step of each player; the decoder meets the discriminator and the regressor as they have just become."""
        real = self.representation.real(batch).requires_grad_(self.penalty > 0)
        bound, prediction, figures = self.bound(batch, generator)
        again = self.representation.predicted(prediction, batch)
        draw = normal(len(real), self.options.latent, generator=generator).to(real.device)
        made = self.representation.predicted(self.predict(draw, batch.conditions, batch), batch)
        judge = self.representation.judge
        verdicts = [judge(self.discriminator, x, batch)[0] for x in (real, again.detach(), made.detach())]
        steep = self.penalty * slope_penalty(verdicts[0], real, self.discriminator.unit(real)) if self.penalty else 0.0
        figure = {"verdict_real": float(verdicts[0].detach().mean())}
        yield "discriminator", softplus_losses(*verdicts) + steep, figure
        yield "regressor", F.mse_loss(judge(self.regressor, real, batch)[0], batch.conditions), {}
        yield "all", bound + self.matching * self._matching(real, again, made, batch), figures

    def _matching(
        self, real: Float[Tensor, "*beat"], again: Float[Tensor, "*beat"], made: Float[Tensor, "*beat"], batch: Any
    ) -> Float[Tensor, ""]:
        """What reconstructions and generated beats lack of the real ones' features."""
        judge = self.representation.judge
        with torch.no_grad():
            (_, wanted_d), (_, wanted_c) = (judge(c, real, batch) for c in (self.discriminator, self.regressor))
        (_, again_d), (_, again_c) = (judge(c, again, batch) for c in (self.discriminator, self.regressor))
        (_, made_d), (regressed, _) = (judge(c, made, batch) for c in (self.discriminator, self.regressor))
        pairwise = (wanted_d - again_d).square().sum(1).mean() + (wanted_c - again_c).square().sum(1).mean()
        centre = batch_mean(wanted_d - made_d).square().sum()
        return 0.5 * (pairwise + centre + (batch.conditions - regressed).square().sum(1).mean())
