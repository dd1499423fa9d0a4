"""Heart completion: the first frame and conditions in, the whole cycle out (section II-C)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cheart.conditions import Conditions, Value
from cheart.datasets.posing import Posed, pose_file
from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import Scheme, parse_scheme
from cheart.model import MadeHeart, TrainedModel, Unknown


def complete(
    model: TrainedModel,
    heart: Path | str | Heart | Posed,
    *,
    conditions: Conditions | None = None,
    labels: str | Scheme = "cheart",
    unknown: Unknown = "missing",
    seed: int = 0,
    **given: Value,
) -> MadeHeart:
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
        The heart in the template pose; :class:`cheart.datasets.posing.Posed` takes it back to the file's own space.

    Raises:
        InputError: the model cannot complete; the file or a condition is not understood; another grid.
    """
    model.network.must("complete")
    sequence = first_frame(model, heart, labels=labels)
    asked = {**(conditions or {}), **given}
    settled, drawn = model.settle(asked, unknown=unknown, rng=np.random.default_rng(seed))
    made = model.network.complete(sequence.labels[0], sequence.observed[0], model.encode(settled))
    return MadeHeart(model.heart(made, sequence.cycle_s), "completed", settled, drawn)


def first_frame(model: TrainedModel, heart: Path | str | Heart | Posed, *, labels: str | Scheme) -> Heart:
    """A heart whose frame 0 the model can take.

    Raises:
        InputError: the file is not understood, or the heart is on another grid than the model's.
    """
    if isinstance(heart, Posed):
        heart = heart.sequence
    if isinstance(heart, Heart):
        if heart.grid != model.grid:
            raise InputError(f"the heart is on the grid {heart.grid.name}, the model on {model.grid.name}")
        return heart
    scheme = parse_scheme(labels) if isinstance(labels, str) else labels
    return pose_file(heart, scheme=scheme, grid=model.grid, frames=model.frames).sequence
