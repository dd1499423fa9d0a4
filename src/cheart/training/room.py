"""Room in a trained CHeart for shapes that its basis lacks, without changing what it does with those that it has."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from cheart.models.cheart import CHeart, CHeartOptions
from cheart.models.shape import ShapeBasis
from cheart.models.store import basis_of

_AXES: dict[str, tuple[str, ...]] = {
    "space.encoder.linear.weight": ("latent", "seen"),
    "space.encoder.linear.bias": ("latent",),
    "space.encoder.correction.0.weight": ("", "seen"),
    "space.encoder.correction.2.weight": ("posterior", ""),
    "space.encoder.correction.2.bias": ("posterior",),
    "space.decoder.linear.weight": ("modes", "code"),
    "space.decoder.linear.bias": ("modes",),
    "space.decoder.correction.0.weight": ("", "code"),
    "space.decoder.correction.4.weight": ("modes", ""),
    "space.decoder.correction.4.bias": ("modes",),
    "temporal.linear.weight": ("motion", "start"),
    "temporal.linear.bias": ("motion",),
    "temporal.correction.0.weight": ("", "start"),
    "temporal.correction.2.weight": ("motion", ""),
    "temporal.correction.2.bias": ("motion",),
    "temporal.loose": ("", "motion"),
    "prior.mean.weight": ("latent", ""),
    "prior.mean.bias": ("latent",),
    "prior.factor": ("latent", "latent"),
}
"""What the rows and columns of each weight stand for, where more modes change their number."""


def make_room(network: CHeart, options: CHeartOptions, basis: ShapeBasis) -> tuple[CHeartOptions, dict[str, Tensor]]:
    """The options and weights of the same network on a basis with further modes behind its own.

    z_0 gains one number for each new mode: its whitened coefficient, encoded and decoded as it is. Until training
    goes on, the other numbers, and so all that was learned, stay as they were.

    Args:
        network: on a shape basis, with harmonic motion.
        options: its options.
        basis: with more modes, the old ones first.
    """
    was = network.options
    before = basis_of(network)
    assert before is not None
    more = basis.size - before.size
    places = _places(was.latent, was.code, network.room, more, before.size, was.harmonics)
    weights = {
        name: _spread(tensor, [places.get(axis) for axis in _AXES.get(name, ())])
        for name, tensor in network.state_dict().items()
    }
    latent = torch.arange(was.latent, was.latent + more)
    modes = torch.arange(basis.size - more, basis.size)
    weights["space.encoder.linear.weight"][latent, modes] = 1.0
    weights["space.decoder.linear.weight"][modes, latent] = 1.0
    return replace(options, latent=was.latent + more, modes=basis.size), weights


def _places(latent: int, code: int, room: int, more: int, modes: int, harmonics: int) -> dict[str, tuple[Tensor, int]]:
    """For each kind of axis, where its old entries go, and its new length."""
    behind = torch.arange(code + room) + latent + more
    in_code = torch.cat([torch.arange(latent), behind])
    size = latent + more + code + room
    return {
        "latent": (torch.arange(latent), latent + more),
        "modes": (torch.arange(modes), modes + more),
        "seen": (torch.cat([torch.arange(modes), torch.arange(code) + modes + more]), modes + more + code),
        "posterior": (torch.cat([torch.arange(latent), torch.arange(latent) + latent + more]), 2 * (latent + more)),
        "code": (in_code, size),
        "start": (in_code[: latent + code], latent + more + code),
        "motion": ((torch.arange(2 * harmonics)[:, None] * size + in_code).flatten(), 2 * harmonics * size),
    }


def _spread(tensor: Tensor, places: list[tuple[Tensor, int] | None]) -> Tensor:
    """A tensor with its entries at their new places along each axis, and zeros between."""
    for axis, known in enumerate(places):
        if known is None:
            continue
        place, length = known
        shape = list(tensor.shape)
        shape[axis] = length
        tensor = torch.zeros(shape, dtype=tensor.dtype).index_copy(axis, place, tensor)
    return tensor
