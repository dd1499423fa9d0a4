from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from cheart.conditions import Encoding
from cheart.models.base import Setting
from cheart.models.cheart import CHeart
from cheart.models.linear_start import ridge
from cheart.models.registry import model_class
from cheart.models.shape import ShapeBatch, ShapeData, ShapeRepresentation
from cohorts import SMALL_CHEART, on_shapes, tiny_cohort

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[CHeart, CHeart, ShapeData]:
    """A network before and after its linear start, and its training subjects."""
    cohort = tiny_cohort(tmp_path_factory.mktemp("c") / "c", n=20, frames=6)
    indices = np.arange(20)
    encoding = Encoding.fit(cohort.schema, [cohort.conditions(i) for i in indices])
    shape, data = on_shapes(cohort, indices, encoding, modes=SMALL_CHEART.modes)
    torch.manual_seed(0)
    before, after = (
        CHeart(Setting(cohort.grid, cohort.frames, encoding), SMALL_CHEART, shape).eval() for _ in range(2)
    )
    after.initialise(data)
    return before, after, data


@torch.no_grad()
def error(network: CHeart, data: ShapeData) -> float:
    return float((network.validation_loss(data.subjects) - network.options.beta * divergence(network, data)).mean())


def divergence(network: CHeart, data: ShapeData) -> torch.Tensor:
    mean, log_var, embedding = network.posterior(network.representation.first(data.subjects), data.subjects.conditions)
    return network.prior.divergence(mean, log_var, embedding)


def test_it_begins_near_what_training_would_have_to_find(started: tuple[CHeart, CHeart, ShapeData]) -> None:
    before, after, data = started
    assert error(after, data) < 0.1 * error(before, data)


def test_the_prior_begins_where_the_latents_are(started: tuple[CHeart, CHeart, ShapeData]) -> None:
    _, network, data = started
    with torch.no_grad():
        mean, _, embedding = network.posterior(network.representation.first(data.subjects), data.subjects.conditions)
        standard = network.prior.standardise(mean, embedding)
    assert standard.mean(dim=0).abs().max() < 0.1
    assert 0.2 < float(standard.var(dim=0).max()) < 1.3


def test_the_motion_residual_is_what_completion_leaves(started: tuple[CHeart, CHeart, ShapeData]) -> None:
    _, network, data = started
    shifted = ShapeData(replace(data.subjects, linear=data.subjects.linear.clone()))
    rng = torch.Generator().manual_seed(0)
    swing = torch.randn(len(data), 1, generator=rng) * 100
    shifted.subjects.linear[:, :, 0] += swing * torch.sin(2 * torch.pi * torch.arange(6) / 6)
    network.after_training(shifted)
    with torch.no_grad():
        epsilon = torch.randn(400, SMALL_CHEART.residual, generator=rng)
        start = torch.zeros(400, SMALL_CHEART.latent + SMALL_CHEART.embedding)
        moved = network.decoder(network.temporal(start, 6, epsilon)) * network.representation.sd
    spread = (moved[:, 1, 0] - moved[:, 1, 0].mean()).std() / np.sin(2 * np.pi / 6)
    assert float(spread / swing.std()) == pytest.approx(1, abs=0.25)


def test_a_regression_leaves_alone_what_only_noise_would_explain() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 40))
    scale = np.where(np.arange(40) < 2, 1.0, 0.02)
    y = x[:, :1] * 3 + rng.normal(size=(60, 1))
    plain, _ = ridge(x, y)
    trusting, _ = ridge(x, y, scale=scale)
    assert trusting[0, 0] == pytest.approx(3, abs=0.5)
    assert np.abs(trusting[2:]).max() < 0.2 * np.abs(plain[2:]).max()


def test_the_penalty_is_judged_in_the_units_that_are_given() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 10))
    y = np.column_stack([x @ rng.normal(size=10), rng.normal(size=(50, 200))])
    deaf, _ = ridge(x, y)
    hearing, _ = ridge(x, y, units=np.where(np.arange(201) < 1, 1.0, 0.001))
    left = [float(np.square(y[:, 0] - x @ w[:, 0]).mean()) for w in (deaf, hearing)]
    assert left[1] < 0.1 * left[0]


# -- the baselines -------------------------------------------------------------------------------------------------

SIZES = {"representation": "shape", "latent": 5, "embedding": 12, "modes": 6, "hidden": 8}

Started = tuple[dict, ShapeRepresentation, ShapeBatch]


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Started:
    """CVAE and CGAN before and after the linear start, their representation, and training subjects."""
    cohort = tiny_cohort(tmp_path_factory.mktemp("c") / "c", n=24, frames=6)
    indices = np.arange(24)
    encoding = Encoding.fit(cohort.schema, [cohort.conditions(i) for i in indices])
    shape, data = on_shapes(cohort, indices, encoding, modes=6)
    networks = {}
    for name in ("cvae", "cgan"):
        for when in ("before", "after"):
            torch.manual_seed(0)
            setting = Setting(cohort.grid, cohort.frames, encoding)
            networks[name, when] = model_class(name)(setting, model_class(name).Options(**SIZES), shape).eval()
        networks[name, "after"].initialise(data)
    return networks, shape, data.subjects


@torch.no_grad()
def test_the_cvae_begins_as_the_regression_on_end_diastole(beats: Started) -> None:
    networks, _, batch = beats
    error = {}
    for when in ("before", "after"):
        network = networks["cvae", when]
        mean, _ = network.posterior(batch)
        error[when] = float(
            network.representation.reconstruction(network.predict(mean, batch.conditions), batch).mean()
        )
    assert error["after"] < 0.05 * error["before"]


@torch.no_grad()
def test_the_latents_of_the_cvae_begin_as_the_prior_has_them(beats: Started) -> None:
    networks, _, batch = beats
    mean, _ = networks["cvae", "after"].posterior(batch)
    assert mean.mean(dim=0).abs().max() < 0.05
    assert mean[:, 0].std() == pytest.approx(1, abs=0.05)
    centred = batch.conditions - batch.conditions.mean(dim=0)
    alike = centred.T @ (mean - mean.mean(dim=0)) / len(mean)
    assert alike[:, 0].abs().max() < 0.2  # the longest axis; 24 hearts do not tell what conditions do to the others


@torch.no_grad()
def test_the_cgan_begins_with_the_spread_of_real_hearts(beats: Started) -> None:
    networks, shape, batch = beats
    network = networks["cgan", "after"]
    draw = torch.randn(24 * 50, 5, generator=torch.Generator().manual_seed(0))
    made = network.predict(draw, batch.conditions.repeat(50, 1)) * network.representation.sd
    real = torch.from_numpy(shape.whole_beats(batch))

    def spread(hearts: Tensor) -> Tensor:
        return hearts[:, 3, 0].std()

    assert float(spread(made)) == pytest.approx(float(spread(real)), rel=0.15)
    torch.testing.assert_close(made.mean(0)[:, 0], real.mean(0)[:, 0].float(), atol=0.15 * float(spread(real)), rtol=0)
