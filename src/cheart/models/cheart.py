"""CHeart: a conditional variational autoencoder of end-diastole with an LSTM over the cycle (Qiao et al. 2023).

    z_c        = condition network (c)                       ConditionNetwork
    z_0        ~ q(z_0 | x_0, z_c), trained towards p(z_0)    the space's encoder, StandardPrior
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
from torch import Tensor, nn

from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.latent import (
    ConditionNetwork,
    HarmonicModule,
    LearnedPrior,
    StandardPrior,
    TemporalModule,
    sample_posterior,
)
from cheart.models.registry import register
from cheart.models.shape import ShapeBasis
from cheart.models.shape_network import ShapeSpace
from cheart.models.share import normal, uniform
from cheart.models.voxel import VoxelSpace


@dataclass(frozen=True)
class CHeartOptions:
    """What can be set of the network; the defaults are the paper's (section III-B).

    Attributes:
        space: ``voxel`` (the paper's convolutions) or ``shape`` (a linear basis of signed distances).
        latent: length of z_0.
        code: length of z_c.
        beta: weight β of the KL term.
        motion: ``lstm`` (the paper's temporal module) or ``harmonic`` (a periodic trajectory).
        harmonics: multiples of the heart rate in a harmonic motion.
        loose: numbers by which a generated heart's harmonic motion is free of its end-diastole.
        prior: ``standard`` (the paper's N(0, 1)) or ``learned`` (a Gaussian that follows the conditions).
        modes: modes of the shape basis.
        hidden: width of the shape encoder and decoder.
        forget: chance that training hides a condition from the network, so that it learns to do without.
    """

    space: str = "voxel"
    latent: int = 32
    code: int = 32
    beta: float = 0.001
    motion: str = "lstm"
    harmonics: int = 6
    loose: int = 24
    prior: str = "standard"
    modes: int = 64
    hidden: int = 256
    forget: float = 0.0

    def __post_init__(self) -> None:
        if self.space not in ("voxel", "shape"):
            raise InputError(f"space {self.space!r} is neither voxel nor shape")
        if self.motion not in ("lstm", "harmonic"):
            raise InputError(f"motion {self.motion!r} is neither lstm nor harmonic")
        if self.prior not in ("standard", "learned"):
            raise InputError(f"prior {self.prior!r} is neither standard nor learned")
        if min(self.latent, self.code, self.modes, self.hidden, self.harmonics) < 1:
            raise InputError("latent, code, modes, hidden and harmonics must be at least 1")
        if not 0 <= self.forget < 1 or self.beta < 0:
            raise InputError(f"forget {self.forget:g} must be in [0, 1) and beta {self.beta:g} at least 0")


class Space(Protocol):
    """Where hearts live: an encoder, and the likelihood of what is decoded from codes."""

    reads: str

    def encoder(self, first: Tensor, code: Tensor) -> tuple[Tensor, Tensor]: ...
    def first(self, batch: Any) -> Tensor: ...
    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Tensor: ...
    def reconstruction(self, codes: Tensor, batch: Any) -> Tensor: ...
    def mean_reconstruction(self, codes: Tensor, batch: Any) -> Tensor: ...
    def labels(self, codes: Tensor) -> NDArray[np.uint8]: ...


_SHAPE = {
    "space": "shape", "motion": "harmonic", "prior": "learned", "beta": 0.003, "forget": 0.1, "harmonics": 9,
    "rate": 3e-5,
}  # fmt: skip


@register("cheart")
class CHeart(HeartModel):
    """The model of the paper. Build it with the cohort's setting; a shape space needs its basis."""

    tasks = ("complete", "generate")
    Options = CHeartOptions
    presets = {
        "quick": {**_SHAPE, "modes": 64, "latent": 64, "hidden": 32},
        "laptop": {**_SHAPE, "modes": 96, "latent": 96, "hidden": 64},
    }
    latent_per_frame = True
    style = Style("CHeart", "#00876c", "-", "o")
    seconds_per_heart = {"train": 0.1, "complete": 0.4, "generate": 0.4}

    def __init__(self, setting: Setting, options: CHeartOptions, basis: ShapeBasis | None = None) -> None:
        super().__init__(setting)
        self.options = options
        harmonic = options.motion == "harmonic"
        # with a shape basis, a harmonic motion may lead along modes that no end-diastole has
        self.room = max(0, basis.size - options.latent) if basis is not None and harmonic else 0
        sizes = {"latent": options.latent, "conditions": options.code}
        self.space: Space
        if options.space == "voxel":
            self.space = VoxelSpace(setting, **sizes)
        else:
            if basis is None:
                raise ValueError("a shape space needs its basis")
            self.space = ShapeSpace(basis, hidden=options.hidden, room=self.room, **sizes)
        self.reads = self.space.reads
        self.conditions = ConditionNetwork(len(setting.encoding.columns), options.code, straight=harmonic)
        size = options.latent + options.code
        self.temporal: TemporalModule | HarmonicModule = TemporalModule(size)
        if harmonic:
            self.temporal = HarmonicModule(
                size, room=self.room, harmonics=options.harmonics, hidden=options.hidden, loose=options.loose
            )
        self.prior: StandardPrior | LearnedPrior = StandardPrior()
        if options.prior == "learned":
            self.prior = LearnedPrior(options.latent, options.code)

    def posterior(self, first: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and log-variance of z_0 [B, latent] and z_c [B, code] from the encoder's input and c [B, E]."""
        code = self.conditions(conditions)
        mean, log_var = self.space.encoder(first, code)
        return mean, log_var, code

    def codes(self, latent: Tensor, code: Tensor, free: Tensor | None = None) -> Tensor:
        """z_0 [B, latent], z_c [B, code] and perhaps ε [B, loose] to the codes of all frames [B, T, size]."""
        start = torch.cat([latent, code], dim=1)
        if isinstance(self.temporal, HarmonicModule):
            return self.temporal(start, self.setting.frames, free)
        return self.temporal(start, self.setting.frames)

    def losses(self, batch: Any, noise: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """Eq. 8, averaged over the batch."""
        conditions = self._forget(batch.conditions, noise)
        mean, log_var, code = self.posterior(self.space.first(batch), conditions)
        draw = normal(*mean.shape, noise=noise).to(mean.device)
        codes = self.codes(sample_posterior(mean, log_var, draw), code)
        reconstruction = self.space.mean_reconstruction(codes, batch)
        kl = self.prior.divergence(mean, log_var, code).mean()
        figures = {"reconstruction": float(reconstruction.detach()), "kl": float(kl.detach())}
        yield "all", reconstruction + self.options.beta * kl, figures

    def validation_loss(self, batch: Any) -> Tensor:
        """Eq. 8 of each subject [B], decoded from the posterior's mean."""
        mean, log_var, code = self.posterior(self.space.first(batch), batch.conditions)
        divergence = self.prior.divergence(mean, log_var, code)
        return self.space.reconstruction(self.codes(mean, code), batch) + self.options.beta * divergence

    def compile_decoder(self) -> None:
        """See :class:`HeartModel`."""
        if isinstance(self.space, VoxelSpace):
            self.space.compile_decoder()

    def latent_size(self) -> int:
        """Length of z_0, and of ε where the motion is harmonic."""
        return self.options.latent + (self.options.loose if self.options.motion == "harmonic" else 0)

    def _encode(self, first: NDArray[np.uint8], observed: NDArray[np.bool_], conditions: Tensor) -> Tensor:
        mean, _, code = self.posterior(self.space.describe(first, observed), conditions)
        standard = self.prior.standardise(mean, code)
        return nn.functional.pad(standard, (0, self.latent_size() - standard.shape[1]))

    @torch.no_grad()
    def trajectory(self, code: Tensor, conditions: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :class:`HeartModel`."""
        codes = self._trajectory(code, torch.from_numpy(conditions)[None].to(self.device))
        return codes[0].cpu().numpy()

    def _decode(self, code: Tensor, conditions: Tensor) -> NDArray[np.uint8]:
        return self.space.labels(self._trajectory(code, conditions))

    def _trajectory(self, code: Tensor, conditions: Tensor) -> Tensor:
        standard, free = code[:, : self.options.latent], code[:, self.options.latent :]
        known = self.conditions(conditions)
        return self.codes(self.prior.place(standard, known), known, free)

    def _forget(self, conditions: Tensor, noise: torch.Generator) -> Tensor:
        """Tell the network of some conditions [B, E] that they are missing."""
        if self.options.forget == 0:
            return conditions
        columns = self.setting.encoding.columns
        forgotten = conditions.clone()
        for factor in self.setting.encoding.schema.names:
            hit = uniform(len(conditions), noise=noise) < self.options.forget
            for i, column in enumerate(columns):
                if column.split(":")[0] == factor:
                    forgotten[hit, i] = 1.0 if column == f"{factor}:missing" else 0.0
        return forgotten
