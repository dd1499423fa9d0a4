"""``cheart generate``: hearts for given conditions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cheart.cli.options import (
    SBP,
    Age,
    AsJson,
    BreathHold,
    ContourDice,
    Device,
    Height,
    InPlane,
    JobsOption,
    MissingSlices,
    ModelName,
    More,
    OutFolder,
    Overwrite,
    Scheduler,
    Seed,
    Sex,
    SliceGap,
    SliceThickness,
    Weight,
)
from cheart.models.find import BUNDLED

if TYPE_CHECKING:
    from cheart.cohort import Split
    from cheart.conditions import Conditions
    from cheart.model import Model, Unknown
    from cheart.tasks.batch import Batch
    from cheart.tasks.generate import Order


def generate(
    out: OutFolder,
    model: ModelName = BUNDLED,
    age: Age = None,
    sex: Sex = None,
    weight: Weight = None,
    height: Height = None,
    sbp: SBP = None,
    more: More = None,
    participants: Annotated[
        Path | None, typer.Option("--participants", help="A table of people, -n hearts each (TSV, or CSV by name).")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Hearts for each person.")] = 1,
    unknown: Annotated[
        Literal["draw", "missing"],
        typer.Option("--unknown", help="Conditions that are not given: drawn as in training, or told as missing."),
    ] = "draw",
    form: Annotated[
        Literal["bids", "nnunet", "monai"],
        typer.Option("--as", help="bids: a folder of cycles; nnunet, monai: a set for training other networks."),
    ] = "bids",
    observed: Annotated[
        str | None, typer.Option("--observed", help="Frames that are imaged: all (bids), or ed,es (nnunet, monai).")
    ] = None,
    slice_thickness: SliceThickness = None,
    slice_gap: SliceGap = 0.0,
    in_plane: InPlane = None,
    breath_hold: BreathHold = 0.0,
    missing_slices: MissingSlices = 0,
    contour_dice: ContourDice = None,
    shard: Annotated[
        str | None, typer.Option("--shard", help="Make this part only, such as 3/16; the parts add up to the whole.")
    ] = None,
    seed: Seed = 0,
    jobs: JobsOption = None,
    scheduler: Scheduler = None,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what stands in OUT.")] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Draw beating hearts for given conditions: NIfTI, phenotypes, and a picture of ED and ES."""
    from cheart.cli.options import conditions, open_model, workers
    from cheart.cli.say import say, warn
    from cheart.errors import InputError
    from cheart.files import refuse_existing
    from cheart.simulation.acquisition import Acquisition
    from cheart.tasks.batch import Batch, begin, make, parse_shard

    part = parse_shard(shard)
    acquisition = Acquisition(
        slice_thickness, slice_gap, in_plane, breath_hold, missing_slices,
        observed or ("all" if form == "bids" else "ed,es"), contour_dice,
    )  # fmt: skip
    if not (resume or shard):
        refuse_existing(out, overwrite=overwrite)
    trained = open_model(model, device)
    given = conditions(age, sex, weight, height, sbp, more)
    if participants is not None and given:
        raise InputError(f"--participants and --{next(iter(given))}: give the conditions in one place")
    people: list[Conditions] = [given]
    splits = None
    if participants is not None:
        people, splits = _people(participants, trained)
    warnings = sorted({w for person in people for w in trained.encoding.outside(trained.encoding.schema.read(person))})
    if form != "bids" and acquisition == Acquisition(observed=acquisition.observed):
        warnings.append(
            "each image is its own label map: put images of your own in their place, or degrade them "
            "(--slice-thickness, --missing-slices …)"
        )
    orders = list(_orders(trained, people, n, unknown, seed=seed, table=participants is not None))
    uses = splits and [use for use in splits for _ in range(n)]
    batch = Batch(out, trained, orders, uses, form, acquisition, seed)
    begin(batch, resume=resume, shard=shard is not None, overwrite=overwrite)
    for warning in warnings:
        warn(warning)
    try:
        missing = make(batch, shard=part, jobs=workers(jobs, scheduler, trained, many=participants is not None))
    except KeyboardInterrupt:
        say("stopped; the same command with --resume goes on from the last whole heart")
        raise
    _tell(batch, missing, warnings, as_json=as_json)


def _tell(batch: Batch, missing: int, warnings: list[str], *, as_json: bool) -> None:
    """Draw the picture and answer; of a shard, say what is missing."""
    from cheart.cli.options import finish, in_words, report
    from cheart.cli.say import answer
    from cheart.tasks.batch import first_hearts, imaged

    out, total = batch.folder, len(batch.orders)
    if missing:
        text = (
            f"{total - missing} of {total} hearts are in {out}. The last shard to end there writes the tables. Shards "
            "in folders of their own: copy them into one, then the same command with --resume and without --shard."
        )
        answer({"result": str(out), "hearts": total, "missing": missing}, text, as_json=as_json)
        return
    shown = list(first_hearts(batch))
    finish(out, [imaged(heart, batch.acquisition) for heart in shown], batch.model)
    told = report(out, shown, batch.model, total, warnings)
    answer(told | {"missing": 0}, in_words(out, shown, batch.model, total, batch.form), as_json=as_json)


def _people(table: Path, model: Model) -> tuple[list[Conditions], list[Split] | None]:
    """The rows of a table, checked before the first heart is made, and their column split if it has one.

    Raises:
        InputError: it names the row.
    """
    from cheart.cohort import SPLITS
    from cheart.datasets.participants import read_people
    from cheart.errors import InputError

    rows = read_people(table)
    people = []
    splits = list(rows["split"]) if "split" in rows.columns else None
    for number, use in enumerate(splits or [], start=2):
        if use not in SPLITS:
            raise InputError(f"{table}, line {number}: split {use!r}: expected one of {', '.join(SPLITS)}")
    for number, (_, row) in enumerate(rows.iterrows(), start=2):
        try:
            people.append(model.encoding.schema.read({str(k): v for k, v in row.items()}))
        except InputError as error:
            raise InputError(f"{table}, line {number}: {error}") from None
    if not people:
        raise InputError(f"{table} has no rows")
    return list(people), splits


def _orders(
    model: Model, people: list[Conditions], n: int, unknown: Unknown, *, seed: int, table: bool
) -> Iterator[Order]:
    """n hearts for each person; those of a row depend on the seed and the row's number only."""
    from cheart.tasks.generate import heart_seed, orders

    for k, person in enumerate(people):
        own = heart_seed(seed, k) % 2**31 if table else seed
        yield from orders(model, n, person, seed=own, unknown=unknown)
