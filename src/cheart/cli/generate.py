"""``cheart generate``: hearts for given conditions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cheart.cli.options import (
    IMAGING,
    OUTPUT,
    WORK,
    Device,
    Given,
    ModelFile,
    ModelName,
    Output,
    RvWall,
    Seed,
    Strict,
    Work,
    conditions,
    options,
)
from cheart.models.find import BUNDLED

if TYPE_CHECKING:
    from cheart.cohort import Split
    from cheart.conditions import Conditions
    from cheart.model import Model


@options(target=OUTPUT, given=conditions("draw"), imaging=IMAGING, work=WORK)
def generate(
    target: Output,
    given: Given,
    imaging: dict[str, Any],
    work: Work,
    model: ModelName = BUNDLED,
    participants: Annotated[
        Path | None, typer.Option("--participants", help="A table of people, -n hearts each (TSV, or CSV by name).")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="A condition that the table has in a column of another name: weight=weight_kg."),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Hearts for each person.")] = 1,
    layout: Annotated[
        Literal["bids", "nnunet", "monai"],
        typer.Option("--layout", help="bids: a folder of cycles; nnunet, monai: a set for training other networks."),
    ] = "bids",
    observed: Annotated[
        str | None, typer.Option("--observed", help="Frames that are imaged: all (bids), or ed,es (nnunet, monai).")
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", help="Make this part only, such as 3/16; the parts add up to the whole.")
    ] = None,
    mesh: Annotated[
        Literal["solid"] | None,
        typer.Option("--mesh", help="Beside the label maps: walls as tetrahedra, with fibres, and solids.tsv."),
    ] = None,
    rv_wall: RvWall = None,
    strict: Strict = False,
    seed: Seed = 0,
    device: Device = "auto",
    code: ModelFile = None,
) -> None:
    """Draw beating hearts for given conditions: NIfTI, phenotypes, and a picture of ED and ES."""
    import cheart
    from cheart.cli.console import answer
    from cheart.cli.options import report, save
    from cheart.errors import InputError
    from cheart.files import refuse_existing

    acquisition = cheart.Acquisition(observed=observed or ("all" if layout == "bids" else "ed,es"), **imaging)
    if not (work.resume or shard):
        refuse_existing(target.out, overwrite=target.overwrite)
    network = cheart.load(model, model=code, device=device)
    if rv_wall is not None and mesh is None:
        raise InputError("--rv-wall without --mesh solid: label maps have no wall of the RV")
    if column and participants is None:
        raise InputError(f"--column {column[0]}: there is no table; name one with --participants")
    if participants is not None and given.conditions:
        raise InputError(f"--participants and --{next(iter(given.conditions))}: give the conditions in one place")
    people: Any = given.conditions
    splits, who = None, None
    if participants is not None:
        people, splits, who = _people(participants, column or [], network)
    hearts = network.generate(people, n=n, seed=seed, unknown=given.unknown)
    uses, whose = (named and [name for name in named for _ in range(n)] for named in (splits, who))
    missing = save(
        hearts, target, work, many=participants is not None, layout=layout, acquisition=acquisition, splits=uses,
        who=whose, shard=shard, mesh=mesh, **({} if rv_wall is None else {"rv_wall": rv_wall}),
    )  # fmt: skip
    if not missing:
        report(hearts, target, strict=strict, layout=layout)
        return
    text = (
        f"{len(hearts) - missing} of {len(hearts)} hearts are in {target.out}. The last shard to end there writes the "
        "tables. Shards in folders of their own: copy them into one, then the same command with --resume and without "
        "--shard."
    )
    value = {"result": str(target.out), "hearts": len(hearts), "missing": missing}
    answer(value, text, as_json=target.as_json)


def _people(
    table: Path, column: list[str], model: Model
) -> tuple[list[Conditions], list[Split] | None, list[str] | None]:
    """The rows of a table, checked before the first heart is made, their column split and their names if it has them.

    Raises:
        InputError: it names the row.
    """
    from cheart.cohort import SPLITS
    from cheart.conditions import MISSING
    from cheart.datasets.participants import read_conditions, read_described
    from cheart.errors import InputError, show_warnings

    described = read_described(table, column=column, schema=model.encoding.schema)
    show_warnings(described.warnings)
    rows = described.table
    people: list[Conditions] = []
    splits = list(rows["split"]) if "split" in rows.columns else None
    who = list(rows["participant_id"]) if "participant_id" in rows.columns else None
    seen = set(MISSING)
    for number, name in enumerate(who or [], start=2):
        if name in seen or name.lower() in MISSING:
            raise InputError(f"{table}, line {number}: participant_id {name!r} is missing or stands twice")
        seen.add(name)
    for number, use in enumerate(splits or [], start=2):
        if use not in SPLITS:
            raise InputError(f"{table}, line {number}: split {use!r}: expected one of {', '.join(SPLITS)}")
    for number, (_, row) in enumerate(rows.iterrows(), start=2):
        try:
            columns, mend = {str(k): v for k, v in row.items()}, "Mend the cell, or write n/a"
            people.append(read_conditions(columns, described.schema, described.dictionary, mend=mend))
        except InputError as error:
            raise InputError(f"{table}, line {number}: {error}") from None
    if not people:
        raise InputError(f"{table} has no rows")
    return people, splits, who
