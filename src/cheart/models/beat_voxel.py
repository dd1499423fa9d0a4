"""Whole beats on voxels: the baselines see the frames of a sequence as channels of one volume."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from cheart.models.base import Setting
from cheart.models.latent import ConditionNetwork
from cheart.models.voxel import LABELS, VoxelBatch, VoxelEncoder, check_grid, masked_cross_entropy


def _channels(width: int) -> tuple[int, int, int, int]:
    return width, 2 * width, 4 * width, 8 * width


class BeatDecoder(nn.Module):
    """From a code to all frames at once: the paper's decoder, wider, with T · 4 output channels.

    The paper's 4 channels before the last layer would leave all 20 frames only 4 maps to be mixed from, so the
    number of channels is a setting. Normalised in groups of channels rather than over the batch: running statistics
    lag behind a generator that plays against a discriminator, and its hearts are then others in use than in training.
    """

    def __init__(self, shape: tuple[int, int, int], frames: int, code: int, *, width: int) -> None:
        super().__init__()
        self.inner, self.frames = check_grid(shape), frames
        channels = (*_channels(width)[::-1], frames * LABELS)
        self.top = channels[0]
        self.expand = nn.Linear(code, self.top * self.inner[0] * self.inner[1] * self.inner[2])
        self.convs = nn.ModuleList(
            nn.ConvTranspose3d(a, b, kernel_size=4, stride=2, padding=1) for a, b in pairwise(channels)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(max(1, c // 8), c) for c in channels[1:-1])

    def forward(self, code: Tensor) -> Tensor:
        """Codes [B, size] to label logits [B, T, 4, Z, Y, X]."""
        x = self.expand(code).unflatten(1, (self.top, *self.inner))
        for conv, norm in zip(self.convs[:-1], self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return self.convs[-1](x).unflatten(1, (self.frames, LABELS))


class BeatCritic(nn.Module):
    """From a beat to features and a few numbers: a discriminator, or the condition regressor of a CVAE-GAN.

    Without batch statistics (they tie real and made hearts of a batch together) and spectrally normalised (Miyato et
    al. 2018), so that the discriminator's slope, and with it the generator's gradient, stays bounded.

    Args:
        shape: of the grid, (Z, Y, X).
        frames: T.
        out: how many numbers.
        conditions: columns of the encoded conditions that it is told, 0 for none; they enter by projection (Miyato
            and Koyama 2018): an inner product of their embedding with the features.
        width: channels of the first layer.
    """

    FEATURES = 64

    def __init__(self, shape: tuple[int, int, int], frames: int, *, out: int, width: int, conditions: int = 0) -> None:
        super().__init__()
        z, y, x = check_grid(shape)
        channels = (frames * LABELS, *_channels(width))
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv3d(a, b, kernel_size=4, stride=2, padding=1)) for a, b in pairwise(channels)
        )
        self.features = spectral_norm(nn.Linear(channels[-1] * z * y * x, self.FEATURES))
        self.last = spectral_norm(nn.Linear(self.FEATURES, out))
        self.told = ConditionNetwork(conditions, self.FEATURES) if conditions else None

    def forward(self, beat: Tensor, conditions: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Beats [B, T, 4, Z, Y, X] of label probabilities to numbers [B, out] and features [B, FEATURES]."""
        # per root mean square, so that the slope's bound holds for a share of the voxels, on every grid alike
        x = beat.flatten(1, 2) / beat[0, :, 0].numel() ** 0.5
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.2)
        features = F.leaky_relu(self.features(x.flatten(1)), 0.2)
        numbers = self.last(features)
        if self.told is not None and conditions is not None:
            numbers = numbers + (self.told(conditions) * features).mean(dim=1, keepdim=True)
        return numbers, features


def one_hot(batch: VoxelBatch) -> Tensor:
    """Label probabilities [B, T, 4, Z, Y, X] of real beats, nothing on planes that were not observed."""
    levels = torch.arange(LABELS, dtype=torch.uint8, device=batch.labels.device)
    real = (batch.labels[:, :, None] == levels[:, None, None, None]).to(batch.conditions.dtype)
    return seen(real, batch)


def seen(beat: Tensor, batch: VoxelBatch) -> Tensor:
    """A beat [B, T, 4, Z, Y, X] with nothing on the planes that were not observed of the real one."""
    return beat * batch.observed[:, :, None, :, None, None]


class VoxelBeats(nn.Module):
    """Beats as label maps: convolutions from and to them, cross-entropy between them.

    Args:
        setting: grid and frames.
        width: channels of the decoder's last hidden layer and of a critic's first.
    """

    reads = "voxels"
    straight = False

    def __init__(self, setting: Setting, *, width: int) -> None:
        super().__init__()
        self.shape, self.frames, self.width = setting.grid.shape, setting.frames, width
        self.voxel_ml = math.prod(setting.grid.spacing) / 1000

    def make_encoder(self, latent: int, conditions: int) -> VoxelEncoder:
        """The paper's encoder of one frame, conditions as constant channels."""
        return VoxelEncoder(self.shape, latent, conditions)

    def make_decoder(self, code: int) -> BeatDecoder:
        """To label logits [B, T, 4, Z, Y, X]."""
        return BeatDecoder(self.shape, self.frames, code, width=self.width)

    def make_critic(self, *, out: int, conditions: int = 0) -> BeatCritic:
        """Of label probabilities [B, T, 4, Z, Y, X]."""
        return BeatCritic(self.shape, self.frames, out=out, width=self.width, conditions=conditions)

    def first(self, batch: VoxelBatch) -> Tensor:
        """End-diastole [B, Z, Y, X]."""
        return batch.labels[:, 0]

    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Tensor:
        """End-diastole [1, Z, Y, X]; unobserved planes count as they stand."""
        return torch.from_numpy(first)[None]

    def reconstruction(self, prediction: Tensor, batch: VoxelBatch) -> Tensor:
        """Cross-entropy over the observed planes, [B]."""
        return masked_cross_entropy(prediction, batch.labels, batch.observed)

    def real(self, batch: VoxelBatch) -> Tensor:
        """Label probabilities [B, T, 4, Z, Y, X] of real beats."""
        return one_hot(batch)

    def made(self, prediction: Tensor, batch: VoxelBatch) -> Tensor:
        """Label probabilities [B, T, 4, Z, Y, X] of predicted beats."""
        return seen(prediction.softmax(dim=2), batch)

    def told(self, beat: Tensor) -> Tensor:
        """Volumes in mL of the three structures in all frames, [B, T·3], per root mean square."""
        volumes = beat[:, :, 1:].sum(dim=(3, 4, 5)).flatten(1) * self.voxel_ml
        return volumes / volumes.shape[1] ** 0.5

    def labels(self, prediction: Tensor) -> NDArray[np.uint8]:
        """The most probable labels [T, Z, Y, X] of one beat."""
        return prediction[0].argmax(dim=1).to(torch.uint8).cpu().numpy()
