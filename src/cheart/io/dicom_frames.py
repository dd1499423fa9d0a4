"""The images of DICOM files one by one: a classic file holds one, an enhanced file (DICOM PS3.3, A.36) a whole stack.

What a classic file says in its header, an enhanced one says in functional groups, shared by its frames or of each:
position, orientation, pixel size, the delay after the trigger and the interval between two. They are laid flat here, by
their classic names, so that the rest is the same for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")

_FLAT = (
    ("PlanePositionSequence", "ImagePositionPatient", "ImagePositionPatient"),
    ("PlaneOrientationSequence", "ImageOrientationPatient", "ImageOrientationPatient"),
    ("PixelMeasuresSequence", "PixelSpacing", "PixelSpacing"),
    ("CardiacSynchronizationSequence", "ActualCardiacTriggerDelayTime", "TriggerTime"),
    ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "TriggerTime"),
    ("CardiacSynchronizationSequence", "RRIntervalTimeNominal", "NominalInterval"),
    ("FrameContentSequence", "TemporalPositionIndex", "InstanceNumber"),
)
"""Functional group, its attribute, and the attribute of a classic file that says the same; of two the later."""

_OF_THE_FILE = (
    "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "StudyInstanceUID", "Rows", "Columns", "StudyDate",
    "PatientBirthDate", "PatientAge", "PatientSex", "PatientWeight", "PatientSize",
)  # fmt: skip


def images_of(header: Any) -> Iterator[tuple[int | None, Any]]:
    """Each image's number in its file (None: it is the only one) and its header, of those that have a place."""
    if int(header.get("NumberOfFrames") or 1) > 1 or GROUPS[1] in header:
        for number, flat in enumerate(_laid_flat(header)):
            if _has_place(flat):
                yield number, flat
    elif _has_place(header):
        yield None, header


def _has_place(header: Any) -> bool:
    return bool(
        header.get("ImagePositionPatient") and header.get("ImageOrientationPatient") and header.get("PixelSpacing")
    )


def _laid_flat(header: Any) -> Iterator[Any]:
    from pydicom.dataset import Dataset

    shared = next(iter(header.get(GROUPS[0]) or []), Dataset())
    for number, own in enumerate(header.get(GROUPS[1]) or []):
        flat = Dataset()
        for name in _OF_THE_FILE:
            if name in header:
                setattr(flat, name, header.get(name))
        flat.InstanceNumber = number + 1
        for group, name, classic in _FLAT:
            found = next(iter(own.get(group) or shared.get(group) or []), None)
            if found is not None and found.get(name) not in (None, ""):
                setattr(flat, classic, found.get(name))
        yield flat


class Pixels:
    """Pixels of images in their own unit; a file with many is decoded once."""

    def __init__(self) -> None:
        self._files: dict[Path, NDArray[np.float32]] = {}

    def read(self, path: Path, number: int | None) -> NDArray[np.float32]:
        """[Y, X] of a file's image.

        Raises:
            InputError: pixels that cannot be decoded, or are no grey image.
        """
        if number is None:
            pixels, header = _decoded(path)
            return _grey(path, pixels) * float(header.get("RescaleSlope", 1) or 1) + float(
                header.get("RescaleIntercept", 0) or 0
            )
        if path not in self._files:
            self._files[path] = _stack(path)
        if number >= len(self._files[path]):
            raise InputError(f"{path}: {len(self._files[path])} frames of pixels, and its header describes more")
        return _grey(path, self._files[path][number])


def _grey(path: Path, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    if pixels.ndim != 2:
        raise InputError(f"{path}: pixels of shape {pixels.shape}; expected one grey image")
    return pixels


def _stack(path: Path) -> NDArray[np.float32]:
    """All images of an enhanced file [frames, Y, X], each in its own unit."""
    pixels, header = _decoded(path)
    pixels = pixels if int(header.get("NumberOfFrames") or 1) > 1 else pixels[None]
    shared: Any = next(iter(header.get(GROUPS[0]) or []), {})
    for image, own in zip(pixels, header.get(GROUPS[1]) or [], strict=False):
        group = own.get("PixelValueTransformationSequence") or shared.get("PixelValueTransformationSequence")
        if group:
            image *= float(group[0].get("RescaleSlope", 1) or 1)
            image += float(group[0].get("RescaleIntercept", 0) or 0)
    return pixels


def _decoded(path: Path) -> tuple[NDArray[np.float32], Any]:
    from pydicom import dcmread

    try:
        whole = dcmread(path)
        return whole.pixel_array.astype(np.float32), whole
    except Exception as error:
        raise InputError(
            f"{path}: its pixels cannot be decoded ({str(error).splitlines()[0]}); pip install pylibjpeg "
            "pylibjpeg-libjpeg pylibjpeg-openjpeg, or decompress the files with gdcmconv --raw"
        ) from None
