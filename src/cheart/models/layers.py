"""Layers that do the released network's arithmetic at a fraction of its cost."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cheart.models.process_group import group_sum, local_batch


class LabelConv3d(nn.Module):
    """A first convolution (kernel 4, stride 2, padding 1) over one-hot labels and constant condition channels.

    The released encoder repeats each number of the condition embedding over the whole volume as one more image
    channel. With zero padding, what a constant channel adds to the output is the same in the whole interior and
    differs only where the kernel hangs over a border: 3 × 3 × 3 patterns in all. They are read off a convolution
    of a 6 × 6 × 6 volume and spread, so the result equals the plain way's to float accuracy.

    Args:
        labels: number of label channels.
        conditions: length of the condition embedding.
        out: output channels.
    """

    def __init__(self, labels: int, conditions: int, out: int) -> None:
        super().__init__()
        self.labels = labels
        plain = nn.Conv3d(labels + conditions, out, kernel_size=4, stride=2, padding=1)
        self.weight = nn.Parameter(plain.weight.detach())
        self.bias = nn.Parameter(plain.bias.detach())  # type: ignore[union-attr]

    def forward(self, one_hot: Tensor, embedding: Tensor) -> Tensor:
        """[B, L, Z, Y, X] and [B, C] to [B, out, Z/2, Y/2, X/2]."""
        image, constant = self.weight[:, : self.labels], self.weight[:, self.labels :]
        seen = F.conv3d(one_hot, image, self.bias, stride=2, padding=1)
        small = embedding[:, :, None, None, None].expand(-1, -1, 6, 6, 6)
        patterns = F.conv3d(small, constant, stride=2, padding=1)  # [B, out, 3, 3, 3]
        for axis in (2, 3, 4):
            length = seen.shape[axis]
            which = torch.ones(length, dtype=torch.long, device=seen.device)
            which[0], which[-1] = 0, 2
            patterns = patterns.index_select(axis, which)
        return seen + patterns


class FrameBatchNorm(nn.Module):
    """Batch normalisation of a sequence decoded in one call, with the statistics of each frame kept apart.

    Decoding frame after frame, as the released network does, normalises each frame by its own statistics over
    the batch. Decoded together, frames become channels: the same arithmetic in one call. The running averages are
    kept a frame too: pooled over a cycle, as the released network's are, they are no frame's own, and in use the
    first frame is decoded worse than it was in training.

    Args:
        channels: C.
        frames: how many frames a cycle has, each with its own averages.
    """

    def __init__(self, channels: int, frames: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(frames, channels))
        self.register_buffer("var", torch.ones(frames, channels))
        self.mean: Tensor
        self.var: Tensor

    def forward(self, x: Tensor, which: Tensor) -> Tensor:
        """[B·t, C, Z, Y, X] (frames of one subject side by side; ``which`` [t] they are) to the same shape."""
        apart = x.unflatten(0, (-1, len(which)))
        if not self.training:
            scale = self.weight * torch.rsqrt(self.var[which] + self.eps)  # [t, C]
            shift = self.bias - self.mean[which] * scale
            return (apart * scale[:, :, None, None, None] + shift[:, :, None, None, None]).flatten(0, 1)
        local = local_batch()
        if local is not None:
            return self._over_group(apart, which, local.total)
        # [B, t·C, Z, Y, X]: each frame has channels of its own. Contiguous, since torch's fused kernel is off by 2e-3
        # on channels-last CPU tensors
        frames = len(which)
        channels = x.contiguous().unflatten(0, (-1, frames)).flatten(1, 2)
        weight, bias = self.weight.repeat(frames), self.bias.repeat(frames)
        out, mean, scale = torch.native_batch_norm(channels, weight, bias, None, None, True, 0.0, self.eps)
        count = channels[:, 0].numel()
        var = scale.detach().square().reciprocal() - self.eps
        self._update(which, mean.detach().view(frames, -1), var.view(frames, -1) * (count / max(count - 1, 1)))
        return out.unflatten(1, (frames, -1)).flatten(0, 1)

    def _over_group(self, apart: Tensor, which: Tensor, total: int) -> Tensor:
        """The same for [B, t, C, Z, Y, X] of a batch of ``total`` subjects of which some are here."""
        count = total * apart[0, 0, 0].numel()
        mean = group_sum(apart.sum(dim=(0, 3, 4, 5))) / count  # [t, C]
        centred = apart - mean[:, :, None, None, None]
        var = group_sum(centred.square().sum(dim=(0, 3, 4, 5))) / count
        self._update(which, mean.detach(), var.detach() * (count / max(count - 1, 1)))
        scale = self.weight * torch.rsqrt(var + self.eps)
        return (centred * scale[:, :, None, None, None] + self.bias[:, None, None, None]).flatten(0, 1)

    @torch.no_grad()
    def _update(self, which: Tensor, mean: Tensor, var: Tensor) -> None:
        """Move the averages of the frames that were decoded, [t, C] each."""
        self.mean[which] = self.mean[which].lerp(mean.to(self.mean), self.momentum)
        self.var[which] = self.var[which].lerp(var.to(self.var), self.momentum)


class SampleNorm(nn.GroupNorm):
    """Group normalisation (8 channels a group, at least one group): of each volume by itself, without averages."""

    def __init__(self, channels: int) -> None:
        super().__init__(max(1, channels // 8), channels)

    def forward(self, x: Tensor, which: Tensor | None = None) -> Tensor:
        """[N, C, Z, Y, X] to the same shape, whichever frames they are."""
        return super().forward(x)


def normalisation(kind: str, channels: int, frames: int) -> FrameBatchNorm | SampleNorm:
    """``batch`` or ``group`` normalisation of the volumes of a sequence."""
    return SampleNorm(channels) if kind == "group" else FrameBatchNorm(channels, frames)
