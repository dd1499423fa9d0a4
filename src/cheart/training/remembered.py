"""What a trained model knows, as hearts of its own: a cohort that needs no voxels and names no person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cheart.conditions import Encoding
from cheart.models.cheart import CHeart
from cheart.models.shape_network import ShapeSpace
from cheart.population import Population

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Remembered:
    """Hearts that a model generated, in coefficients of a shape basis (mm).

    Attributes:
        conditions: [N, E], as another network takes them; factors that the model does not know are missing.
        expected: [N, T, K], each heart's most probable motion given its end-diastole and conditions.
        beats: [N, T, K], with the motion that these do not tell.
    """

    conditions: Array
    expected: Array
    beats: Array


@torch.no_grad()
def remember(
    network: CHeart, population: Population, encoding: Encoding, *, modes: int, hearts: int, seed: int
) -> Remembered:
    """Let a model on a shape basis with harmonic motion generate hearts for people like those it was trained on.

    Args:
        network: the trained model.
        population: its training cohort's conditions.
        encoding: of the network that is to learn from it.
        modes: K of that network's basis, whose first modes are the model's.
        hearts: how many.
        seed: of people and hearts.
    """
    space = network.space
    assert isinstance(space, ShapeSpace)
    rng = np.random.default_rng([seed, 0x3E3])
    people = [population.draw({}, rng) for _ in range(hearts)]
    own = torch.from_numpy(network.setting.encoding.encode(people))
    noise = torch.Generator().manual_seed(seed)
    standard = torch.randn(hearts, network.options.latent, generator=noise)
    free = torch.randn(hearts, network.options.loose, generator=noise)
    code = network.conditions(own)
    latent = network.prior.place(standard, code)
    made = [
        (space.decoder(network.codes(latent, code, epsilon)) * space.sd).double().numpy() for epsilon in (None, free)
    ]
    expected, beats = (np.pad(beat, ((0, 0), (0, 0), (0, modes - beat.shape[2]))) for beat in made)
    return Remembered(encoding.encode(people).astype(np.float64), expected, beats)
