"""The paper preset does the released network's arithmetic, as benchmarks/plain_step.py writes it out."""

import numpy as np
import pytest
import torch
from benchmarks.plain_step import PlainCHeart, pairs, plain_loss, plain_step
from torch import nn

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.grid import Grid
from cheart.models import voxel
from cheart.models.base import Setting
from cheart.models.cheart import CHeart, CHeartOptions
from cheart.models.voxel import VoxelBatch, VoxelRepresentation

GRID = Grid((32, 48, 32), (4.0, 5.0, 5.0))
PEOPLE = [
    {"age": 20.0 + 9 * i, "sex": "FM"[i % 2], "weight": 60.0 + 5 * i, "height": 170.0, "sbp": 120.0} for i in range(3)
]
SETTING = Setting(GRID, 4, Encoding.fit(PAPER_SCHEMA, PEOPLE, age_decades=True))


def both() -> tuple[CHeart, PlainCHeart]:
    """cheart's paper preset and the plain network, with the same weights."""
    torch.manual_seed(0)
    network = CHeart(SETTING, CHeartOptions(), VoxelRepresentation(GRID, 4)).train()
    plain = PlainCHeart(GRID.shape, len(SETTING.encoding.columns)).train()
    with torch.no_grad():
        for ours, theirs in pairs(network, plain):
            theirs.copy_(ours)
    return network, plain


def batch() -> VoxelBatch:
    z, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    away = np.sqrt(x**2 + y**2 + z**2)
    sizes = 30 + 3 * np.arange(3)[:, None] + 5 * np.cos(np.arange(4))[None]
    beats = sum((away < s * sizes[:, :, None, None, None]).astype(np.uint8) for s in (1, 1.4, 1.8))
    observed = torch.ones(3, 4, GRID.shape[0], dtype=torch.bool)
    return VoxelBatch(torch.from_numpy(np.asarray(beats)), observed, torch.from_numpy(SETTING.encoding.encode(PEOPLE)))


@pytest.mark.parametrize("at_once", [3, 6, 100])
def test_loss_and_gradients_of_every_parameter_are_the_plain_ones(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voxel, "CPU_VOLUMES", at_once)  # 1, 2 and all frames in a chunk
    network, plain = both()
    ((_, ours, _),) = network.losses(batch(), torch.Generator().manual_seed(0))
    noise = torch.randn(3, 32, generator=torch.Generator().manual_seed(0))
    theirs = plain_loss(plain, batch(), noise)
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-5)
    ours.backward()
    theirs.backward()
    both_sides = pairs(network, plain)
    assert len(both_sides) == len(list(plain.parameters())) == len(list(network.parameters()))
    largest = max(float(b.grad.norm()) for _, b in both_sides if b.grad is not None)
    for a, b in both_sides:
        assert a.grad is not None
        assert b.grad is not None
        # a bias before batch normalisation has no gradient at all but rounding
        assert float((a.grad - b.grad).norm()) < max(1e-4 * float(b.grad.norm()), 1e-6 * largest), tuple(a.shape)


def test_running_statistics_of_frames_pool_to_the_plain_ones() -> None:
    """The released network updates one average frame after frame; after a step it is ours, weighted by recency."""
    network, plain = both()
    for _ in network.losses(batch(), torch.Generator().manual_seed(0)):
        pass
    plain_loss(plain, batch(), torch.randn(3, 32, generator=torch.Generator().manual_seed(0)))
    norms = [m for m in plain.modules() if isinstance(m, nn.BatchNorm3d)]
    ours = [*network.encoder.norms, *network.decoder.norms]
    for a, b in zip(ours, norms, strict=True):
        recency = 0.9 ** torch.arange(len(a.mean) - 1, -1, -1)
        torch.testing.assert_close(recency @ a.mean, b.running_mean, rtol=1e-4, atol=1e-6)
        var = recency @ (a.var - 0.9) + 0.9 ** len(a.var)
        torch.testing.assert_close(var, b.running_var, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_the_plain_step_learns() -> None:
    _, plain = both()
    adam = torch.optim.Adam(plain.parameters(), lr=5e-3)
    losses = [float(plain_step(plain, adam, batch(), torch.zeros(3, 32))) for _ in range(8)]
    assert losses[-1] < 0.9 * losses[0]


def test_bfloat16_leads_the_same_way() -> None:
    network, _ = both()
    slopes = []
    for enabled in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled, cache_enabled=False):
            ((_, loss, _),) = network.losses(batch(), torch.Generator().manual_seed(0))
        assert loss.dtype == torch.float32
        loss.backward()
        slopes.append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
    assert float(torch.cosine_similarity(*slopes, dim=0)) > 0.99
