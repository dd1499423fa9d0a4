"""UK Biobank (by application): short-axis label maps, a folder a participant, and the main table with its field names.

Label maps as ``ukbb_cardiac`` writes them (Bai et al., JCMR 20:65, 2018): ``<eid>/seg_sa.nii.gz`` of the whole cycle,
frame 0 being end-diastole, or ``seg_sa_ED.nii.gz`` and ``seg_sa_ES.nii.gz``; 1 LV, 2 myocardium, 3 RV. Folders named as
the bulk download are understood too: ``<eid>_20209_2_0`` is imaging visit 2, array index 0. A table's columns may be
named as ``ukbconv`` writes them (``21003-2.0``, ``f.21003.2.0``) or as the Research Analysis Platform does
(``p21003_i2``).

The data cannot be had here: written for the published layout, and tested on a made-up copy of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np

from cheart.align.time import ES_PHASE
from cheart.conditions import MISSING
from cheart.datasets.participants import read_people
from cheart.datasets.recording import LeftOut, Recording, Source
from cheart.datasets.registry import importer
from cheart.errors import InputError
from cheart.labels import SCHEMES

FIELDS: dict[str, tuple[int, ...]] = {
    "age": (21003,), "sex": (31,), "weight": (21002,), "height": (12144, 50), "sbp": (4080, 93),
}  # fmt: skip
"""Data fields of the conditions; a later one where the earlier are empty. Of several readings the mean is taken."""

_EID = re.compile(r"(\d+)(?:_\d{5})?(?:_(\d)_\d)?")
_SUFFIXES = (".nii.gz", ".nii")


@importer("ukbb")
def list_ukbb(
    folder: Path | str,
    *,
    table: Annotated[Path | None, "The main table (CSV or TSV), with eid and UK Biobank's field names."] = None,
    instance: Annotated[int, "The imaging visit: 2, or 3 for the repeat."] = 2,
) -> Source:
    """UK Biobank: <eid>/seg_sa.nii.gz (or seg_sa_ED and seg_sa_ES), and the main table with its field names.

    Args:
        folder: anywhere above the participants' folders.
        table: with ``eid`` and what there is of fields 31, 21003, 21002, 12144 or 50, and 4080 or 93.
        instance: of the folders that name a visit, and of the fields.

    Raises:
        InputError: no label maps, or a table without ``eid`` or without any of the fields at that visit.
    """
    found: dict[str, Path] = {}
    other = 0
    for place in sorted({path.parent for path in Path(folder).glob("**/seg_sa*.nii*")}):
        match = _EID.fullmatch(place.name)
        if match is None:
            raise InputError(f"{place}: expected folders named by eid, such as 1234567 or 1234567_20209_2_0; rename it")
        if match[2] is not None and int(match[2]) != instance:
            other += 1
        elif match[1] in found:
            raise InputError(f"{place}: {match[1]} is there already ({found[match[1]].name}); leave one")
        else:
            found[match[1]] = place
    if not found:
        raise InputError(
            f"{folder}: no <eid>/seg_sa.nii.gz there of visit {instance} ({other} of other visits: --instance); give "
            "the folder that holds the participants' folders"
        )
    rows = {} if table is None else _rows(Path(table), instance)
    subjects, left_out = [], []
    for eid, place in found.items():
        try:
            if table is not None and eid not in rows:
                raise InputError(f"not in {Path(table).name}; add a row")
            subjects.append(_recording(eid, place, rows.get(eid, {})))
        except InputError as error:
            left_out.append(LeftOut(eid, str(error)))
    coded = {"sex": {"Levels": {"0": "F", "1": "M"}}}
    warnings = (f"{other} folders of other visits than {instance} were passed over",) if other else ()
    title = f"UK Biobank, visit {instance}"
    return Source(
        title, tuple(subjects), SCHEMES["ukbb"], left_out=tuple(left_out), dictionary=coded, warnings=warnings
    )


def _recording(eid: str, place: Path, row: Mapping[str, object]) -> Recording:
    whole = [place / f"seg_sa{end}" for end in _SUFFIXES if (place / f"seg_sa{end}").is_file()]
    if whole:
        return Recording(eid, (whole[0],), row, ed=0)
    pair = [place / f"seg_sa_{phase}{end}" for phase in ("ED", "ES") for end in _SUFFIXES]
    pair = [path for path in pair if path.is_file()]
    if len(pair) != 2:
        raise InputError(f"{place.name}: neither seg_sa.nii.gz nor the pair seg_sa_ED.nii.gz and seg_sa_ES.nii.gz")
    return Recording(eid, tuple(pair), row, (0.0, ES_PHASE), ed=0, es=1, header_time=False)


def _rows(path: Path, instance: int) -> dict[str, dict[str, object]]:
    """Conditions as text, by eid."""
    people = read_people(path)
    people.columns = people.columns.str.removeprefix("participant.")
    if "eid" not in people.columns:
        raise InputError(f"{path}: no column eid (has {', '.join(people.columns[:8])} …); give UK Biobank's main table")
    columns = {
        name: [[c for c in people.columns if _is_field(str(c), field, instance)] for field in fields]
        for name, fields in FIELDS.items()
    }
    if not any(of for each in columns.values() for of in each):
        raise InputError(
            f"{path}: none of the fields {', '.join(str(f) for fields in FIELDS.values() for f in fields)} at visit "
            f"{instance}; expected columns such as 21003-{instance}.0 or p21003_i{instance}"
        )
    return {
        str(row["eid"]): {name: _value([[str(row[c]) for c in of] for of in each]) for name, each in columns.items()}
        for row in people.to_dict("records")
    }


def _is_field(column: str, field: int, instance: int) -> bool:
    """Whether a column is a field's at a visit; sex was asked once, at visit 0."""
    visit = 0 if field == 31 else instance
    return bool(
        re.fullmatch(
            rf"(?:f\.)?{field}[-.]{visit}\.\d+|p{field}_i{visit}(?:_a\d+)?" + (r"|p31" if field == 31 else ""), column
        )
    )


def _value(readings: list[list[str]]) -> str:
    """The mean of the first field that has any reading; words as they are."""
    for of in readings:
        known = [text for text in of if text.lower() not in MISSING]
        if not known:
            continue
        try:
            return f"{np.mean([float(text) for text in known]):.6g}"
        except ValueError:
            return known[0]
    return "n/a"
