"""``cheart vary``: the same heart as one condition changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cheart.cli.options import (
    OUTPUT,
    READING,
    WORK,
    Device,
    Given,
    ModelFile,
    ModelName,
    Output,
    Seed,
    Strict,
    Work,
    conditions,
    options,
)
from cheart.models.find import BUNDLED

if TYPE_CHECKING:
    from cheart.conditions import Factor, Value


@options(target=OUTPUT, reading=READING, given=conditions("draw"), work=WORK)
def vary(
    target: Output,
    condition: Annotated[str, typer.Option("--condition", help="The condition that changes, such as age.")],
    reading: dict[str, Any],
    given: Given,
    work: Work,
    model: ModelName = BUNDLED,
    start: Annotated[float | None, typer.Option("--from", help="Its first value (a number).")] = None,
    stop: Annotated[float | None, typer.Option("--to", help="Its last value.")] = None,
    steps: Annotated[int, typer.Option("--steps", min=2, help="How many values, both ends included.")] = 7,
    heart: Annotated[
        Path | None, typer.Option("--heart", metavar="INPUT.nii.gz", help="Whose heart; without one it is drawn.")
    ] = None,
    strict: Strict = False,
    seed: Seed = 0,
    device: Device = "auto",
    code: ModelFile = None,
) -> None:
    """Show one heart at several values of a condition; all else stays as it is."""
    import cheart
    from cheart.cli.options import report, save
    from cheart.files import refuse_existing

    if not work.resume:
        refuse_existing(target.out, overwrite=target.overwrite)
    network = cheart.load(model, model=code, device=device)
    values = spread(network.encoding.schema[condition], start, stop, steps)
    own = heart and cheart.read_heart(heart, grid=network.grid, frames=network.frames, **reading)
    hearts = network.vary(condition, values, heart=own, conditions=given.conditions, unknown=given.unknown, seed=seed)
    save(hearts, target, work)
    report(hearts, target, strict=strict)


def spread(factor: Factor, start: float | None, stop: float | None, steps: int) -> list[Value]:
    """The values that a factor is led through: all its levels, or ``steps`` numbers from start to stop.

    Raises:
        InputError: a number factor without both ends.
    """
    import numpy as np

    from cheart.errors import InputError

    if factor.kind == "level":
        return list(factor.levels)
    if start is None or stop is None or not np.isfinite([start, stop]).all():
        raise InputError(f"vary {factor.name}: give its first and last value with --from and --to")
    return [factor.read(round(float(v), 6)) for v in np.linspace(start, stop, steps)]
