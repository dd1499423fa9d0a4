"""``cheart complete``: the whole cycle from one frame."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cheart.cli.options import (
    OUTPUT,
    READING,
    Cycle,
    Device,
    EndDiastole,
    Given,
    ModelFile,
    Output,
    Seed,
    Strict,
    conditions,
    options,
)
from cheart.models.find import CLINICAL


@options(target=OUTPUT, reading=READING, given=conditions("missing"))
def complete(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] INPUT.nii.gz",
            help="A label map: ED alone, or a cycle; before it a model, if it is not to be clinical.",
        ),
    ],
    target: Output,
    reading: dict[str, Any],
    given: Given,
    ed: EndDiastole = None,
    cycle: Cycle = None,
    space: Annotated[
        Literal["template", "subject"],
        typer.Option("--space", help="subject: the result on the input's own voxels too, as own-space.nii.gz."),
    ] = "template",
    strict: Strict = False,
    n: Annotated[
        int | None, typer.Option("-n", min=2, help="Samples of what is possible, with intervals and probabilities.")
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            "--given",
            metavar="NAME=VALUE",
            help="What else is known: es=FILE, frames=observed (of INPUT), lvef=55, lvesv=60 …",
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    code: ModelFile = None,
) -> None:
    """Complete the cardiac cycle from its first frame (end-diastole) and the owner's conditions."""
    import cheart
    from cheart.cli.options import report
    from cheart.files import refuse_existing, write_checksums

    refuse_existing(target.out, overwrite=target.overwrite)
    name, path = model_and_heart(sources, otherwise=CLINICAL)
    model = cheart.load(name, model=code, device=device)
    es_file, beside = _beside(known or [])
    reading |= {"ed": ed, "cycle": cycle, "es_file": es_file}
    heart = cheart.read_heart(path, grid=model.grid, frames=model.frames, **reading)
    how: dict[str, Any] = {"given": beside, "unknown": given.unknown, "seed": seed}
    made = None if n is None else model.complete(heart, given.conditions, n=n, **how)
    beat = model.complete(heart, given.conditions, **how) if made is None else made.best
    assert beat.origin is not None
    hearts = cheart.Hearts(model, [beat], warnings=beat.warnings, about={"pose": beat.origin.to_json()})
    (hearts if made is None else made).save(target.out, overwrite=target.overwrite)
    if space == "subject":  # not …_dseg: the folder reads as a cohort in the template pose
        beat.save(target.out / "own-space.nii.gz", space="subject")
        write_checksums(target.out)
    report(hearts, target, strict=strict, intervals=None if made is None else made.intervals())


def _beside(known: list[str]) -> tuple[str | None, dict[str, float | str]]:
    """The file of end-systole, if there is one, and all else that ``--given`` says.

    Raises:
        InputError: an item without a name and a value, or two of one name.
    """
    from cheart.assignments import read_assignments

    expected = "name=value, such as lvef=55 or es=es.nii.gz"
    beside: dict[str, float | str] = {**read_assignments(known, "--given", expected, lower=True)}
    file = beside.pop("es", None)
    if file is None:
        return None, beside
    return str(file), {**beside, "frames": "observed"}


def model_and_heart(sources: list[str], *, otherwise: str) -> tuple[str, Path]:
    """The model, ``otherwise`` where a label map alone was given, and the label map.

    Raises:
        InputError: more than the two, or a model alone.
    """
    from cheart.errors import InputError

    if len(sources) > 2:
        raise InputError(f"complete {' '.join(sources)}: expected one label map, and before it perhaps one model")
    model, heart = sources if len(sources) == 2 else (otherwise, sources[0])
    if Path(heart).is_dir():
        raise InputError(f"{heart} is a folder: expected a label map (NIfTI), as in cheart complete MODEL INPUT.nii.gz")
    return model, Path(heart)
