"""``cheart view``: hearts as a page that opens in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cheart.cli.options import READING, Overwrite, Subjects, Titles, options


@options(reading=READING)
def view(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="Label maps (NIfTI), folders of results, or a cohort with --subject."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.html", help="The page to write.")],
    reading: dict[str, Any],
    subject: Subjects = None,
    title: Titles = None,
    overwrite: Overwrite = False,
) -> None:
    """Write hearts as one page for any browser, offline: in 3-D, as label slices and as curves, beside each other."""
    import cheart
    from cheart.cli.console import inform

    shown = cheart.view(sources, out, subjects=subject or (), titles=title, overwrite=overwrite, **reading)
    inform(
        f"{out}: {len(shown)} heart{'s' * (len(shown) > 1)}, {out.stat().st_size / 1e6:.1f} MB; open it in a browser"
    )
