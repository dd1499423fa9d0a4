"""Transposed convolutions as plain ones, in a layout of 2 × 2 × 2 blocks.

A transposed convolution with kernel 4, stride 2 and padding 1 gives each output voxel a sum over 2 × 2 × 2 inputs;
which ones depends on whether its place is even or odd along each axis. The 2 × 2 × 2 outputs that share their inputs
are a block, and all blocks together are one plain convolution with kernel 2 and eight times the channels: the same
sums, several times faster on a CPU, where a transposed convolution to four channels leaves vector registers half empty.

A volume of n voxels along an axis has n / 2 + 1 blocks: the outermost hang over the border by one voxel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

BLOCK = 8
"""Voxels of a block; they stand behind the channels, as [C · 8]."""


class BlockConvTranspose3d(nn.ConvTranspose3d):
    """A transposed convolution (kernel 4, stride 2, padding 1) whose result is in blocks."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, kernel_size=4, stride=2, padding=1)

    def forward(self, x: Tensor, output_size: Any = None) -> Tensor:
        """[N, C, z, y, x] to blocks [N, out · 8, z + 1, y + 1, x + 1] (see :func:`from_blocks`)."""
        channels, out = self.weight.shape[:2]
        # a tap of the kernel: 2 · (1 − which of two inputs) + which of two outputs
        taps = self.weight.reshape(channels, out, 2, 2, 2, 2, 2, 2).flip(2, 4, 6)
        plain = taps.permute(1, 3, 5, 7, 0, 2, 4, 6).reshape(out * BLOCK, channels, 2, 2, 2)
        blocks = F.conv3d(F.pad(x, (1,) * 6), plain)
        assert self.bias is not None
        # a bias inside the convolution makes its backward twice as slow on a CPU
        return blocks + self.bias.repeat_interleave(BLOCK)[:, None, None, None].to(blocks.dtype)


def from_blocks(blocks: Tensor) -> Tensor:
    """Blocks [N, C · 8, z + 1, y + 1, x + 1] to the volume [N, C, 2 z, 2 y, 2 x]."""
    n, channels, z, y, x = blocks.shape
    apart = blocks.reshape(n, channels // BLOCK, 2, 2, 2, z, y, x).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return apart.reshape(n, channels // BLOCK, 2 * z, 2 * y, 2 * x)[:, :, 1:-1, 1:-1, 1:-1]


def to_blocks(volume: Tensor) -> Tensor:
    """A volume [N, 2 z, 2 y, 2 x] in blocks [N, 8, z + 1, y + 1, x + 1]; nothing (0) beyond the border."""
    padded = F.pad(volume, (1,) * 6)
    n, z, y, x = padded.shape
    apart = padded.reshape(n, z // 2, 2, y // 2, 2, x // 2, 2).permute(0, 2, 4, 6, 1, 3, 5)
    return apart.reshape(n, BLOCK, z // 2, y // 2, x // 2)


def block_cross_entropy(logits: Tensor, labels: Tensor, planes: Tensor) -> Tensor:
    """Cross-entropy of label logits in blocks, weighted by plane and summed.

    Args:
        logits: [N, L · 8, z + 1, y + 1, x + 1].
        labels: [N, 2 z, 2 y, 2 x] uint8.
        planes: [N, 2 z], the weight of each voxel of a plane.

    Returns:
        [N].
    """
    weight = to_blocks(planes[:, :, None, None].expand(labels.shape))
    result: Tensor = _BlockCrossEntropy.apply(logits.unflatten(1, (-1, BLOCK)), to_blocks(labels), weight)
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
