import json
import shutil
from pathlib import Path

import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.files import read_json, write_json
from cheart.model import Model
from cheart.verify import accept, verify


@pytest.fixture
def copy(cohort: Cohort, tmp_path: Path) -> Path:
    """A cohort of one's own to damage."""
    return Path(shutil.copytree(cohort.path, tmp_path / "cohort"))


def flip(path: Path, place: int = -9) -> None:
    """Flip a bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def shard(path: Path, index: int) -> Path:
    return path / "labels.zarr" / "labels" / f"c.{index}.0.0.0.0"


def read_all(path: Path) -> None:
    cohort = Cohort.open(path)
    for index in range(len(cohort)):
        cohort.heart(index)


def test_a_cohort_as_it_was_written_is_whole(cohort: Cohort) -> None:
    (found,) = verify(cohort.path)
    assert (found.kind, found.whole) == ("cohort", True)


def test_a_flipped_bit_of_a_shard_is_named_and_never_read(copy: Path) -> None:
    flip(shard(copy, 3), 40)
    (found,) = verify(copy)
    assert found.changed == ("labels.zarr/labels/c.3.0.0.0.0",)
    with pytest.raises(InputError, match=r"c\.3\.0\.0\.0\.0 is not as it was written"):
        read_all(copy)


def test_a_missing_shard_is_no_blank_heart(copy: Path) -> None:
    shard(copy, 2).unlink()
    assert verify(copy)[0].missing == ("labels.zarr/labels/c.2.0.0.0.0",)
    with pytest.raises(InputError, match="is gone"):
        read_all(copy)


def test_swapped_shards_are_noticed(copy: Path) -> None:
    one, two, aside = shard(copy, 0), shard(copy, 1), copy.parent / "aside"
    one.rename(aside), two.rename(one), aside.rename(two)
    with pytest.raises(InputError, match="is not as it was written"):
        read_all(copy)


@pytest.mark.parametrize("edit", ["split", "reversed", "blank"])
def test_an_edited_table_is_refused_until_it_is_accepted(copy: Path, edit: str) -> None:
    table = copy / "participants.tsv"
    head, *rows = table.read_text().splitlines()
    if edit == "split":
        rows[0] = rows[0].replace("\ttrain\t", "\ttest\t").replace("\tval\t", "\ttest\t")
    elif edit == "reversed":
        rows = [f"{r.split(chr(9), 1)[0]}\t{t.split(chr(9), 1)[1]}" for r, t in zip(rows, rows[::-1], strict=True)]
    else:
        cells = rows[0].split("\t")
        rows[0] = "\t".join([*cells[:3], "n/a", *cells[4:]])
    table.write_text("\n".join([head, *rows]) + "\n")
    before = read_json(copy / "cohort.json")["fingerprint"]
    with pytest.raises(InputError, match=r"participants\.tsv is not as it was written.*--accept"):
        Cohort.open(copy)
    accept(copy)
    assert Cohort.open(copy).fingerprint != before
    assert verify(copy)[0].whole


def test_another_voxel_size_is_noticed(copy: Path) -> None:
    info = read_json(copy / "cohort.json")
    info["grid"]["spacing_zyx_mm"][0] *= 2
    write_json(copy / "cohort.json", info)
    with pytest.raises(InputError, match=r"cohort\.json is not as it was written"):
        Cohort.open(copy)


@pytest.mark.parametrize("change", ["weights", "config", "missing"])
def test_a_model_is_what_was_trained_or_it_is_refused(run: Path, tmp_path: Path, change: str) -> None:
    from cheart.models.store import read_model

    folder = Path(shutil.copytree(run, tmp_path / "run"))
    assert verify(folder)[0].whole
    if change == "weights":
        flip(folder / "model.safetensors")
    elif change == "config":
        config = folder / "config.json"
        write_json(config, {**read_json(config), "cycle_s": 0.5})
    else:
        (folder / "model.safetensors").unlink()
    (found,) = verify(folder)
    assert not found.whole
    with pytest.raises(InputError, match=r"not as it was written|not the one|has no model\.safetensors"):
        read_model(folder)
    with pytest.raises(InputError, match="never right"):
        accept(folder)


def test_weights_that_are_no_numbers_are_refused(model: Model, run: Path, tmp_path: Path) -> None:
    from cheart.models.store import read_model, write_weights

    folder = Path(shutil.copytree(run, tmp_path / "run"))
    network = read_model(folder).network
    next(network.parameters()).data.view(-1)[0] = float("nan")
    write_weights(folder, network)
    with pytest.raises(InputError, match="no numbers"):
        read_model(folder)


def test_a_model_of_somebodys_own_file_is_looked_at_without_running_it(run: Path, tmp_path: Path) -> None:
    from cheart.models.store import _write_config, read_model

    folder = Path(shutil.copytree(run, tmp_path / "run"))
    _write_config(folder, {**read_json(folder / "config.json"), "model": "theirs", "source": "theirs.py:Theirs"})
    with pytest.raises(InputError, match="runs no file that you have not named"):
        read_model(folder)
    assert verify(folder)[0].whole


@pytest.mark.slow
def test_a_result_names_what_is_damaged(model: Model, tmp_path: Path) -> None:
    model.generate({"age": 40}, n=2, seed=0).save(tmp_path / "out")
    assert verify(tmp_path / "out")[0].whole
    flip(tmp_path / "out" / "sub-002_dseg.nii.gz")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    (found,) = verify(tmp_path / "out")
    assert (found.changed, found.foreign) == (("sub-002_dseg.nii.gz",), ("notes.txt",))
    assert json.loads(json.dumps(found.to_json()))["whole"] is False


def test_what_is_not_chearts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a cohort"):
        verify(tmp_path)
