"""Going on in closed form, with hearts whose difference from the model's is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.conditions import Encoding
from cheart.models.base import Setting
from cheart.models.cheart import CHeart, CHeartOptions
from cheart.population import Population
from cheart.training.data import ShapeData, fit_basis
from cheart.training.linear_start import start_linear
from cheart.training.remembered import Remembered, remember
from cheart.training.transfer import transfer
from cohorts import tiny_cohort

OPTIONS = CHeartOptions(
    space="shape", motion="harmonic", prior="learned", latent=3, code=8, modes=6, harmonics=2, hidden=8, loose=4
)
FRAMES, SYSTOLE = 6, 3


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[CHeart, Remembered, ShapeData]:
    """A model, hearts that it remembers, and the 20 hearts that it was made of."""
    cohort = tiny_cohort(tmp_path_factory.mktemp("c") / "c", n=20, frames=FRAMES)
    everyone = np.arange(20)
    people = [cohort.conditions(i) for i in everyone]
    basis = fit_basis(cohort, everyone, modes=OPTIONS.modes, jobs=1)
    encoding = Encoding.fit(cohort.schema, people)
    data = ShapeData.of(cohort, everyone, encoding, basis, jobs=1, title="")
    torch.manual_seed(0)
    network = CHeart(Setting(cohort.grid, cohort.frames, encoding), OPTIONS, basis).eval()
    start_linear(network, data)
    known = remember(network, Population.fit(encoding, people), encoding, modes=basis.size, hearts=200, seed=0)
    return network, known, data


def gone_on(base: CHeart, known: Remembered, data: ShapeData) -> CHeart:
    """What comes of a new network."""
    torch.manual_seed(1)
    network = CHeart(base.setting, OPTIONS, base.space.basis).eval()
    transfer(network, known, data)
    return network


@torch.no_grad()
def completed(network: CHeart, data: ShapeData) -> Tensor:
    """Beats [N, T, K] in mm from first frames and conditions."""
    batch = data.batch(np.arange(len(data)), torch.device("cpu"))
    mean, _, code = network.posterior(network.space.first(batch), batch.conditions)
    return network.space.decoder(network.codes(mean, code)) * network.space.sd


def off(network: CHeart, data: ShapeData, frames: slice = slice(None)) -> float:
    """RMS distance of completed beats to whole ones, in mm."""
    return float((completed(network, data) - data.linear)[:, frames].square().mean().sqrt())


def altered(data: ShapeData, *, motion: float = 1.0, shift: float = 0.0) -> ShapeData:
    """Hearts that move so much of what they did, elsewhere along the first mode (mm)."""
    beats = data.linear[:, :1] + motion * (data.linear - data.linear[:, :1])
    beats[:, :, 0] += shift
    first = data.first.clone()
    first[:, 0] += shift
    return replace(data, first=first, linear=beats)


def seen_at(data: ShapeData, *frames: int) -> ShapeData:
    """The same with nothing known of other frames."""
    weight = torch.zeros_like(data.weight)
    weight[:, list(frames)] = 1
    return replace(data, linear=data.linear * weight[:, :, None], constant=data.constant * weight, weight=weight)


def some(data: ShapeData, which: NDArray[np.intp]) -> ShapeData:
    rows = torch.from_numpy(which)
    return ShapeData(**{name: None if value is None else value[rows] for name, value in vars(data).items()})


def test_hearts_that_move_as_the_model_says_change_little(base: tuple[CHeart, Remembered, ShapeData]) -> None:
    network, known, data = base
    still = altered(data, motion=0)
    size = float((data.linear - still.linear).square().mean().sqrt())
    few = gone_on(network, known, some(data, np.arange(0, 20, 4)))
    assert off(few, data) < off(network, data) + 0.1 * size


def test_hearts_of_another_shape_and_motion_are_learned(base: tuple[CHeart, Remembered, ShapeData]) -> None:
    network, known, data = base
    length = 3 * float(data.first[:, 0].std())
    new = altered(data, motion=0.6, shift=length)
    learned, left_out = some(new, np.arange(0, 20, 2)), some(new, np.arange(1, 20, 2))
    after = gone_on(network, known, learned)
    assert off(after, left_out) < 0.4 * off(network, left_out)
    with torch.no_grad():
        code = after.conditions(new.conditions)
        standard = torch.zeros(len(new), OPTIONS.latent)
        drawn = after.space.decoder(after.codes(after.prior.place(standard, code), code)) * after.space.sd
    assert float(drawn[:, 0, 0].mean() - data.first[:, 0].mean()) == pytest.approx(length, rel=0.2)


def test_a_frame_that_was_never_seen_moves_with_the_one_that_was(base: tuple[CHeart, Remembered, ShapeData]) -> None:
    network, known, data = base
    new = altered(data, motion=0.5)
    after = gone_on(network, known, seen_at(new, 0, SYSTOLE))
    between = slice(1, SYSTOLE)
    assert off(after, new, between) < 0.4 * off(network, new, between)


def test_the_order_of_hearts_does_not_matter(base: tuple[CHeart, Remembered, ShapeData]) -> None:
    network, known, data = base
    new = altered(data, motion=0.6, shift=1.0)
    other = some(new, np.random.default_rng(0).permutation(len(new)))
    one, two = (gone_on(network, known, hearts) for hearts in (new, other))
    assert torch.allclose(completed(one, new), completed(two, new), atol=1e-3)
