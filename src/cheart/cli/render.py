"""``cheart render``: beating hearts as a picture that moves, or a still one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cheart.cli.options import READING, Overwrite, options


@options(reading=READING)
def render(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="Label maps (NIfTI), folders of results, or a cohort with --subject."),
    ],
    out: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="OUT", help="OUT.gif, .webp or .mp4 beats; .png, .svg or .pdf is still."),
    ],
    reading: dict[str, Any],
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="A participant; may be given several times.")
    ] = None,
    title: Annotated[
        list[str] | None, typer.Option("--title", help="What to say of a heart, one for each, in their order.")
    ] = None,
    caption: Annotated[str, typer.Option("--caption", help="A line for the foot; without it, the model.")] = "",
    overwrite: Overwrite = False,
) -> None:
    """Draw hearts beside each other, beating in step: short axis, long axes, a 3D view and the volume curves."""
    from cheart.cli.console import inform, warn
    from cheart.errors import InputError
    from cheart.files import refuse_existing
    from cheart.plot.animation import save_animation
    from cheart.plot.collect import MOST, collect_all, told_of_models
    from cheart.plot.movie import SUFFIXES
    from cheart.plot.picture import STILL, save_picture

    if out.suffix.lower() not in (*SUFFIXES, *STILL):
        raise InputError(f"-o {out.name}: expected a name that ends in {', '.join((*SUFFIXES, *STILL))}")
    refuse_existing(out, overwrite=overwrite, file=True)
    hearts = collect_all(sources, subjects=subject or (), **reading)
    if title and len(title) != len(hearts):
        raise InputError(f"--title was given {len(title)} times for {len(hearts)} hearts: give one for each, or none")
    titles = title[:MOST] if title else None
    if len(hearts) > MOST:
        warn(f"{len(hearts)} hearts are many for one picture: the first {MOST} are shown")
    draw = save_picture if out.suffix.lower() in STILL else save_animation
    draw(out, hearts[:MOST], titles=titles, caption=caption or told_of_models(sources))
    inform(f"{out}: {len(hearts[:MOST])} heart{'s' * (len(hearts) > 1)}, {out.stat().st_size / 1e6:.1f} MB")
