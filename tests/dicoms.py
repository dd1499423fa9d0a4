"""Short-axis cine as scanners write it, for tests: one DICOM file a frame of a slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

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
