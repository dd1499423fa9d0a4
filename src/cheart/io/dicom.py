"""The short-axis cine among a folder of DICOM files (an extra: ``cheart[dicom]``).

Some scanners make one series of the whole stack, others one a slice: slices belong together that have one orientation,
matrix and pixel size. Of these stacks the short-axis cine is the one with the most slices. Slices are sorted by their
position along the normal, frames by their trigger time. Enhanced files, of many frames each, are read alike
(:mod:`cheart.io.dicom_frames`). Of the header nothing is kept but geometry and time; age, sex,
weight and height only where they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import PAPER_SCHEMA
from cheart.errors import InputError
from cheart.io.cine import Cine
from cheart.io.dicom_frames import GROUPS, Pixels, images_of
from cheart.progress import track

_APART_MM = 0.1
"""Positions nearer than this are one slice's."""

_GAP = 0.1
"""How much the distance of two slices may differ from the others', as a fraction."""

_RESTLESS = 0.1  # of the cycle, between slices

_TO_RAS = np.diag([-1.0, -1.0, 1.0])  # DICOM's patient axes point left and posterior, NIfTI's right and anterior

_TAGS = (
    "SOPClassUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "StudyInstanceUID", "InstanceNumber",
    "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "Rows", "Columns", "TriggerTime",
    "NominalInterval", "CardiacNumberOfImages", "NumberOfFrames", "StudyDate", "PatientBirthDate", "PatientAge",
    "PatientSex", "PatientWeight", "PatientSize", *GROUPS,
)  # fmt: skip


@dataclass(frozen=True)
class _Image:
    """One image: where and when it was taken.

    ``at`` is its position along the slices' normal, mm; ``number`` counts it in a file of many, None in one of its own.
    """

    path: Path
    number: int | None
    header: Any
    at: float
    when: float


_Header = tuple[Path, int | None, Any]


def read_dicom(folder: Path | str, *, demographics: bool = False, series: str | None = None) -> Cine:
    """Find the short-axis cine in a folder of DICOM files, and read it.

    Args:
        folder: files in it or below it; what is not DICOM, and what is no image, is passed over.
        demographics: take age (years), sex, weight (kg) and height (cm) from the header, as ``Cine.conditions``.
        series: where several stacks could be meant: a series' number, or words of its description.

    Raises:
        InputError: pydicom is not installed, no cine there, several of them, a slice that is missing or there twice,
            slices with different numbers of frames, or pixels that cannot be decoded.
    """
    folder = Path(folder)
    headers = _headers(folder)
    stack = _short_axis(folder, [h for h in headers if series is None or _is_named(h[2], series)], series)
    slices = _slices(stack)
    affine, pixels = _affine(slices), Pixels()
    values = np.stack([[pixels.read(image.path, image.number) for image in frame] for frame in _frames(slices)])
    frame_s, warnings = _time(slices)
    if demographics:
        conditions, doubts = _demographics(slices[0][0].header)
        return Cine(values, affine, frame_s, conditions, (*warnings, *doubts))
    return Cine(values, affine, frame_s, warnings=tuple(warnings))


@dataclass(frozen=True, eq=False)
class SliceStack:
    """Where some images lie, and when they were taken.

    Attributes:
        slices: the files by slice, in order along the normal.
        when: of each file, trigger time in ms, or its number where there is none.
        affine: 4×4, voxel (column, row, slice) to world mm in NIfTI's axes.
        shape: rows and columns.
    """

    slices: list[list[Path]]
    when: dict[Path, float]
    affine: NDArray[np.float64]
    shape: tuple[int, int]


def read_slices(files: Sequence[Path]) -> SliceStack:
    """Sort single images of one stack by place; their pixels are not read, and slices may have more images or fewer.

    Raises:
        InputError: pydicom is not installed, a file that is no image, several stacks, one slice alone, or a slice
            that is missing.
    """
    headers = [header for path in files for header in _images_in(path, folder=path)]
    lacking = set(files) - {path for path, _, _ in headers}
    if lacking:
        raise InputError(f"{min(lacking)}: no DICOM image with a position in the patient; fetch it anew")
    stacks = _stacks(headers)
    if len(stacks) > 1:
        raise InputError(f"the images are of {len(stacks)} stacks ({_listed(i for s in stacks for i in s)}); leave one")
    slices = _by_position(stacks[0])
    if len(slices) < 3:
        raise InputError(f"{len(slices)} slices; expected three or more")
    _refuse_gaps(slices)
    header = slices[0][0].header
    places = [[image.path for image in images] for images in slices]
    when = {image.path: image.when for image in stacks[0]}
    return SliceStack(places, when, _affine(slices), (int(header.Rows), int(header.Columns)))


def _headers(folder: Path) -> list[_Header]:
    """The images with a place in the patient, in the order of their files' names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "DICOMDIR")
    found: list[_Header] = []
    for path in track(files, total=len(files), title="Reading DICOM headers"):
        found += _images_in(path, folder=folder)
    if not found:
        raise InputError(f"{folder}: no DICOM image with a position in the patient among {len(files)} files there")
    return found


def _images_in(path: Path, *, folder: Path) -> list[_Header]:
    """The images of one file that have a place; none of what is not DICOM."""
    try:
        from pydicom import dcmread
        from pydicom.errors import InvalidDicomError
    except ImportError:
        raise InputError(f"{folder}: DICOM files need pydicom: pip install 'cheart[dicom]'") from None
    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
    except (InvalidDicomError, OSError, ValueError, EOFError):
        return []
    return [(path, number, image) for number, image in images_of(header)]


def _is_named(header: Any, series: str) -> bool:
    return (
        series == str(header.get("SeriesNumber")) or series.lower() in str(header.get("SeriesDescription", "")).lower()
    )


def _short_axis(folder: Path, headers: Sequence[_Header], series: str | None) -> list[_Image]:
    """The stack of most slices, each with several frames."""
    stacks = _stacks(headers)
    counted = sorted(((len(_by_position(s)), len(s), s) for s in stacks), key=lambda c: c[:2], reverse=True)
    counted = [c for c in counted if c[0] > 2 and c[1] >= 2 * c[0]]
    if not counted:
        named = "" if series is None else f" in series {series!r} (--series)"
        raise InputError(
            f"{folder}: no short-axis cine{named}: expected three slices or more of one orientation, with several "
            f"frames each; found {_listed(image for stack in stacks for image in stack) or 'nothing'}"
        )
    if len(counted) > 1 and counted[1][0] > counted[0][0] / 2:
        both = _listed([*counted[0][2], *counted[1][2]])
        raise InputError(f"{folder}: several stacks could be the short axis ({both}); name one with --series")
    return counted[0][2]


def _stacks(headers: Sequence[_Header]) -> list[list[_Image]]:
    """Images that have one study, matrix, orientation and pixel size."""
    stacks: dict[tuple[object, ...], list[_Image]] = {}
    for path, number, header in headers:
        cosines = np.array(header.ImageOrientationPatient, float)
        normal = np.cross(cosines[:3], cosines[3:])
        at = float(normal @ np.array(header.ImagePositionPatient, float))
        trigger = header.get("TriggerTime")
        when = float(header.get("InstanceNumber") or 0) if trigger in (None, "") else float(trigger)
        key = (
            header.get("StudyInstanceUID"), header.Rows, header.Columns, *np.round(cosines, 2) + 0.0,
            *np.round(np.array(header.PixelSpacing, float), 3),
        )  # fmt: skip
        stacks.setdefault(key, []).append(_Image(path, number, header, at, when))
    return list(stacks.values())


def _listed(images: Iterable[_Image]) -> str:
    found: dict[str, None] = {}
    for image in images:
        found[f"{image.header.get('SeriesNumber')} {image.header.get('SeriesDescription', '')!s}".strip()] = None
    names = list(found)
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _by_position(images: Iterable[_Image]) -> list[list[_Image]]:
    slices: list[list[_Image]] = []
    for image in sorted(images, key=lambda i: i.at):
        if slices and image.at - slices[-1][0].at < _APART_MM:
            slices[-1].append(image)
        else:
            slices.append([image])
    return slices


def _slices(images: Sequence[_Image]) -> list[list[_Image]]:
    """Images [slice][frame], checked for what is missing and what is there twice."""
    slices = [sorted(s, key=lambda i: (i.when, int(i.header.get("InstanceNumber") or 0))) for s in _by_position(images)]
    for images_there in slices:
        twice = [b for a, b in pairwise(images_there) if a.when == b.when]
        if twice:
            raise InputError(
                f"the slice at {images_there[0].at:.1f} mm was taken more than once ({_listed(images_there)}; "
                f"{twice[0].path.name} has the time of another): name a series with --series, or take the others away"
            )
    counts = [len(s) for s in slices]
    if len(set(counts)) > 1:
        usual = max(set(counts), key=counts.count)
        odd = next(i for i, count in enumerate(counts) if count != usual)
        raise InputError(
            f"the slice at {slices[odd][0].at:.1f} mm ({_listed(slices[odd])}) has {counts[odd]} frames, the others "
            f"{usual}: files are missing, or series are mixed; fetch them, or name a series with --series"
        )
    _refuse_gaps(slices)
    return slices


def _refuse_gaps(slices: Sequence[Sequence[_Image]]) -> None:
    at = np.array([s[0].at for s in slices])
    steps = np.diff(at)
    usual_step = float(np.median(steps))
    gaps = np.flatnonzero(np.abs(steps - usual_step) > _GAP * usual_step)
    if gaps.size:
        raise InputError(
            f"between the slices at {at[gaps[0]]:.1f} and {at[gaps[0] + 1]:.1f} mm lie {steps[gaps[0]]:.1f} mm, "
            f"elsewhere {usual_step:.1f} mm: a slice is missing, or series are mixed; fetch it, or name a series with "
            "--series"
        )


def _frames(slices: Sequence[Sequence[_Image]]) -> list[list[_Image]]:
    frames = [list(frame) for frame in zip(*slices, strict=True)]
    return list(track(frames, total=len(frames), title="Reading DICOM pixels"))


def _affine(slices: Sequence[Sequence[_Image]]) -> NDArray[np.float64]:
    """4×4, voxel (column, row, slice) to world mm in NIfTI's axes."""
    first, last = slices[0][0].header, slices[-1][0].header
    cosines = np.array(first.ImageOrientationPatient, float)
    down, across = np.array(first.PixelSpacing, float)  # between rows, between columns
    origin, end = (np.array(h.ImagePositionPatient, float) for h in (first, last))
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = cosines[:3] * across, cosines[3:] * down
    affine[:3, 2], affine[:3, 3] = (end - origin) / (len(slices) - 1), origin
    affine[:3] = _TO_RAS @ affine[:3]
    return affine


def _time(slices: Sequence[Sequence[_Image]]) -> tuple[float, list[str]]:
    """Seconds from frame to frame, nan where the files do not say; and what to be careful about."""
    steps = []
    for images in slices:
        header, frames = images[0].header, len(images)
        interval = float(header.get("NominalInterval") or 0)
        if header.get("TriggerTime") not in (None, "") and frames > 2:
            steps.append((images[-1].when - images[0].when) / (frames - 1) / 1000.0)
        elif interval > 0:
            steps.append(interval / frames / 1000.0)
    if not steps or min(steps) <= 0:
        return float("nan"), ["the files do not say when the frames were taken: the cycle's duration is not known"]
    step = float(np.median(steps))
    if max(steps) - min(steps) > _RESTLESS * step:
        low, high = (1000 * s * len(slices[0]) for s in (min(steps), max(steps)))
        return step, [f"the cycle lasted {low:.0f} to {high:.0f} ms in different slices; their median is taken"]
    return round(step, 6), []


def _demographics(header: Any) -> tuple[dict[str, float | str], list[str]]:
    """What the header says of the paper's conditions, in cheart's units; what nobody can be is left out, and said."""
    given: dict[str, Any] = {"age": _age(header), "sex": str(header.get("PatientSex") or "").strip().upper() or None}
    given["weight"] = float(header.get("PatientWeight") or 0) or None
    given["height"] = 100 * float(header.get("PatientSize") or 0) or None
    found, doubts = {}, []
    for name, value in given.items():
        if value is None:
            continue
        try:
            found[name] = PAPER_SCHEMA.read({name: value})[name]
        except InputError as error:
            doubts.append(f"the DICOM header's {name} is left out: {error}")
    return {name: value for name, value in found.items() if value is not None}, doubts


def _age(header: Mapping[str, Any]) -> float | None:
    text = str(header.get("PatientAge") or "")
    per_year = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
    if text[:-1].isdigit() and text[-1:] in per_year:
        return float(text[:-1]) / per_year[text[-1]]
    born, taken = (str(header.get(name) or "") for name in ("PatientBirthDate", "StudyDate"))
    if len(born) == len(taken) == 8 and (born + taken).isdigit():
        years = int(taken[:4]) - int(born[:4])
        return float(years - (taken[4:] < born[4:]))
    return None
