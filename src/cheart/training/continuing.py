"""Going on from a trained model with another cohort: what it knows, room for new conditions and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cheart.cohort import Cohort
from cheart.conditions import Conditions, Encoding
from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting
from cheart.models.cheart import CHeart
from cheart.models.fields import FieldGrid
from cheart.models.store import Stored, basis_of
from cheart.population import Population
from cheart.progress import Jobs
from cheart.training.data import ShapeData, fit_level, sample_fields
from cheart.training.remembered import remember
from cheart.training.transfer import transfer

FURTHER_MODES = 48
"""Modes that a shape basis gains for another cohort's hearts: simulated healthy ones do not span patients."""

REMEMBERED = 300
"""Hearts that a model tells the new network of."""


def continue_model(
    base: Stored, options: Any, cohort: Cohort, people: Sequence[Conditions], *, jobs: Jobs
) -> tuple[HeartModel, Any]:
    """A network for a cohort's conditions and shapes that begins with what a trained model knows; and its options.

    It has the model's weights. Factors that the model does not know come as new columns of the condition network with
    weights of zero, so that the new network answers as the old one until it has learned better. A model that is
    all but linear learns in closed form instead (:func:`learn_on`): its network is new, on a basis with further modes
    for shapes that the model's lacks.

    Raises:
        InputError: another grid or another number of frames than the cohort's, a factor of another kind, or options
            that change the network's shape.
    """
    was = base.network.setting
    if (was.grid, was.frames) != (cohort.grid, cohort.frames):
        raise InputError(
            f"--from: the model has {was.frames} frames on the grid {was.grid.name}, the cohort {cohort.frames} on "
            f"{cohort.grid.name}; import or simulate the cohort with --grid {was.grid.name} --frames {was.frames}"
        )
    encoding = was.encoding.extended(cohort.schema, people)
    setting = Setting(cohort.grid, cohort.frames, encoding)
    if all_but_linear(base.network):
        was_on, where = basis_of(base.network), FieldGrid.whole(cohort.grid)
        assert was_on is not None
        training = cohort.indices("train")
        basis = was_on.extended(sample_fields(cohort, training, where, jobs=jobs), where, FURTHER_MODES)
        basis = fit_level(basis, cohort, training, jobs=jobs)
        latent = min(options.latent + basis.size - was_on.size, basis.size)
        options = replace(options, modes=basis.size, latent=latent)
        return type(base.network)(setting, options, basis), options  # type: ignore[call-arg]
    network = type(base.network)(setting, options, basis_of(base.network))  # type: ignore[call-arg]
    weights = _widened(base.network.state_dict(), network.state_dict(), was.encoding, encoding)
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        raise InputError("--from: these --set values change the network's shape; leave them out") from None
    return network, options


def all_but_linear(network: HeartModel) -> bool:
    """Whether a network learns on in closed form: CHeart on a shape basis, with harmonic motion."""
    return isinstance(network, CHeart) and network.options.space == "shape" and network.options.motion == "harmonic"


def learn_on(
    network: HeartModel, base: Stored, training: ShapeData, validation: ShapeData, *, seed: int
) -> tuple[float, dict[str, float]]:
    """Learn from new hearts what a model that is all but linear does not know (:mod:`cheart.training.transfer`).

    Args:
        network: of :func:`continue_model`.
        base: the model.
        training, validation: new hearts; nothing is chosen on the validation subjects.
        seed: of the hearts that the model remembers.

    Returns:
        The mean validation loss, and figures for the log.
    """
    assert isinstance(network, CHeart)
    assert isinstance(base.network, CHeart)
    encoding, modes = network.setting.encoding, training.linear.shape[2]
    population = Population.from_json(base.config["population"], base.network.setting.encoding)
    known = remember(base.network, population, encoding, modes=modes, hearts=REMEMBERED, seed=seed)
    figures = transfer(network, known, training)
    network.eval()
    everyone = validation.batch(np.arange(len(validation)), torch.device("cpu"))
    with torch.no_grad():
        return float(network.validation_loss(everyone).mean()), figures


def _widened(old: dict[str, Tensor], new: dict[str, Tensor], was: Encoding, now: Encoding) -> dict[str, Tensor]:
    """The old weights; of a matrix whose columns are conditions, each column goes where its condition is now."""
    place = [now.columns.index(column) for column in was.columns]
    out = {}
    for name, tensor in old.items():
        wide = len(was.columns) != len(now.columns)
        if wide and tensor.ndim == 2 and tensor.shape[1] == len(was.columns) != new[name].shape[1]:
            widened = torch.zeros_like(new[name])
            widened[:, place] = tensor
            out[name] = widened
        else:
            out[name] = tensor
    return out
