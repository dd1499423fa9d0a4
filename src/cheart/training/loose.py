"""What end-diastole and conditions do not tell of a heart's motion, measured on hearts that were not trained on."""

from __future__ import annotations

import numpy as np
import torch

from cheart.models.cheart import CHeart
from cheart.models.latent import HarmonicModule
from cheart.models.shape_network import ShapeSpace
from cheart.training.data import ShapeData


@torch.no_grad()
def loosen(network: CHeart, data: ShapeData) -> None:
    """Set R of a harmonic motion (see :class:`HarmonicModule`): the principal axes of what completion gets wrong.

    The ejection fraction hardly depends on conditions or on end-diastole. A model that draws only z_0 gives all
    hearts of one shape the same motion; with R ε the hearts that it generates differ in motion as real ones do.

    Args:
        network: trained; other kinds of network stay as they are.
        data: subjects that the weights were not fitted to, fully observed; with any other, R stays 0.
    """
    space, motion = network.space, network.temporal
    if not isinstance(space, ShapeSpace) or not isinstance(motion, HarmonicModule) or not data.whole:
        return
    device = network.device
    batch = data.batch(np.arange(len(data)), device)
    mean, _, code = network.posterior(space.first(batch), batch.conditions)
    start = torch.cat([mean, code], dim=1)
    decode = space.decoder.linear.weight  # [K, size]: what a small change of code does to whitened coefficients
    left = batch.linear / space.sd - space.decoder(motion(start, data.linear.shape[1]))  # [N, T, K]
    left = left - left[:, :1]
    waves = motion.waves(left.shape[1]).to(device)
    harmonics = torch.einsum("kt,ntc->nkc", torch.linalg.pinv(waves), left * space.sd)
    amplitudes = harmonics @ torch.linalg.pinv(decode * space.sd[:, None]).T  # [N, 2·harmonics, size]
    flat = harmonics.flatten(1) - harmonics.flatten(1).mean(dim=0)
    u, s, _ = torch.linalg.svd(flat / max(len(flat) - 1, 1) ** 0.5, full_matrices=False)
    keep = min(len(motion.loose), len(s))
    axes = u[:, :keep].T @ (amplitudes.flatten(1) - amplitudes.flatten(1).mean(dim=0))
    motion.loose.zero_()
    motion.loose[:keep] = axes / max(len(flat) - 1, 1) ** 0.5
