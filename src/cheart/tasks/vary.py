"""The same heart as one condition changes: a 30-year-old heart at 40, 50, 60 … (section III-F, Fig. 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cheart.conditions import Conditions, Factor, Value
from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import Scheme
from cheart.model import Model, Unknown
from cheart.tasks.complete import first_frame
from cheart.tasks.generate import heart_seed


def vary(
    model: Model,
    condition: str,
    values: Sequence[Value],
    *,
    heart: Path | str | Heart | None = None,
    conditions: Conditions | None = None,
    labels: str | Scheme = "cheart",
    unknown: Unknown = "draw",
    seed: int = 0,
    **given: Value,
) -> Iterator[Heart]:
    """One heart for each value of a condition; its own code z_0 and all other conditions stay as they are.

    Args:
        model: a trained model that can generate.
        condition: the one that changes.
        values: what it becomes.
        heart: whose heart it is: z_0 is that of its end-diastole, under its own conditions. Without one, z_0 is drawn.
        conditions, given: the owner's conditions; with ``heart``, its own value of ``condition`` belongs to them.
        labels: the file's label scheme.
        unknown: other conditions that are not given are drawn once, for the middle value, or told as missing.
        seed: of the code and of what is drawn.

    Raises:
        InputError: the model cannot do it, or a condition, a value or the file is not understood.
    """
    model.network.must("generate")
    factor = model.encoding.schema[condition]
    read = [factor.read(value) for value in values]
    if not read:
        raise InputError(f"vary {condition}: no value was given")
    own = {**(conditions or {}), **given}
    key = heart_seed(seed, 0)
    start: dict[str, Value] = {condition: read[len(read) // 2], **own}
    settled, drawn = model.settle(start, unknown=unknown, rng=np.random.default_rng(key))
    if heart is None:
        code, cycle_s = model.network.sample_latent(key), float("nan")
    else:
        model.network.must("complete")
        sequence = first_frame(model, heart, labels=labels)
        told = {**settled, condition: own.get(condition)}
        code = model.network.encode(sequence.labels[0], sequence.observed[0], model.encode(told))
        cycle_s = sequence.cycle_s
    return (
        model.heart(
            model.network.decode(code, model.encode({**settled, condition: value})),
            cycle_s,
            conditions={**settled, condition: value},
            drawn=drawn,
            seed=key if heart is None else None,
        )
        for value in read
    )


def spread(factor: Factor, start: float | None, stop: float | None, steps: int) -> list[Value]:
    """The values that a factor is led through: all its levels, or ``steps`` numbers from start to stop.

    Raises:
        InputError: a number factor without both ends.
    """
    if factor.kind == "level":
        return list(factor.levels)
    if start is None or stop is None:
        raise InputError(f"vary {factor.name}: give its first and last value with --from and --to")
    return [factor.read(round(float(v), 6)) for v in np.linspace(start, stop, steps)]
