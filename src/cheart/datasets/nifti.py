"""Any folder of NIfTI label maps with a table of people, BIDS-like or plain."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cheart.align.time import ES_PHASE
from cheart.cohort import SPLITS
from cheart.conditions import MISSING
from cheart.datasets.participants import read_described
from cheart.datasets.recording import LeftOut, Recording, Source, parse_cycle
from cheart.datasets.registry import importer
from cheart.errors import InputError
from cheart.io.nifti import Spacing
from cheart.labels import parse_scheme

_PHASE = re.compile(r"_(ED|ES)(?=[_.])", re.IGNORECASE)


@importer("nifti")
def list_folder(
    folder: Path | str,
    *,
    participants: Annotated[
        Path,
        "Table with participant_id and what is known of age, sex, weight, height, sbp; also ed, es (frames from 0), "
        "cycle_s, split.",
    ],
    scheme: Annotated[str, "Label numbers: ukbb, acdc, mnms, ukdhp, cheart, or a map such as 1=lv,2=myo,3=rv."],
    column: Annotated[
        list[str] | None, "A condition that stands in a column of another name: weight=weight_kg. May be repeated."
    ] = None,
    spacing: Annotated[Spacing | None, "Which to believe where they disagree on the voxel size."] = None,
    cycle: Annotated[str | None, "Duration of the cycle in s where headers are wrong; n/a: not known."] = None,
    mirrored: Annotated[bool, "The headers lost the slices' direction: read the third axis backwards."] = False,
) -> Source:
    """A folder of NIfTI label maps (sub-*_dseg.nii.gz or named by participant_id) and a table of people.

    A subject's file is named by its ``participant_id`` (with or without ``sub-``) and anything after it that does
    not begin with a letter or digit: ``sub-01_dseg.nii.gz``, ``01.nii.gz``, ``01_seg.nii.gz``; or two files,
    ``…_ED…`` and ``…_ES…``. If the folder has any ``*_dseg.nii.gz``, only those are label maps. Columns of the table
    beside the conditions: ``ed`` and ``es`` (frames from 0), ``cycle_s``, ``split``.

    Args:
        folder: where the label maps are.
        participants: the table; what its columns mean may stand beside it in a ``.json`` of the same name.
        scheme: the label numbers (:func:`cheart.labels.parse_scheme`).
        column: conditions that stand in a column of another name, such as ``weight=weight_kg``.
        spacing: which to believe where affine and pixdim disagree.
        cycle: duration of the cycle for those whose row has none, headers not being believed; None believes the
            headers, and refuses those that cannot be right.
        mirrored: the headers have the third axis the wrong way round.

    Raises:
        InputError: no label maps, a table without ``participant_id``, or a split that is none.
    """
    folder, path, numbers, cycle_s = Path(folder), Path(participants), parse_scheme(scheme), parse_cycle(cycle)
    described = read_described(path, column=column or ())
    people = described.table
    if "participant_id" not in people.columns:
        raise InputError(f"{path}: no column participant_id (columns: {', '.join(people.columns)})")
    files = sorted(f for f in folder.glob("**/*") if f.name.endswith((".nii.gz", ".nii")) and f.name[0] != ".")
    files = [f for f in files if "_dseg." in f.name] or files
    if not files:
        raise InputError(f"{folder}: no .nii.gz or .nii there; give the folder that holds the label maps")
    subjects, left_out, used, named = [], [], set[Path](), _by_name(files)
    twice = set(people["participant_id"][people["participant_id"].duplicated()])
    for row in people.drop_duplicates("participant_id").to_dict("records"):
        who = str(row["participant_id"])
        mine = named.get(who.removeprefix("sub-"), [])
        used.update(mine)
        try:
            if who in twice:
                raise InputError(f"stands twice in {path.name}; leave one row a subject")
            recording = _recording(who, mine, {str(k): v for k, v in row.items()}, cycle_s)
            believed = cycle_s is None
            subjects.append(replace(recording, header_time=believed, spacing=spacing, mirrored=mirrored))
        except InputError as error:
            left_out.append(LeftOut(who, str(error)))
    left_out += [LeftOut(f.name, f"not in {path.name}; add a row for it") for f in files if f not in used]
    title = f"Label maps of {folder.name}"
    about = described.dictionary, described.warnings
    return Source(title, tuple(subjects), numbers, described.schema, tuple(left_out), *about)


def _by_name(files: list[Path]) -> dict[str, list[Path]]:
    """Files by whom they may belong to: each beginning of a name that no letter or digit goes on."""
    found: dict[str, list[Path]] = {}
    for path in files:
        name = path.name.removeprefix("sub-")
        for end, sign in enumerate(name):
            if end and not sign.isalnum():
                found.setdefault(name[:end], []).append(path)
    return found


def _recording(who: str, files: list[Path], row: dict[str, object], cycle_s: float | None) -> Recording:
    if not files:
        raise InputError(f"no label map whose name begins with {who}; add the file, or take the row out")
    split = row.get("split")
    if split is not None and split not in SPLITS:
        raise InputError(f"split {split!r}: expected one of {', '.join(SPLITS)}; mend the column split")
    number = number_in(row, "cycle_s")
    cycle = cycle_s if number is None else number
    phases = {match[1].upper(): f for f in files if (match := _PHASE.search(f.name))}
    if len(files) == 2 and set(phases) == {"ED", "ES"}:
        pair = (phases["ED"], phases["ES"])
        return Recording(who, pair, row, (0.0, ES_PHASE), ed=0, es=1, cycle_s=cycle)
    if len(files) > 1:
        raise InputError(f"{len(files)} label maps ({', '.join(f.name for f in files)}); leave one, or _ED and _ES")
    ed, es = (frame_in(row, name) for name in ("ed", "es"))
    return Recording(who, tuple(files), row, ed=ed, es=es, cycle_s=cycle)


def number_in(row: dict[str, object], name: str) -> float | None:
    """A number of a table's row, None where it is missing.

    Raises:
        InputError: no number.
    """
    text = str(row.get(name, "")).lower()
    if text in MISSING:
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{name} {text!r} is not a number; mend the table, or write n/a") from None


def frame_in(row: dict[str, object], name: str) -> int | None:
    """A frame number of a table's row, None where it is missing.

    Raises:
        InputError: no whole number from 0.
    """
    number = number_in(row, name)
    if number is not None and (number < 0 or number % 1):
        raise InputError(f"{name} {number:g} is not a frame number from 0; mend the table")
    return None if number is None else int(number)
