"""The ACDC challenge's training set (Bernard et al., IEEE TMI 37(11):2514, 2018): ED and ES label maps.

A folder a patient with ``Info.cfg`` (ED and ES frame counted from 1, Group, Height in cm, Weight in kg, NbFrame) and
``patient001_frame01_gt.nii.gz`` and the like; labels 1 RV, 2 myocardium, 3 LV. Age, sex and blood pressure are not
published.

Two things in these headers are wrong and are put right here. The affine is a bare diag(−1, −1, 1) and the voxel size
stands in pixdim alone: pixdim is taken. And the slices' direction was lost: seen as stored, the images are the usual
short-axis view from the apex and the first slice is the base, so that the header makes a mirror image of every heart
(the RV's outflow tract comes out posterior in 97 of 100). The third axis is read the other way round.
"""

from __future__ import annotations

from pathlib import Path

from cheart.conditions import PAPER_SCHEMA, Factor, Schema
from cheart.datasets.recording import LeftOut, Recording, Source
from cheart.datasets.registry import importer
from cheart.errors import InputError
from cheart.labels import SCHEMES

GROUP = Factor("group", "level", levels=("NOR", "DCM", "HCM", "MINF", "RV"), description="ACDC's diagnostic group")


@importer("acdc")
def list_acdc(folder: Path | str) -> Source:
    """The ACDC training set: a folder a patient with Info.cfg and label maps at ED and ES.

    Raises:
        InputError: no folder, or no ``patient*/Info.cfg`` in it.
    """
    folder = Path(folder)
    patients = sorted(path.parent for path in folder.glob("**/patient*/Info.cfg"))
    if not patients:
        raise InputError(
            f"{folder}: no patient*/Info.cfg there; give ACDC's training folder, with patient001 and the others in it"
        )
    subjects, left_out = [], []
    for patient in patients:
        try:
            subjects.append(_recording(patient))
        except InputError as error:
            left_out.append(LeftOut(patient.name, str(error)))
    schema = Schema((*PAPER_SCHEMA.factors, GROUP))
    return Source("ACDC training set, ED and ES", tuple(subjects), SCHEMES["acdc"], schema, tuple(left_out))


def _recording(patient: Path) -> Recording:
    info = _read_info(patient / "Info.cfg")
    ed, es, count = (_whole(info, key, patient) for key in ("ED", "ES", "NbFrame"))
    files = tuple(_label_file(patient, frame) for frame in (ed, es))
    row = {"weight": info.get("Weight"), "height": info.get("Height"), "group": info.get("Group")}
    moments = (0.0, (es - ed) % count / count)
    return Recording(patient.name, files, row, moments, ed=0, es=1, header_time=False, spacing="pixdim", mirrored=True)


def _read_info(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _whole(info: dict[str, str], key: str, patient: Path) -> int:
    text = info.get(key, "")
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"{patient.name}/Info.cfg: {key} {text!r} is not a frame number from 1; mend Info.cfg")
    return int(text)


def _label_file(patient: Path, frame: int) -> Path:
    for suffix in (".nii.gz", ".nii"):
        path = patient / f"{patient.name}_frame{frame:02d}_gt{suffix}"
        if path.is_file():
            return path
    raise InputError(f"{patient.name}: no {patient.name}_frame{frame:02d}_gt.nii.gz; fetch it, or use --skip-bad")
