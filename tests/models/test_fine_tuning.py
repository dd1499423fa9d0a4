"""Fine-tuning in closed form, with hearts whose difference from the model's is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.conditions import Encoding
from cheart.models.base import Setting
from cheart.models.cheart import CHeart
from cheart.models.fine_tuning import Replayed
from cheart.models.shape import ShapeData
from cheart.population import Population
from cohorts import SMALL_CHEART, on_shapes, tiny_cohort

pytestmark = pytest.mark.slow

FRAMES, SYSTOLE = 6, 3


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[CHeart, Replayed, ShapeData]:
    """A model, hearts that it replays, and the 20 hearts that it was made of."""
    cohort = tiny_cohort(tmp_path_factory.mktemp("c") / "c", n=20, frames=FRAMES)
    everyone = np.arange(20)
    people = [cohort.conditions(i) for i in everyone]
    encoding = Encoding.fit(cohort.schema, people)
    shape, data = on_shapes(cohort, everyone, encoding, modes=SMALL_CHEART.modes)
    torch.manual_seed(0)
    network = CHeart(Setting(cohort.grid, cohort.frames, encoding), SMALL_CHEART, shape).eval()
    network.initialise(data)
    known = network.replay(Population.fit(encoding, people), encoding, modes=shape.basis.size, seed=0)
    return network, known, data


def fine_tuned(base: CHeart, known: Replayed, data: ShapeData) -> CHeart:
    """What comes of a new network."""
    torch.manual_seed(1)
    network = CHeart(base.setting, SMALL_CHEART, base.representation).eval()
    network.replayed = known
    assert not network.takes_steps
    network.fit(data, data)
    return network


@torch.no_grad()
def completed(network: CHeart, data: ShapeData) -> Tensor:
    """Beats [N, T, K] in mm from first frames and conditions."""
    batch = data.subjects
    mean, _, embedding = network.posterior(network.representation.first(batch), batch.conditions)
    return network.decoder(network.latents(mean, embedding)) * network.representation.sd


def off(network: CHeart, data: ShapeData, frames: slice = slice(None)) -> float:
    """RMS distance of completed beats to whole ones, in mm."""
    return float((completed(network, data) - data.subjects.linear)[:, frames].square().mean().sqrt())


def altered(data: ShapeData, *, motion: float = 1.0, shift: float = 0.0) -> ShapeData:
    """Hearts that move so much of what they did, elsewhere along the first mode (mm)."""
    was = data.subjects
    beats = was.linear[:, :1] + motion * (was.linear - was.linear[:, :1])
    beats[:, :, 0] += shift
    first = was.first.clone()
    first[:, 0] += shift
    return ShapeData(replace(was, first=first, linear=beats))


def seen_at(data: ShapeData, *frames: int) -> ShapeData:
    """The same with nothing known of other frames."""
    was, weight = data.subjects, torch.zeros_like(data.subjects.weight)
    weight[:, list(frames)] = 1
    seen = replace(was, linear=was.linear * weight[:, :, None], constant=was.constant * weight, weight=weight)
    return ShapeData(seen)


def some(data: ShapeData, which: NDArray[np.intp]) -> ShapeData:
    return ShapeData(data.batch(which, torch.device("cpu")))


def test_hearts_that_move_as_the_model_says_change_little(base: tuple[CHeart, Replayed, ShapeData]) -> None:
    network, known, data = base
    still = altered(data, motion=0)
    size = float((data.subjects.linear - still.subjects.linear).square().mean().sqrt())
    few = fine_tuned(network, known, some(data, np.arange(0, 20, 4)))
    assert off(few, data) < off(network, data) + 0.1 * size


def test_hearts_of_another_shape_and_motion_are_learned(base: tuple[CHeart, Replayed, ShapeData]) -> None:
    network, known, data = base
    length = 3 * float(data.subjects.first[:, 0].std())
    new = altered(data, motion=0.6, shift=length)
    learned, left_out = some(new, np.arange(0, 20, 2)), some(new, np.arange(1, 20, 2))
    after = fine_tuned(network, known, learned)
    assert off(after, left_out) < 0.4 * off(network, left_out)
    with torch.no_grad():
        embedding = after.conditions(new.subjects.conditions)
        standard = torch.zeros(len(new), SMALL_CHEART.latent)
        latents = after.latents(after.prior.place(standard, embedding), embedding)
        drawn = after.decoder(latents) * after.representation.sd
    assert float(drawn[:, 0, 0].mean() - data.subjects.first[:, 0].mean()) == pytest.approx(length, rel=0.2)


def test_a_frame_that_was_never_seen_moves_with_the_one_that_was(base: tuple[CHeart, Replayed, ShapeData]) -> None:
    network, known, data = base
    new = altered(data, motion=0.5)
    after = fine_tuned(network, known, seen_at(new, 0, SYSTOLE))
    between = slice(1, SYSTOLE)
    assert off(after, new, between) < 0.4 * off(network, new, between)


def test_the_order_of_hearts_does_not_matter(base: tuple[CHeart, Replayed, ShapeData]) -> None:
    network, known, data = base
    new = altered(data, motion=0.6, shift=1.0)
    other = some(new, np.random.default_rng(0).permutation(len(new)))
    one, two = (fine_tuned(network, known, hearts) for hearts in (new, other))
    assert torch.allclose(completed(one, new), completed(two, new), atol=1e-3)
