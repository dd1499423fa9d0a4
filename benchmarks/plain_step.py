"""The released network's training step, written out: the yardstick of ``benchmarks/training.py``.

The network of the paper as its authors' code has it (section III-B), with nothing done to make it fast: labels as
one-hot floats, the condition code repeated over the volume as 32 more image channels, the decoder called once a frame,
the reconstructions stacked and indexed again in the loss, plain batch normalisation, Adam. Where code and paper differ
(what the LSTM is fed) it follows the paper, so that its loss and gradients are those of ``cheart train --preset
paper``.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cheart.models.cheart import CHeart
from cheart.models.latent import ConditionNetwork, sample_posterior
from cheart.models.voxel import VoxelBatch
from cheart.models.voxel_network import CHANNELS, LABELS, check_grid


class PlainCHeart(nn.Module):
    """Encoder, condition network, LSTM cell and decoder."""

    def __init__(self, shape: tuple[int, int, int], columns: int, *, latent: int = 32, embedding: int = 32) -> None:
        super().__init__()
        inner = check_grid(shape)
        size = CHANNELS[-1] * inner[0] * inner[1] * inner[2]
        self.conditions = ConditionNetwork(columns, embedding)
        self.encoder = nn.Sequential()
        for a, b in pairwise((LABELS + embedding, *CHANNELS)):
            self.encoder += nn.Sequential(nn.Conv3d(a, b, 4, 2, 1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2))
        self.encoder += nn.Sequential(nn.Flatten(), nn.Linear(size, 2 * latent))
        self.cell = nn.LSTMCell(latent + embedding, latent + embedding)
        self.decoder = nn.Sequential(nn.Linear(latent + embedding, size), nn.Unflatten(1, (CHANNELS[-1], *inner)))
        for a, b in pairwise((*CHANNELS[::-1], LABELS)):
            self.decoder += nn.Sequential(nn.ConvTranspose3d(a, b, 4, 2, 1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2))
        self.decoder = self.decoder[:-2]  # the last layer gives the logits as they are

    def forward(self, beat: Tensor, conditions: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One-hot labels [B, T, 4, Z, Y, X], c [B, E], ε [B, latent] to logits like the labels, mean, log-variance."""
        frames, mean, log_var = self.frames(beat, conditions, noise)
        return torch.stack(frames, dim=1), mean, log_var

    def frames(self, beat: Tensor, conditions: Tensor, noise: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """The same with the logits frame by frame, each [B, 4, Z, Y, X]."""
        embedding = self.conditions(conditions)
        maps = embedding[:, :, None, None, None].expand(-1, -1, *beat.shape[3:])
        mean, log_var = self.encoder(torch.cat([beat[:, 0], maps], dim=1)).chunk(2, dim=1)
        z = torch.cat([sample_posterior(mean, log_var, noise), embedding], dim=1)
        hidden = cell = torch.zeros_like(z)
        decoded = [self.decoder(z)]
        for _ in range(beat.shape[1] - 1):
            hidden, cell = self.cell(z, (hidden, cell))
            z = hidden
            decoded.append(self.decoder(z))
        return decoded, mean, log_var


def one_hot(labels: Tensor) -> Tensor:
    """[B, T, Z, Y, X] uint8 to floats [B, T, 4, Z, Y, X]."""
    return F.one_hot(labels.long(), LABELS).movedim(-1, 2).float()


def plain_loss(network: PlainCHeart, batch: VoxelBatch, noise: Tensor, *, beta: float = 0.001) -> Tensor:
    """Eq. 8 of a fully observed batch, averaged over it."""
    beat = one_hot(batch.labels)
    recon, mean, log_var = network(beat, batch.conditions, noise)
    loss = recon.new_zeros(())
    for t in range(beat.shape[1]):
        loss = loss + F.cross_entropy(recon[:, t], beat[:, t])
    kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1).mean()
    return loss + beta * kl


def plain_step(network: PlainCHeart, adam: torch.optim.Adam, batch: VoxelBatch, noise: Tensor) -> Tensor:
    """One step of Adam; returns the loss."""
    adam.zero_grad()
    loss = plain_loss(network, batch, noise)
    loss.backward()
    adam.step()
    return loss.detach()


def pairs(network: CHeart, plain: PlainCHeart) -> list[tuple[Tensor, Tensor]]:
    """The parameters of cheart's paper network beside those of the plain one that play the same part."""
    encoder, decoder = network.encoder, network.decoder
    norms = [m for m in plain.encoder if isinstance(m, nn.BatchNorm3d)]
    convs = [m for m in plain.encoder if isinstance(m, nn.Conv3d)]
    back = [m for m in plain.decoder if isinstance(m, nn.ConvTranspose3d)]
    back_norms = [m for m in plain.decoder if isinstance(m, nn.BatchNorm3d)]
    modules = [
        (network.conditions, plain.conditions),
        (network.temporal.cell, plain.cell),
        (encoder.bottleneck, plain.encoder[-1]),
        (decoder.expand, plain.decoder[0]),
        *zip([encoder.first, *encoder.rest], convs, strict=True),
        *zip(encoder.norms, norms, strict=True),
        *zip(decoder.convs, back, strict=True),
        *zip(decoder.norms, back_norms, strict=True),
    ]
    found = []
    for ours, theirs in modules:
        named = dict(theirs.named_parameters())
        found += [(parameter, named[name]) for name, parameter in ours.named_parameters()]
    return found
