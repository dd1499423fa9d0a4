"""NIfTI files whose headers or voxels are not a heart's: refused in one sentence, or read as the standard has it."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from cheart.datasets.posing import read_heart
from cheart.io.nifti import read_label_map
from faulty import outcome_of

GRID: dict[str, Any] = {"grid": "32x32x32@5x5x4", "frames": 4}

INTEGERS = {
    "dim[0]": (40, "h", (-1, 0, 1, 2, 5, 7, 8, 1000)),
    "dim[1]": (42, "h", (-32, 0, 1, 31, 33, 32767)),
    "dim[3]": (46, "h", (-1, 0, 64, 32767)),
    "dim[4]": (48, "h", (-4, 0, 3, 5, 32767)),
    "datatype": (70, "h", (0, 1, 4, 8, 16, 64, 128, 256, 512, 1536, 2304, 9999, -1)),
    "bitpix": (72, "h", (0, 1, 16, 64, -8)),
    "sizeof_hdr": (0, "i", (0, 347, 540, -1)),
    "qform_code": (252, "h", (0, 1, 99, -1)),
    "sform_code": (254, "h", (0, 1, 99, -1)),
    "xyzt_units": (123, "B", (0, 1, 2, 3, 7, 8, 10, 16, 24, 56, 255)),
}
NUMBERS = {
    "pixdim[0]": (76, (0.0, 1.0, 2.0, np.nan)),
    "pixdim[1]": (80, (0.0, -5.0, 5e3, 5e-4, np.nan, np.inf)),
    "pixdim[3]": (88, (0.0, -4.0, 8.0, 2.0, np.nan)),
    "pixdim[4]": (92, (0.0, -0.2, 1e4, np.nan, np.inf, 0.05, 0.9)),
    "vox_offset": (108, (0.0, 16.0, 348.0, 1e6, -352.0, np.nan)),
    "scl_slope": (112, (0.0, 2.0, -1.0, 0.5, np.nan, np.inf)),
    "scl_inter": (116, (1.0, -1.0, 0.5, np.nan)),
    "srow_x[0]": (280, (0.0, -5.0, 50.0, np.nan, np.inf, 1e30)),
    "srow_x[1]": (284, (0.1, 3.0, 50.0)),
    "srow_x[3]": (292, (1e9, np.nan)),
    "srow_z[2]": (320, (0.0, -4.0, 0.4, np.nan)),
}
PLACES = [
    (name, place, struct.pack("<" + kind, value))
    for name, (place, kind, values) in INTEGERS.items()
    for value in values
] + [(name, place, struct.pack("<f", value)) for name, (place, values) in NUMBERS.items() for value in values]


@pytest.fixture(scope="module")
def plain(own_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A heart, not compressed, without a word of where it came from."""
    path = tmp_path_factory.mktemp("plain") / "heart.nii"
    path.write_bytes(gzip.decompress((own_folder / "sub-003_dseg.nii.gz").read_bytes()))
    return path


def heart_of(path: Path) -> Callable[[], Any]:
    """What a heart is taken for."""
    return lambda: read_heart(path, **GRID).curves.round(3).tolist()


@pytest.mark.parametrize(("name", "place", "value"), PLACES, ids=[f"{name}-{value.hex()}" for name, _, value in PLACES])
@pytest.mark.filterwarnings("ignore")
def test_a_field_of_the_header(plain: Path, tmp_path: Path, name: str, place: int, value: bytes) -> None:
    content = bytearray(plain.read_bytes())
    content[place : place + len(value)] = value
    path = tmp_path / "heart.nii"
    path.write_bytes(content)
    found = outcome_of(heart_of(path))
    if found is not None and name in ("pixdim[1]", "pixdim[3]", "scl_slope", "scl_inter", "dim[1]", "datatype"):
        # a size that both the affine and pixdim must say, and numbers that labels must be, cannot change in silence
        assert found == heart_of(plain)() or value == struct.pack("<f", -5.0) or name == "datatype"


@pytest.mark.parametrize("end", [0, 1, 100, 347, 348, 352, 400, 1000, 20_000, -1, -100])
def test_a_plain_file_that_was_cut_short(plain: Path, tmp_path: Path, end: int) -> None:
    path = tmp_path / "heart.nii"
    path.write_bytes(plain.read_bytes()[:end])
    assert outcome_of(heart_of(path)) is None


def labels_of(plain: Path) -> np.ndarray:
    """Its voxels [X, Y, Z, T]."""
    return np.asarray(nib.load(plain).dataobj).copy()


VOXELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nothing": np.zeros_like,
    "one label": lambda v: (v > 0).astype("u1"),
    "no LV": lambda v: np.where(v == 1, 0, v),
    "no wall": lambda v: np.where(v == 2, 0, v),
    "no RV": lambda v: np.where(v == 3, 0, v),
    "LV and RV exchanged": lambda v: np.array([0, 3, 2, 1], "u1")[v],
    "LV and wall exchanged": lambda v: np.array([0, 2, 1, 3], "u1")[v],
    "wall and RV exchanged": lambda v: np.array([0, 1, 3, 2], "u1")[v],
    "a label too many": lambda v: np.where(v == 3, 7, v),
    "labels of 500": lambda v: np.where(v == 3, 500, v.astype("i2")),
    "negative": lambda v: -v.astype("i2"),
    "halves": lambda v: v * 0.5,
    "not a number": lambda v: np.where(v == 2, np.nan, v),
    "an image": lambda v: (v * 37.3 + 5).astype("f4"),
    "frame 0 empty": lambda v: v * (np.arange(v.shape[3]) > 0).astype("u1"),
    "a frame of nothing but LV": lambda v: np.where((np.arange(v.shape[3]) == 2) & (v != 1), 0, v),
    "all LV": lambda v: np.full_like(v, 1),
    "colours": lambda v: v.astype([("R", "u1"), ("G", "u1"), ("B", "u1")]),
    "complex": lambda v: v.astype("c8"),
    "five axes": lambda v: np.stack([v, v], axis=-1),
    "two axes": lambda v: v[:, :, 16, 0],
    "one axis": lambda v: v[:, 16, 16, 0],
    "one voxel": lambda v: v[:1, :1, :1, :1],
}


@pytest.mark.parametrize("what", VOXELS)
@pytest.mark.filterwarnings("ignore")
def test_voxels_that_are_no_heart(plain: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "heart.nii.gz"
    nib.save(nib.Nifti1Image(VOXELS[what](labels_of(plain)), nib.load(plain).affine), path)
    assert outcome_of(heart_of(path)) is None


SAME: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "int16": lambda v: v.astype("i2"),
    "float": lambda v: v.astype("f4"),
    "double": lambda v: v.astype("f8"),
    "big-endian": lambda v: v.astype(">i2"),
    "a fifth axis of one": lambda v: v[..., None],
}


@pytest.mark.parametrize("what", SAME)
def test_voxels_that_are_written_otherwise(plain: Path, tmp_path: Path, what: str) -> None:
    path, before = tmp_path / "heart.nii.gz", nib.load(plain)
    image = nib.Nifti1Image(SAME[what](labels_of(plain)), before.affine)
    image.header.set_xyzt_units(*before.header.get_xyzt_units())
    image.header["pixdim"][4] = before.header["pixdim"][4]
    nib.save(image, path)
    assert (read_label_map(path).labels == read_label_map(plain).labels).all()


FILES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda c: b"",
    "text": lambda c: b"hello",
    "a page": lambda c: b"<html>404</html>" * 100,
    "zeros": lambda c: bytes(len(c)),
    "text, compressed": lambda c: gzip.compress(b"hello"),
    "compressed twice": lambda c: gzip.compress(gzip.compress(c)),
    "without its checksum": lambda c: gzip.compress(c)[:-8],
    "of two streams": lambda c: gzip.compress(c[:5000]) + gzip.compress(c[5000:9000]),
    "something behind it": lambda c: gzip.compress(c + bytes(3_000_000)),
    "a pickle": lambda c: b"\x80\x04\x95" + c,
    "a zip": lambda c: b"PK\x03\x04" + c[4:],
    "another checksum": lambda c: gzip.compress(c)[:-8] + bytes(8),
    "DICOM": lambda c: bytes(128) + b"DICM" + c[132:],
}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("name", ["heart.nii.gz", "heart.nii"])
def test_a_file_that_is_something_else(plain: Path, tmp_path: Path, what: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[what](plain.read_bytes()))
    if (what, name) == ("a zip", "heart.nii"):  # four bytes that nothing is read from
        assert outcome_of(heart_of(path)) in (None, heart_of(plain)())
    else:
        assert outcome_of(heart_of(path)) is None


@pytest.mark.parametrize("scheme", ["", "acdc", "1=lv", "1=lv,2=myo,3=xx", "a=b", "1=lv,1=rv,2=myo", "=", "lv=1", "9"])
def test_a_scheme_that_is_not_the_files(plain: Path, scheme: str) -> None:
    assert outcome_of(lambda: read_heart(plain, scheme=scheme, **GRID)) is None


@pytest.mark.parametrize("how", [{"ed": -1}, {"ed": 99}, {"es": 99}, {"cycle": 900.0}, {"cycle": 0.0}, {"frames": 0},
                                 {"frames": 10**7}, {"grid": "1x1x1@1x1x1"}, {"grid": "9999x9999x9999@1x1x1"},
                                 {"spacing": "both"}])  # fmt: skip
def test_words_that_do_not_go_with_it(plain: Path, how: dict[str, Any]) -> None:
    assert outcome_of(lambda: read_heart(plain, **{**GRID, **how})) is None or how == {"spacing": "both"}
