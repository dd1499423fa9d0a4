"""The baselines on a shape basis: no voxel is touched, so hearts here are coefficients of a made-up basis."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.grid import Grid
from cheart.models.base import HeartModel, Setting
from cheart.models.fields import FieldGrid
from cheart.models.registry import model_class
from cheart.models.shape import ShapeBatch, ShapeRepresentation
from cheart.models.shape_basis import ShapeBasis

GRID = Grid((8, 8, 8), (4.0, 4.0, 4.0))
FRAMES, MODES = 3, 2
PEOPLE = [{"age": a, "sex": s, "weight": 70.0, "height": 170.0, "sbp": 120.0} for a, s in ((25.0, "F"), (65.0, "M"))]
SETTING = Setting(GRID, FRAMES, Encoding.fit(PAPER_SCHEMA, PEOPLE))
NAMES = ("cvae", "cvae-gan", "cgan")
SD = (20.0, 5.0)


def basis() -> ShapeBasis:
    """Two orthonormal random modes, with SDs of 20 and 5 mm."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((3 * 8**3, MODES)))[0].T
    modes = axes.reshape(MODES, 3, 8, 8, 8).astype(np.float32)
    sd = np.array(SD, np.float32)
    return ShapeBasis(FieldGrid(GRID, (1, 1, 1), (0, 0, 0), (8, 8, 8)), modes[0] * 0, modes, sd, 0.01, 0.99)


def network(name: str, **options: object) -> HeartModel:
    torch.manual_seed(0)
    sizes = {"representation": "shape", "latent": 2, "embedding": 12, "hidden": 16, "modes": MODES}
    return model_class(name)(
        SETTING, model_class(name).Options(**{**sizes, **options}), ShapeRepresentation(basis(), FRAMES)
    )


def observed(beats: Tensor, conditions: Tensor) -> ShapeBatch:
    """Normal forms of fully observed beats [B, T, K] in mm."""
    return ShapeBatch(beats[:, 0], None, beats, beats.square().sum(-1), torch.ones(beats.shape[:2]), conditions)


def two_kinds(n: int, *, noise: float = 0.1) -> ShapeBatch:
    """Beats of two kinds that conditions do not tell apart: large and small, each alike but for a little noise."""
    rng = torch.Generator().manual_seed(1)
    side = torch.where(torch.arange(n) % 2 == 0, 1.0, -1.0)
    motion = torch.tensor([1.0, 0.5, 0.8])
    beats = (side[:, None] * motion)[..., None] * torch.tensor(SD)
    beats = beats + noise * torch.randn(n, FRAMES, MODES, generator=rng) * torch.tensor(SD)
    return observed(beats, torch.from_numpy(SETTING.encoding.encode(PEOPLE[:1])).repeat(n, 1))


def train(model: HeartModel, batch: Callable[[], ShapeBatch], steps: int, rate: float = 2e-3) -> None:
    betas = (0.5, 0.999)  # as the presets have it for the game
    optimisers = {name: torch.optim.AdamW(group, lr=rate, betas=betas) for name, group in model.groups().items()}
    noise = torch.Generator().manual_seed(0)
    for _ in range(steps):
        for group, loss, _ in model.losses(batch(), noise):
            optimisers[group].zero_grad(set_to_none=True)
            loss.backward()
            optimisers[group].step()


def drawn(model: HeartModel, n: int) -> Tensor:
    """The first whitened coefficient of end-diastole of hearts generated for the first person, [n]."""
    draw = torch.randn(n, model.latent_size(), generator=torch.Generator().manual_seed(2))
    conditions = torch.from_numpy(SETTING.encoding.encode(PEOPLE[:1])).repeat(n, 1)
    with torch.no_grad():
        return model.predict(draw, conditions)[:, 0, 0]  # type: ignore[operator]


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_one_heart(name: str) -> None:
    model = network(name).eval()
    person = SETTING.encoding.encode(PEOPLE)[0]
    one = model.generate(person, seed=1)
    assert one.shape == (FRAMES, *GRID.shape)
    np.testing.assert_array_equal(one, model.generate(person, seed=1))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_observed_changes_no_loss(name: str) -> None:
    whole = two_kinds(4)
    weight = torch.ones(4, FRAMES)
    weight[:, 1] = 0
    seen = torch.eye(MODES).repeat(4, FRAMES, 1, 1) * weight[..., None, None]
    seen[:, 0, 1, 1] = 0  # of end-diastole only the first mode shows
    linear = torch.einsum("btkl,btl->btk", seen, whole.linear)
    first = linear[:, 0]
    losses = []
    for hidden in (0.0, 100.0):  # frames of no weight may hold anything
        noted = linear + hidden * (1 - weight[..., None])
        batch = ShapeBatch(first, seen, noted, whole.constant, weight, whole.conditions)
        model = network(name).eval()
        told = [float(loss.detach()) for _, loss, _ in model.losses(batch, torch.Generator().manual_seed(0))]
        losses.append([*told, *model.validation_loss(batch).detach().tolist()])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_a_predicted_beat_is_seen_as_the_real_one_was() -> None:
    shape = ShapeRepresentation(basis(), FRAMES)
    beats = two_kinds(4).linear
    gram = torch.einsum(
        "btik,btil->btkl", *[torch.randn(4, FRAMES, 5, MODES, generator=torch.Generator().manual_seed(0))] * 2
    )
    weight = torch.ones(4, FRAMES)
    weight[2, 1] = 0
    linear = torch.einsum("btkl,btl->btk", gram, beats)
    batch = ShapeBatch(beats[:, 0], gram, linear, torch.ones(4, FRAMES), weight, torch.zeros(4, 1))
    real, made = shape.real(batch), shape.predicted(beats / shape.sd, batch)
    torch.testing.assert_close(real, made)
    assert (real[2, 1] == 0).all()
    torch.testing.assert_close(real[0, 0], beats[0, 0] / shape.sd, rtol=0.01, atol=0.01)


def test_completion_follows_the_first_frame() -> None:
    batch = two_kinds(8)
    model = network("cvae", beta=1e-3)
    train(model, lambda: batch, 200, rate=1e-2)
    with torch.no_grad():
        completed = model.predict(model.posterior(batch)[0], batch.conditions)  # type: ignore[operator]
    left = (completed - batch.linear / torch.tensor(SD)).square().mean()
    assert float(left) < 0.1 * float((batch.linear / torch.tensor(SD)).square().mean())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cgan", "cvae-gan"])
def test_hearts_of_two_kinds_come_out_as_two_kinds(name: str) -> None:
    rng = torch.Generator().manual_seed(3)
    everyone = two_kinds(256)

    def some() -> ShapeBatch:
        rows = torch.randint(0, 256, (32,), generator=rng)
        return observed(everyone.linear[rows], everyone.conditions[rows])

    model = network(name, penalty=0.1)
    train(model, some, 400)
    made = drawn(model, 400)
    shares = [(made > 0.3).float().mean(), (made < -0.3).float().mean()]
    assert min(shares) > 0.15, shares


def test_the_energy_score_is_worse_for_a_generator_that_has_collapsed() -> None:
    batch = two_kinds(64)
    model = network("cgan")

    def one_kind(latent: Tensor, conditions: Tensor, _: object) -> Tensor:
        return (batch.linear[:1] / torch.tensor(SD)).expand(len(conditions), -1, -1)

    def both_kinds(latent: Tensor, conditions: Tensor, _: object) -> Tensor:
        side = torch.where(latent[:, :1, None] > 0, 1.0, -1.0)
        return one_kind(latent, conditions, None) * side

    scores = []
    for predict in (one_kind, both_kinds):
        model.predict = predict  # type: ignore[assignment]
        scores.append(float(model.validation_loss(batch).mean()))  # type: ignore[operator]
    assert scores[1] < 0.8 * scores[0]
