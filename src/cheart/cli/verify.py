"""``cheart verify``: whether files are as they were written."""

from __future__ import annotations

from typing import Annotated

import typer

from cheart.cli.options import AsJson


def verify(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Cohorts, models (or bundled), folders of results.")
    ],
    accept: Annotated[
        bool, typer.Option("--accept", help="Take them as they stand from now on: the changes are yours.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare cohorts, models and results with the checksums that were written with them; exit code 1 if damaged."""
    from cheart.cli.console import answer
    from cheart.verify import accept as accept_changes
    from cheart.verify import verify as verify_folder

    if accept:
        for path in paths:
            accept_changes(path)
    found = [one for path in paths for one in verify_folder(path)]
    lines = []
    for one in found:
        state = "as it was written" if one.whole else "damaged"
        lines.append(f"{one.path}: {one.kind} of {one.files} files, {state}")
        lines += [f"  changed: {name}" for name in one.changed]
        lines += [f"  missing: {name}" for name in one.missing]
        lines += [f"  {problem}" for problem in one.problems]
        lines += [f"  not written by cheart: {name}" for name in one.foreign]
    answer([one.to_json() for one in found], "\n".join(lines), as_json=as_json)
    if not all(one.whole for one in found):
        raise typer.Exit(1)
