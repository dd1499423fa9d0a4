"""What the baselines have in common: options, presets and losses of a game between two networks."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cheart.errors import InputError
from cheart.models.representation import check_network_representation

PLAYED: dict[str, Any] = {"rate": 3e-4, "schedule": "constant", "warmup": 0}
"""Of a game on voxels: players who never rest, whose moving average is the model."""


def presets_of(*, voxel: dict[str, Any], **changes: Any) -> dict[str, dict[str, Any]]:
    """Presets of a baseline: ``quick`` and ``laptop`` on a shape basis; docs/evaluation.md says how they were chosen.

    ``paper`` is on voxels, and makes those that hearts are in; ``voxel`` is what else it sets. ``changes`` are to what
    they have in common on a basis.
    """
    common = {"representation": "shape", "rate": 3e-5, "patience": 20, **changes}
    sizes = {"quick": (64, 32), "laptop": (96, 64)}
    on_shapes = {name: {**common, "modes": k, "latent": k, "hidden": hidden} for name, (k, hidden) in sizes.items()}
    return {**on_shapes, "paper": {"box": True, **voxel}}


def check_sizes(options: Any) -> None:
    """Refuse a representation that there is not, and sizes below 1.

    Raises:
        InputError: it names the representations.
    """
    check_network_representation(options.representation)
    if min(options.latent, options.embedding, options.width, options.modes, options.hidden) < 1:
        raise InputError("latent, embedding, width, modes and hidden must be at least 1")


def softplus_losses(real: Float[Tensor, "B 1"], *made: Float[Tensor, "B 1"]) -> Float[Tensor, ""]:
    """The discriminator's logistic loss from its numbers for real beats and for made ones (Goodfellow 2014)."""
    fake = torch.stack([F.softplus(m).mean() for m in made]).mean()
    return F.softplus(-real).mean() + fake


def slope_penalty(verdict: Float[Tensor, "B 1"], beat: Float[Tensor, "B t ..."], unit: float) -> Float[Tensor, ""]:
    """½ ‖∂D/∂x‖² at real beats, in ``unit`` of theirs, the mean over the batch (R1 of Mescheder et al. 2018).

    Without it the game goes in circles: the generator runs from kind to kind of heart, the discriminator after it. The
    beats must require a gradient.
    """
    (slope,) = torch.autograd.grad(verdict.sum(), beat, create_graph=True)
    return 0.5 * unit**2 * slope.flatten(1).square().sum(dim=1).mean()
