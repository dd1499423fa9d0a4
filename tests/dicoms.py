"""Short-axis cine as scanners write it, for tests: one DICOM file a frame of a slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

PERSON = {"PatientName": "Doe^Jane", "PatientID": "1234567", "PatientAge": "063Y", "PatientSex": "F",
          "PatientWeight": 70.0, "PatientSize": 1.65, "StudyDate": "20200101"}  # fmt: skip

OBLIQUE = ((0.6, 0.8, 0.0), (-0.48, 0.36, -0.8))
"""Direction of rows and of columns, right-angled."""


def write_stack(
    folder: Path, values: NDArray, *, spacing: tuple[float, float, float] = (8.0, 1.5, 1.25), step_ms: float = 40.0,
    series_a_slice: bool = False, number: int = 5, description: str = "CINE SAX", cosines: tuple = OBLIQUE,
    study: str = "1.2.3.4", **more: object,
) -> NDArray[np.float64]:  # fmt: skip
    """Write [T, Z, Y, X] whole numbers; returns the affine (x, y, z) to NIfTI's world that the files describe."""
    folder.mkdir(parents=True, exist_ok=True)
    row, column = np.array(cosines)
    normal = np.cross(row, column)
    origin = np.array([-30.0, 20.0, 5.0])
    rng = np.random.default_rng(0)
    frames, slices = values.shape[:2]
    for z in range(slices):
        for t in range(frames):
            data = Dataset()
            data.file_meta = FileMetaDataset()
            data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = MRImageStorage
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            data.StudyInstanceUID, data.Modality = study, "MR"
            data.SeriesInstanceUID = f"1.2.3.{number + z if series_a_slice else number}"
            data.SeriesNumber = number + z if series_a_slice else number
            data.SeriesDescription = f"{description}_{z}" if series_a_slice else description
            data.InstanceNumber = z * frames + t + 1
            data.ImageOrientationPatient = [*map(float, (*row, *column))]
            data.ImagePositionPatient = [*map(float, np.round(origin + z * spacing[0] * normal, 6))]
            data.PixelSpacing = [spacing[1], spacing[2]]
            data.TriggerTime, data.NominalInterval = t * step_ms + 3, frames * step_ms
            data.Rows, data.Columns = values.shape[2:]
            data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
            data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
            data.RescaleSlope, data.RescaleIntercept = 2, 1
            data.PixelData = ((values[t, z] - 1) // 2).astype("<u2").tobytes()
            for key, value in {**PERSON, **more}.items():
                setattr(data, key, value)
            for key in [key for key, value in more.items() if value is None]:
                delattr(data, key)
            data.save_as(folder / f"{rng.integers(1 << 40):x}.dcm", enforce_file_format=True)
    affine = np.eye(4)
    affine[:3] = np.column_stack([row * spacing[2], column * spacing[1], normal * spacing[0], origin])
    return np.diag([-1.0, -1, 1, 1]) @ affine


def write_enhanced(
    path: Path, values: NDArray, *, spacing: tuple[float, float, float] = (8.0, 1.5, 1.25),
    step_ms: float | None = 40.0, shared: bool = True, shuffle: int | None = 0, groups: bool = True, above: int = 0,
) -> NDArray[np.float64]:  # fmt: skip
    """Write [T, Z, Y, X] whole numbers as one Enhanced MR Image, its frames in any order; returns the affine.

    Args:
        path: of the file.
        values: what comes back, at least 1.
        spacing: in mm, as of :func:`write_stack`.
        step_ms: from frame to frame; None: only their order in time stands there.
        shared: orientation and pixel size stand once for all frames, not with each.
        shuffle: seed of the frames' order in the file; None: time runs fastest.
        groups: None of the functional groups, as of a screenshot, if false.
        above: slices that lie below the first.
    """
    row, column = np.array(OBLIQUE)
    normal, origin = np.cross(row, column), np.array([-30.0, 20.0, 5.0])
    frames, slices = values.shape[:2]
    order = [(t, z) for z in range(slices) for t in range(frames)]
    if shuffle is not None:
        order = [order[i] for i in np.random.default_rng(shuffle).permutation(len(order))]
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID, data.SeriesNumber, data.Modality = "1.2.3.4", "1.2.3.5", 5, "MR"
    data.SeriesDescription, data.NumberOfFrames = "CINE SAX", len(order)
    data.Rows, data.Columns = values.shape[2:]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15

    def group(**held: object) -> list[Dataset]:
        one = Dataset()
        for key, value in held.items():
            setattr(one, key, value)
        return [one]

    common, each = Dataset(), []
    for t, z in order:
        own = Dataset()
        own.PlanePositionSequence = group(
            ImagePositionPatient=[*map(float, np.round(origin + (z + above) * spacing[0] * normal, 6))]
        )
        own.FrameContentSequence = group(TemporalPositionIndex=t + 1)
        if step_ms is not None:
            beat = {"NominalCardiacTriggerDelayTime": t * step_ms + 3, "RRIntervalTimeNominal": frames * step_ms}
            own.CardiacSynchronizationSequence = group(**beat)
        # every frame in a unit of its own, as scanners have it
        own.PixelValueTransformationSequence = group(RescaleSlope=2, RescaleIntercept=1 - 2 * z)
        each.append(own)
    for place in [common] if shared else each:
        place.PlaneOrientationSequence = group(ImageOrientationPatient=[*map(float, (*row, *column))])
        place.PixelMeasuresSequence = group(PixelSpacing=[spacing[1], spacing[2]])
    if groups:
        data.SharedFunctionalGroupsSequence, data.PerFrameFunctionalGroupsSequence = [common], each
    data.PixelData = b"".join(((values[t, z] - 1) // 2 + z).astype("<u2").tobytes() for t, z in order)
    for key, value in PERSON.items():
        setattr(data, key, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    affine = np.eye(4)
    affine[:3] = np.column_stack([row * spacing[2], column * spacing[1], normal * spacing[0], origin])
    return np.diag([-1.0, -1, 1, 1]) @ affine
