import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.files import read_json, sha256_of_json, write_checksums, write_json
from cheart.grid import Grid, check_size
from cheart.models.store import read_model
from cheart.models.tensor_file import read_tensors, write_tensors
from cheart.schemas import GridJson, ModelJson, check, check_fields
from cheart.training.options import TrainingOptions


def forge(folder: Path, path: str, value: Any) -> None:
    """Put a value into a model's config.json, and the checksum that belongs to it."""
    config = read_json(folder / "config.json")
    place: Any = config
    *way, last = path.split(".")
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    config.pop("sha256")
    write_json(folder / "config.json", {**config, "sha256": sha256_of_json(config)})


@pytest.fixture
def forged(run: Path, tmp_path: Path) -> Path:
    """A model of one's own to forge."""
    return Path(shutil.copytree(run, tmp_path / "forged"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("setting.frames", 0),
        ("setting.frames", 10**9),
        ("setting.frames", "4"),
        ("setting.grid.shape_zyx", [10**9, 32, 32]),
        ("setting.grid.spacing_zyx_mm.0", -4.0),
        ("setting.encoding.scale.age", 0.0),
        ("setting.encoding.trained.age", [60.0, 20.0]),
        ("setting.encoding.centre", {}),
        ("setting.encoding.schema.0.kind", "colour"),
        ("options.hidden", 10**8),
        ("options.latent", 5),
        ("options.nosuch", 1),
        ("representation.name", ["shape"]),
        ("representation.where.stop.0", 4000),
        ("population.fraction.0", 7.0),
        ("population.mean.0.0", "old"),
        ("population.combinations.0.0", "X"),
        ("cycle_s", 900.0),
        ("trained_on", {}),
        ("model", 3),
    ],
)
def test_a_config_that_no_training_writes_is_refused_by_file_and_field(forged: Path, field: str, value: Any) -> None:
    forge(forged, field, value)
    with pytest.raises(InputError, match=r"config\.json: |model '?3") as error:
        read_model(forged)
    assert len(str(error.value).splitlines()) == 1


def test_a_check_of_sizes_draws_no_random_number(run: Path) -> None:
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    network = read_model(run).network
    after = torch.random.get_rng_state()
    torch.random.set_rng_state(before)
    type(network)(network.setting, network.options, network.representation)
    assert torch.equal(torch.random.get_rng_state(), after)


def test_a_bomb_in_a_packed_basis_is_refused(run: Path, tmp_path: Path) -> None:
    from cheart.evaluation.packing import pack

    pack(run, tmp_path / "packed")
    path = tmp_path / "packed" / "model.safetensors"
    tensors = load_file(path)
    bomb = zlib.compress(bytes(50_000_000), 9)
    tensors["basis.mode_waves"] = torch.frombuffer(bytearray(bomb), dtype=torch.uint8)
    write_tensors(path, tensors)
    with pytest.raises(InputError, match=r"packed shape basis cannot be read: expected \d+ numbers"):
        read_model(tmp_path / "packed")


def test_tensors_carry_a_checksum_of_values_and_words(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"x": torch.arange(3.0)}, state="{}")
    tensors, about = read_tensors(path, mend="train again")
    assert (tensors["x"].tolist(), about) == ([0, 1, 2], {"state": "{}"})
    content = path.read_bytes()
    for changed in (content[:-1] + b"\x41", content.replace(b'"{}"', b'"[]"'), content[:-4]):
        path.write_bytes(changed)
        with pytest.raises(InputError, match="train again"):
            read_tensors(path, mend="train again")
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="not as it was written"):
        read_tensors(path, mend="train again")


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', '{"a": Infinity}', '{"a": 1, "a": 2}', "[" * 100_000, "1" * 10_000, "{", ""]
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"a\.json is not JSON"):
        read_json(path)


def test_the_field_is_named_and_quoted() -> None:
    with pytest.raises(InputError, match=r"here: shape_zyx\.1 is '2': input should be a valid integer"):
        check({"shape_zyx": [1, "2", 3], "spacing_zyx_mm": [1, 1, 1]}, GridJson, "here")
    with pytest.raises(InputError, match="here: rates is not known here"):
        check_fields({"rates": 1}, TrainingOptions, "here")
    with pytest.raises(InputError, match=r"model is missing \(and \d+ more\)"):
        check({}, ModelJson, "here")


def test_sizes_are_refused_before_memory_is_asked_for() -> None:
    with pytest.raises(InputError, match="voxels"):
        Grid((100_000, 100_000, 100_000), (1, 1, 1))
    for frames in (0, 1001):
        with pytest.raises(InputError, match="expected 1 to 1000"):
            check_size(Grid((2, 2, 2), (1, 1, 1)), frames)
    with pytest.raises(InputError, match="coarser"):
        check_size(Grid((400, 400, 400), (1, 1, 1)), 900)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": 5},
        {"subjects": 13},
        {"kind": "real"},
        {"conditions": []},
        {"fingerprint": 7},
        {"grid": {"shape_zyx": [32, 32, 31], "spacing_zyx_mm": [4, 5, 5]}},
        {"warnings": "none"},
        {"provenance": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_cohort_that_was_written_otherwise_is_refused(cohort: Cohort, tmp_path: Path, change: dict[str, Any]) -> None:
    folder = Path(shutil.copytree(cohort.path, tmp_path / "cohort"))
    path = folder / "cohort.json"
    path.write_text(json.dumps({**read_json(path), **change}))
    write_checksums(folder)
    if change == {"conditions": []}:
        assert Cohort.open(folder).schema.names == ()
        return
    with pytest.raises(InputError):
        Cohort.open(folder).heart(0)


def test_a_whole_number_is_a_float_where_one_is_meant() -> None:
    found = check_fields({"rate": 1, "batch": 4}, TrainingOptions, "training")
    assert (type(found["rate"]), type(found["batch"])) == (float, int)


def test_a_count_that_no_tensor_has_is_refused() -> None:
    with pytest.raises(InputError, match="batch is 1000000000000000000"):
        check_fields({"batch": 10**18}, TrainingOptions, "training")
