"""JSON files in which any value may have become another: refused by file and field, or without a traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cheart.cohort import Cohort
from cheart.datasets.participants import read_described
from cheart.datasets.posing import read_heart
from cheart.errors import InputError
from cheart.files import read_json, sha256_of_json, write_checksums
from cheart.model import load
from cheart.models.store import read_model
from cheart.paper.step_cache import StepCache
from cheart.schemas import CohortJson, ModelJson, RunJson, check, read_checked
from cheart.training.options import stored_options
from faulty import GONE, VALUES, Outcome, changed, leaves, outcome_of, replaced, some


def cases(value: Any, count: int, seed: int = 0) -> list[tuple[tuple[str | int, ...], Any]]:
    """So many changes of one value in JSON, evenly over its places and what may stand there."""
    ways = list(leaves(value))
    every = [(way, VALUES[(i * 7 + k + seed) % len(VALUES)]) for k in range(3) for i, way in enumerate(ways)]
    return some(count, every)


def through(path: Path, count: int, read: Callable[[], Outcome], *, finish: Callable[[Any], Any] = lambda v: v) -> int:
    """Put many wrong values into a file, one after the other; how many were refused. An exception is a failure."""
    whole, refused = read_json(path), 0
    for way, value in cases(whole, count):
        new = finish(changed(whole, way, value))
        with replaced(path, json.dumps(new).encode()):
            try:
                refused += outcome_of(read) is None
            except Exception as error:
                raise AssertionError(
                    f"{path.name}: {way} = {'gone' if value is GONE else value!r}: {error!r}"
                ) from error
    return refused


def signed(config: dict[str, Any]) -> dict[str, Any]:
    """A config.json that is as it was written, whatever was written."""
    plain = {name: value for name, value in config.items() if name != "sha256"}
    return {**plain, "sha256": sha256_of_json(plain)}


@pytest.mark.parametrize("part", range(8))
def test_a_config_with_another_value_and_its_own_checksum(own_run: Path, part: int) -> None:
    """What is signed and not refused makes hearts, if of another model."""
    sign_and_use(own_run, cases(read_json(own_run / "config.json"), 240)[part::8])


@pytest.mark.faults
@pytest.mark.parametrize("value", range(len(VALUES)))
def test_every_value_of_a_config_with_its_own_checksum(own_run: Path, value: int) -> None:
    ways = leaves(read_json(own_run / "config.json"))
    sign_and_use(own_run, [(way, VALUES[value]) for way in ways])


def sign_and_use(own_run: Path, changes: list[tuple[tuple[str | int, ...], Any]]) -> None:
    """Make hearts with a model whose config was changed, each change by itself."""
    path = own_run / "config.json"
    whole = read_json(path)
    for way, value in changes:
        with replaced(path, json.dumps(signed(changed(whole, way, value))).encode()):
            try:
                if outcome_of(lambda: read_model(own_run)) is None:
                    continue
                made = outcome_of(lambda: load(own_run).generate({"age": 40}, seed=1)[0])
                assert made is None or made.labels.max() <= 3
            except Exception as error:
                raise AssertionError(f"{way} = {'gone' if value is GONE else value!r}: {error!r}") from error


@pytest.mark.parametrize("part", range(4))
def test_a_config_that_was_edited_is_refused(own_run: Path, part: int) -> None:
    path = own_run / "config.json"
    whole = read_json(path)
    for way, value in cases(whole, 200)[part::4]:
        new = changed(whole, way, value)
        if new != whole:
            with (
                replaced(path, json.dumps(new).encode()),
                pytest.raises(InputError, match=r"config\.json|model format"),
            ):
                read_model(own_run)


def test_a_cohort_whose_description_was_edited_and_accepted(own_cohort: Path) -> None:
    path, listed = own_cohort / "cohort.json", own_cohort / "checksums.sha256"

    def read() -> Outcome:
        write_checksums(own_cohort)
        cohort = Cohort.open(own_cohort)
        return cohort.heart(0).labels.shape, cohort.warnings, str(cohort)

    before = listed.read_bytes()
    assert through(path, 200, read) > 120
    listed.write_bytes(before)


@pytest.mark.slow
def test_a_table_whose_cells_were_edited_and_accepted(own_cohort: Path) -> None:
    path, listed = own_cohort / "participants.tsv", own_cohort / "checksums.sha256"
    before, text = listed.read_bytes(), path.read_text()
    rows = [line.split("\t") for line in text.splitlines()]
    values = ("", "n/a", "x", "-1", "1e400", "nan", "inf", "0", "1 000", "63,5", "train", "\x00", "٣")
    for column in range(len(rows[0])):
        for row in (0, 1):
            for value in values:
                new = [list(line) for line in rows]
                new[row][column] = value
                with replaced(path, "\n".join("\t".join(line) for line in new).encode()):
                    write_checksums(own_cohort)
                    try:
                        outcome_of(lambda: [Cohort.open(own_cohort).heart(i).conditions for i in (0, 1)])
                    except Exception as error:
                        raise AssertionError(f"column {column}, row {row}: {value!r}: {error!r}") from error
    listed.write_bytes(before)


def test_a_log_of_a_training(own_run: Path) -> None:
    path = own_run / "run.json"
    assert through(path, 120, lambda: read_checked(path, RunJson)) > 40


@pytest.mark.slow
def test_a_result(own_result: Path, attempt: Callable[..., Any]) -> None:
    path = own_result / "result.json"
    whole = read_json(path)
    for way, value in cases(whole, 60):
        with replaced(path, json.dumps(changed(whole, way, value)).encode()):
            assert attempt("info", own_result).code in (0, 2), (way, value)


def test_a_sidecar(own_folder: Path) -> None:
    path = own_folder / "sub-003_dseg.json"
    nifti = own_folder / "sub-003_dseg.nii.gz"
    assert through(path, 60, lambda: read_heart(nifti, grid="32x32x32@5x5x4", frames=4).labels.tobytes()) > 10


def test_a_data_dictionary(own_folder: Path) -> None:
    path = own_folder / "participants.json"
    assert through(path, 120, lambda: str(read_described(own_folder / "participants.tsv"))) > 10


def test_a_list_of_steps(tmp_path: Path) -> None:
    path = tmp_path / "steps.json"
    entry = {"inputs": "0" * 64, "finished": True, "seconds": 1.5, "cheart": "0.1.0"}
    path.write_text(json.dumps({"train cheart": entry, "train pca": entry}))
    assert through(path, 60, lambda: StepCache(tmp_path).entries) > 20


@pytest.mark.slow
def test_settings_and_records_of_hearts_that_are_being_made(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cheart.plot.picture.save_picture", lambda path, *_, **__: path.touch())
    model, out = load(run), tmp_path / "out"
    model.generate({"age": 45}, n=2).save(out, shard="1/2")
    kept = tmp_path / "kept"
    shutil.copytree(out, kept)
    for name in ("settings.json", "sub-001.json"):
        whole = read_json(out / "unfinished" / name)
        for way, value in cases(whole, 25):
            (out / "unfinished" / name).write_text(json.dumps(changed(whole, way, value)))
            outcome_of(lambda: model.generate({"age": 45}, n=2).save(out, resume=True))
            shutil.rmtree(out)
            shutil.copytree(kept, out)


def test_training_options_of_a_config(own_run: Path) -> None:
    whole = read_json(own_run / "config.json")["training"]
    for way, value in cases(whole, 60):
        outcome_of(lambda way=way, value=value: stored_options(changed(whole, way, value), own_run))


def test_whole_files_that_are_something_else(own_run: Path, own_cohort: Path) -> None:
    for value in (None, [], {}, "x", 3, [{}], {"format": 3}, {"format": 1}):
        for schema in (ModelJson, CohortJson, RunJson):
            with pytest.raises(InputError, match="here: "):
                check(value, schema, "here")
        for path, read in (
            (own_run / "config.json", lambda: read_model(own_run)),
            (own_cohort / "cohort.json", lambda: Cohort.open(own_cohort)),
        ):
            with replaced(path, json.dumps(value).encode()):
                assert outcome_of(read) is None
