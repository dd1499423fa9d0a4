"""A folder of generated hearts that grows heart by heart: in shards, on several machines, and on from where it stopped.

    OUT/
        unfinished/settings.json   all that a heart depends on; another run with the same settings may join in
        unfinished/sub-001.json    a record a heart, written after its files: its rows of the tables
        …                          the hearts, in one of the :data:`FORMATS`

Whoever finds the records of all hearts there writes the tables and takes ``unfinished`` away.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cheart.cohort import Split, dictionary, split_subjects, write_table
from cheart.errors import InputError
from cheart.export import monai, nnunet
from cheart.export.bids import write_in_template
from cheart.export.itksnap import write_label_file
from cheart.export.samples import Case, Sample
from cheart.files import read_json, refuse_existing, write_json
from cheart.heart import Heart
from cheart.model import Model
from cheart.progress import Jobs, parallel, track
from cheart.simulation.acquisition import Acquisition, acquire
from cheart.tasks.generate import Order, draw
from cheart.tasks.results import SHOWN, describe_result, person_row

Form = Literal["bids", "nnunet", "monai"]
UNFINISHED = "unfinished"

_LISTS: dict[Form, Callable[..., None]] = {"nnunet": nnunet.write_lists, "monai": monai.write_lists}
_CASES: dict[Form, Callable[[Path, Sample], None]] = {"nnunet": nnunet.write_cases, "monai": monai.write_cases}
_SETTINGS = {
    "model": "the model",
    "hearts": "-n or --participants",
    "seed": "--seed",
    "orders": "the conditions or --unknown",
    "as": "--as",
    "acquisition": "how hearts are imaged (--observed, --slice-thickness …)",
}


@dataclass(frozen=True)
class Batch:
    """What is to be made.

    Attributes:
        folder: where.
        model: that makes it.
        orders: the hearts, in order.
        splits: what each is for, as the table of people has it; None: in the paper's proportions.
        form: the folder's layout.
        acquisition: what is imaged of each heart, and how well.
        seed: of the run.
    """

    folder: Path
    model: Model
    orders: Sequence[Order]
    splits: Sequence[Split] | None = None
    form: Form = "bids"
    acquisition: Acquisition = field(default_factory=Acquisition)
    seed: int = 0

    @property
    def names(self) -> list[str]:
        """Of the hearts."""
        digits = max(3, len(str(len(self.orders))))
        return [f"sub-{number:0{digits}}" for number in range(1, len(self.orders) + 1)]

    @property
    def uses(self) -> list[Split]:
        """What each heart is for."""
        return list(self.splits or split_subjects(len(self.orders), seed=self.seed))  # type: ignore[arg-type]

    def settings(self) -> dict[str, Any]:
        """All that the files depend on."""
        orders = [[dict(o.asked), o.seed, o.unknown, use] for o, use in zip(self.orders, self.uses, strict=True)]
        return {
            "model": describe_result(self.model)["model"]["fingerprint"],
            "hearts": len(self.orders),
            "seed": self.seed,
            "as": self.form,
            "acquisition": asdict(self.acquisition),
            "orders": hashlib.sha256(json.dumps(orders).encode()).hexdigest(),
        }


def parse_shard(text: str | None) -> tuple[int, int]:
    """Read ``3/16``: the third of sixteen; None is the whole.

    Raises:
        InputError: anything else.
    """
    if text is None:
        return 1, 1
    part, _, count = text.partition("/")
    if not (part.isdigit() and count.isdigit() and 1 <= int(part) <= int(count)):
        raise InputError(f"--shard {text!r}: expected part/parts such as 3/16, the first being 1/16")
    return int(part), int(count)


def begin(batch: Batch, *, resume: bool, shard: bool, overwrite: bool) -> None:
    """Make the folder ready, or join what another run with the same settings began.

    Raises:
        InputError: the folder is there and must not be written to, or holds another batch than this one.
    """
    if batch.form == "nnunet":
        nnunet.check_name(batch.folder)
    settings = batch.settings()
    stored = _stored_settings(batch.folder) if resume or shard else None
    if stored is not None:
        for name, meaning in _SETTINGS.items():
            if stored.get(name) != settings[name]:
                raise InputError(f"{batch.folder} was begun with other settings ({meaning}): choose another place")
        return
    if resume:
        raise InputError(f"--resume: {batch.folder} holds no hearts to go on with; leave --resume out to start")
    refuse_existing(batch.folder, overwrite=overwrite)
    if batch.folder.exists():
        shutil.rmtree(batch.folder)
    (batch.folder / UNFINISHED).mkdir(parents=True)
    write_json(batch.folder / UNFINISHED / "settings.json", settings)


def _stored_settings(folder: Path) -> dict[str, Any] | None:
    if (folder / UNFINISHED / "settings.json").is_file():
        return dict(read_json(folder / UNFINISHED / "settings.json"))
    if (folder / "result.json").is_file():
        return dict(read_json(folder / "result.json").get("settings", {}))
    return None


def make(batch: Batch, *, shard: tuple[int, int] = (1, 1), jobs: Jobs = 1) -> int:
    """Make the hearts of one shard that are not there yet; then the tables, if no heart is missing any more.

    Args:
        batch: what to make; see :func:`begin`.
        shard: (k, n): every n-th heart from the k-th.
        jobs: processes (−1: one a core) or a Dask scheduler; the files do not depend on them.

    Returns:
        How many hearts of the whole batch are still missing.
    """
    records = batch.folder / UNFINISHED
    if not records.is_dir():
        return 0
    items = list(zip(batch.names, batch.orders, batch.uses, strict=True))[shard[0] - 1 :: shard[1]]
    todo = [item for item in items if not _record(records, item[0]).is_file()]
    work = partial(_make_one, batch.folder.absolute(), batch.model, batch.form, batch.acquisition)
    try:
        for _ in track(parallel(work, todo, jobs=jobs), total=len(todo), title="Generating"):
            pass
    except BaseException:
        if not any(_record(records, name).is_file() for name in batch.names):  # nothing came of it: nothing stays
            shutil.rmtree(batch.folder)
        raise
    missing = sum(not _record(records, name).is_file() for name in batch.names)
    if not missing:
        _finish(batch)
    return missing if records.is_dir() else 0


def first_hearts(batch: Batch) -> Iterator[Heart]:
    """The hearts of the picture, made once more."""
    return (draw(batch.model, order) for order in batch.orders[:SHOWN])


def imaged(heart: Heart, acquisition: Acquisition) -> Heart:
    """A generated heart as it is imaged; chance depends on the heart's seed only."""
    if acquisition == Acquisition():
        return heart
    return acquire(heart, acquisition, rng=np.random.default_rng([heart.seed or 0, 0xACC]))


def _record(records: Path, name: str) -> Path:
    return records / f"{name}.json"


def _make_one(folder: Path, model: Model, form: Form, acquisition: Acquisition, item: tuple[str, Order, Split]) -> None:
    """Make one heart and write its files, then its record."""
    name, order, use = item
    heart = draw(model, order)
    seen = imaged(heart, acquisition)
    sample = Sample(name, use, seen, heart)
    if form == "bids":
        write_in_template(folder / f"{name}_dseg.nii.gz", seen, Made=f"{heart.kind} by {model.name}")
    else:
        _CASES[form](folder, sample)
    record = {
        "person": {"participant_id": name, "split": use, **person_row(heart)},
        "figures": {"participant_id": name, **heart.phenotypes.row()},
        "cases": sample.cases,
    }
    write_json(_record(folder / UNFINISHED, name), record)


def _finish(batch: Batch) -> None:
    """Write the tables of a batch of which every heart is there."""
    folder = batch.folder
    try:
        records = [read_json(_record(folder / UNFINISHED, name)) for name in batch.names]
    except InputError:  # another shard, which ended at the same time, is done with them
        return
    people = pd.DataFrame([record["person"] for record in records])
    figures = pd.DataFrame([record["figures"] for record in records])
    if batch.form == "bids" and batch.splits is None:
        people = people.drop(columns="split")
    write_table(folder / "participants.tsv", people)
    write_json(folder / "participants.json", dictionary(batch.model.encoding.schema))
    write_table(folder / "phenotypes.tsv", figures)
    write_label_file(folder)
    title = f"{len(records)} hearts generated by a {batch.model.name} model trained on {batch.model.trained_on}"
    if batch.form != "bids":
        rows = [{"case": case, "frame": frame, **r["person"]} for r in records for case, frame in r["cases"].items()]
        write_table(folder / "cases.tsv", pd.DataFrame(rows))
        cases = [Case(row["case"], row["participant_id"], row["split"]) for row in rows]
        _LISTS[batch.form](folder, cases, title=title)
    how = {"kind": "generated", "hearts": len(records), "seed": batch.seed, "settings": batch.settings()}
    write_json(folder / "result.json", describe_result(batch.model, **how))
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
