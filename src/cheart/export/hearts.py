"""A folder of hearts that a model made. It grows heart by heart: in shards, on several machines, and on from where it
stopped.

    OUT/
        sub-001_dseg.nii.gz …      4D label maps in the template pose; or the files of another :data:`Layout`
        participants.tsv, .json    what the model was given of each, the seed, and which conditions were drawn
        phenotypes.tsv             volumes, mass and function of each; whether it is valid, and what failed
        cases.tsv                  the cases of a set for training other networks, each with its person
        itk-snap-labels.txt        names and colours of the labels
        solids/sub-001/ …          solids for finite elements, and solids.tsv: a row of each (where they are asked for)
    result.json                model, command, versions, seed
        unfinished/settings.json   all that a heart depends on; another run with the same settings may join in
        unfinished/sub-001.json    a record a heart, written after its files: its rows of the tables

Whoever finds the records of all hearts there writes the tables and takes ``unfinished`` away. In the layout ``bids``
the folder is a cohort as people exchange it: ``cheart import nifti OUT COHORT --participants OUT/participants.tsv``.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import pandas as pd

from cheart.cohort import Split, dictionary, write_table
from cheart.conditions import Schema
from cheart.errors import InputError, show_warnings
from cheart.export import training_sets as sets
from cheart.export.bids import bids_name, write_in_template, write_label_file
from cheart.files import read_json, refuse_existing, sha256_of, write_json
from cheart.heart import Heart
from cheart.io.nifti import sidecar_path
from cheart.progress import Jobs, parallel, track
from cheart.schemas import Open, RecordJson, ResultJson, check, read_checked

Layout = Literal["bids", "nnunet", "monai"]
"""A folder of cycles, or a set for training other networks."""

UNFINISHED = "unfinished"

Item = TypeVar("Item")
Make = Callable[[Item], tuple[Heart, Heart]]
"""Makes a heart of what it depends on: the whole of it, and what is imaged of it. Picklable, as is what it takes."""

Beside = Callable[[Heart, Path], dict[str, Any]]
"""What else is written of each heart, into a folder of its own; returns its row of a table. Picklable."""

_LISTS: dict[Layout, Callable[..., None]] = {"nnunet": sets.write_nnunet_lists, "monai": sets.write_monai_lists}
_CASES: dict[Layout, Callable[..., list[Path]]] = {"nnunet": sets.write_nnunet_cases, "monai": sets.write_monai_cases}


@dataclass(frozen=True)
class HeartFolder:
    """A folder to be written.

    Attributes:
        folder: where.
        splits: what each heart is for.
        split_column: whether the table of a ``bids`` folder says so; other layouts always do.
        layout: of the folder.
        schema: the conditions.
        maker: the model's name.
        title: of a set for training other networks.
        who: of each heart, whose it is, by the name in the table that it was made of; None numbers them.
        settings: all that the files depend on, by what an option calls it.
        result: what result.json says.
        beside: by the name of a folder and a table, what else is written of each heart.
    """

    folder: Path
    splits: Sequence[Split]
    split_column: bool
    layout: Layout
    schema: Schema
    maker: str
    title: str
    settings: Mapping[str, Any]
    result: Mapping[str, Any]
    who: Sequence[str] | None = None
    beside: Mapping[str, Beside] = field(default_factory=dict)

    @cached_property
    def names(self) -> list[str]:
        """Of the hearts: numbers; or whose they are, with the number of each where a person has several.

        Raises:
            InputError: two names that become one.
        """
        if self.who is None:
            digits = max(3, len(str(len(self.splits))))
            return [f"sub-{number:0{digits}}" for number in range(1, len(self.splits) + 1)]
        several, seen, names = self.several, Counter[str](), []
        for who in self.who:
            seen[who] += 1
            names.append(bids_name(who) + (f"h{seen[who]}" if several else ""))
        twice = [name for name, count in Counter(names).items() if count > 1 or name == "sub-"]
        if twice:
            raise InputError(
                f"participant_id: two people come to {twice[0]}, of letters and digits: give each another name"
            )
        return names

    @property
    def several(self) -> bool:
        """Whether some person of a table has several hearts."""
        return self.who is not None and len(set(self.who)) < len(self.who)

    def begin(self, *, join: bool, resume: bool, overwrite: bool) -> None:
        """Make the folder ready, or ``join`` what another run with the same settings began.

        Raises:
            InputError: the folder is there and must not be written to, holds other hearts than these, or holds none
                where it is to ``resume``; a layout that there is not.
        """
        if self.layout not in get_args(Layout):
            raise InputError(f"layout {self.layout!r}: expected one of {', '.join(get_args(Layout))}")
        self.names  # noqa: B018  # refuses before anything is there
        stored = self._stored_settings() if resume or join else None
        if stored is not None:
            for name, value in self.settings.items():
                if stored.get(name) != value:
                    raise InputError(f"{self.folder} was begun with other settings ({name}): choose another place")
            return
        if resume:
            raise InputError(f"resume: {self.folder} holds no hearts to go on with; leave it out to start")
        refuse_existing(self.folder, overwrite=overwrite)
        if self.layout == "nnunet":
            show_warnings(sets.nnunet_warnings(self.folder), stacklevel=4)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        (self.folder / UNFINISHED).mkdir(parents=True)
        write_json(self.folder / UNFINISHED / "settings.json", self.settings)

    def write(self, items: Sequence[Item], make: Make[Item], *, shard: tuple[int, int] = (1, 1), jobs: Jobs = 1) -> int:
        """Write the hearts of one shard that are not there yet; then the tables, if no heart is missing any more.

        Args:
            items: what each heart is made of.
            make: how.
            shard: (k, n): every n-th heart from the k-th.
            jobs: processes (−1: one a core) or a Dask scheduler; the files do not depend on them.

        Returns:
            How many hearts of the whole folder are still missing.
        """
        records = self.folder / UNFINISHED
        if not records.is_dir():
            return 0
        persons = self.who if self.several and self.who is not None else [None] * len(self.names)
        todo = [
            one
            for one in list(zip(self.names, items, self.splits, persons, strict=True))[shard[0] - 1 :: shard[1]]
            if not _is_whole(self.folder, one[0])
        ]
        work = partial(_write_one, self.folder.absolute(), make, self.layout, self.maker, self.beside)
        try:
            for _ in track(parallel(work, todo, jobs=jobs), total=len(todo), title="Making hearts"):
                pass
        except BaseException:
            if not any(_record(records, name).is_file() for name in self.names):  # nothing came of it: nothing stays
                shutil.rmtree(self.folder)
            raise
        missing = sum(not _record(records, name).is_file() for name in self.names)
        if not missing:
            self._finish()
        return missing if records.is_dir() else 0

    def _stored_settings(self) -> dict[str, Any] | None:
        if (self.folder / UNFINISHED / "settings.json").is_file():
            return read_checked(self.folder / UNFINISHED / "settings.json", Open)
        if (self.folder / "result.json").is_file():
            return dict(read_checked(self.folder / "result.json", ResultJson).get("settings", {}))
        return None

    def _finish(self) -> None:
        """Write the tables of a folder in which every heart is there."""
        folder = self.folder
        try:
            read = [read_json(_record(folder / UNFINISHED, name)) for name in self.names]
        except InputError:  # another shard, which ended at the same time, is done with them
            if (folder / UNFINISHED).is_dir():
                raise
            return
        mend = "delete it, and --resume makes its heart again"
        places = [_record(folder / UNFINISHED, name) for name in self.names]
        records = [check(one, RecordJson, path, mend=mend) for one, path in zip(read, places, strict=True)]
        people = pd.DataFrame([record["person"] for record in records])
        if self.layout == "bids" and not self.split_column:
            people = people.drop(columns="split")
        write_table(folder / "participants.tsv", people)
        write_json(folder / "participants.json", dictionary(self.schema))
        figures = pd.DataFrame([record["phenotypes"] for record in records])
        write_table(folder / "phenotypes.tsv", figures)
        not_valid = Counter(name for names in figures["failed"] for name in names.split(",") if name != "none")
        passed = {}
        for name in self.beside:
            found = [{"participant_id": r["person"]["participant_id"], **r["beside"][name]} for r in records]
            write_table(folder / f"{name}.tsv", pd.DataFrame(found))
            passed[f"{name}_passed"] = sum(row["passed"] == "yes" for row in found)
        write_label_file(folder)
        if self.layout != "bids":
            rows = [
                {"case": case, "frame": frame, **r["person"]} for r in records for case, frame in r["cases"].items()
            ]
            write_table(folder / "cases.tsv", pd.DataFrame(rows))
            _LISTS[self.layout](folder, rows, title=self.title)
        valid = {"valid": int((figures["valid"] == "yes").sum()), "failed": dict(not_valid)}
        if not_valid:
            show_warnings([refusal_of(valid, len(figures))], stacklevel=4)
        write_json(folder / "result.json", {**self.result, **valid, **passed, "settings": self.settings})
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)


def parse_shard(text: str | None) -> tuple[int, int]:
    """Read ``3/16``: the third of sixteen; None is the whole.

    Raises:
        InputError: anything else.
    """
    if text is None:
        return 1, 1
    part, _, count = text.partition("/")
    if not (part.isdigit() and count.isdigit() and 1 <= int(part) <= int(count)):
        raise InputError(f"shard {text!r}: expected part/parts such as 3/16, the first being 1/16")
    return int(part), int(count)


def person_row(heart: Heart) -> dict[str, Any]:
    """What the model was given of a heart's owner: its row of participants.tsv, but for the name."""
    return {
        "cycle_s": heart.cycle_s,
        **heart.conditions,
        "drawn": ",".join(heart.drawn) or "n/a",
        "latent_seed": "n/a" if heart.seed is None else str(heart.seed),
    }


def refusal_of(valid: Mapping[str, Any], total: int) -> str:
    """In words, that of so many hearts not all are valid, from what result.json says."""
    what = ", ".join(f"{name} of {count}" for name, count in valid["failed"].items())
    return (
        f"{total - valid['valid']} of {total} hearts are not valid ({what}): see the columns valid and failed of "
        "phenotypes.tsv, and leave those out"
    )


def _record(records: Path, name: str) -> Path:
    return records / f"{name}.json"


def _is_whole(folder: Path, name: str) -> bool:
    """Whether a heart has its record, and the files that this speaks of as they were written."""
    path = _record(folder / UNFINISHED, name)
    if not path.is_file():
        return False
    try:
        files = check(read_json(path), RecordJson, path)["files"]
    except InputError:
        return False
    return all((folder / f).is_file() and sha256_of(folder / f) == digest for f, digest in files.items())


def _write_one(
    folder: Path, make: Make[Item], layout: Layout, maker: str, beside: Mapping[str, Beside],
    one: tuple[str, Item, Split, str | None],
) -> None:  # fmt: skip
    """Make one heart and write its files, then its record."""
    name, item, split, who = one
    heart, seen = make(item)
    cases = {f"{name}_t{frame:02d}": int(frame) for frame in seen.observed_frames}
    if layout == "bids":
        path = folder / f"{name}_dseg.nii.gz"
        write_in_template(path, seen, Made=f"{heart.kind} by {maker}")
        files = [path, sidecar_path(path)]
    else:
        files = _CASES[layout](folder, cases, split, seen=seen, whole=heart)
    rows = {kind: write(heart, folder / kind / name) for kind, write in beside.items()}
    files += [path for kind in beside for path in sorted((folder / kind / name).rglob("*")) if path.is_file()]
    whose = {} if who is None else {"person": who}
    found = heart.validity.row()
    record = {
        "person": {"participant_id": name, **whose, "split": split, **person_row(heart)},
        "phenotypes": {
            "participant_id": name,
            **heart.phenotypes.row(),
            "valid": found["valid"],
            "failed": found["failed"],
        },
        "cases": cases,
        "beside": rows,
        "files": {path.relative_to(folder).as_posix(): sha256_of(path) for path in files},
    }
    write_json(_record(folder / UNFINISHED, name), record)
