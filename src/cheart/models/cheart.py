"""CHeart: a conditional variational autoencoder of end-diastole with an LSTM over the cycle (Qiao et al. 2023).

    z_c        = condition network (c)                       ConditionNetwork
    z_0        ~ q(z_0 | x_0, z_c), trained towards N(0, 1)   the space's encoder
    z_c0       = [z_0, z_c]
    z_c1 …     = temporal module (z_c0)                      TemporalModule
    x_t        ~ p(x_t | z_ct), the same for every t         the space's decoder
    loss       = Σ_t −log p(x_t | z_ct) + β KL               Eq. 8

The space says what x is: label maps on voxels, as in the paper, or coefficients of a shape basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting
from cheart.models.latent import ConditionNetwork, TemporalModule, kl_divergence, sample_posterior
from cheart.models.shape import ShapeBasis
from cheart.models.shape_network import ShapeSpace
from cheart.models.voxel import VoxelSpace


@dataclass(frozen=True)
class CHeartOptions:
    """What can be set of the network; the defaults are the paper's (section III-B).

    Attributes:
        space: ``voxel`` (the paper's convolutions) or ``shape`` (a linear basis of signed distances).
        latent: length of z_0.
        code: length of z_c.
        beta: weight β of the KL term.
        residual: whether the LSTM moves the code away from z_c0 (see TemporalModule).
        modes: modes of the shape basis.
        hidden: width of the shape encoder and decoder.
        forget: chance that training hides a condition from the network, so that it learns to do without.
    """

    space: str = "voxel"
    latent: int = 32
    code: int = 32
    beta: float = 0.001
    residual: bool = False
    modes: int = 64
    hidden: int = 256
    forget: float = 0.0

    def __post_init__(self) -> None:
        if self.space not in ("voxel", "shape"):
            raise InputError(f"space {self.space!r} is neither voxel nor shape")
        if min(self.latent, self.code, self.modes, self.hidden) < 1:
            raise InputError("latent, code, modes and hidden must be at least 1")
        if not 0 <= self.forget < 1 or self.beta < 0:
            raise InputError(f"forget {self.forget:g} must be in [0, 1) and beta {self.beta:g} at least 0")


class Space(Protocol):
    """Where hearts live: an encoder, a decoder and the likelihood between them."""

    reads: str

    def encoder(self, first: Tensor, code: Tensor) -> tuple[Tensor, Tensor]: ...
    def decoder(self, codes: Tensor) -> Tensor: ...
    def first(self, batch: Any) -> Tensor: ...
    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Tensor: ...
    def reconstruction(self, prediction: Tensor, batch: Any) -> Tensor: ...
    def labels(self, codes: Tensor) -> NDArray[np.uint8]: ...


class CHeart(HeartModel):
    """The model of the paper. Build it with the cohort's setting; a shape space needs its basis."""

    name = "cheart"
    tasks = ("complete", "generate")

    def __init__(self, setting: Setting, options: CHeartOptions, basis: ShapeBasis | None = None) -> None:
        super().__init__(setting)
        self.options = options
        sizes = {"latent": options.latent, "conditions": options.code}
        self.space: Space
        if options.space == "voxel":
            self.space = VoxelSpace(setting, **sizes)
        else:
            if basis is None:
                raise ValueError("a shape space needs its basis")
            self.space = ShapeSpace(basis, hidden=options.hidden, **sizes)
        self.reads = self.space.reads
        self.conditions = ConditionNetwork(len(setting.encoding.columns), options.code)
        self.temporal = TemporalModule(options.latent + options.code, residual=options.residual)

    def posterior(self, first: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and log-variance of z_0 [B, latent] and z_c [B, code] from the encoder's input and c [B, E]."""
        code = self.conditions(conditions)
        mean, log_var = self.space.encoder(first, code)
        return mean, log_var, code

    def codes(self, latent: Tensor, code: Tensor) -> Tensor:
        """z_0 [B, latent] and z_c [B, code] to the codes of all frames [B, T, latent + code]."""
        return self.temporal(torch.cat([latent, code], dim=1), self.setting.frames)

    def losses(self, batch: Any, noise: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """Eq. 8, averaged over the batch."""
        conditions = self._forget(batch.conditions, noise)
        mean, log_var, code = self.posterior(self.space.first(batch), conditions)
        draw = torch.randn(mean.shape, generator=noise).to(mean.device)
        prediction = self.space.decoder(self.codes(sample_posterior(mean, log_var, draw), code))
        reconstruction = self.space.reconstruction(prediction, batch).mean()
        kl = kl_divergence(mean, log_var).mean()
        figures = {"reconstruction": float(reconstruction.detach()), "kl": float(kl.detach())}
        yield "all", reconstruction + self.options.beta * kl, figures

    def validation_loss(self, batch: Any) -> Tensor:
        """Eq. 8 of each subject [B], decoded from the posterior's mean."""
        mean, log_var, code = self.posterior(self.space.first(batch), batch.conditions)
        prediction = self.space.decoder(self.codes(mean, code))
        return self.space.reconstruction(prediction, batch) + self.options.beta * kl_divergence(mean, log_var)

    def latent_size(self) -> int:
        """Length of z_0."""
        return self.options.latent

    def _encode(self, first: NDArray[np.uint8], observed: NDArray[np.bool_], conditions: Tensor) -> Tensor:
        mean, _, _ = self.posterior(self.space.describe(first, observed), conditions)
        return mean

    def _decode(self, code: Tensor, conditions: Tensor) -> NDArray[np.uint8]:
        return self.space.labels(self.codes(code, self.conditions(conditions)))

    def _forget(self, conditions: Tensor, noise: torch.Generator) -> Tensor:
        """Tell the network of some conditions [B, E] that they are missing."""
        if self.options.forget == 0:
            return conditions
        columns = self.setting.encoding.columns
        forgotten = conditions.clone()
        for factor in self.setting.encoding.schema.names:
            hit = torch.rand(len(conditions), generator=noise) < self.options.forget
            for i, column in enumerate(columns):
                if column.split(":")[0] == factor:
                    forgotten[hit, i] = 1.0 if column == f"{factor}:missing" else 0.0
        return forgotten
