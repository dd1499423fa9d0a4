"""Networks on the voxel grid: strided 3D convolutions from and to label maps (section III-B).

CHeart decodes frame by frame with one set of weights; the baselines see the frames of a beat as channels of one volume.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from cheart.errors import InputError
from cheart.models.blocks import BLOCK, BlockConvTranspose3d, Box, from_blocks, put_blocks
from cheart.models.latent import ConditionNetwork
from cheart.models.layers import FrameBatchNorm, LabelConv3d, SampleNorm, normalisation

LABELS = 4
CHANNELS = (4, 8, 16, 32)
"""Channels of the released encoder; the decoder mirrors them."""

REDUCTION = 2 ** len(CHANNELS)
"""How many times smaller each side of the innermost volume is."""

OUTSIDE = -30.0
"""The logit of a structure outside of the box in which hearts are made; background's is 0."""

Shape = tuple[int, int, int]


def check_grid(shape: Shape) -> Shape:
    """The size of the innermost volume for a grid [Z, Y, X].

    Raises:
        InputError: a side that four halvings do not divide.
    """
    if any(n % REDUCTION or n < 2 * REDUCTION for n in shape):
        raise InputError(
            f"a grid of {shape} voxels (Z, Y, X): the paper's network halves each side four times, so each must be a "
            f"multiple of {REDUCTION} and at least {2 * REDUCTION}; choose another --grid or --preset laptop"
        )
    z, y, x = (n // REDUCTION for n in shape)
    return z, y, x


class VoxelEncoder(nn.Module):
    """q(z_0 | x_0, z_c): four Conv3d (kernel 4, stride 2), flatten, linear to mean and log-variance."""

    def __init__(self, shape: Shape, latent: int, embedding: int) -> None:
        super().__init__()
        inner = check_grid(shape)
        self.first = LabelConv3d(LABELS, embedding, CHANNELS[0])
        self.rest = nn.ModuleList(nn.Conv3d(a, b, kernel_size=4, stride=2, padding=1) for a, b in pairwise(CHANNELS))
        self.norms = nn.ModuleList(FrameBatchNorm(c, 1) for c in CHANNELS)
        self.bottleneck = nn.Linear(CHANNELS[-1] * inner[0] * inner[1] * inner[2], 2 * latent)

    def forward(
        self, labels: UInt8[Tensor, "B Z Y X"], embedding: Float[Tensor, "B C"]
    ) -> tuple[Float[Tensor, "B latent"], Float[Tensor, "B latent"]]:
        """x_0 and z_c to mean and log-variance of z_0."""
        only = torch.zeros(1, dtype=torch.long, device=labels.device)
        x = F.leaky_relu(self.norms[0](self.first(one_hot(labels, embedding.dtype), embedding), only), 0.2)
        for conv, norm in zip(self.rest, self.norms[1:], strict=True):
            x = F.leaky_relu(norm(conv(x), only), 0.2)
        mean, log_var = self.bottleneck(x.flatten(1)).chunk(2, dim=1)
        return mean, log_var


class FrameDecoder(nn.Module):
    """p(x_t | z_t, z_c): linear, unflatten, four ConvTranspose3d (kernel 4, stride 2) to four label logits.

    Args:
        shape: of the grid, (Z, Y, X).
        frames: T.
        size: length of a frame's latent.
        norm: ``batch`` or ``group``.
        box: the blocks that the last layer makes; all others are background.
    """

    def __init__(self, shape: Shape, frames: int, size: int, *, norm: str, box: Box) -> None:
        super().__init__()
        self.shape, self.inner, self.box = shape, check_grid(shape), box
        channels = (*CHANNELS[::-1], LABELS)
        self.expand = nn.Linear(size, CHANNELS[-1] * self.inner[0] * self.inner[1] * self.inner[2])
        self.convs = nn.ModuleList(BlockConvTranspose3d(a, b) for a, b in pairwise(channels))
        self.norms = nn.ModuleList(normalisation(norm, c, frames) for c in channels[1:-1])
        self.make_blocks: Callable[[Tensor, Tensor], Tensor] = self.blocks  # or that compiled, for training

    def forward(self, latents: Float[Tensor, "B t size"], which: Int[Tensor, " t"]) -> Float[Tensor, "B t 4 Z Y X"]:
        """Latents of frames ``which`` to label logits; one set of weights."""
        volume = latents.new_zeros(latents.shape[0] * len(which), LABELS, *self.shape)
        volume[:, 1:] = OUTSIDE
        return put_blocks(self.blocks(latents, which), self.box, volume).unflatten(0, (-1, len(which)))

    def blocks(self, latents: Float[Tensor, "B t size"], which: Int[Tensor, " t"]) -> Float[Tensor, "B*t 32 z y x"]:
        """The logits as the last layer makes them (:mod:`cheart.models.blocks`), four labels of eight voxels."""
        x = self.expand(latents.flatten(0, 1)).unflatten(1, (CHANNELS[-1], *self.inner))
        for conv, norm in zip(self.convs[:-1], self.norms, strict=True):
            x = F.leaky_relu(norm(from_blocks(conv(x)), which), 0.2)
        blocks: Tensor = self.convs[-1](x, self.box)
        return blocks


class BeatDecoder(nn.Module):
    """From a latent to all frames at once: the paper's decoder, wider, with T · 4 output channels.

    The paper's 4 channels before the last layer would leave all 20 frames only 4 maps to be mixed from, so the
    number of channels is a setting. Normalised in groups of channels rather than over the batch: running statistics
    lag behind a generator that plays against a discriminator, and its hearts are then others in use than in training.

    Args:
        shape: of the grid, (Z, Y, X).
        frames: T.
        size: length of the latent.
        width: channels of the last hidden layer; the others are its multiples by 2, 4 and 8.
        box: the blocks that the last layer makes; all others are background.
    """

    def __init__(self, shape: Shape, frames: int, size: int, *, width: int, box: Box) -> None:
        super().__init__()
        self.inner, self.box = check_grid(shape), box
        channels = (*_channels(width)[::-1], frames * LABELS)
        self.top = channels[0]
        self.expand = nn.Linear(size, self.top * self.inner[0] * self.inner[1] * self.inner[2])
        self.convs = nn.ModuleList(BlockConvTranspose3d(a, b) for a, b in pairwise(channels))
        self.norms = nn.ModuleList(SampleNorm(c) for c in channels[1:-1])

    def forward(
        self, latent: Float[Tensor, "B size"], which: Int[Tensor, " t"] | None = None
    ) -> Float[Tensor, "B t 32 z y x"]:
        """Latents to label logits in blocks, of all frames or of ``which``."""
        x = self.expand(latent).unflatten(1, (self.top, *self.inner))
        for conv, norm in zip(self.convs[:-1], self.norms, strict=True):
            x = F.leaky_relu(norm(from_blocks(conv(x))), 0.2)
        channels = None if which is None else channels_of(which)
        blocks: Tensor = self.convs[-1](x, self.box, channels)
        return blocks.unflatten(1, (-1, LABELS * BLOCK))


class VoxelCritic(nn.Module):
    """From a beat to features and a few numbers: a discriminator, or the condition regressor of a CVAE-GAN.

    Without batch statistics, which tie real and made hearts of a batch together. Its slope, and with it the
    generator's gradient, is bounded by spectral normalisation (Miyato et al. 2018) or, where it is not ``spectral``, by
    a penalty (:func:`cheart.models.baseline.slope_penalty`). Bounded by both it says nearly the same of all beats.

    Args:
        shape: of the grid, (Z, Y, X).
        frames: T.
        out: how many numbers.
        conditions: columns of the encoded conditions that it is given, 0 for none; they enter by projection (Miyato
            and Koyama 2018): an inner product of their embedding with the features.
        width: channels of the first layer.
        spectral: whether every layer is normalised to a spectral norm of 1.
    """

    FEATURES = 64
    APART = 30.0
    """Beats enter so many times as large as their root mean square, which puts two hearts some units apart."""

    def __init__(
        self, shape: Shape, frames: int, *, out: int, width: int, conditions: int = 0, spectral: bool = True
    ) -> None:
        super().__init__()
        bounded: Callable[[Any], Any] = spectral_norm if spectral else nn.Identity()
        z, y, x = check_grid(shape)
        channels = (frames * LABELS, *_channels(width))
        self.convs = nn.ModuleList(
            bounded(nn.Conv3d(a, b, kernel_size=4, stride=2, padding=1)) for a, b in pairwise(channels)
        )
        self.features = bounded(nn.Linear(channels[-1] * z * y * x, self.FEATURES))
        self.last = bounded(nn.Linear(self.FEATURES, out))
        self.conditions = ConditionNetwork(conditions, self.FEATURES) if conditions else None

    def forward(
        self,
        beat: Float[Tensor, "B t 4 Z Y X"],
        conditions: Float[Tensor, "B E"] | None = None,
        which: Int[Tensor, " t"] | None = None,
    ) -> tuple[Float[Tensor, "B out"], Float[Tensor, "B {self.FEATURES}"]]:
        """Beats of label probabilities to numbers and features.

        The frames are all, or those of ``which``; the others are nothing.
        """
        x = beat.flatten(1, 2) / self.unit(beat)
        first: Any = self.convs[0]
        weight = first.weight if which is None else first.weight[:, channels_of(which)]
        x = F.leaky_relu(F.conv3d(x, weight, first.bias, stride=2, padding=1), 0.2)
        for conv in self.convs[1:]:
            x = F.leaky_relu(conv(x), 0.2)
        features = F.leaky_relu(self.features(x.flatten(1)), 0.2)
        numbers = self.last(features)
        if self.conditions is not None and conditions is not None:
            numbers = numbers + (self.conditions(conditions) * features).mean(dim=1, keepdim=True)
        return numbers, features

    def unit(self, beat: Float[Tensor, "B t 4 Z Y X"]) -> float:
        """What beats are divided by: a fraction of the voxels then counts alike on every grid."""
        return float(beat[0, :, 0].numel() ** 0.5) / self.APART


def channels_of(which: Int[Tensor, " t"]) -> Int[Tensor, " t*4"]:
    """The label channels of frames."""
    return (which[:, None] * LABELS + torch.arange(LABELS).to(which)).flatten()


def one_hot(labels: UInt8[Tensor, "N ..."], dtype: torch.dtype) -> Float[Tensor, "N 4 ..."]:
    """Labels to probabilities of 0 and 1."""
    which = torch.arange(LABELS, dtype=torch.uint8, device=labels.device)
    return (labels[:, None] == which.reshape(-1, *[1] * (labels.ndim - 1))).to(dtype)


def masked_cross_entropy(
    logits: Float[Tensor, "B T 4 Z Y X"], labels: UInt8[Tensor, "B T Z Y X"], observed: Bool[Tensor, "B T Z"]
) -> Float[Tensor, " B"]:
    """Cross-entropy over the observed planes, summed over frames as in Eq. 8 and averaged over voxels.

    Returns:
        Per subject, T times the mean over all observed voxels, which for a fully observed heart is the
        sum over frames of the mean over voxels.
    """
    frames = labels.shape[1]
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(0, 1).long(), reduction="none")
    planes = loss.unflatten(0, (-1, frames)).mean(dim=(3, 4))  # [B, T, Z]
    weight = observed.to(planes.dtype)
    return frames * (planes * weight).sum(dim=(1, 2)) / weight.sum(dim=(1, 2)).clamp(min=1)


def _channels(width: int) -> tuple[int, int, int, int]:
    return width, 2 * width, 4 * width, 8 * width
