"""Bring a cohort in: an importer only lists its subjects, the rest is one path."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cheart._version import __version__
from cheart.cohort import (
    LEFT_OUT,
    POSES,
    SPLITS,
    Cohort,
    CohortWriter,
    is_made_with,
    read_table,
    split_subjects,
    write_table,
)  # fmt: skip
from cheart.conditions import Schema, Value
from cheart.datasets.participants import read_conditions
from cheart.datasets.plausibility import DOUBTS
from cheart.datasets.posing import MIRRORED_DEG, lay_out, pose
from cheart.datasets.recording import LeftOut, Recording, Source, fingerprint, read_source
from cheart.datasets.registry import list_source
from cheart.datasets.review import read_rejected
from cheart.errors import InputError, show_warnings
from cheart.export.bids import export_cohort
from cheart.files import new_folder, refuse_existing, sha256_of_json, write_json
from cheart.grid import Grid, check_size
from cheart.labels import STRUCTURES, TITLES, Scheme, scheme_text
from cheart.progress import Jobs, begin_records, collect_kept

_NAMED = 5


@dataclass(frozen=True)
class _Settings:
    scheme: Scheme
    schema: Schema
    dictionary: Mapping[str, Any]
    grid: Grid
    frames: int
    align_slices: bool
    strict: bool

    @property
    def how(self) -> dict[str, Any]:
        """Words of :func:`cheart.datasets.posing.pose`."""
        return {name: getattr(self, name) for name in ("grid", "frames", "align_slices", "strict")}


_Task = tuple[int, Recording, Mapping[str, Value], _Settings, CohortWriter]


def import_cohort(
    name: str,
    source: Path | str,
    out: Path | str,
    *,
    grid: Grid | str = "paper",
    frames: int = 20,
    seed: int = 0,
    skip_bad: bool = False,
    jobs: Jobs = -1,
    nifti: bool = False,
    align_slices: bool = True,
    strict: bool = False,
    review: Path | str | None = None,
    split_from: Path | str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    **options: Any,
) -> Cohort:
    """Bring a cohort of label maps into the template pose, check every subject, and write it.

    All subjects are checked before anything is written, so that a person learns of all that is wrong at once. The
    cohort does not depend on ``jobs``. Beside the cohort's own files the folder holds ``quality.tsv`` (see
    :func:`cheart.datasets.posing.quality`; and ``corrected``, of label maps that are other than cheart wrote them),
    ``poses.json`` (the way back to each subject's own space) and, if anyone was left out, ``left-out.tsv``. What to
    look at first is in the cohort's ``warnings``, and shown as :class:`cheart.errors.CheartWarning`.

    Args:
        name: of the importer: acdc, mnms, nifti, or another (:mod:`cheart.datasets.registry`).
        source: the folder to import.
        out: the folder to write.
        grid, frames: of the cohort.
        seed: of the split, unless the table has one.
        split_from: a table with ``participant_id`` and ``split``, such as another cohort's participants.tsv: who is in
            which split, before any other.
        skip_bad: leave out subjects that cannot be imported instead of refusing.
        jobs: processes (−1: one a core) or a Dask scheduler.
        review: the table of :func:`cheart.review`, filled in: who was rejected is left out.
        nifti: also write ``nifti/`` (:func:`cheart.export.bids.export_cohort`), to correct by hand and import again.
        strict: refuse hearts in doubt too (:mod:`cheart.datasets.plausibility`).
        align_slices: put the slices of thick stacks in line (:func:`cheart.datasets.posing.lay_out`).
        overwrite: replace what is there.
        resume: go on with what a run with the same options left that was stopped or killed, the files being as they
            were then.
        options: the importer's own, such as ``scheme`` and ``participants`` of nifti, ``table`` of mnms.

    Raises:
        InputError: no such importer or option, ``out`` exists, a subject cannot be imported (and ``skip_bad`` is
            false), or none can; there is nothing to ``resume``, or it was begun with other options.
    """
    listed, out = list_source(name, Path(source), options), Path(out)
    if not resume:
        refuse_existing(out, overwrite=overwrite)
    if split_from is not None:
        listed = _with_split(listed, Path(split_from))
    settings = _Settings(
        listed.scheme, listed.schema, listed.dictionary, Grid.parse(grid), frames, align_slices, strict
    )
    check_size(settings.grid, frames)
    # workers anywhere open these paths
    rejected = [] if review is None else read_rejected(Path(review), [s.participant_id for s in listed.subjects])
    gone = {who.participant_id for who in rejected}
    present = [s for s in listed.subjects if s.participant_id not in gone]
    subjects = [replace(s, files=tuple(path.absolute() for path in s.files)) for s in present]
    begun_with = _identity(listed, subjects, settings) | {"seed": seed, "skip_bad": skip_bad, "nifti": nifti}
    begun_with["rejected"] = sorted(gone)
    if resume and is_made_with(out, begun_with):
        return Cohort.open(out)
    with new_folder(out, overwrite=overwrite, keep=True, resume=resume) as folder:
        records = begin_records(folder, begun_with)
        checks = [(subject, settings) for subject in subjects]
        good, left_out = [], [who for who in listed.left_out if who.participant_id not in gone]
        found = collect_kept(_check, checks, records=records / "checks", jobs=jobs, title="Checking label maps")
        for subject, result in zip(subjects, found, strict=True):
            if "left_out" in result:
                left_out.append(LeftOut(subject.participant_id, result["left_out"]))
            else:
                good.append((subject, result["conditions"]))
        _refuse(left_out, good=len(good), skip_bad=skip_bad)
        left_out += rejected
        _write(folder, listed, good, left_out, settings, records=records, begun_with=begun_with, seed=seed, jobs=jobs)
        if nifti:
            export_cohort(Cohort.open(folder), folder / "nifti")
    cohort = Cohort.open(out)
    show_warnings(cohort.warnings)
    return cohort


def _identity(source: Source, subjects: Sequence[Recording], settings: _Settings) -> dict[str, Any]:
    """All that a cohort depends on, as plain JSON values: of files their sizes and times."""
    people = [
        {name: str(value) for name, value in vars(one).items()}
        | {"stands": [[path.stat().st_size, path.stat().st_mtime_ns] for path in one.files if path.is_file()]}
        for one in subjects
    ]
    about = {"schema": source.schema.to_json(), "dictionary": str(source.dictionary), "title": source.title}
    left_out = [asdict(who) for who in source.left_out]
    how = {"scheme": str(settings.scheme), "grid": settings.grid.to_json(), "frames": settings.frames}
    how["align_slices"] = settings.align_slices
    return {"people": people, "left_out": left_out, "cheart": __version__, **about, **how}


def _check(task: tuple[Recording, _Settings]) -> dict[str, Any]:
    """A subject's conditions, or why it cannot be imported."""
    subject, settings = task
    try:
        conditions = read_conditions(subject.row, settings.schema, settings.dictionary)
        lay_out(read_source(subject, settings.scheme), person=conditions, **settings.how)
    except InputError as error:
        return {"left_out": str(error)}
    return {"conditions": conditions}


def _refuse(left_out: Sequence[LeftOut], *, good: int, skip_bad: bool) -> None:
    if not left_out or (skip_bad and good):
        return
    lines = [f"  {who.participant_id}: {who.reason}" for who in left_out[:_NAMED]]
    if len(left_out) > _NAMED:
        lines.append(f"  and {len(left_out) - _NAMED} more")
    mend = "Mend them, or leave them out with --skip-bad" if good else "Nothing is left to import"
    total = good + len(left_out)
    raise InputError(f"{len(left_out)} of {total} cannot be imported:\n" + "\n".join(lines) + f"\n{mend}")


def _write(
    folder: Path,
    source: Source,
    good: Sequence[tuple[Recording, dict[str, Value]]],
    left_out: Sequence[LeftOut],
    settings: _Settings,
    *,
    records: Path,
    begun_with: Any,
    seed: int,
    jobs: Jobs,
) -> None:
    writer = CohortWriter(folder, subjects=len(good), frames=settings.frames, grid=settings.grid)
    tasks = [(i, subject, conditions, settings, writer) for i, (subject, conditions) in enumerate(good)]
    title = "Bringing hearts to the template"
    done = collect_kept(_bring_in, tasks, records=records / "hearts", jobs=jobs, title=title, holds=_holds)
    shutil.rmtree(records)
    fallback = split_subjects(len(good), seed=seed)
    people, rows, poses = [], [], []
    for (subject, conditions), made, split in zip(good, done, fallback, strict=True):
        who = {"participant_id": subject.participant_id}
        people.append(who | {"split": _split(subject, split), "cycle_s": made["cycle_s"]} | conditions)
        unknown = [name for name, value in conditions.items() if value is None]
        rows.append(who | made["quality"] | {"missing_conditions": ",".join(unknown) or "none"})
        poses.append(who | {"files": [p.name for p in subject.files]} | made["pose"])
    figures = pd.DataFrame(rows)
    write_table(folder / "quality.tsv", figures)
    write_json(folder / POSES, {"grid": settings.grid.to_json(), "subjects": poses})
    if left_out:
        write_table(folder / LEFT_OUT, pd.DataFrame([asdict(who) for who in left_out]))
    sources = hashlib.sha256("".join(p["files_sha256"] for p in poses).encode()).hexdigest()
    writer.finish(
        pd.DataFrame(people), source.schema, [made["fingerprint"] for made in done], kind="imported",
        title=source.title, warnings=[*source.warnings, *_partial(done), *_warnings(figures)], seed=seed,
        labels=scheme_text(source.scheme), traced=_traced(done), sources_sha256=sources, left_out=len(left_out),
        slices_aligned=int((figures["slice_shift_mm"] > 0).sum()),
        corrected=list(figures["participant_id"][figures["corrected"] == "yes"]), settings=sha256_of_json(begun_with),
    )  # fmt: skip


def _traced(done: Sequence[Mapping[str, Any]]) -> list[str]:
    """The structures that were traced in every heart."""
    return [name for name in STRUCTURES if not _without(name, done)]


def _without(name: str, done: Sequence[Mapping[str, Any]]) -> int:
    return sum(name not in made.get("traced", STRUCTURES) for made in done)


def _partial(done: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"the {TITLES[name]} was not traced in {_without(name, done)} of {len(done)} hearts: its volumes are n/a, "
        "and models are not trained or judged on this cohort"
        for name in STRUCTURES
        if _without(name, done)
    ]


def _warnings(figures: pd.DataFrame) -> list[str]:
    """What a person should look at, from the quality table."""
    return [*_mirrored(figures), *_doubted(figures)]


def _doubted(figures: pd.DataFrame) -> list[str]:
    doubts = figures["doubts"].str.split(",")
    found = []
    for name, what in DOUBTS.items():
        who = figures["participant_id"][doubts.map(lambda names, name=name: name in names)]
        if len(who):
            named = ", ".join(who[:_NAMED]) + (" …" if len(who) > _NAMED else "")
            found.append(
                f"{len(who)} of {len(figures)} hearts {what} ({name} in doubts of quality.tsv): look at {named}"
            )
    return found


def _mirrored(figures: pd.DataFrame) -> list[str]:
    backwards = figures["participant_id"][figures["outflow_turn_deg"] < MIRRORED_DEG]
    if len(backwards) > len(figures) / 2:
        return [
            f"{len(backwards)} of {len(figures)} hearts look like mirror images (outflow_turn_deg in quality.tsv is "
            "negative): have the headers lost the slices' direction, as ACDC's have? then import with mirrored=True "
            "(--mirrored)"
        ]
    if len(backwards):
        named = ", ".join(backwards[:_NAMED]) + (" …" if len(backwards) > _NAMED else "")
        return [
            f"{len(backwards)} of {len(figures)} hearts may be mirror images (outflow_turn_deg in quality.tsv is "
            f"negative): look at {named}"
        ]
    return []


def _bring_in(task: _Task) -> dict[str, Any]:
    index, subject, conditions, settings, writer = task
    source = read_source(subject, settings.scheme)
    heart, figures = pose(source, person=conditions, **settings.how)
    assert heart.origin is not None
    figures["corrected"] = {None: "n/a", True: "yes", False: "no"}[source.corrected]
    return {
        "fingerprint": writer.write(index, heart),
        "cycle_s": heart.cycle_s,
        "quality": figures,
        "traced": [name for name, drawn in zip(STRUCTURES, heart.traced[0], strict=True) if drawn],
        "pose": {"files_sha256": fingerprint(subject.files), "made": source.made} | heart.origin.to_json(),
    }


def _holds(task: _Task, made: dict[str, Any]) -> bool:
    """Whether a heart that was brought in is still in the store, and its files are those that it came from."""
    index, subject, _, _, writer = task
    same = fingerprint(subject.files) == made["pose"]["files_sha256"]
    return same and writer.holds(index, made["fingerprint"])


def _with_split(source: Source, path: Path) -> Source:
    """A source whose subjects are in the splits that a table gives them.

    Raises:
        InputError: the table has no column split, another word in it, a subject twice, or lacks one.
    """
    table = read_table(path)
    if "split" not in table.columns:
        raise InputError(f"--split-from {path}: no column split (columns: {', '.join(map(str, table.columns))})")
    wrong = [str(word) for word in table["split"] if word not in SPLITS]
    if wrong or table["participant_id"].duplicated().any():
        what = f"split {wrong[0]!r}" if wrong else "a participant_id that stands there twice"
        raise InputError(f"--split-from {path}: {what}; expected each subject once, as {', '.join(SPLITS)}")
    splits = dict(zip(table["participant_id"], table["split"], strict=True))
    lacking = [s.participant_id for s in source.subjects if s.participant_id not in splits]
    if lacking:
        named = ", ".join(lacking[:_NAMED]) + (" …" if len(lacking) > _NAMED else "")
        raise InputError(f"--split-from {path}: no row for {named}; add what is missing, or leave the option out")
    subjects = tuple(replace(s, row={**s.row, "split": splits[s.participant_id]}) for s in source.subjects)
    return replace(source, subjects=subjects)


def _split(subject: Recording, fallback: str) -> str:
    split = subject.row.get("split")
    return str(split) if split in SPLITS else fallback
