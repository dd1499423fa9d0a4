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
    Device,
    Height,
    JobsOption,
    Model,
    More,
    OutFolder,
    Overwrite,
    Scheduler,
    Seed,
    Sex,
    Weight,
)
from cheart.models.find import BUNDLED

if TYPE_CHECKING:
    from cheart.conditions import Conditions
    from cheart.tasks.generate import Order
    from cheart.tasks.trained import TrainedModel, Unknown


def generate(
    out: OutFolder,
    model: Model = BUNDLED,
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
    seed: Seed = 0,
    jobs: JobsOption = None,
    scheduler: Scheduler = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Draw beating hearts for given conditions: NIfTI, phenotypes, and a picture of ED and ES."""
    from functools import partial

    from cheart.cli.options import conditions, finish, in_words, open_model, report, workers
    from cheart.cli.say import answer, warn
    from cheart.errors import InputError
    from cheart.files import new_folder, refuse_existing
    from cheart.tasks.generate import draw
    from cheart.tasks.results import write_hearts

    refuse_existing(out, overwrite=overwrite)
    trained = open_model(model, device)
    given = conditions(age, sex, weight, height, sbp, more)
    if participants is not None and given:
        raise InputError(f"--participants and --{next(iter(given))}: give the conditions in one place")
    people: list[Conditions] = [given] if participants is None else _people(participants, trained)
    warnings = sorted({w for person in people for w in trained.encoding.outside(trained.encoding.schema.read(person))})
    for warning in warnings:
        warn(warning)
    total = n * len(people)
    with new_folder(out, overwrite=overwrite) as folder:
        hearts = _all(trained, people, n, unknown, seed=seed, table=participants is not None)
        shown = write_hearts(
            folder,
            hearts,
            trained,
            total=total,
            title="Generating",
            make=partial(draw, trained),
            jobs=workers(jobs, scheduler, trained, many=participants is not None),
            seed=seed,
        )
        finish(folder, shown, trained)
    answer(report(out, shown, trained, total, warnings), in_words(out, shown, trained, total), as_json=as_json)


def _people(table: Path, model: TrainedModel) -> list[Conditions]:
    """The rows of a table, checked before the first heart is made.

    Raises:
        InputError: it names the row.
    """
    from cheart.errors import InputError
    from cheart.io.participants import read_people

    rows = read_people(table)
    people = []
    for number, (_, row) in enumerate(rows.iterrows(), start=2):
        try:
            people.append(model.encoding.schema.read({str(k): v for k, v in row.items()}))
        except InputError as error:
            raise InputError(f"{table}, line {number}: {error}") from None
    if not people:
        raise InputError(f"{table} has no rows")
    return list(people)


def _all(
    model: TrainedModel, people: list[Conditions], n: int, unknown: Unknown, *, seed: int, table: bool
) -> Iterator[Order]:
    """n hearts for each person; those of a row depend on the seed and the row's number only."""
    from cheart.tasks.generate import heart_seed, orders

    for k, person in enumerate(people):
        own = heart_seed(seed, k) % 2**31 if table else seed
        yield from orders(model, n, person, seed=own, unknown=unknown)
