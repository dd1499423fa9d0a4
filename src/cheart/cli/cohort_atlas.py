"""``cheart cohort-atlas``: where two groups of a cohort differ, vertex by vertex."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cheart.cli.options import OUTPUT, Output, options


@options(target=OUTPUT)
def cohort_atlas(
    cohort: Annotated[
        Path, typer.Argument(metavar="COHORT", help="A cohort with the condition that parts the groups.")
    ],
    target: Output,
    by: Annotated[str, typer.Option("--by", help="The condition: sex, group …")],
    groups: Annotated[
        str | None, typer.Option("--groups", metavar="A,B", help="Two of its levels; B less A is shown.")
    ] = None,
    allow_for: Annotated[
        list[str] | None, typer.Option("--allow-for", help="A covariate, such as age; may be given several times.")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", min=0.0, max=1.0, help="False discovery rate.")] = 0.05,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; -1 is one a core.")] = -1,
) -> None:
    """Show where two groups differ in form, wall thickness and motion, on one mesh for all hearts."""
    import cheart
    from cheart.cli.console import answer

    names = None if groups is None else [name.strip() for name in groups.split(",")]
    found = cheart.cohort_atlas(
        cheart.Cohort.open(cohort), by, groups=names, covariates=allow_for or (), rate=rate, out=target.out,
        overwrite=target.overwrite, jobs=jobs,
    )  # fmt: skip
    table = found.table()
    text = (
        f"{found.groups[1]} less {found.groups[0]}, mm:\n{table.to_string(index=False, float_format='{:.2f}'.format)}"
    )
    value = {"result": str(target.out), "by": by, "groups": found.groups, "fields": table.to_dict("records")}
    answer(value, f"{text}\nLook at {target.out / 'picture.png'} first.", as_json=target.as_json)
