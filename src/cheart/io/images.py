"""Cine images in, from NIfTI or DICOM."""

from __future__ import annotations

from pathlib import Path

from cheart.errors import InputError
from cheart.io.cine import Cine
from cheart.io.dicom import read_dicom
from cheart.io.nifti import Spacing, read_frames


def read_cine(
    source: Path | str, *, spacing: Spacing | None = None, demographics: bool = False, series: str | None = None
) -> Cine:
    """Read a cine image: a NIfTI file (3D or 4D), or the short-axis cine in a folder of DICOM files.

    Args:
        source: a ``.nii`` or ``.nii.gz`` file, or a folder (needs ``cheart[dicom]``).
        spacing: which to believe where a NIfTI file's affine and pixdim disagree about the voxel size.
        demographics, series: of DICOM, as :func:`cheart.io.dicom.read_dicom` takes them.

    Raises:
        InputError: as of :func:`cheart.io.nifti.read_frames`, :func:`cheart.io.dicom.read_dicom` and
            :class:`cheart.io.cine.Cine`.
    """
    if Path(source).is_dir():
        return read_dicom(source, demographics=demographics, series=series)
    if demographics or series:
        raise InputError(f"{source}: --demographics and --series are for folders of DICOM files; leave them out")
    values, affine, frame_s = read_frames(source, spacing=spacing)
    try:
        return Cine(values, affine, frame_s)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
