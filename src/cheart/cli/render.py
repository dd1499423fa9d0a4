"""``cheart render``: beating hearts as a picture that moves, or a still one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cheart.cli.options import READING, Overwrite, Subjects, Titles, options


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
    subject: Subjects = None,
    title: Titles = None,
    caption: Annotated[str, typer.Option("--caption", help="A line for the foot; without it, the model.")] = "",
    overwrite: Overwrite = False,
) -> None:
    """Draw hearts beside each other, beating in step: short axis, long axes, a 3D view and the volume curves."""
    import cheart
    from cheart.cli.console import inform

    shown = cheart.render(
        sources, out, subjects=subject or (), titles=title, caption=caption, overwrite=overwrite, **reading
    )
    inform(f"{out}: {len(shown)} heart{'s' * (len(shown) > 1)}, {out.stat().st_size / 1e6:.1f} MB")
