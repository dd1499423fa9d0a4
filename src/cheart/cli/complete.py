"""``cheart complete``: the whole cycle from one frame."""

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
    More,
    OutFolder,
    Overwrite,
    Seed,
    Sex,
    Weight,
)
from cheart.models.find import BUNDLED


def complete(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] INPUT.nii.gz",
            help="A label map: ED alone, or a cycle; before it a model, if it is not to be the bundled one.",
        ),
    ],
    out: OutFolder,
    labels: LabelScheme = "cheart",
    age: Age = None,
    sex: Sex = None,
    weight: Weight = None,
    height: Height = None,
    sbp: SBP = None,
    more: More = None,
    ed: Annotated[int | None, typer.Option("--ed", help="The frame of end-diastole, from 0.")] = None,
    cycle: Annotated[float | None, typer.Option("--cycle", help="Duration of the cardiac cycle, s.")] = None,
    spacing: Annotated[
        Literal["pixdim", "affine"] | None, typer.Option("--spacing", help="Which to believe where they disagree.")
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="The header mirrors the heart, as those of ACDC do.")
    ] = False,
    own_space: Annotated[
        bool, typer.Option("--own-space", help="Also write the result on the input's own voxels.")
    ] = False,
    unknown: Annotated[
        Literal["missing", "draw"],
        typer.Option("--unknown", help="Conditions that are not given: told as missing, or drawn as in training."),
    ] = "missing",
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Complete the cardiac cycle from its first frame (end-diastole) and the owner's conditions."""
    from cheart.cli.options import conditions, finish, in_words, open_model, report
    from cheart.cli.say import answer, warn
    from cheart.datasets.posing import read_heart
    from cheart.files import new_folder, refuse_existing
    from cheart.tasks.complete import complete as complete_heart
    from cheart.tasks.results import write_hearts

    refuse_existing(out, overwrite=overwrite)
    model, heart = _model_and_heart(sources)
    trained = open_model(model, device)
    given = conditions(age, sex, weight, height, sbp, more)
    warnings = trained.encoding.outside(trained.encoding.schema.read(given))
    for warning in warnings:
        warn(warning)
    first = read_heart(
        heart, scheme=labels, grid=trained.grid, frames=trained.frames, ed=ed, cycle=cycle, spacing=spacing,
        mirrored=mirrored,
    )  # fmt: skip
    assert first.origin is not None
    made = complete_heart(trained, first, conditions=given, unknown=unknown, seed=seed)
    with new_folder(out, overwrite=overwrite) as folder:
        shown = write_hearts(folder, [made], trained, total=1, title="Writing", pose=first.origin.to_json())
        if own_space:
            path = folder / "own-space.nii.gz"  # not …_dseg: the folder reads as a cohort in the template pose
            made.save(path, space="subject")
        finish(folder, shown, trained)
    answer(report(out, shown, trained, 1, warnings), in_words(out, shown, trained, 1), as_json=as_json)


def _model_and_heart(sources: list[str]) -> tuple[str, Path]:
    """The model, the bundled one where a label map alone was given, and the label map.

    Raises:
        InputError: more than the two, or a model alone.
    """
    from cheart.errors import InputError

    if len(sources) > 2:
        raise InputError(f"complete {' '.join(sources)}: expected one label map, and before it perhaps one model")
    model, heart = sources if len(sources) == 2 else (BUNDLED, sources[0])
    if Path(heart).is_dir():
        raise InputError(f"{heart} is a folder: expected a label map (NIfTI), as in cheart complete MODEL INPUT.nii.gz")
    return model, Path(heart)
