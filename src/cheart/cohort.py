"""A cohort: a folder with a table of people and a store of their beating hearts.

    COHORT/
        participants.tsv    one row a person: participant_id, split, cycle_s, the conditions
        participants.json   what the columns mean (BIDS): the schema of the conditions
        cohort.json         what it is (simulated or imported), grid, frames, how it was made, fingerprint
        labels.zarr/        labels [N, T, Z, Y, X] uint8 and observed [N, T, Z] bool
        poses.json          imported cohorts: each heart's way back to its own space (cheart.align)
        quality.tsv         imported cohorts: quality figures per subject
        left-out.tsv        imported cohorts: who was left out, and why
        checksums.sha256    of all these files; each is compared with it before it is read

The store is zarr v3: one chunk a frame, zstd, one shard a subject, so that a subject is one file and workers never
write to the same one. Files lie side by side, not in folders of their own, and a subject of whom every plane was
observed has no file that says so: 50,000 subjects are 50,000 files, where zarr's defaults make 400,000 entries.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec
from zarr.core.chunk_key_encodings import ChunkKeyEncodingLike

from cheart import schemas
from cheart.cohort_table import SPLITS, Split, dictionary, read_table, refuse_table, write_table
from cheart.conditions import Schema, Value
from cheart.errors import InputError
from cheart.files import checked, read_json, sha256_of_json, write_checksums, write_json
from cheart.grid import Grid, check_size
from cheart.heart import Heart
from cheart.progress import track
from cheart.provenance import provenance

if TYPE_CHECKING:
    from cheart.align.placement import Placement

FORMAT = 1
STORE = "labels.zarr"
_STORE_METADATA = tuple(f"{STORE}/{part}zarr.json" for part in ("", "labels/", "observed/"))
SIDE_BY_SIDE: ChunkKeyEncodingLike = {"name": "default", "separator": "."}
"""How zarr names the files of a new cohort; an older one says in its own metadata how its files are named."""
PAPER_SPLIT = (968, 138, 277)
"""Subjects for training, validation and test in the paper (section III-A)."""

POSES, LEFT_OUT = "poses.json", "left-out.tsv"

_Address = tuple[Path, str, tuple[str, ...] | None, str]
"""How a worker gets a cohort: the folder, its fingerprint there, another split than the one there, and the condition
that is left out."""


@dataclass(frozen=True)
class Cohort:
    """A cohort on disk, opened for reading. Frames are read when asked for.

    Attributes:
        path: the folder.
        info: what cohort.json says.
        schema: the conditions.
        table: one row a person, indexed 0 to N − 1.
    """

    path: Path
    info: Mapping[str, Any]
    schema: Schema
    table: pd.DataFrame
    _address: _Address | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def open(cls, path: Path | str) -> Cohort:
        """Open a cohort folder.

        Raises:
            InputError: it is no cohort, or of a format that this version does not know.
        """
        path = Path(path)
        if not (path / "cohort.json").is_file():
            raise InputError(
                f"{path} is no cohort (it has no cohort.json); make one with cheart simulate or cheart import"
            )
        check = checked(path)
        check(("cohort.json", "participants.tsv", "participants.json", LEFT_OUT, *_STORE_METADATA))
        info = read_json(path / "cohort.json")
        if isinstance(info, dict) and info.get("format") != FORMAT:
            raise InputError(f"{path}: cohort format {info.get('format')!r}; this version reads {FORMAT}")
        schemas.check(info, schemas.CohortJson, path / "cohort.json")
        table = read_table(path / "participants.tsv")
        try:
            schema, grid = Schema.from_json(info["conditions"]), Grid.from_json(info["grid"])
            check_size(grid, info["frames"])
        except InputError as error:
            raise InputError(f"{path / 'cohort.json'}: {error}") from None
        refuse_table(table, info["subjects"], schema, path / "participants.tsv")
        cohort = cls(path, info, schema, table)
        return cohort._at((path.absolute(), cohort.fingerprint, None, ""))

    def resplit(self, split: Sequence[str]) -> Cohort:
        """The same hearts in another split, a word a row of the table, in memory only; its fingerprint says so."""
        assert len(split) == len(self)
        assert set(split) <= set(SPLITS)
        before = self.fingerprint if self._address is None else self._address[1]
        digest = hashlib.sha256(f"{before} {' '.join(split)}".encode()).hexdigest()
        info = {**self.info, "fingerprint": digest}
        other = replace(self, info=info, table=self.table.assign(split=list(split)))
        return other if self._address is None else other._at((*self._address[:2], tuple(split), self._address[3]))

    def without(self, name: str) -> Cohort:
        """The same cohort without one of its conditions, in memory only; itself where it has no such condition."""
        if name not in self.schema.names:
            return self
        other = replace(self, schema=Schema(tuple(f for f in self.schema.factors if f.name != name)))
        return other if self._address is None else other._at((*self._address[:3], name))

    def _at(self, address: _Address) -> Cohort:
        object.__setattr__(self, "_address", address)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, a cohort is its folder: a worker opens it once, and no table travels with every task.

        One that was put together by hand, with another table or schema than its folder's, travels as it is.
        """
        if self._address is None:
            return Cohort, (self.path.absolute(), self.info, self.schema, self.table)
        return _reopen, self._address

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        splits = ", ".join(f"{len(self.indices(split))} {split}" for split in SPLITS)
        return (
            f"<{self.info['kind']} cohort {self.path}: {self.info['title']}\n"
            f" {splits}; {self.frames} frames on {self.grid.name}\n"
            f" conditions: {', '.join(self.schema.names)}>"
        )

    @property
    def grid(self) -> Grid:
        """The voxel grid that all subjects share."""
        return Grid.from_json(self.info["grid"])

    @property
    def frames(self) -> int:
        """T, frames a cycle."""
        return int(self.info["frames"])

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all labels, masks, conditions and splits."""
        return str(self.info["fingerprint"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at before using the cohort, one sentence each."""
        return tuple(self.info.get("warnings", ()))

    @property
    def left_out(self) -> dict[str, str]:
        """Who of an imported source is not in the cohort, and why."""
        path = self.path / LEFT_OUT
        table = read_table(path) if path.is_file() else pd.DataFrame({"participant_id": [], "reason": []})
        return dict(zip(table["participant_id"], table["reason"], strict=True))

    @cached_property
    def _store(self) -> zarr.Group:
        zyx = self.grid.shape
        expected = {"labels": (len(self), self.frames, *zyx), "observed": (len(self), self.frames, zyx[0])}
        try:
            store = zarr.open_group(self.path / STORE, mode="r")
            shapes = {name: getattr(store[name], "shape", None) for name in expected}
            kinds = {name: str(getattr(store[name], "dtype", None)) for name in expected}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self.path / STORE} cannot be read: {error!r}; {schemas.MEND}") from None
        if shapes != expected or kinds != {"labels": "uint8", "observed": "bool"}:
            raise InputError(f"{self.path / STORE} holds {shapes}, and cohort.json and the table say {expected}")
        return store

    def _array(self, name: Literal["labels", "observed"], indices: Iterable[int]) -> zarr.Array:
        """One of the store's arrays, whose files of some subjects are as they were written."""
        array: zarr.Array = self._store[name]  # type: ignore[assignment]
        zeros = (0,) * (array.ndim - 1)
        keys = (array.metadata.encode_chunk_key((int(index), *zeros)) for index in indices)
        checked(self.path)(f"{STORE}/{name}/{key}" for key in keys)
        return array

    def labels(self, index: int, frames: Sequence[int] | None = None) -> NDArray[np.uint8]:
        """Label maps [T, Z, Y, X] of one subject, or of some of its frames in the order asked for."""
        array = self._array("labels", [index])
        if frames is None:
            return np.asarray(array[index])
        # zarr's own fancy indexing of a shard is many times slower than a read a frame
        return np.stack([np.asarray(array[index, int(t)]) for t in frames])

    @cached_property
    def observed(self) -> NDArray[np.bool_]:
        """[N, T, Z] bool: the planes that were really imaged. Of one subject, :meth:`observed_of` is the faster way."""
        return np.asarray(self._array("observed", range(len(self)))[:])

    def observed_of(self, index: int) -> NDArray[np.bool_]:
        """[T, Z] bool: one subject's planes that were really imaged."""
        return np.asarray(self._array("observed", [index])[index])

    def heart(self, index: int) -> Heart:
        """One subject's beating heart; one that was imported knows its way back to the subject's own space."""
        cycle = float(self.table["cycle_s"].iloc[index])
        labels, observed, person = self.labels(index), self.observed_of(index), self.conditions(index)
        return Heart(labels, observed, self.grid, cycle, self.info["kind"], person, origin=self._origin(index))

    def _origin(self, index: int) -> Placement | None:
        from cheart.align.placement import Placement

        return Placement.from_json(self._poses[index], self.grid) if self._poses else None

    @cached_property
    def _poses(self) -> list[dict[str, Any]]:
        path = self.path / POSES
        checked(self.path)((POSES,))
        if not path.is_file():
            return []
        poses: list[dict[str, Any]] = schemas.read_checked(path, schemas.PosesJson)["subjects"]
        if [pose["participant_id"] for pose in poses] != list(self.table["participant_id"]):
            raise InputError(f"{path} is of other participants than participants.tsv: {schemas.MEND}")
        return poses

    def conditions(self, index: int) -> dict[str, Value]:
        """One subject's conditions, checked against the schema."""
        return self.schema.read({str(k): v for k, v in self.table.iloc[index].items()})

    def recount_fingerprint(self) -> str:
        """The fingerprint of what the folder holds now; every voxel is read."""
        rows = track(range(len(self)), total=len(self), title="Reading hearts")
        subjects = [_fingerprint_of(self.labels(i), self.observed_of(i)) for i in rows]
        return _fingerprint(subjects, self.table, self.schema)

    def indices(self, split: Split) -> NDArray[np.intp]:
        """Row numbers of one split, or of all."""
        if split == "all":
            return np.arange(len(self))
        return np.flatnonzero(self.table["split"].to_numpy() == split)


@lru_cache(maxsize=2)
def _reopen(path: Path, fingerprint: str, split: tuple[str, ...] | None, left_out: str) -> Cohort:
    """A cohort in a worker, in its own split (None) or in another, perhaps without a condition.

    Raises:
        InputError: the worker finds no cohort there, or another one.
    """
    cohort = Cohort.open(path)
    if cohort.fingerprint != fingerprint:
        raise InputError(f"{path} is not the cohort that it was; was it written anew meanwhile?")
    return (cohort if split is None else cohort.resplit(split)).without(left_out)


def is_made_with(path: Path, settings: Any) -> bool:
    """Whether a cohort is there already that was made with these settings (plain JSON values)."""
    if not (path / "cohort.json").is_file():
        return False
    return bool(Cohort.open(path).info["provenance"].get("settings") == sha256_of_json(settings))


class CohortWriter:
    """Writes a cohort's subjects in any order and from any number of processes, then its tables.

    It goes on with the store of a stopped run. The writer is picklable: a worker calls :meth:`write` with its own copy.
    Use it inside :func:`cheart.files.new_folder`, so that a cohort is whole or not there.
    """

    def __init__(self, path: Path, *, subjects: int, frames: int, grid: Grid) -> None:
        self.path, self.subjects, self.frames, self.grid = Path(path).absolute(), subjects, frames, grid
        zyx = grid.shape
        if (self.path / _STORE_METADATA[-1]).is_file():  # a stopped run's, to go on with
            return
        shutil.rmtree(self.path / STORE, ignore_errors=True)  # killed before the store was whole
        group = zarr.create_group(self.path / STORE, zarr_format=3)
        group.create_array(
            "labels", shape=(subjects, frames, *zyx), chunks=(1, 1, *zyx), shards=(1, frames, *zyx), dtype="uint8",
            compressors=ZstdCodec(level=6), dimension_names=("subject", "frame", "z", "y", "x"),
            chunk_key_encoding=SIDE_BY_SIDE,
        )  # fmt: skip
        group.create_array(
            "observed", shape=(subjects, frames, zyx[0]), chunks=(1, frames, zyx[0]), dtype="bool",
            dimension_names=("subject", "frame", "z"), chunk_key_encoding=SIDE_BY_SIDE, fill_value=True,
        )  # fmt: skip

    def write(self, index: int, heart: Heart) -> str:
        """Write one subject and return the fingerprint of its voxels.

        Raises:
            InputError: another grid or frame count than the cohort's.
        """
        if heart.grid != self.grid or heart.frames != self.frames:
            raise InputError(
                f"subject {index}: {heart.frames} frames on {heart.grid.name}, but the cohort has "
                f"{self.frames} on {self.grid.name}"
            )
        store = zarr.open_group(self.path / STORE, mode="r+")
        for name, values in (("labels", heart.labels), ("observed", heart.observed)):
            array: Any = store[name]
            # a stopped run may have left a damaged file here, which zarr would read before it writes
            key = array.metadata.encode_chunk_key((index, *(0,) * (array.ndim - 1)))
            (self.path / STORE / name / key).unlink(missing_ok=True)
            array[index] = values
        return _fingerprint_of(heart.labels, heart.observed)

    def holds(self, index: int, fingerprint: str) -> bool:
        """Whether a subject's voxels are those of which :meth:`write` returned the fingerprint."""
        try:
            store = zarr.open_group(self.path / STORE, mode="r")
            labels, observed = np.asarray(store["labels"][index]), np.asarray(store["observed"][index])  # type: ignore[index]
        except (OSError, ValueError, KeyError, RuntimeError):
            return False
        return _fingerprint_of(labels, observed) == fingerprint

    def finish(
        self,
        table: pd.DataFrame,
        schema: Schema,
        fingerprints: list[str],
        *,
        kind: Literal["simulated", "imported"],
        title: str,
        warnings: Sequence[str] = (),
        **how: Any,
    ) -> None:
        """Write the tables and the description, when every subject has been written.

        Args:
            table: participant_id, split, cycle_s and the conditions, one row a subject.
            schema: the conditions.
            fingerprints: what :meth:`write` returned, in the order of the rows.
            kind: simulated hearts are called simulated wherever a person sees them.
            title: one line for people.
            warnings: what a person should look at before using the cohort, one sentence each.
            how: more for the provenance (seed, the sources' fingerprint …).
        """
        columns = ["participant_id", "split", "cycle_s", *schema.names]
        assert len(table) == len(fingerprints) == self.subjects
        table = table[columns + [c for c in table.columns if c not in columns]]
        write_table(self.path / "participants.tsv", table)
        write_json(self.path / "participants.json", dictionary(schema))
        description = {
            "format": FORMAT,
            "kind": kind,
            "title": title,
            "subjects": self.subjects,
            "frames": self.frames,
            "grid": self.grid.to_json(),
            "conditions": schema.to_json(),
            "fingerprint": _fingerprint(fingerprints, read_table(self.path / "participants.tsv"), schema),
            "warnings": list(warnings),
            "provenance": provenance(**how),
        }
        write_json(self.path / "cohort.json", description)
        write_checksums(self.path)


def _fingerprint_of(labels: NDArray[np.uint8], observed: NDArray[np.bool_]) -> str:
    """SHA-256 of one subject's voxels [T, Z, Y, X] and mask [T, Z]."""
    digest = hashlib.sha256(labels.tobytes())
    digest.update(observed.tobytes())
    return digest.hexdigest()


def _fingerprint(subjects: Iterable[str], table: pd.DataFrame, schema: Schema) -> str:
    """SHA-256 of all subjects' and of what the table says of them: splits, cycles and conditions."""
    digest = hashlib.sha256("".join(subjects).encode())
    digest.update(table[["split", "cycle_s", *schema.names]].to_csv(index=False, na_rep="n/a").encode())
    return digest.hexdigest()


def split_subjects(n: int, *, seed: int) -> list[str]:
    """Assign n subjects to training, validation and test in the paper's proportions (968/138/277 of 1,383).

    Every split gets at least one subject where n ≥ 3. The assignment depends on n and seed only.

    >>> split = split_subjects(1383, seed=0)
    >>> [split.count(name) for name in SPLITS]
    [968, 138, 277]
    """
    total = sum(PAPER_SPLIT)
    test = max(1, round(n * PAPER_SPLIT[2] / total)) if n >= 3 else 0
    val = max(1, round(n * PAPER_SPLIT[1] / total)) if n >= 3 else 0
    names = np.array(["train"] * (n - val - test) + ["val"] * val + ["test"] * test)
    return [str(s) for s in np.random.default_rng([seed, 0x5911]).permutation(names)]
