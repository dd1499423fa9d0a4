"""``cheart cohort-atlas``: where two groups of a cohort differ, or the mean shapes of a grid of conditions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cheart.cli.options import OUTPUT, Output, options


@options(target=OUTPUT)
def cohort_atlas(
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="A cohort that knows the conditions asked for.")],
    target: Output,
    by: Annotated[str | None, typer.Option("--by", help="Two groups: the condition that parts them, sex …")] = None,
    groups: Annotated[
        str | None, typer.Option("--groups", metavar="A,B", help="Two of its levels; B less A is shown.")
    ] = None,
    allow_for: Annotated[
        list[str] | None, typer.Option("--allow-for", help="A covariate, such as age; may be given several times.")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", min=0.0, max=1.0, help="False discovery rate.")] = 0.05,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="NAME=V,V…", help="Mean shapes: age=30,50,70; may be given several times."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; -1 is one a core.")] = -1,
) -> None:
    """Show on one mesh where two groups differ in form, wall and motion; or the mean shapes of given conditions."""
    import cheart
    from cheart.cli.console import answer
    from cheart.errors import InputError

    if (by is None) == (not at):
        raise InputError("cohort-atlas: give either --by CONDITION or --at CONDITION=VALUES")
    people = cheart.Cohort.open(cohort)
    how: dict[str, Any] = {"out": target.out, "overwrite": target.overwrite, "jobs": jobs}
    if by is None:
        table = cheart.conditional_shapes(people, _grid(at or []), **how).table()
        value: dict[str, object] = {"result": str(target.out), "shapes": table.to_dict("records")}
        text = table.to_string(index=False, float_format="{:.1f}".format)
        files = f"Look at {target.out / 'picture.png'} first; meshes with their SD (VTP) and images (NIfTI) beside it."
        answer(value, f"{text}\n{files}", as_json=target.as_json)
        return
    names = None if groups is None else [name.strip() for name in groups.split(",")]
    found = cheart.cohort_atlas(people, by, groups=names, covariates=allow_for or (), rate=rate, **how)
    table = found.table()
    rows = table.to_string(index=False, float_format="{:.2f}".format)
    text = f"{found.groups[1]} less {found.groups[0]}, mm:\n{rows}"
    value = {"result": str(target.out), "by": by, "groups": found.groups, "fields": table.to_dict("records")}
    answer(value, f"{text}\nLook at {target.out / 'picture.png'} first.", as_json=target.as_json)


def _grid(items: list[str]) -> dict[str, list[str]]:
    """
    Raises:
        InputError: ``--at`` without a name and values, or two of one name.
    """
    from cheart.assignments import read_assignments

    found = read_assignments(items, "--at", "a condition and values, such as age=30,50,70")
    return {name: [value.strip() for value in values.split(",")] for name, values in found.items()}
