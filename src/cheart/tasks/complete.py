"""Heart completion: the first frame and conditions in, the whole cycle out (section II-C)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cheart.conditions import Conditions, Value
from cheart.datasets.posing import read_heart
from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import Scheme
from cheart.model import Model, Unknown


def complete(
    model: Model,
    heart: Path | str | Heart,
    *,
    conditions: Conditions | None = None,
    labels: str | Scheme = "cheart",
    unknown: Unknown = "missing",
    seed: int = 0,
    **given: Value,
) -> Heart:
    """Complete a cycle from end-diastole.

    Args:
        model: a trained model that can complete.
        heart: a NIfTI file in any pose, of which end-diastole is taken (a 3D file, or the frame of the largest LV
            cavity of a 4D one); or a heart that is in the template pose already.
        conditions, given: what is known of the owner, as a mapping or by name (``age=63, sex="F"``).
        labels: the file's label scheme, by name or as a map such as ``1=lv,2=myo,3=rv``.
        unknown: conditions that are not given are told to the network as missing, or drawn as the training cohort
            has them.
        seed: of what is drawn.

    Returns:
        The heart in the template pose; it keeps the warnings and the origin of the one that was given.

    Raises:
        InputError: the model cannot complete; the file or a condition is not understood; another grid.
    """
    model.network.must("complete")
    given_heart = first_frame(model, heart, labels=labels)
    asked = {**(conditions or {}), **given}
    settled, drawn = model.settle(asked, unknown=unknown, rng=np.random.default_rng(seed))
    made = model.network.complete(given_heart.labels[0], given_heart.observed[0], model.encode(settled))
    return model.heart(
        made, given_heart.cycle_s, kind="completed", conditions=settled, drawn=drawn,
        warnings=given_heart.warnings, origin=given_heart.origin,
    )  # fmt: skip


def first_frame(model: Model, heart: Path | str | Heart, *, labels: str | Scheme) -> Heart:
    """A heart whose frame 0 the model can take.

    Raises:
        InputError: the file is not understood, or the heart is on another grid than the model's.
    """
    if isinstance(heart, Heart):
        if heart.grid != model.grid:
            raise InputError(f"the heart is on the grid {heart.grid.name}, the model on {model.grid.name}")
        return heart
    return read_heart(heart, scheme=labels, grid=model.grid, frames=model.frames)
