"""A cohort as a BIDS-like folder of NIfTI files and tables, which any tool reads and cheart reads back."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from cheart._version import __version__
from cheart.align.resample import to_source
from cheart.cohort import Cohort, write_table
from cheart.errors import InputError
from cheart.files import new_file, new_folder, write_json
from cheart.heart import Heart
from cheart.io.nifti import LABELS_SHA256, TEMPLATE, sha256_of_labels, sidecar_path, write_heart, write_labels
from cheart.labels import COLOURS, STRUCTURES, TITLES
from cheart.progress import track


def export_cohort(cohort: Cohort, out: Path | str, *, overwrite: bool = False) -> None:
    """Write a cohort as ``sub-*_dseg.nii.gz`` with ``participants.tsv`` and ``participants.json``.

    Each label map is in the template pose; the JSON beside it says so (``SpatialReference``) and which planes were
    observed, so that ``cheart import nifti … --scheme cheart`` gives the same labels back.

    Raises:
        InputError: ``out`` exists and ``overwrite`` is false, or two participants get one BIDS name.
    """
    table = cohort.table.copy()
    names = [bids_name(str(who)) for who in table["participant_id"]]
    if len(set(names)) != len(names):
        raise InputError("two participants have the same letters and digits in their names; rename one")
    table["participant_id"] = names
    with new_folder(Path(out), overwrite=overwrite) as folder:
        for index in track(range(len(cohort)), total=len(cohort), title="Writing NIfTI"):
            path = folder / f"{names[index]}_dseg.nii.gz"
            write_in_template(path, cohort.heart(index), Made=f"{cohort.info['kind']} by cheart")
        write_table(folder / "participants.tsv", table)
        shutil.copy(cohort.path / "participants.json", folder / "participants.json")
        rows = [{"index": number, "name": TITLES[name]} for name, number in STRUCTURES.items()]
        write_table(folder / "dseg.tsv", pd.DataFrame(rows))
        write_label_file(folder)
        write_json(
            folder / "dataset_description.json",
            {
                "Name": str(cohort.info["title"]),
                "BIDSVersion": "1.10.0",
                "DatasetType": "derivative",
                "GeneratedBy": [{"Name": "cheart", "Version": __version__}],
                "cheart": {"kind": cohort.info["kind"], "fingerprint": cohort.fingerprint},
            },
        )


def write_in_template(path: Path, heart: Heart, **about: Any) -> None:
    """Write a heart as NIfTI, and beside it a JSON file with its space, its observed planes and ``about`` it.

    :func:`cheart.read_heart` takes such a file as it is, without looking for its pose again.
    """
    write_heart(path, heart)
    planes = [[int(z) for z in frame.nonzero()[0]] for frame in heart.observed]
    as_written: dict[str, Any] = {LABELS_SHA256: sha256_of_labels(heart.labels)}
    if not heart.traced[heart.observed_frames].all():
        as_written["Traced"] = [name for name, drawn in zip(STRUCTURES, heart.traced[0], strict=True) if drawn]
    write_json(sidecar_path(path), {"SpatialReference": TEMPLATE, "ObservedPlanes": planes, **as_written, **about})


def write_in_own_space(path: Path, heart: Heart) -> None:
    """Write a heart as NIfTI on the voxels of the file that it came from.

    Raises:
        InputError: it came from no file.
    """
    if heart.origin is None:
        raise InputError(f"{path}: a heart that is {heart.kind} from no file has no space of its own (space=subject)")
    own = to_source(heart.labels, heart.origin)
    write_labels(path, own, heart.origin.stored_affine, frame_s=heart.frame_s, space="subject")


def bids_name(participant_id: str) -> str:
    """``sub-`` and the letters and digits of a name."""
    return "sub-" + re.sub(r"[^A-Za-z0-9]", "", participant_id.removeprefix("sub-"))


LABEL_FILE, SLICER_FILE = "itk-snap-labels.txt", "slicer-labels.ctbl"
"""Lie beside every folder of label maps that cheart writes: names and colours for ITK-SNAP and 3D Slicer."""

_HEAD = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields:
#    IDX:   Zero-based index
#    -R-:   Red color component (0..255)
#    -G-:   Green color component (0..255)
#    -B-:   Blue color component (0..255)
#    -A-:   Label transparency (0.00 .. 1.00)
#    VIS:   Label visibility (0 or 1)
#    IDX:   Label mesh visibility (0 or 1)
#  LABEL:   Label description
################################################
    0     0    0    0        0  0  0    "Clear Label"
"""


def write_label_file(folder: Path) -> None:
    """Write :data:`LABEL_FILE` and :data:`SLICER_FILE` into a folder of label maps."""
    rows, table = [], ["# Color table file slicer-labels.ctbl", "# 4 values", "0 Background 0 0 0 0"]
    for name, number in STRUCTURES.items():
        red, green, blue = COLOURS[number]
        rows.append(f'{number:5d} {red:5d} {green:4d} {blue:4d}        1  1  1    "{TITLES[name]}"\n')
        table.append(f"{number} {TITLES[name].replace(' ', '_')} {red} {green} {blue} 255")
    with new_file(folder / LABEL_FILE) as partial:
        partial.write_text(_HEAD + "".join(rows), encoding="ascii")
    with new_file(folder / SLICER_FILE) as partial:
        partial.write_text("\n".join(table) + "\n", encoding="ascii")
