"""Whole beats on a shape basis: to the baselines a beat is the whitened coefficients [T, K] of all its frames."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from cheart.models.latent import ConditionNetwork
from cheart.models.shape import ShapeBasis
from cheart.models.shape_network import ShapeBatch, ShapeDecoder, ShapeEncoder, half_distance


class CoefficientCritic(nn.Module):
    """From a beat's coefficients to features and a few numbers: a discriminator, or a CVAE-GAN's condition regressor.

    An MLP, spectrally normalised as :class:`cheart.models.beat_voxel.BeatCritic` is, with conditions by projection.

    Args:
        size: coefficients of a beat, T·K.
        out: how many numbers.
        conditions: columns of the encoded conditions that it is told, 0 for none.
        hidden: width.
    """

    FEATURES = 64

    def __init__(self, size: int, *, out: int, hidden: int, conditions: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(nn.Linear(a, b)) for a, b in ((size, hidden), (hidden, hidden), (hidden, self.FEATURES))
        )
        self.last = spectral_norm(nn.Linear(self.FEATURES, out))
        self.told = ConditionNetwork(conditions, self.FEATURES) if conditions else None

    def forward(self, beat: Tensor, conditions: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Beats [B, T, K] of whitened coefficients to numbers [B, out] and features [B, FEATURES]."""
        # per root of the frames: two whitened beats of one mode each then differ by a few units, whatever T
        x = beat.flatten(1) / beat.shape[1] ** 0.5
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        numbers = self.last(x)
        if self.told is not None and conditions is not None:
            numbers = numbers + (self.told(conditions) * x).mean(dim=1, keepdim=True)
        return numbers, x


class CoefficientDecoder(ShapeDecoder):
    """From a code to the whitened coefficients of all frames at once: a linear map and an MLP."""

    def __init__(self, code: int, frames: int, modes: int, *, hidden: int) -> None:
        super().__init__(code, frames * modes, hidden=hidden)
        self.frames = frames

    def forward(self, code: Tensor) -> Tensor:
        """Codes [B, size] to whitened coefficients [B, T, K]."""
        return super().forward(code).unflatten(1, (self.frames, -1))


class ShapeBeats(nn.Module):
    """Beats as coefficients: MLPs from and to them, squared distance in mm² on observed planes between them.

    A critic sees coefficients only. A frame of which some planes were observed enters as its most probable
    coefficients given those planes, a made one as what it would be taken for on the same planes; frames that were
    not observed are nothing, of real and of made beats alike.

    Args:
        basis: of frames.
        frames: T.
        hidden: width of all MLPs.
    """

    reads = "shape"
    straight = True

    def __init__(self, basis: ShapeBasis, *, frames: int, hidden: int) -> None:
        super().__init__()
        self.basis, self.frames, self.hidden, self.voxels = basis, frames, hidden, basis.mean.size
        sd = torch.from_numpy(basis.sd.copy())
        self.register_buffer("sd", sd, persistent=False)
        self.register_buffer("precision", torch.diag(basis.noise / sd.square()), persistent=False)
        self.sd: Tensor
        self.precision: Tensor

    def make_encoder(self, latent: int, conditions: int) -> ShapeEncoder:
        """Of end-diastole's coefficients, as CHeart has it."""
        return ShapeEncoder(self.basis.size, latent, conditions, hidden=self.hidden)

    def make_decoder(self, code: int) -> CoefficientDecoder:
        """To whitened coefficients [B, T, K]."""
        return CoefficientDecoder(code, self.frames, self.basis.size, hidden=self.hidden)

    def make_critic(self, *, out: int, conditions: int = 0) -> CoefficientCritic:
        """Of whitened coefficients [B, T, K]."""
        return CoefficientCritic(self.frames * self.basis.size, out=out, hidden=self.hidden, conditions=conditions)

    def first(self, batch: ShapeBatch) -> Tensor:
        """Whitened coefficients of end-diastole [B, K]."""
        return batch.first / self.sd

    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Tensor:
        """Whitened coefficients of end-diastole [1, K]."""
        return torch.from_numpy(self.basis.describe(first, observed))[None].to(self.sd.device) / self.sd

    def reconstruction(self, prediction: Tensor, batch: ShapeBatch) -> Tensor:
        """Half the mean squared distance in mm² over a frame's voxels, [B]: T times its mean over observed frames."""
        return half_distance(prediction * self.sd, batch, self.voxels)

    def real(self, batch: ShapeBatch) -> Tensor:
        """Whitened coefficients [B, T, K] of real beats."""
        return self._seen(batch.linear, batch)

    def made(self, prediction: Tensor, batch: ShapeBatch) -> Tensor:
        """Whitened coefficients [B, T, K] of predicted beats."""
        mm = prediction * self.sd
        return self._seen(mm if batch.gram is None else torch.einsum("btkl,btl->btk", batch.gram, mm), batch)

    def told(self, beat: Tensor) -> Tensor:
        """Coefficients in mm, [B, T·K], per root mean square over frames and voxels."""
        return (beat * self.sd).flatten(1) / (self.frames * self.voxels) ** 0.5

    def labels(self, prediction: Tensor) -> NDArray[np.uint8]:
        """The label maps [T, Z, Y, X] of one beat."""
        coefficients = (prediction[0] * self.sd).cpu().numpy()
        return self.basis.labels(coefficients)

    def _seen(self, linear: Tensor, batch: ShapeBatch) -> Tensor:
        """Whitened most probable coefficients [B, T, K] of the linear terms of normal forms, observed frames only."""
        if batch.gram is not None:
            linear = torch.linalg.solve(batch.gram + self.precision, linear)
        return linear / self.sd * batch.weight[..., None]
