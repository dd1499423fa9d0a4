"""The Sunnybrook Cardiac Data (Radau et al., The MIDAS Journal, 2009): contours of the LV at ED and ES, on DICOM.

Short-axis cine as DICOM, and text files of points in pixels for single images:
``SC-HF-I-01/contours-manual/IRCCI-expert/IM-0001-0048-icontour-manual.txt`` (endocardium) and ``…-ocontour-manual.txt``
(epicardium, at end-diastole alone). Image 0048 is the file whose name ends so: ``SC-HF-I-01/…/IM-0001-0048.dcm`` of
the challenge, or ``SCD0000101/CINESAX_300/IM-0003-0048.dcm`` where the Cardiac Atlas Project's
``scd_patientdata.csv`` (PatientID, OriginalID, Gender, Age, Pathology) says that SCD0000101 is SC-HF-I-1.

The RV was not traced, nor the wall at end-systole: they are not known, which is another thing than not there. Where the
RV lies about the LV is taken from the patient's axes. The time of end-systole is not taken from the files. The group is
what the subject's name says: N, HYP (hypertrophy), HF-I and HF-NI (heart failure with infarction and without).

The data cannot be had here: written for the published layout, and tested on a made-up copy of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.align.time import ES_PHASE
from cheart.conditions import PAPER_SCHEMA, Factor, Schema
from cheart.datasets.participants import read_people
from cheart.datasets.recording import LeftOut, Recording, Source
from cheart.datasets.registry import importer
from cheart.errors import InputError
from cheart.io.dicom import read_slices
from cheart.io.nifti import LabelMap
from cheart.labels import LV, MYO, SCHEMES

TABLE = "scd_patientdata.csv"
_CONTOUR = re.compile(r"IM-\d+-(\d+)-([io])contour-manual\.txt", re.IGNORECASE)
_NAME = re.compile(r"SC-(N|HYP|HF-I|HF-NI)-\d+", re.IGNORECASE)
_GROUPS = ("N", "HYP", "HF-I", "HF-NI")
_COLUMNS = {"patientid": "image_id", "originalid": "original_id", "gender": "sex"}


@importer("sunnybrook")
def list_sunnybrook(folder: Path | str) -> Source:
    """The Sunnybrook Cardiac Data: DICOM images, and contours of the LV at ED and ES; the RV was not traced.

    Args:
        folder: above the contours, the images and, if it is there, ``scd_patientdata.csv``.

    Raises:
        InputError: no contours there.
    """
    folder = Path(folder)
    contours: dict[str, dict[str, dict[str, Path]]] = defaultdict(lambda: defaultdict(dict))
    for path in sorted(folder.glob("**/*contour-manual.txt")):
        match, named = _CONTOUR.fullmatch(path.name), [p for p in path.parts if _NAME.fullmatch(p)]
        if match and named:
            contours[_plain(named[-1])][match[1]][match[2].lower()] = path
    if not contours:
        raise InputError(
            f"{folder}: no SC-*/contours-manual/IRCCI-expert/IM-*-icontour-manual.txt there; give the folder "
            "that holds the contours and the images"
        )
    people = _people(folder)
    subjects, left_out = [], []
    for who, drawn in contours.items():
        row = people.get(who, {}) | {"group": who.removeprefix("SC-").rpartition("-")[0]}
        try:
            images = _images(folder, who, str(row.get("image_id", "")))
            lacking = sorted(set(drawn) - set(images))
            if lacking or not images:
                raise InputError(f"no DICOM image {', '.join(lacking[:5])} of its contours; fetch the images")
            files = tuple(f for n, parts in drawn.items() for f in (images[n], *(parts[k] for k in sorted(parts))))
            moments, traced = (0.0, ES_PHASE), ("lv", "myo")
            subjects.append(
                Recording(who, files, row, moments, ed=0, es=1, header_time=False, reader=Contours(), traced=traced)
            )
        except InputError as error:
            left_out.append(LeftOut(who, str(error)))
    group = Factor("group", "level", levels=_GROUPS, description="Sunnybrook's groups")
    schema = Schema((*PAPER_SCHEMA.factors, group))
    title = "Sunnybrook Cardiac Data, LV at ED and ES"
    return Source(title, tuple(subjects), SCHEMES["cheart"], schema, tuple(left_out))


def _plain(name: str) -> str:
    """A subject's name as all its files have it: SC-HF-I-1 is SC-HF-I-01."""
    head, _, number = name.upper().rpartition("-")
    return f"{head}-{int(number):02d}"


def _people(folder: Path) -> dict[str, dict[str, object]]:
    for path in sorted(folder.glob(f"**/{TABLE}")):
        table: pd.DataFrame = read_people(path).rename(columns=_COLUMNS)
        if "original_id" not in table.columns:
            raise InputError(f"{path}: no column OriginalID (has {', '.join(map(str, table.columns))}); fetch it anew")
        rows = [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
        return {_plain(str(row["original_id"])): row for row in rows if _NAME.fullmatch(str(row["original_id"]))}
    return {}


def _images(folder: Path, who: str, image_id: str) -> dict[str, Path]:
    """DICOM files by number, of the subject's folder, or of the short-axis series in the Atlas Project's one.

    Raises:
        InputError: two files of one number.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("**/*.dcm")):
        parts = path.relative_to(folder).parts[:-1]
        own = any(_NAME.fullmatch(p) and _plain(p) == who for p in parts)
        other = bool(image_id) and image_id in parts and any(p.upper().startswith("CINESAX") for p in parts)
        number = path.stem.rpartition("-")[2]
        if own or other:
            if number in found:
                raise InputError(f"two images {number}: {found[number]} and {path}; leave one")
            found[number] = path
    return found


@dataclass(frozen=True)
class Contours:
    """Makes label maps of DICOM images and of the contours that follow each."""

    def __call__(self, files: tuple[Path, ...]) -> LabelMap:
        """Label maps [2, Z, Y, X] of end-diastole and end-systole in cheart's own numbers.

        Raises:
            InputError: a contour that is none, images that are no stack, or no image of one of the two frames.
        """
        drawn: dict[Path, dict[str, Path]] = {}
        for path in files:
            match = _CONTOUR.fullmatch(path.name)
            if match is None:
                image = path
                drawn[image] = {}
            else:
                drawn[image][match[2].lower()] = path
        place = read_slices(list(drawn))
        images = {path: _filled(parts, place.shape) for path, parts in drawn.items()}
        labels = np.zeros((2, len(place.slices), *place.shape), np.uint8)
        phase = _phases(images, drawn, place.slices, place.when)
        for z, paths in enumerate(place.slices):
            for path in paths:
                labels[phase[path], z] = images[path]
        for name, frame in zip(("end-diastole", "end-systole"), labels, strict=True):
            if not frame.any():
                raise InputError(f"no contours of {name}: an image a slice of both is expected; fetch the others")
        return LabelMap(labels, place.affine)


def _filled(parts: dict[str, Path], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Labels [Y, X] of one image: the wall within the epicardium, the cavity within the endocardium."""
    from skimage.draw import polygon2mask

    labels = np.zeros(shape, np.uint8)
    for kind, number in (("o", MYO), ("i", LV)):
        if kind in parts:
            labels[polygon2mask(shape, _points(parts[kind])[:, ::-1])] = number
    return labels


def _points(path: Path) -> NDArray[np.float64]:
    """A contour's points [N, 2], x and y in pixels.

    Raises:
        InputError: not three rows or more of two numbers.
    """
    try:
        points = np.array([line.split() for line in path.read_text("ascii").splitlines() if line.strip()], float)
        known = points.ndim == 2 and points.shape[1] == 2 and len(points) > 2 and bool(np.isfinite(points).all())
    except (ValueError, UnicodeDecodeError):
        known = False
    if not known:
        raise InputError(f"{path}: expected a contour, two numbers a line (x and y in pixels); fetch it anew")
    return points


def _phases(
    images: dict[Path, NDArray[np.uint8]],
    drawn: dict[Path, dict[str, Path]],
    slices: list[list[Path]],
    when: dict[Path, float],
) -> dict[Path, int]:
    """Which images are of end-diastole (0) and which of end-systole (1).

    An epicardium is end-diastole's. Of two images of a slice the one with the larger cavity is, and of those that stand
    alone the ones taken as near to the others of end-diastole as to those of end-systole, or nearer.

    Raises:
        InputError: more than two images of a slice have contours.
    """
    phase = {path: 0 for path, parts in drawn.items() if "o" in parts}
    for paths in slices:
        if len(paths) > 2:
            raise InputError(f"{len(paths)} images of one slice have contours ({paths[0].name} …); two were expected")
        if len(paths) == 2:
            full = max(paths, key=lambda path: ((images[path] == LV).sum(), path in phase))
            phase |= {path: int(path is not full) for path in paths}
    known = [np.median([when[p] for p, k in phase.items() if k == frame] or [np.nan]) for frame in (0, 1)]
    for path in images:
        if path not in phase:
            phase[path] = int(abs(when[path] - known[1]) < abs(when[path] - known[0]))
    return phase
