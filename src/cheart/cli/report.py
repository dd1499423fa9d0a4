"""``cheart report``: one person's heart beside what is normal for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cheart.cli.complete import model_and_heart
from cheart.cli.options import (
    READING,
    AsJson,
    Cycle,
    Device,
    EndDiastole,
    Given,
    ModelFile,
    Overwrite,
    conditions,
    options,
)
from cheart.models.find import BUNDLED


@options(reading=READING, given=conditions("missing"))
def report(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] HEART.nii.gz",
            help="A label map: ED alone, ED and ES, or a cycle; before it a model, if it is not to be the bundled one.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="OUT", help="The page: OUT.html, or OUT.pdf by a browser.")
    ],
    reading: dict[str, Any],
    given: Given,
    ed: EndDiastole = None,
    es: Annotated[int | None, typer.Option("--es", help="The frame of end-systole, from 0.")] = None,
    cycle: Cycle = None,
    device: Device = "auto",
    code: ModelFile = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Show one person's heart beside what is normal for their age, sex, size and blood pressure. Research only."""
    import cheart
    from cheart.cli.console import answer
    from cheart.files import refuse_existing

    refuse_existing(out, overwrite=overwrite, file=True)
    name, path = model_and_heart(sources, otherwise=BUNDLED)
    model = cheart.load(name, model=code, device=device)
    heart = cheart.read_heart(path, ed=ed, es=es, cycle=cycle, grid=model.grid, frames=model.frames, **reading)
    made = cheart.report(heart, given.conditions, out=out, model=model, overwrite=overwrite)
    lines = [f"{out}: {made.who}."]
    if made.refused:
        lines.append("Nothing is judged by the model; the figures and published ranges are there.")
    else:
        unusual = [f for f in made.findings if f.unusual]
        lines.append(f"{len(unusual)} of {len(made.findings)} measures lie outside the central 95 % of such people.")
        lines += [f"  {f.measure.title} {f.value:.4g} {f.measure.unit}: z {f.z:+.1f} ± {f.error:.1f}" for f in unusual]
    answer(made.to_json(), "\n".join(lines), as_json=as_json)
