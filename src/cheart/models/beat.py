"""The baselines' space: what a whole beat is to them, label maps on voxels or coefficients of a shape basis."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from cheart.errors import InputError
from cheart.models.base import Setting
from cheart.models.beat_shape import ShapeBeats
from cheart.models.beat_voxel import VoxelBeats
from cheart.models.shape import ShapeBasis


class BeatSpace(Protocol):
    """Where whole beats live: the networks from and to them, and what stands between a made beat and a real one.

    A *prediction* is what a decoder says of all frames (label logits, or whitened coefficients); a *beat* is what a
    critic is shown of a real or a made heart, with nothing where the real one was not observed.

    Attributes:
        reads: which data training takes (see :mod:`cheart.training.data`).
        straight: whether networks have a linear map beside what they learn.
    """

    reads: str
    straight: bool

    def make_encoder(self, latent: int, conditions: int) -> nn.Module:
        """From the first frame and the conditions' embedding [B, C] to mean and log-variance, each [B, latent]."""
        ...

    def make_decoder(self, code: int) -> nn.Module:
        """From codes [B, size] to predictions."""
        ...

    def make_critic(self, *, out: int, conditions: int = 0) -> nn.Module:
        """From beats, and perhaps encoded conditions [B, E], to numbers [B, out] and features [B, F]."""
        ...

    def first(self, batch: Any) -> Tensor:
        """The encoder's input."""
        ...

    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Tensor:
        """The encoder's input for one heart's end-diastole [Z, Y, X]."""
        ...

    def reconstruction(self, prediction: Tensor, batch: Any) -> Tensor:
        """−log p(x | prediction) over what was observed, [B]."""
        ...

    def real(self, batch: Any) -> Tensor:
        """Real beats."""
        ...

    def made(self, prediction: Tensor, batch: Any) -> Tensor:
        """Predicted beats, seen as the real ones of the batch were."""
        ...

    def told(self, beat: Tensor) -> Tensor:
        """Numbers [B, M] in one unit by which beats are compared as outcomes of a random draw."""
        ...

    def labels(self, prediction: Tensor) -> NDArray[np.uint8]:
        """The label maps [T, Z, Y, X] of one predicted beat."""
        ...


def beat_space(setting: Setting, options: Any, basis: ShapeBasis | None) -> VoxelBeats | ShapeBeats:
    """The space that a model's options ask for; a shape space needs its basis."""
    if options.space == "voxel":
        return VoxelBeats(setting, width=options.width)
    if basis is None:
        raise ValueError("a shape space needs its basis")
    return ShapeBeats(basis, frames=setting.frames, hidden=options.hidden)


def shape_presets(**changes: Any) -> dict[str, dict[str, Any]]:
    """Presets of a baseline: ``quick`` and ``laptop`` on a shape basis; docs/evaluation.md says how they were chosen.

    Args:
        changes: to what the baselines have in common.
    """
    sizes = {"quick": (64, 32), "laptop": (96, 64)}
    return {
        preset: {"space": "shape", "modes": modes, "latent": modes, "hidden": hidden, "rate": 3e-5, "patience": 20}
        | changes
        for preset, (modes, hidden) in sizes.items()
    }


def check_space(options: Any) -> None:
    """Refuse a space that there is not, and sizes below 1.

    Raises:
        InputError: it names the spaces.
    """
    if options.space not in ("voxel", "shape"):
        raise InputError(f"space {options.space!r} is neither voxel nor shape")
    if min(options.latent, options.code, options.width, options.modes, options.hidden) < 1:
        raise InputError("latent, code, width, modes and hidden must be at least 1")


def softplus_losses(real: Tensor, *made: Tensor) -> Tensor:
    """The discriminator's logistic loss from its numbers [B, 1] for real beats and for made ones (Goodfellow 2014)."""
    fake = torch.stack([F.softplus(m).mean() for m in made]).mean()
    return F.softplus(-real).mean() + fake


def slope_penalty(verdict: Tensor, beat: Tensor) -> Tensor:
    """½ ‖∂D/∂x‖² at real beats, the mean over the batch (R1 of Mescheder et al. 2018).

    Without it the game goes in circles: the generator runs from kind to kind of heart, the discriminator after it.

    Args:
        verdict: D's numbers [B, 1] for
        beat: real beats, which must require a gradient.
    """
    (slope,) = torch.autograd.grad(verdict.sum(), beat, create_graph=True)
    return 0.5 * slope.flatten(1).square().sum(dim=1).mean()
