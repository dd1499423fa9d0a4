"""``cheart vary``: the same heart as one condition changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cheart.cli.options import (
    SBP,
    Age,
    AsJson,
    Device,
    Height,
    LabelScheme,
    ModelName,
    More,
    OutFolder,
    Overwrite,
    Seed,
    Sex,
    Weight,
)
from cheart.models.find import BUNDLED


def vary(
    out: OutFolder,
    condition: Annotated[str, typer.Option("--condition", help="The condition that changes, such as age.")],
    model: ModelName = BUNDLED,
    start: Annotated[float | None, typer.Option("--from", help="Its first value (a number).")] = None,
    stop: Annotated[float | None, typer.Option("--to", help="Its last value.")] = None,
    steps: Annotated[int, typer.Option("--steps", min=2, help="How many values, both ends included.")] = 7,
    heart: Annotated[
        Path | None, typer.Option("--heart", metavar="INPUT.nii.gz", help="Whose heart; without one it is drawn.")
    ] = None,
    labels: LabelScheme = "cheart",
    spacing: Annotated[
        Literal["pixdim", "affine"] | None, typer.Option("--spacing", help="Which to believe where they disagree.")
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="The header mirrors the heart, as those of ACDC do.")
    ] = False,
    age: Age = None,
    sex: Sex = None,
    weight: Weight = None,
    height: Height = None,
    sbp: SBP = None,
    more: More = None,
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Show one heart at several values of a condition; all else stays as it is."""
    from cheart.cli.options import conditions, finish, in_words, open_model, report
    from cheart.cli.say import answer, warn
    from cheart.datasets.posing import read_heart
    from cheart.files import new_folder, refuse_existing
    from cheart.tasks.results import write_hearts
    from cheart.tasks.vary import spread
    from cheart.tasks.vary import vary as vary_heart

    refuse_existing(out, overwrite=overwrite)
    trained = open_model(model, device)
    values = spread(trained.encoding.schema[condition], start, stop, steps)
    given = conditions(age, sex, weight, height, sbp, more)
    read = trained.encoding.schema.read(given)
    warnings = sorted({w for value in values for w in trained.encoding.outside({**read, condition: value})})
    for warning in warnings:
        warn(warning)
    posed = None
    if heart is not None:
        posed = read_heart(
            heart, scheme=labels, grid=trained.grid, frames=trained.frames, spacing=spacing, mirrored=mirrored
        )
    hearts = vary_heart(trained, condition, values, heart=posed, conditions=given, seed=seed)
    with new_folder(out, overwrite=overwrite) as folder:
        shown = write_hearts(folder, hearts, trained, total=len(values), title="Varying", seed=seed, varied=condition)
        finish(folder, shown, trained)
    total = len(values)
    answer(report(out, shown, trained, total, warnings), in_words(out, shown, trained, total), as_json=as_json)
