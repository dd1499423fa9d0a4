"""``cheart atlas``: a model as a page that opens in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cheart.cli.options import JobsOption, ModelFile, ModelName, Overwrite
from cheart.models.find import BUNDLED


def atlas(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.html", help="The page to write.")],
    model: ModelName = BUNDLED,
    hearts: Annotated[
        int,
        typer.Option("--hearts", min=12, help="Hearts that the mesh is fitted to; the bundled MODEL's is at hand."),
    ] = 300,
    jobs: JobsOption = None,
    code: ModelFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a model as one page for any browser, offline: sliders for conditions and modes, a heart that beats."""
    import cheart
    from cheart.cli.console import inform

    cheart.atlas(cheart.load(model, model=code), out, hearts=hearts, jobs=jobs or -1, overwrite=overwrite)
    inform(f"{out}: {out.stat().st_size / 1e6:.1f} MB; open it in a browser, it needs no server and asks none")
