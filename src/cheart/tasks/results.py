"""A folder of hearts that a model made: NIfTI, tables, and how they came to be.

    OUT/
        sub-001_dseg.nii.gz …   4D label maps in the template pose (1 LV cavity, 2 myocardium, 3 RV cavity)
        participants.tsv, .json what the model was told of each, the seed, and which conditions were drawn
        phenotypes.tsv          volumes, mass and function of each
        itk-snap-labels.txt     names and colours of the labels
        result.json             model, command, versions, seed

The folder is a cohort as people exchange it: ``cheart import nifti OUT COHORT --participants OUT/participants.tsv
--labels cheart`` reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from cheart.cohort import dictionary, write_table
from cheart.files import write_json
from cheart.io.bids import write_in_template
from cheart.io.itksnap import write_label_file
from cheart.progress import Jobs, parallel, track
from cheart.provenance import provenance
from cheart.tasks.trained import MadeHeart, TrainedModel

SHOWN = 6
"""Hearts that are kept in memory for the picture; the others are written and forgotten."""


def _as_it_is(heart: MadeHeart) -> MadeHeart:
    return heart


def write_hearts(
    folder: Path,
    hearts: Iterable[Any],
    model: TrainedModel,
    *,
    total: int,
    title: str,
    make: Callable[[Any], MadeHeart] = _as_it_is,
    jobs: Jobs = 1,
    **how: Any,
) -> list[MadeHeart]:
    """Write hearts as they come, one after the other, and the tables behind them.

    Args:
        folder: an empty folder (see :func:`cheart.files.new_folder`).
        hearts: total of them; or what ``make`` makes one of, such as a :class:`cheart.tasks.generate.Order`.
        model: that made them.
        title: what is going on, for the progress bar.
        make: picklable; workers make hearts, measure and write them, and forget them.
        jobs: processes (−1: one a core) or a Dask scheduler; the files do not depend on them.
        how: more for result.json, such as the seed.

    Returns:
        The first :data:`SHOWN` hearts.
    """
    people: list[dict[str, Any]] = []
    figures: list[dict[str, Any]] = []
    shown: list[MadeHeart] = []
    digits = max(3, len(str(total)))
    work = partial(_write_one, folder.absolute(), model.name, digits, make)
    written = parallel(work, enumerate(hearts, start=1), jobs=jobs)
    for person, figure, heart in track(written, total=total, title=title):
        people.append(person)
        figures.append(figure)
        if heart is not None:
            shown.append(heart)
    write_table(folder / "participants.tsv", pd.DataFrame(people))
    write_json(folder / "participants.json", dictionary(model.encoding.schema))
    write_table(folder / "phenotypes.tsv", pd.DataFrame(figures))
    write_label_file(folder)
    write_json(folder / "result.json", describe_result(model, kind=shown[0].kind, hearts=total, **how))
    return shown


def _write_one(
    folder: Path, by: str, digits: int, make: Callable[[Any], MadeHeart], item: tuple[int, Any]
) -> tuple[dict[str, Any], dict[str, Any], MadeHeart | None]:
    """A heart's rows of participants.tsv and phenotypes.tsv, and the heart itself if it is one of the first."""
    number, heart = item[0], make(item[1])
    name = {"participant_id": f"sub-{number:0{digits}}"}
    write_in_template(folder / f"{name['participant_id']}_dseg.nii.gz", heart.sequence, Made=f"{heart.kind} by {by}")
    return name | _person(heart), name | heart.phenotypes.row(), heart if number <= SHOWN else None


def describe_result(model: TrainedModel, **how: Any) -> dict[str, Any]:
    """What result.json says."""
    weights = hashlib.sha256()
    for name, tensor in sorted(model.network.state_dict().items()):
        weights.update(name.encode())
        weights.update(tensor.cpu().numpy().tobytes())
    told = {"name": model.name, "trained_on": model.config["trained_on"], "fingerprint": weights.hexdigest()}
    return {"format": 1, "model": told, **how, "provenance": provenance()}


def _person(heart: MadeHeart) -> dict[str, Any]:
    return {
        "cycle_s": heart.sequence.cycle_s,
        **heart.conditions,
        "drawn": ",".join(heart.drawn) or "n/a",
        "code_seed": "n/a" if heart.seed is None else str(heart.seed),
    }
