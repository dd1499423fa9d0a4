"""CHeart's encoder and decoder on a shape basis: coefficients of modes in place of voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cheart.models.shape import ShapeBasis


class ShapeEncoder(nn.Module):
    """q(z_0 | x_0, z_c) from the whitened coefficients of end-diastole.

    A linear map with a learned correction: what is nearly linear starts out right, the rest is learned.
    """

    def __init__(self, modes: int, latent: int, conditions: int, *, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(modes + conditions, latent)
        self.correction = nn.Sequential(nn.Linear(modes + conditions, hidden), nn.SiLU(), nn.Linear(hidden, 2 * latent))
        nn.init.zeros_(self.correction[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.correction[2].bias)  # type: ignore[arg-type]
        self.latent = latent

    def forward(self, coefficients: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """Whitened coefficients [B, K] and z_c [B, C] to mean and log-variance of z_0, each [B, latent]."""
        x = torch.cat([coefficients, code], dim=1)
        mean, log_var = self.correction(x).chunk(2, dim=1)
        return self.linear(x) + mean, log_var - 2.0


class ShapeDecoder(nn.Module):
    """p(x_t | z_t, z_c): from a code to the whitened coefficients of the frame; the same weights for all frames."""

    def __init__(self, code: int, modes: int, *, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(code, modes)
        self.correction = nn.Sequential(
            nn.Linear(code, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, modes)
        )
        nn.init.zeros_(self.correction[4].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.correction[4].bias)  # type: ignore[arg-type]

    def forward(self, codes: Tensor) -> Tensor:
        """Codes [B, T, size] to whitened coefficients [B, T, K]."""
        return self.linear(codes) + self.correction(codes)


@dataclass(frozen=True)
class ShapeBatch:
    """What the shape basis makes of a few subjects (see :class:`cheart.models.shape.NormalForm`).

    Attributes:
        first: coefficients of end-diastole as the encoder is given it, in mm (not whitened), [B, K].
        gram: [B, T, K, K], or None where every frame is observed whole (the identity).
        linear: [B, T, K].
        constant: [B, T].
        weight: [B, T], 1 for frames of which anything was observed.
        conditions: [B, E] float32, encoded.
    """

    first: Tensor
    gram: Tensor | None
    linear: Tensor
    constant: Tensor
    weight: Tensor
    conditions: Tensor


def squared_distance(a: Tensor, batch: ShapeBatch) -> Tensor:
    """Squared distance in mm² of each frame's observed fields from those of coefficients [B, T, K], [B, T]."""
    quadratic = a.square().sum(-1) if batch.gram is None else torch.einsum("btk,btkl,btl->bt", a, batch.gram, a)
    return quadratic - 2 * (batch.linear * a).sum(-1) + batch.constant


def half_distance(a: Tensor, batch: ShapeBatch, voxels: int) -> Tensor:
    """Half the mean squared distance in mm² over a frame's voxels, [B]: T times its mean over observed frames."""
    mean = (squared_distance(a, batch) * batch.weight).sum(1) / batch.weight.sum(1)
    return a.shape[1] * mean / (2 * voxels)


class ShapeSpace(nn.Module):
    """CHeart on a shape basis: Gaussian likelihood of the observed planes' signed distances.

    The masked squared distance between observed fields and predicted ones is exactly a quadratic form in the
    predicted coefficients, computed once a frame, so a training step never touches a voxel.
    """

    reads = "shape"

    def __init__(self, basis: ShapeBasis, *, latent: int, conditions: int, hidden: int, room: int) -> None:
        super().__init__()
        self.basis = basis
        self.encoder = ShapeEncoder(basis.size, latent, conditions, hidden=hidden)
        self.decoder = ShapeDecoder(latent + conditions + room, basis.size, hidden=hidden)
        self.register_buffer("sd", torch.from_numpy(basis.sd.copy()), persistent=False)
        self.sd: Tensor
        self.voxels = basis.mean.size

    def first(self, batch: ShapeBatch) -> Tensor:
        """The encoder's input: whitened coefficients of end-diastole [B, K]."""
        return batch.first / self.sd

    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Tensor:
        """The encoder's input for one heart's end-diastole [Z, Y, X]."""
        return torch.from_numpy(self.basis.describe(first, observed))[None].to(self.sd.device) / self.sd

    def reconstruction(self, codes: Tensor, batch: ShapeBatch) -> Tensor:
        """Half the mean squared distance in mm² over a frame's voxels, [B]: T times its mean over observed frames."""
        return half_distance(self.decoder(codes) * self.sd, batch, self.voxels)

    def mean_reconstruction(self, codes: Tensor, batch: ShapeBatch) -> Tensor:
        """The mean of :meth:`reconstruction` over the batch."""
        return self.reconstruction(codes, batch).mean()

    def labels(self, codes: Tensor) -> NDArray[np.uint8]:
        """Codes of one heart [1, T, size] to label maps [T, Z, Y, X]."""
        coefficients = (self.decoder(codes)[0] * self.sd).cpu().numpy()
        return self.basis.labels(coefficients)
