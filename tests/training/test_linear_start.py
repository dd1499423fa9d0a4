import numpy as np
import pytest
import torch

from cheart.conditions import Encoding
from cheart.models.base import Setting
from cheart.models.cheart import CHeart, CHeartOptions
from cheart.training.data import ShapeData, fit_basis
from cheart.training.linear_start import ridge, start_linear
from cheart.training.loose import loosen
from cohorts import tiny_cohort

OPTIONS = CHeartOptions(
    space="shape", motion="harmonic", prior="learned", latent=3, code=8, modes=6, harmonics=2, hidden=8, loose=4
)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[CHeart, CHeart, ShapeData]:
    """A network before and after its linear start, and its training subjects."""
    cohort = tiny_cohort(tmp_path_factory.mktemp("c") / "c", n=20, frames=6)
    indices = np.arange(20)
    basis = fit_basis(cohort, indices, modes=OPTIONS.modes, jobs=1)
    encoding = Encoding.fit(cohort.schema, [cohort.conditions(i) for i in indices])
    data = ShapeData.of(cohort, indices, encoding, basis, jobs=1, title="")
    torch.manual_seed(0)
    before, after = (CHeart(Setting(cohort.grid, cohort.frames, encoding), OPTIONS, basis).eval() for _ in range(2))
    start_linear(after, data)
    return before, after, data


@torch.no_grad()
def error(network: CHeart, data: ShapeData) -> float:
    batch = data.batch(np.arange(len(data)), torch.device("cpu"))
    mean, _, code = network.posterior(network.space.first(batch), batch.conditions)
    return float(network.space.reconstruction(network.codes(mean, code), batch).mean())


def test_it_begins_near_what_training_would_have_to_find(started: tuple[CHeart, CHeart, ShapeData]) -> None:
    before, after, data = started
    assert error(after, data) < 0.1 * error(before, data)


def test_the_prior_begins_where_the_codes_are(started: tuple[CHeart, CHeart, ShapeData]) -> None:
    _, network, data = started
    with torch.no_grad():
        batch = data.batch(np.arange(len(data)), torch.device("cpu"))
        mean, _, code = network.posterior(network.space.first(batch), batch.conditions)
        standard = network.prior.standardise(mean, code)
    assert standard.mean(dim=0).abs().max() < 0.1
    assert 0.2 < float(standard.var(dim=0).max()) < 1.3


def test_motion_is_loosened_by_what_completion_leaves(started: tuple[CHeart, CHeart, ShapeData]) -> None:
    _, network, data = started
    shifted = ShapeData(**{**vars(data), "linear": data.linear.clone()})
    rng = torch.Generator().manual_seed(0)
    swing = torch.randn(len(data), 1, generator=rng) * 100
    shifted.linear[:, :, 0] += swing * torch.sin(2 * torch.pi * torch.arange(6) / 6)
    loosen(network, shifted)
    with torch.no_grad():
        free = torch.randn(400, OPTIONS.loose, generator=rng)
        start = torch.zeros(400, OPTIONS.latent + OPTIONS.code)
        moved = network.space.decoder(network.temporal(start, 6, free)) * network.space.sd
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
