"""The UK Digital Heart Project's label maps of 1,331 volunteers (Savioli et al., Mendeley Data pw87p286yx): what is
published of the cohort that the paper draws on.

A folder a participant with ``HR_ED.nii.gz`` and ``HR_ES.nii.gz``, from three-dimensional cine at high resolution (and
LR_ED, LR_ES, which are passed over); 1 LV, 2 myocardium, 4 RV. No table comes with them.

The data cannot be had here: written for the published layout, and tested on a made-up copy of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cheart.align.time import ES_PHASE
from cheart.datasets.participants import read_by_person
from cheart.datasets.recording import LeftOut, Recording, Source
from cheart.datasets.registry import importer
from cheart.errors import InputError
from cheart.labels import SCHEMES


@importer("ukdhp")
def list_ukdhp(
    folder: Path | str,
    *,
    participants: Annotated[Path | None, "A table with participant_id (the folders' names), if you have one."] = None,
) -> Source:
    """The UK Digital Heart Project's published label maps: a folder a participant with HR_ED and HR_ES.

    Args:
        folder: anywhere above the participants' folders.
        participants: a table as the importer ``nifti`` takes it.

    Raises:
        InputError: no ``HR_ED.nii.gz``, or a table without ``participant_id``.
    """
    places = sorted(path.parent for path in Path(folder).glob("**/HR_ED.nii*"))
    if not places:
        raise InputError(f"{folder}: no */HR_ED.nii.gz there; give the folder that holds the participants' folders")
    described, rows = (None, {}) if participants is None else read_by_person(participants)
    subjects, left_out = [], []
    for place in places:
        pair = [f for phase in ("ED", "ES") for f in sorted(place.glob(f"HR_{phase}.nii*"))[:1]]
        if len(pair) != 2:
            left_out.append(LeftOut(place.name, "no HR_ES.nii.gz beside HR_ED.nii.gz; fetch it, or use --skip-bad"))
        elif described is not None and place.name not in rows:
            left_out.append(LeftOut(place.name, f"not in {Path(str(participants)).name}; add a row"))
        else:
            row = rows.get(place.name, {})
            moments = (0.0, ES_PHASE)
            subjects.append(Recording(place.name, tuple(pair), row, moments, ed=0, es=1, header_time=False))
    title, found, missing = "UK Digital Heart Project, ED and ES", tuple(subjects), tuple(left_out)
    if described is None:
        return Source(title, found, SCHEMES["ukdhp"], left_out=missing)
    about = described.dictionary, described.warnings
    return Source(title, found, SCHEMES["ukdhp"], described.schema, missing, *about)
