"""The paper's encoder and decoder: strided 3D convolutions on the voxel grid (section III-B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from cheart.errors import InputError
from cheart.models import share
from cheart.models.base import Setting
from cheart.models.blocks import BlockConvTranspose3d, block_cross_entropy, from_blocks
from cheart.models.chunks import sum_in_chunks
from cheart.models.compiled import compiled
from cheart.models.layers import FrameBatchNorm, LabelConv3d

LABELS = 4
CHANNELS = (4, 8, 16, 32)
"""Channels of the released encoder; the decoder mirrors them."""

CPU_VOLUMES = 5
"""Frames of one subject that a CPU decodes at once: more are slower, since they leave the processor's cache."""

BYTES_PER_VOXEL = 100
"""Memory of a GPU's training step, a voxel of the frames that are decoded at once: logits, slopes and copies."""

_REDUCTION = 2 ** len(CHANNELS)


def check_grid(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """The size of the innermost volume for a grid [Z, Y, X].

    Raises:
        InputError: a side that four halvings do not divide.
    """
    if any(n % _REDUCTION or n < 2 * _REDUCTION for n in shape):
        raise InputError(
            f"a grid of {shape} voxels (Z, Y, X): the paper's network halves each side four times, so each must be a "
            f"multiple of {_REDUCTION} and at least {2 * _REDUCTION}; choose another --grid or --preset laptop"
        )
    z, y, x = (n // _REDUCTION for n in shape)
    return z, y, x


class VoxelEncoder(nn.Module):
    """q(z_0 | x_0, z_c): four Conv3d (kernel 4, stride 2), flatten, linear to mean and log-variance."""

    def __init__(self, shape: tuple[int, int, int], latent: int, conditions: int) -> None:
        super().__init__()
        inner = check_grid(shape)
        self.first = LabelConv3d(LABELS, conditions, CHANNELS[0])
        self.rest = nn.ModuleList(nn.Conv3d(a, b, kernel_size=4, stride=2, padding=1) for a, b in pairwise(CHANNELS))
        self.norms = nn.ModuleList(FrameBatchNorm(c) for c in CHANNELS)
        self.bottleneck = nn.Linear(CHANNELS[-1] * inner[0] * inner[1] * inner[2], 2 * latent)

    def forward(self, labels: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """x_0 [B, Z, Y, X] uint8 and z_c [B, C] to mean and log-variance of z_0, each [B, latent]."""
        levels = torch.arange(LABELS, dtype=torch.uint8, device=labels.device)
        one_hot = (labels[:, None] == levels[:, None, None, None]).to(code.dtype)
        x = F.leaky_relu(self.norms[0](self.first(one_hot, code), 1), 0.2)
        for conv, norm in zip(self.rest, self.norms[1:], strict=True):
            x = F.leaky_relu(norm(conv(x), 1), 0.2)
        mean, log_var = self.bottleneck(x.flatten(1)).chunk(2, dim=1)
        return mean, log_var


class VoxelDecoder(nn.Module):
    """p(x_t | z_t, z_c): linear, unflatten, four ConvTranspose3d (kernel 4, stride 2) to four label logits."""

    def __init__(self, shape: tuple[int, int, int], code: int) -> None:
        super().__init__()
        self.inner = check_grid(shape)
        channels = (*CHANNELS[::-1], LABELS)
        self.expand = nn.Linear(code, CHANNELS[-1] * self.inner[0] * self.inner[1] * self.inner[2])
        self.convs = nn.ModuleList(BlockConvTranspose3d(a, b) for a, b in pairwise(channels))
        self.norms = nn.ModuleList(FrameBatchNorm(c) for c in channels[1:-1])

    def forward(self, codes: Tensor) -> Tensor:
        """Codes [B, T, size] to label logits [B, T, 4, Z, Y, X]; the same weights for every frame."""
        return from_blocks(self.blocks(codes)).unflatten(0, (-1, codes.shape[1]))

    def blocks(self, codes: Tensor) -> Tensor:
        """The logits of all frames as the last layer makes them (:mod:`cheart.models.blocks`), [B·T, 4·8, z, y, x]."""
        frames = codes.shape[1]
        x = self.expand(codes.flatten(0, 1)).unflatten(1, (CHANNELS[-1], *self.inner))
        for conv, norm in zip(self.convs[:-1], self.norms, strict=True):
            x = F.leaky_relu(norm(from_blocks(conv(x)), frames), 0.2)
        return self.convs[-1](x)


def masked_cross_entropy(logits: Tensor, labels: Tensor, observed: Tensor) -> Tensor:
    """Cross-entropy over the observed planes, summed over frames as in Eq. 8 and averaged over voxels.

    Args:
        logits: [B, T, 4, Z, Y, X].
        labels: [B, T, Z, Y, X] uint8.
        observed: [B, T, Z] bool; the other planes count for nothing.

    Returns:
        [B]: per subject, T times the mean over all observed voxels, which for a fully observed sequence is the
        sum over frames of the mean over voxels.
    """
    frames = labels.shape[1]
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(0, 1).long(), reduction="none")
    planes = loss.unflatten(0, (-1, frames)).mean(dim=(3, 4))  # [B, T, Z]
    weight = observed.to(planes.dtype)
    return frames * (planes * weight).sum(dim=(1, 2)) / weight.sum(dim=(1, 2)).clamp(min=1)


@dataclass(frozen=True)
class VoxelBatch:
    """Label maps of a few subjects.

    Attributes:
        labels: [B, T, Z, Y, X] uint8.
        observed: [B, T, Z] bool.
        conditions: [B, E] float32, encoded.
    """

    labels: Tensor
    observed: Tensor
    conditions: Tensor


class VoxelSpace(nn.Module):
    """CHeart on voxels, as the paper has it: convolutions from and to label maps, cross-entropy between them."""

    reads = "voxels"

    def __init__(self, setting: Setting, *, latent: int, conditions: int) -> None:
        super().__init__()
        self.encoder = VoxelEncoder(setting.grid.shape, latent, conditions)
        self.decoder = VoxelDecoder(setting.grid.shape, latent + conditions)
        self.decode: Callable[[Tensor], Tensor] = self.decoder.blocks

    def compile_decoder(self) -> None:
        """See :meth:`cheart.models.base.HeartModel.compile_decoder`."""
        self.decode = compiled(self.decoder.blocks)

    def first(self, batch: VoxelBatch) -> Tensor:
        """The encoder's input: end-diastole [B, Z, Y, X]."""
        return batch.labels[:, 0]

    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Tensor:
        """The encoder's input for one heart's end-diastole [Z, Y, X]; unobserved planes count as they stand."""
        return torch.from_numpy(first)[None].to(self.encoder.bottleneck.weight.device)

    def reconstruction(self, codes: Tensor, batch: VoxelBatch) -> Tensor:
        """The first term of Eq. 8 for codes [B, T, size], [B]."""
        weight = plane_weights(batch)
        parts = [self._cross_entropy(codes[:, c], batch.labels[:, c], weight[:, c]) for c in self._chunks(codes)]
        return torch.stack(parts).sum(dim=0)

    def mean_reconstruction(self, codes: Tensor, batch: VoxelBatch) -> Tensor:
        """The mean of :meth:`reconstruction` over the batch, with gradients in the memory of a few frames."""
        part = share.weight()  # gradients meet those of other processes within a term, where each must count as it will
        weight = plane_weights(batch) / len(codes) * part

        def term(some: Tensor, frames: slice) -> Tensor:
            return self._cross_entropy(some, batch.labels[:, frames], weight[:, frames]).sum()

        return sum_in_chunks(term, codes, tuple(self.decoder.parameters()), self._chunks(codes)) / part

    def labels(self, codes: Tensor) -> NDArray[np.uint8]:
        """Codes of one heart [1, T, size] to label maps [T, Z, Y, X]."""
        chunks = self._chunks(codes)
        found = [self.decoder.blocks(codes[:, c]).unflatten(1, (LABELS, -1)).argmax(dim=1) for c in chunks]
        return from_blocks(torch.cat(found).to(torch.uint8))[:, 0].cpu().numpy()

    def _cross_entropy(self, codes: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        """Weighted cross-entropy of some frames: codes [B, t, size], labels [B, t, Z, Y, X], weight [B, t, Z]; [B]."""
        logits = self.decode(codes)
        loss = block_cross_entropy(logits, labels.flatten(0, 1), weight.flatten(0, 1))
        return loss.unflatten(0, (len(codes), -1)).sum(dim=1)

    def _chunks(self, codes: Tensor) -> list[slice]:
        """Frames that are decoded together; always those of the whole batch, whose statistics they share."""
        here = share.shared()
        each = max(1, self._volumes_at_once(codes.device) // (len(codes) if here is None else here.most))
        return [slice(t, t + each) for t in range(0, codes.shape[1], each)]

    def _volumes_at_once(self, device: torch.device) -> int:
        if device.type != "cuda":
            return CPU_VOLUMES
        room = torch.cuda.get_device_properties(device).total_memory - torch.cuda.memory_allocated(device)
        z, y, x = (_REDUCTION * n for n in self.decoder.inner)
        return share.least_anywhere(int(0.5 * room / (z * y * x * BYTES_PER_VOXEL)), device)


def plane_weights(batch: VoxelBatch) -> Tensor:
    """What each voxel of a plane counts in the loss, [B, T, Z]: see :func:`masked_cross_entropy`."""
    seen = batch.observed.to(batch.conditions.dtype)
    frames, plane = batch.labels.shape[1], batch.labels.shape[3] * batch.labels.shape[4]
    return seen * (frames / plane / seen.sum(dim=(1, 2), keepdim=True).clamp(min=1))
