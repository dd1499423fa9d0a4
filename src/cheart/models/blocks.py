"""Transposed convolutions as plain ones, in a layout of 2 × 2 × 2 blocks.

A transposed convolution with kernel 4, stride 2 and padding 1 gives each output voxel a sum over 2 × 2 × 2 inputs;
which ones depends on whether its place is even or odd along each axis. The 2 × 2 × 2 outputs that share their inputs
are a block, and all blocks together are one plain convolution with kernel 2 and eight times the channels: the same
sums, several times faster on a CPU, where a transposed convolution to four channels leaves vector registers half empty.

A volume of n voxels along an axis has n / 2 + 1 blocks: the outermost hang over the border by one voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

BLOCK = 8
"""Voxels of a block; they stand behind the channels, as [C · 8]."""

Box = Sequence[tuple[int, int]]
"""Some blocks of a volume: first and last + 1 along z, y and x."""


def whole_box(shape: Sequence[int]) -> Box:
    """All blocks of a volume [2 z, 2 y, 2 x]."""
    return [(0, n // 2 + 1) for n in shape]


def box_around(occupied: Tensor, margin: int) -> Box:
    """The least box of blocks that holds what is occupied [2 z, 2 y, 2 x] and a margin of voxels around it."""
    box = []
    for axis, n in enumerate(occupied.shape):
        places = occupied.movedim(axis, 0).flatten(1).any(dim=1).nonzero()[:, 0]
        first, last = (int(places[0]), int(places[-1])) if len(places) else (0, n - 1)
        box.append(((max(first - margin, 0) + 1) // 2, (min(last + margin, n - 1) + 1) // 2 + 1))
    return box


def union(one: Box, two: Box) -> Box:
    """The least box that holds both."""
    return [(min(a, c), max(b, d)) for (a, b), (c, d) in zip(one, two, strict=True)]


class BlockConvTranspose3d(nn.ConvTranspose3d):
    """A transposed convolution (kernel 4, stride 2, padding 1) whose result is in blocks."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, kernel_size=4, stride=2, padding=1)

    def forward(self, x: Tensor, box: Any = None, channels: Tensor | None = None) -> Tensor:
        """[N, C, z, y, x] to blocks [N, out · 8, z + 1, y + 1, x + 1] (see :func:`from_blocks`).

        Args:
            x: the input.
            box: the blocks that are wanted; None for all.
            channels: the output channels that are wanted; None for all.
        """
        assert self.bias is not None
        weight, bias = self.weight, self.bias
        if channels is not None:
            weight, bias = weight[:, channels], bias[channels]
        given, out = weight.shape[:2]
        # a tap of the kernel: 2 · (1 − which of two inputs) + which of two outputs
        taps = weight.reshape(given, out, 2, 2, 2, 2, 2, 2).flip(2, 4, 6)
        plain = taps.permute(1, 3, 5, 7, 0, 2, 4, 6).reshape(out * BLOCK, given, 2, 2, 2)
        padded = F.pad(x, (1,) * 6)
        if box is not None:
            padded = _cut(padded, [(first, end + 1) for first, end in box])
        blocks = F.conv3d(padded, plain)
        # a bias inside the convolution makes its backward twice as slow on a CPU
        return blocks + bias.repeat_interleave(BLOCK)[:, None, None, None].to(blocks.dtype)


def from_blocks(blocks: Tensor) -> Tensor:
    """Blocks [N, C · 8, z + 1, y + 1, x + 1] to the volume [N, C, 2 z, 2 y, 2 x]."""
    return _apart(blocks)[..., 1:-1, 1:-1, 1:-1]


def put_blocks(blocks: Tensor, box: Box, volume: Tensor) -> Tensor:
    """The volume [N, C, 2 z, 2 y, 2 x] with the blocks of a box [N, C · 8, …] in their place."""
    padded = F.pad(volume, (1,) * 6)
    _cut(padded, [(2 * first, 2 * end) for first, end in box]).copy_(_apart(blocks))
    return padded[..., 1:-1, 1:-1, 1:-1]


def _cut(volume: Tensor, ranges: Box) -> Tensor:
    """A view of [..., z, y, x] between first and last + 1 along each axis."""
    for axis, (first, end) in zip((-3, -2, -1), ranges, strict=True):
        volume = volume.narrow(axis, first, end - first)
    return volume


def _apart(blocks: Tensor) -> Tensor:
    n, channels, z, y, x = blocks.shape
    apart = blocks.reshape(n, channels // BLOCK, 2, 2, 2, z, y, x).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return apart.reshape(n, channels // BLOCK, 2 * z, 2 * y, 2 * x)


def to_blocks(volume: Tensor, box: Box | None = None) -> Tensor:
    """A volume [N, 2 z, 2 y, 2 x] in blocks [N, 8, z + 1, y + 1, x + 1], or those of a box; 0 beyond the border."""
    padded = F.pad(volume, (1,) * 6)
    if box is not None:
        padded = _cut(padded, [(2 * first, 2 * end) for first, end in box])
    n, z, y, x = padded.shape
    apart = padded.reshape(n, z // 2, 2, y // 2, 2, x // 2, 2).permute(0, 2, 4, 6, 1, 3, 5)
    return apart.reshape(n, BLOCK, z // 2, y // 2, x // 2)


def block_cross_entropy(logits: Tensor, labels: Tensor, planes: Tensor, box: Box | None = None) -> Tensor:
    """Cross-entropy of label logits in blocks, weighted by plane and summed.

    Args:
        logits: [N, L · 8, z + 1, y + 1, x + 1].
        labels: [N, 2 z, 2 y, 2 x] uint8.
        planes: [N, 2 z], the weight of each voxel of a plane.
        box: the blocks that the logits are of, whose voxels alone count; None for all.

    Returns:
        [N].
    """
    weight = to_blocks(planes[:, :, None, None].expand(labels.shape), box)
    result: Tensor = _BlockCrossEntropy.apply(logits.unflatten(1, (-1, BLOCK)), to_blocks(labels, box), weight)
    return result


class _BlockCrossEntropy(torch.autograd.Function):
    """−Σ w log softmax: forward keeps softmax − one-hot in place of the logarithms, so backward is one product."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        which = labels.long()[:, None]
        logs = logits.log_softmax(dim=1, dtype=torch.promote_types(logits.dtype, torch.float32))
        loss = -(logs.gather(1, which)[:, 0] * weight).flatten(1).sum(dim=1)
        if ctx.needs_input_grad[0]:
            minus = logs.new_full((), -1.0).expand(which.shape)
            ctx.save_for_backward(logs.exp_().scatter_add_(1, which, minus), weight)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        slope, weight = ctx.saved_tensors
        return slope * (weight * grads[0][:, None, None, None, None])[:, None], None, None
