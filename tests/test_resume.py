"""A run that was stopped goes on with ``resume`` to what one that never stopped gives, byte for byte."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cheart.datasets.importing as importing
import cheart.simulation.cohort as simulation
from cheart import import_cohort, simulate
from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.export.bids import export_cohort
from cheart.files import CHECKSUMS, locked

HOW: dict[str, Any] = {"n": 5, "grid": "32x32x32@5x5x4", "frames": 4, "jobs": 1, "seed": 2}


def contents(folder: Path) -> dict[str, bytes]:
    """All files but for the time at which they were made."""
    files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    about = json.loads(files.pop("cohort.json"))
    about["provenance"].pop("made")
    return {**files, "cohort.json": json.dumps(about).encode(), CHECKSUMS: b""}


def stopped(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, after: int) -> Callable[[], int]:
    """Let a function be stopped by Ctrl-C after so many calls; returns how many calls were whole."""
    calls, real = [0], getattr(module, name)

    def counted(*words: Any) -> Any:
        if calls[0] == after:
            raise KeyboardInterrupt
        result = real(*words)
        calls[0] += 1
        return result

    monkeypatch.setattr(module, name, counted)
    return lambda: calls[0]


@pytest.mark.slow
def test_a_stopped_simulation_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simulate(tmp_path / "whole", **HOW, nifti=True)
    with monkeypatch.context() as patch:
        stopped(patch, simulation, "_make_subject", 3)
        with pytest.raises(KeyboardInterrupt):
            simulate(tmp_path / "out", **HOW, nifti=True)
    (left,) = tmp_path.glob(".out.partial-*")
    shutil.copytree(left, tmp_path / ".other.partial-1")
    with pytest.raises(InputError, match="other options"):
        simulate(tmp_path / "other", **{**HOW, "seed": 3}, nifti=True, resume=True)
    next(left.rglob("c.1.0.0.0.0")).write_bytes(b"damaged meanwhile")
    with monkeypatch.context() as patch:
        made = stopped(patch, simulation, "_make_subject", 99)
        simulate(tmp_path / "out", **HOW, nifti=True, resume=True)
    assert made() == 3, "two that were left, and one that was damaged"
    assert contents(tmp_path / "out") == contents(whole.path)
    assert {p.name for p in tmp_path.iterdir()} == {"out", "whole"}
    assert simulate(tmp_path / "out", **HOW, nifti=True, resume=True).fingerprint == whole.fingerprint
    with pytest.raises(InputError, match="exists already"):
        simulate(tmp_path / "out", **{**HOW, "seed": 3}, nifti=True, resume=True)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "after"), [("_check", 6), ("_bring_in", 4)])
def test_a_stopped_import_goes_on(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after: int
) -> None:
    export_cohort(cohort, tmp_path / "nifti")
    source = tmp_path / "nifti"
    how: dict[str, Any] = {
        "participants": source / "participants.tsv", "scheme": "cheart", "grid": cohort.grid, "frames": 4, "jobs": 1,
    }  # fmt: skip
    whole = import_cohort("nifti", source, tmp_path / "whole", **how)
    with monkeypatch.context() as patch:
        stopped(patch, importing, name, after)
        with pytest.raises(KeyboardInterrupt):
            import_cohort("nifti", source, tmp_path / "out", **how)
    with monkeypatch.context() as patch:
        made = stopped(patch, importing, name, 99)
        import_cohort("nifti", source, tmp_path / "out", **how, resume=True)
    assert made() == len(cohort) - after
    assert contents(tmp_path / "out") == contents(whole.path)


def test_files_that_changed_meanwhile_are_another_import(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "nifti"
    export_cohort(cohort, source)
    how: dict[str, Any] = {"participants": source / "participants.tsv", "scheme": "cheart", "grid": cohort.grid}
    with monkeypatch.context() as patch:
        stopped(patch, importing, "_check", 2)
        with pytest.raises(KeyboardInterrupt):
            import_cohort("nifti", source, tmp_path / "out", **how, frames=4, jobs=1)
    (source / "sub-000_dseg.nii.gz").touch()
    with pytest.raises(InputError, match="other options or files"):
        import_cohort("nifti", source, tmp_path / "out", **how, frames=4, jobs=1, resume=True)


def test_there_must_be_something_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave --resume out"):
        simulate(tmp_path / "out", **HOW, resume=True)
    assert not list(tmp_path.iterdir())


def test_one_process_at_a_time_trains_into_a_run(cohort: Cohort, tmp_path: Path) -> None:
    from cheart import train

    with locked(tmp_path / "run"), pytest.raises(InputError, match="another cheart"):
        train(cohort, tmp_path / "run", jobs=1)
    with pytest.raises(InputError, match="preset"):
        train(cohort, tmp_path / "run", preset="big", jobs=1)
    assert not list(tmp_path.iterdir()), "the lock is gone with who held it"
