"""Going on from a trained model with another cohort: the same weights, room for new conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cheart.cohort import Cohort
from cheart.conditions import Conditions, Encoding
from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting
from cheart.models.build import build
from cheart.models.cheart import CHeart
from cheart.models.shape import FieldGrid
from cheart.models.store import Stored, basis_of
from cheart.progress import Jobs
from cheart.training.data import sample_fields
from cheart.training.room import make_room

FURTHER_MODES = 48
"""Modes that a shape basis gains for another cohort's hearts: simulated healthy ones do not span patients."""


def continue_model(
    base: Stored, options: Any, cohort: Cohort, people: Sequence[Conditions], *, jobs: Jobs
) -> tuple[HeartModel, Any]:
    """A network with a trained model's weights, ready for a cohort's conditions and shapes; and its options.

    Factors that the model does not know come as new columns of the condition network with weights of zero, so that
    the new network answers as the old one until it has learned better. Shapes that its basis lacks come as new modes.

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
    old, basis = base.network.state_dict(), basis_of(base.network)
    if isinstance(base.network, CHeart) and basis is not None and options.motion == "harmonic":
        where = FieldGrid.whole(cohort.grid)
        sampled = sample_fields(cohort, cohort.indices("train"), where, jobs=jobs)
        wider = basis.extended(sampled, where, modes=FURTHER_MODES)
        options, old = make_room(base.network, options, wider)
        basis = wider
    network = build(base.network.name, setting, options, basis)
    weights = _widened(old, network.state_dict(), was.encoding, encoding)
    try:
        network.load_state_dict(weights)
    except RuntimeError:
        raise InputError("--from: these --set values change the network's shape; leave them out") from None
    return network, options


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
