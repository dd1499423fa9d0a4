"""Bits that turned over, files that were cut short, lost or exchanged: noticed, or without any consequence."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.io.nifti import read_label_map
from cheart.models.store import read_files
from cheart.models.tensor_file import read_tensors
from cheart.verify import verify
from faulty import Outcome, flipped, outcome_of, replaced

PARTS = [i / 100 for i in range(100)]
FEW = [0.0, 0.01, 0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 0.999]

COHORT_FILES = (
    "cohort.json", "participants.tsv", "participants.json", "checksums.sha256", "labels.zarr/zarr.json",
    "labels.zarr/labels/zarr.json", "labels.zarr/observed/zarr.json", "labels.zarr/labels/c.0.0.0.0.0",
    "labels.zarr/labels/c.13.0.0.0.0",
)  # fmt: skip


def heart_of(path: Path) -> Callable[[], Outcome]:
    """What a NIfTI file says."""

    def read() -> Outcome:
        found = read_label_map(path)
        return found.labels.tobytes(), found.labels.shape, found.affine.tobytes(), found.frame_s

    return read


def hearts_of(path: Path) -> Callable[[], Outcome]:
    """What a cohort says of its first and its last subject."""

    def read() -> Outcome:
        cohort = Cohort.open(path)
        hearts = [cohort.heart(i) for i in (0, 13)]
        return cohort.table.to_csv(), [(h.labels.tobytes(), h.observed.tobytes(), h.conditions) for h in hearts]

    return read


def model_of(path: Path) -> Callable[[], Outcome]:
    """What a model's files say."""

    def read() -> Outcome:
        config, tensors = read_files(path)
        return config, {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}

    return read


def judge(path: Path, content: bytes | None, read: Callable[[], Outcome]) -> None:
    """A fault is refused, or it changes nothing."""
    whole = read()
    with replaced(path, content):
        assert outcome_of(read) in (None, whole)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("bit", [0, 5])
def test_a_bit_of_a_compressed_label_map(own_folder: Path, part: float, bit: int) -> None:
    path = own_folder / "sub-003_dseg.nii.gz"
    judge(path, flipped(path.read_bytes(), part, bit), heart_of(path))


@pytest.mark.parametrize("part", FEW[1:])
def test_a_label_map_that_was_cut_short(own_folder: Path, part: float) -> None:
    path = own_folder / "sub-003_dseg.nii.gz"
    content = path.read_bytes()
    judge(path, content[: int(part * len(content))], heart_of(path))


@pytest.mark.parametrize("name", COHORT_FILES)
@pytest.mark.parametrize("part", FEW)
def test_a_bit_of_a_cohort(own_cohort: Path, name: str, part: float) -> None:
    path = own_cohort / name
    judge(path, flipped(path.read_bytes(), part, int(part * 1000) % 8), hearts_of(own_cohort))


@pytest.mark.parametrize("name", COHORT_FILES)
@pytest.mark.parametrize("part", [None, 0.0, 0.5, 0.99])
def test_a_file_of_a_cohort_that_is_lost_or_cut_short(own_cohort: Path, name: str, part: float | None) -> None:
    path = own_cohort / name
    content = path.read_bytes()
    with replaced(path, None if part is None else content[: int(part * len(content))]):
        assert outcome_of(hearts_of(own_cohort)) is None


@pytest.mark.parametrize("other", range(1, 13))
def test_shards_that_were_exchanged(own_cohort: Path, other: int) -> None:
    first, second = (own_cohort / f"labels.zarr/labels/c.{i}.0.0.0.0" for i in (0, other))
    if first.read_bytes() != second.read_bytes():
        judge(first, second.read_bytes(), hearts_of(own_cohort))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("part", PARTS[::2])
def test_a_bit_of_a_model(own_run: Path, name: str, part: float) -> None:
    path = own_run / name
    judge(path, flipped(path.read_bytes(), part, int(part * 100) % 8), model_of(own_run))


@pytest.mark.parametrize("part", PARTS[::4])
def test_a_bit_of_a_packed_model(own_packed: Path, part: float) -> None:
    path = own_packed / "model.safetensors"
    judge(path, flipped(path.read_bytes(), part, 3), model_of(own_packed))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("part", [None, 0.0, 0.001, 0.5, 0.99])
def test_a_file_of_a_model_that_is_lost_or_cut_short(own_run: Path, name: str, part: float | None) -> None:
    path = own_run / name
    content = path.read_bytes()
    with replaced(path, None if part is None else content[: int(part * len(content))]):
        assert outcome_of(model_of(own_run)) is None


@pytest.mark.parametrize("part", PARTS[::5])
def test_a_bit_of_a_checkpoint(own_run: Path, part: float) -> None:
    path = own_run / "checkpoint.safetensors"

    def read() -> Outcome:
        tensors, about = read_tensors(path, mend="train again")
        return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}, about

    judge(path, flipped(path.read_bytes(), part, 1), read)


@pytest.mark.parametrize("name", ["sub-001_dseg.nii.gz", "participants.tsv", "phenotypes.tsv", "result.json"])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.9])
def test_a_bit_of_a_result_is_named(own_result: Path, name: str, part: float) -> None:
    path = own_result / name
    with replaced(path, flipped(path.read_bytes(), part, 2)):
        assert verify(own_result)[0].changed == (name,)


def test_a_cohort_under_another_ones_list(own_cohort: Path, tmp_path: Path) -> None:
    from cohorts import tiny_cohort

    other = tiny_cohort(tmp_path / "other", n=10).path
    shutil.copyfile(own_cohort / "checksums.sha256", other / "checksums.sha256")
    with pytest.raises(InputError, match="not as it was written"):
        Cohort.open(other)
