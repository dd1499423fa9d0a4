"""CVAE, CVAE-GAN and CGAN behind the one interface."""

import numpy as np
import pytest
import torch

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.errors import InputError
from cheart.evidence import Evidence
from cheart.grid import Grid
from cheart.models.base import HeartModel, Setting
from cheart.models.baseline import slope_penalty
from cheart.models.blocks import to_blocks
from cheart.models.registry import model_class
from cheart.models.voxel import VoxelBatch, VoxelRepresentation
from cheart.models.voxel_network import VoxelCritic

GRID = Grid((32, 32, 32), (4.0, 5.0, 5.0))
PEOPLE = [{"age": a, "sex": s, "weight": 70.0, "height": 170.0, "sbp": 120.0} for a, s in ((25.0, "F"), (65.0, "M"))]
SETTING = Setting(GRID, 3, Encoding.fit(PAPER_SCHEMA, PEOPLE, age_decades=True))
NAMES = ("cvae", "cvae-gan", "cgan")


def network(name: str, **options: object) -> HeartModel:
    torch.manual_seed(0)
    kind, sizes = model_class(name), {"latent": 4, "embedding": 4, "width": 2}
    return kind(SETTING, kind.Options(**{**sizes, **options}), VoxelRepresentation(GRID, 3))


def boxes(n: int = 4) -> VoxelBatch:
    """Nested boxes that shrink over the frames, larger for the second half of the batch."""
    labels = torch.zeros(n, 3, *GRID.shape, dtype=torch.uint8)
    for i in range(n):
        for t in range(3):
            half = 7 - 2 * (t == 1) + 4 * (i >= n // 2)
            labels[i, t, 16 - half : 16 + half, 16 - half : 16 + half, 16 - half : 16 + half] = 2
            labels[i, t, 18 - half : 14 + half, 18 - half : 14 + half, 18 - half : 14 + half] = 1
    conditions = torch.from_numpy(SETTING.encoding.encode(PEOPLE)).repeat_interleave(n // 2, 0)
    return VoxelBatch(labels, torch.ones(n, 3, GRID.shape[0], dtype=torch.bool), conditions)


def everything_of(first: np.ndarray) -> Evidence:
    return Evidence.of_frame(first, np.ones(len(first), bool), 3)


def step(model: HeartModel, batch: VoxelBatch, noise: torch.Generator, optimisers: dict) -> dict[str, float]:
    """One step as the training loop does it."""
    told = {}
    for group, loss, _ in model.losses(batch, noise):
        optimisers[group].zero_grad(set_to_none=True)
        loss.backward()
        optimisers[group].step()
        told[group] = float(loss.detach())
    return told


def train(model: HeartModel, batch: VoxelBatch, steps: int, rate: float = 5e-3) -> None:
    optimisers = {name: torch.optim.AdamW(group, lr=rate) for name, group in model.groups().items()}
    noise = torch.Generator().manual_seed(0)
    model.train()
    for _ in range(steps):
        step(model, batch, noise, optimisers)
    model.eval()


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_one_heart(name: str) -> None:
    model = network(name).eval()
    person = SETTING.encoding.encode(PEOPLE)[0]
    one = model.generate(person, seed=1)
    assert one.shape == (3, *GRID.shape)
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, model.generate(person, seed=1))


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_one_optimiser_and_its_player_alone_moves_it(name: str) -> None:
    model = network(name)
    groups = model.groups()
    own = [id(p) for group in groups.values() for p in group]
    assert sorted(own) == sorted(id(p) for p in model.parameters())
    rest = {group: torch.optim.SGD(parameters, lr=0.0) for group, parameters in groups.items()}
    for moved in groups:
        before = {group: [p.detach().clone() for p in parameters] for group, parameters in groups.items()}
        step(model, boxes(), torch.Generator(), {**rest, moved: torch.optim.SGD(groups[moved], lr=0.1)})
        changed = {g: any((a != b).any() for a, b in zip(before[g], groups[g], strict=True)) for g in groups}
        assert changed == {g: g == moved for g in groups}


@pytest.mark.parametrize("name", NAMES)
def test_planes_that_were_not_observed_change_no_loss(name: str) -> None:
    whole, other = boxes(), boxes()
    mask = whole.observed.clone()
    mask[:, 1:] = False
    mask[:, 0, ::2] = False
    labels = other.labels.clone()
    labels[:, 1:] = 3
    seen = [VoxelBatch(x, mask, whole.conditions) for x in (whole.labels, labels)]
    model = network(name).eval()
    losses = [[float(loss.detach()) for _, loss, _ in model.losses(b, torch.Generator().manual_seed(0))] for b in seen]
    assert losses[0] == pytest.approx(losses[1])
    np.testing.assert_allclose(*[model.validation_loss(b).detach().numpy() for b in seen], rtol=1e-5)


@pytest.mark.slow
def test_completion_follows_the_first_frame() -> None:
    batch = boxes(2)
    batch = VoxelBatch(batch.labels, batch.observed, batch.conditions[:1].repeat(2, 1))
    model = network("cvae", width=8)
    train(model, batch, 40)
    for own, other in ((0, 1), (1, 0)):
        made = model.complete(everything_of(batch.labels[own, 0].numpy()), batch.conditions[0].numpy())
        agrees = [np.mean(made == batch.labels[i].numpy()) for i in (own, other)]
        assert agrees[0] > agrees[1] + 0.05


def test_the_energy_score_prefers_a_generator_that_listens() -> None:
    batch = boxes()
    model = network("cgan").eval()
    swapped = VoxelBatch(batch.labels, batch.observed, batch.conditions.flip(0))

    def listening(latent: torch.Tensor, conditions: torch.Tensor, _: object) -> torch.Tensor:
        which = (conditions != batch.conditions[0]).any(dim=1).long() * 2
        blocks = [to_blocks((batch.labels[which] == k).flatten(0, 1).float()) for k in range(4)]
        return 20 * torch.cat(blocks, dim=1).unflatten(0, (len(which), -1))

    model.predict = listening  # type: ignore[assignment]
    right, wrong = model.validation_loss(batch), model.validation_loss(swapped)
    assert float(right.max()) < 1e-2 < 1 < float(wrong.min())


def test_cgan_generates_and_refuses_to_complete() -> None:
    with pytest.raises(InputError, match="cgan model cannot complete; it can generate"):
        network("cgan").complete(everything_of(np.zeros(GRID.shape, np.uint8)), np.zeros(3, np.float32))


@pytest.mark.slow
def test_the_adversarial_game_moves_the_generator_towards_real_hearts() -> None:
    batch = boxes(2)
    model = network("cgan", width=4)
    before = float(model.eval().validation_loss(batch).mean().detach())
    train(model, batch, 30, rate=4e-3)
    assert float(model.validation_loss(batch).mean().detach()) < 0.7 * before


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cvae", {"beta": -1.0}),
        ("cvae-gan", {"matching": -1.0}),
        ("cgan", {"width": 0}),
        ("cvae", {"representation": "mesh"}),
    ],
)
def test_options_check_themselves(name: str, options: dict) -> None:
    with pytest.raises(InputError):
        model_class(name).Options(**options)


def test_a_slope_penalty_takes_the_place_of_spectral_normalisation() -> None:
    """Bounded by both, a discriminator of voxels said the same of all beats, and the generator learnt nothing."""
    bounded, penalised = (network("cgan", penalty=penalty).state_dict() for penalty in (0.0, 0.3))
    assert any("parametrizations" in name for name in bounded)
    assert not any("parametrizations" in name for name in penalised)


def test_the_slope_penalty_is_in_units_of_the_critic() -> None:
    """A verdict that is linear in what the critic sees has half its squared slope there, however many voxels."""
    for side in (32, 48):
        critic = VoxelCritic((side,) * 3, 2, out=1, width=2)
        beat = torch.zeros(3, 2, 4, side, side, side).requires_grad_()
        along = torch.randn(beat[0].shape, generator=torch.Generator().manual_seed(0))
        verdict = (beat / critic.unit(beat) * (2 * along / along.norm())).flatten(1).sum(dim=1, keepdim=True)
        assert float(slope_penalty(verdict, beat, critic.unit(beat))) == pytest.approx(2, rel=1e-3)


def test_a_critic_can_tell_hearts_apart_at_once() -> None:
    """Two hearts are some units apart in what a critic sees; by the root mean square alone they were not."""
    real = VoxelRepresentation(GRID, 3).real(boxes())
    critic = VoxelCritic(GRID.shape, 3, out=1, width=2)
    assert 1 < float((real[0] - real[-1]).norm()) / critic.unit(real) < 30
