"""The M&Ms challenge's sets: short-axis label maps at ED and ES, with the challenge's table.

M&Ms (Campello et al., IEEE TMI 40(12):3543, 2021): ``<code>_sa_gt.nii.gz``, the whole cycle in one file of which only
ED and ES are labelled; the table's columns are External code, Age, Sex, Height (cm), Weight (kg), Pathology, ED and
ES (frames counted from 0). M&Ms-2 (Martín-Isla et al., IEEE JBHI 27(7):3302, 2023): ``<code>_SA_ED_gt.nii.gz`` and
``_SA_ES_gt.nii.gz``; SUBJECT_CODE and DISEASE. Labels 1 LV, 2 myocardium, 3 RV. The headers' time steps come from
several vendors' converters: the cycle's duration is left as not known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd

from cheart.align.time import ES_PHASE
from cheart.conditions import PAPER_SCHEMA, Factor, Schema
from cheart.datasets.participants import read_people
from cheart.datasets.recording import LeftOut, Recording, Source
from cheart.datasets.registry import importer
from cheart.errors import InputError
from cheart.labels import SCHEMES

_COLUMNS = {
    "external code": "participant_id",
    "subject_code": "participant_id",
    "pathology": "group",
    "disease": "group",
}


@importer("mnms")
def list_mnms(folder: Path | str, *, table: Annotated[Path, "The challenge's CSV."]) -> Source:
    """The M&Ms or M&Ms-2 set: short-axis label maps and the challenge's table.

    Args:
        folder: anywhere above the label maps.
        table: the challenge's CSV.

    Raises:
        InputError: no label maps, no such columns, or a code that stands twice.
    """
    files: dict[str, list[Path]] = {}
    for path in sorted(Path(folder).glob("**/*_gt.nii.gz")):
        if "_sa_" in path.name.lower():
            files.setdefault(path.name.split("_")[0].lower(), []).append(path)
    if not files:
        raise InputError(f"{folder}: no *_sa_gt.nii.gz there; give the M&Ms folder that holds the label maps")
    people = _read_table(Path(table))
    subjects, left_out = [], []
    for row in people.to_dict("records"):
        code = str(row["participant_id"])
        found = files.pop(code.lower(), None) or files.pop(code.zfill(3).lower(), None)
        try:
            subjects.append(_recording(code, found, {str(k): v for k, v in row.items()}))
        except InputError as error:
            left_out.append(LeftOut(code, str(error)))
    left_out += [LeftOut(code, f"not in the table {Path(table).name}; add a row") for code in files]
    levels = tuple(sorted({group for group in people["group"] if group} | {"NOR", "DCM"}))
    group = Factor("group", "level", levels=levels, description="The challenge's diagnosis")
    schema = Schema((*PAPER_SCHEMA.factors, group))
    return Source("M&Ms, ED and ES", tuple(subjects), SCHEMES["mnms"], schema, tuple(left_out))


def _read_table(path: Path) -> pd.DataFrame:
    people = read_people(path).rename(columns=_COLUMNS)
    for name in ("participant_id", "group"):
        if name not in people.columns:
            was = " or ".join(old for old, new in _COLUMNS.items() if new == name)
            raise InputError(f"{path}: no column {was} (has {', '.join(people.columns)}); give the challenge's CSV")
    twice = people["participant_id"][people["participant_id"].duplicated()]
    if len(twice):
        raise InputError(f"{path}: {twice.iloc[0]} stands twice; leave one row a subject")
    return people


def _recording(code: str, files: list[Path] | None, row: dict[str, object]) -> Recording:
    if not files:
        raise InputError("in the table, but no label map *_sa_gt.nii.gz; the challenge keeps some back")
    pair = [path for phase in ("_ed_", "_es_") for path in files if phase in path.name.lower()]
    if len(files) == 2 and len(pair) == 2:
        return Recording(code, tuple(pair), row, (0.0, ES_PHASE), ed=0, es=1, header_time=False)
    if len(files) > 1:
        raise InputError(f"{len(files)} label maps ({', '.join(p.name for p in files)}); leave one")
    ed, es = (_frame(row, name) for name in ("ed", "es"))
    return Recording(code, tuple(files), row, ed=ed, es=es, header_time=False)


def _frame(row: dict[str, object], name: str) -> int | None:
    text = str(row.get(name, "")).removesuffix(".0")
    if text and not text.isdigit():
        raise InputError(f"{name.upper()} {text!r} is not a frame number from 0; mend the table")
    return int(text) if text else None
