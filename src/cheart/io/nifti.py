"""NIfTI label maps in and out: affines, units and time steps treated as the contract they are."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.files import new_file
from cheart.grid import spacing_of
from cheart.heart import Heart

Spacing = Literal["pixdim", "affine"]

TEMPLATE = "cheart template"
"""What a sidecar's ``SpatialReference`` says of label maps that are in the template pose already."""

LABELS_SHA256 = "LabelsSHA256"
"""What a sidecar says of the label maps as cheart wrote them: by it those that a person has corrected are known."""

_MM = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}
_SECONDS = {"sec": 1.0, "unknown": 1.0, "msec": 1e-3, "usec": 1e-6}
_UNREADABLE = (
    ImageFileError, HeaderDataError, OSError, EOFError, ValueError, OverflowError, MemoryError, zlib.error,
)  # fmt: skip
MOST_VOXELS = 300_000_000
"""Voxels that a file may have: 50 frames of 256 × 256 × 90."""

_BEHIND = 1 << 20  # bytes
_SUBJECT, _TEMPLATE = 1, 2  # NIfTI codes: 1 scanner space, 2 aligned to something else


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A label map as a file has it: foreign labels in the subject's own space.

    Attributes:
        labels: [T, Z, Y, X] whole numbers, not yet translated.
        affine: 4×4, voxel (x, y, z) to world mm, without shear.
        frame_s: time from one frame to the next in s, nan where the file does not say.
    """

    labels: NDArray[np.integer]
    affine: NDArray[np.float64]
    frame_s: float = float("nan")

    @property
    def frames(self) -> int:
        """T, the number of frames in the file."""
        return int(self.labels.shape[0])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along (Z, Y, X)."""
        return spacing_of(self.affine)

    @property
    def cycle_s(self) -> float:
        """Duration of all frames in s, nan where the file does not say or has one frame only."""
        return self.frame_s * self.frames if self.frames > 1 else float("nan")


def read_label_map(path: Path | str, *, spacing: Spacing | None = None) -> LabelMap:
    """Read a 3D or 4D NIfTI label map; singleton axes anywhere after the third are dropped.

    Units are honoured (mm, m, µm; s, ms, µs). A time step of 0 or 1 in unknown units is what software writes that
    does not know it, and is read as not known.

    Args:
        path: a ``.nii`` or ``.nii.gz`` file.
        spacing: which to believe where the affine and pixdim disagree about the voxel size.

    Raises:
        InputError: not there, not NIfTI, cut short; fewer than three or more than four axes; a sheared or singular
            affine; an affine that disagrees with pixdim (and ``spacing`` is not given); values that are not whole
            numbers.
    """
    values, affine, frame_s = read_frames(path, spacing=spacing)
    return LabelMap(_whole_numbers(values, Path(path)), affine, frame_s)


def read_frames(path: Path | str, *, spacing: Spacing | None = None) -> tuple[NDArray, NDArray[np.float64], float]:
    """Read any 3D or 4D NIfTI file, an image too.

    Returns:
        Values [T, Z, Y, X], the affine in mm, and the time from frame to frame in s, as :func:`read_label_map` says.

    Raises:
        InputError: as of :func:`read_label_map`, but for what the values are.
    """
    path = Path(path)
    image, values = _load(path)
    shape = values.shape
    if len(shape) < 3 or not values.size or sum(n > 1 for n in shape[3:]) > 1:
        raise InputError(f"{path}: shape {shape}; expected (X, Y, Z) or (X, Y, Z, T)")
    time_axis = next((i for i, n in enumerate(shape) if i >= 3 and n > 1), 3)
    frames = values.reshape(*shape[:3], -1).transpose(3, 2, 1, 0)
    return frames, _affine(image, path, spacing), _frame_s(image, path, time_axis)


def sha256_of_labels(labels: NDArray[np.integer]) -> str:
    """SHA-256 of label maps [T, Z, Y, X], whatever type and compression a program saved them with."""
    return hashlib.sha256(np.ascontiguousarray(labels, np.uint8).tobytes()).hexdigest()


def sidecar_path(path: Path) -> Path:
    """The JSON file beside a NIfTI file, as BIDS names it."""
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def _load(path: Path) -> tuple[Any, NDArray]:
    if not path.is_file():
        raise InputError(f"{path} is not there")
    try:
        image = _open(path)
        _refuse_large(image, path)
        values = np.asanyarray(image.dataobj)
    except _UNREADABLE as error:
        raise InputError(f"{path}: cannot be read as NIfTI ({error}); convert or fetch the file again") from None
    if not isinstance(image, nib.Nifti1Image | nib.Nifti1Pair):
        raise InputError(f"{path}: {type(image).__name__} is not NIfTI; convert it to .nii.gz")
    if values.dtype.names is not None or np.iscomplexobj(values):
        raise InputError(f"{path}: colours or complex numbers ({values.dtype}) are no labels; give the label map")
    return image, values


def _open(path: Path) -> Any:
    """An image whose values are read when they are asked for; a compressed one is read to the end, and checked.

    nibabel stops where the last voxel ends, before the checksum of a gzip stream: two of three flipped bits would give
    other voxels and no error.
    """
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
    if not compressed:
        return nib.load(path)
    head = nib.load(path)
    _refuse_large(head, path)
    if not isinstance(head, nib.Nifti1Image):
        return head
    most = int(head.dataobj.offset) + _bytes_of(head)  # type: ignore[attr-defined]
    with gzip.open(path) as stream:
        content = stream.read(most)
        if len(stream.read(_BEHIND)) == _BEHIND:  # at the end of the stream its checksum is compared
            raise InputError(f"{path}: goes on far behind its {_bytes_of(head)} bytes of voxels; write the file anew")
    return type(head).from_bytes(content)


def _bytes_of(image: Any) -> int:
    return math.prod(int(n) for n in image.shape) * int(image.get_data_dtype().itemsize)


def _refuse_large(image: Any, path: Path) -> None:
    """Refuse what no label map of a heart is, before memory is asked for.

    Raises:
        InputError: more voxels than :data:`MOST_VOXELS`.
    """
    voxels = math.prod(int(n) for n in image.shape)
    if voxels > MOST_VOXELS:
        raise InputError(
            f"{path}: shape {image.shape} is {voxels:.3g} voxels; a label map of a beating heart has at most "
            f"{MOST_VOXELS:.3g}: cut it to the heart first"
        )


def _whole_numbers(values: NDArray, path: Path) -> NDArray[np.integer]:
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    whole = np.isfinite([low, high]).all() and (np.issubdtype(values.dtype, np.integer) or np.all(values % 1 == 0))
    if not whole or low < 0 or high > 30000:
        raise InputError(
            f"{path}: values from {low:g} to {high:g} that are not all small whole numbers: this looks like an image "
            "or a probability map; give the label map"
        )
    return values.astype(np.uint8 if high < 256 else np.int16)


def _affine(image: Any, path: Path, spacing: Spacing | None) -> NDArray[np.float64]:
    header = image.header
    affine = np.array(image.affine, np.float64)
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or not (sizes > 0).all():
        raise InputError(f"{path}: the affine {affine[:3].tolist()} is not readable; write the header anew")
    cosines = affine[:3, :3] / sizes
    if np.abs(cosines.T @ cosines - np.eye(3)).max() > 0.02:
        raise InputError(
            f"{path}: the affine {affine[:3, :3].tolist()} has a shear: its axes are not at right angles; "
            "resample the file to a rectangular grid first"
        )
    pixdim = np.array(header["pixdim"][1:4], np.float64)
    if not np.allclose(sizes, pixdim, rtol=0.01):
        affine = _choose_spacing(affine, sizes, pixdim, path, spacing)
    affine[:3] *= _MM.get(_units(image, path)[0], 1.0)
    return affine


def _choose_spacing(
    affine: NDArray[np.float64], sizes: NDArray, pixdim: NDArray, path: Path, spacing: Spacing | None
) -> NDArray[np.float64]:
    if spacing is None:
        raise InputError(
            f"{path}: the affine has voxels of {_times(sizes)} mm but pixdim says {_times(pixdim)} mm; "
            "say which to believe with --spacing affine or --spacing pixdim"
        )
    if spacing == "affine":
        return affine
    if not (np.isfinite(pixdim).all() and (pixdim > 0).all()):
        raise InputError(f"{path}: pixdim {_times(pixdim)} is not a voxel size; use --spacing affine")
    return np.array(affine @ np.diag([*(pixdim / sizes), 1.0]))


def _times(sizes: NDArray) -> str:
    return " × ".join(f"{s:.4g}" for s in sizes)


def _units(image: Any, path: Path) -> tuple[str, str]:
    try:
        return image.header.get_xyzt_units()
    except KeyError as error:
        raise InputError(f"{path}: xyzt_units {error} is no unit that NIfTI knows; write the header anew") from None


def _frame_s(image: Any, path: Path, time_axis: int) -> float:
    """The step stands beside its own axis; of a file with other axes in between it may have stayed in pixdim[4]."""
    pixdim = [float(image.header["pixdim"][axis]) for axis in (time_axis + 1, 4)]
    step = next((step for step in pixdim if step not in (0, 1)), pixdim[1])
    unit = _units(image, path)[1]
    says_nothing = step == 1 and (unit == "unknown" or time_axis != 3)
    if not np.isfinite(step) or step <= 0 or unit not in _SECONDS or says_nothing:
        return float("nan")
    return round(step * _SECONDS[unit], 7)  # pixdim is single precision


def write_heart(path: Path | str, heart: Heart) -> None:
    """Write a heart in template space as 4D NIfTI (X, Y, Z, T) uint8, canonical labels."""
    write_labels(path, heart.labels, heart.grid.affine, frame_s=heart.frame_s, space="template")


def write_labels(
    path: Path | str,
    labels: NDArray[np.uint8],
    affine: NDArray[np.floating],
    *,
    frame_s: float = float("nan"),
    space: Literal["template", "subject"] = "subject",
) -> None:
    """Write label maps as NIfTI uint8, whole or not at all; the same input gives the same bytes.

    Args:
        path: ends with ``.nii.gz``.
        labels: [T, Z, Y, X], written as (X, Y, Z, T); or [Z, Y, X], written as (X, Y, Z).
        affine: 4×4, voxel (x, y, z) to mm.
        frame_s: goes into pixdim[4], in s; nan writes 1 in unknown units, which reads as not known.
        space: the template (qform and sform code 2, aligned) or the subject's own (code 1, scanner).

    Raises:
        InputError: the name does not end with ``.nii.gz``.
    """
    _write(
        path, np.asarray(labels, np.uint8), affine, frame_s, space, b"cheart: 1 LV cavity, 2 myocardium, 3 RV cavity"
    )


def write_image(
    path: Path | str,
    values: NDArray,
    affine: NDArray[np.floating],
    *,
    frame_s: float = float("nan"),
    space: Literal["template", "subject"] = "subject",
) -> None:
    """Write an image as NIfTI, as :func:`write_labels` writes label maps, its type kept.

    (But for whole numbers of 64 bits, which few programs read.)
    """
    values = values.astype(np.float32) if values.dtype.kind in "iu" and values.dtype.itemsize > 4 else values
    _write(path, values, affine, frame_s, space, b"cheart: image")


def _write(
    path: Path | str, values: NDArray, affine: NDArray[np.floating], frame_s: float, space: str, about: bytes
) -> None:
    path = Path(path)
    if not path.name.endswith(".nii.gz"):
        raise InputError(f"{path}: NIfTI is written as .nii.gz; let the name end so")
    code = _TEMPLATE if space == "template" else _SUBJECT
    image = nib.Nifti1Image(np.ascontiguousarray(values.T), None)
    image.header.set_sform(affine, code=code)
    image.header.set_qform(affine, code=code)
    known = bool(np.isfinite(frame_s))
    image.header.set_xyzt_units("mm", "sec" if known else "unknown")
    if values.ndim == 4:
        image.header["pixdim"][4] = frame_s if known else 1.0
    image.header["descrip"] = about
    with (
        new_file(path) as partial,
        partial.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed,
    ):
        packed.write(image.to_bytes())
