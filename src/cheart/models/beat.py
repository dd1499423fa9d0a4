"""Convolutions for whole beats: the baselines see the frames of a sequence as channels of one volume."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from cheart.models.latent import ConditionNetwork
from cheart.models.voxel import LABELS, VoxelBatch, check_grid


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
    real = (batch.labels[:, :, None] == levels[:, None, None, None]).float()
    return seen(real, batch)


def seen(beat: Tensor, batch: VoxelBatch) -> Tensor:
    """A beat [B, T, 4, Z, Y, X] with nothing on the planes that were not observed of the real one."""
    return beat * batch.observed[:, :, None, :, None, None]


def softplus_losses(real: Tensor, *made: Tensor) -> Tensor:
    """The discriminator's logistic loss from its numbers [B, 1] for real beats and for made ones (Goodfellow 2014)."""
    fake = torch.stack([F.softplus(m).mean() for m in made]).mean()
    return F.softplus(-real).mean() + fake
