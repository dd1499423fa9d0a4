import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cheart.cohort import Cohort
from cheart.evaluation.packing import pack
from cheart.export.bids import export_cohort
from cheart.model import load
from commands import Answer, run_cheart


@pytest.fixture
def attempt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run ``cheart`` with arguments in this process; an exception that comes through is a failure of the test."""

    def command(*arguments: object) -> Answer:
        answer = run_cheart(monkeypatch, capsys, arguments)
        assert "Traceback" not in answer.err
        return answer

    return command


@pytest.fixture
def refuses(attempt: Callable[..., Answer], tmp_path: Path) -> Callable[..., str]:
    """Run ``cheart`` with arguments that it must refuse: not 0, nothing on standard output, a message on the other."""

    def command(*arguments: object) -> str:
        answer = attempt(*arguments)
        assert answer.code in (1, 2), answer
        assert answer.out == ""
        lines = [line for line in answer.err.splitlines() if not line.startswith("warning: ")]
        assert lines
        assert lines[0].startswith(("cheart: ", "Usage: ", "Error: ")), answer
        return "\n".join(lines)

    return command


@pytest.fixture(scope="module")
def own_cohort(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort that a module may damage, if it mends it."""
    return Path(shutil.copytree(cohort.path, tmp_path_factory.mktemp("own") / "cohort"))


@pytest.fixture(scope="module")
def own_run(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that a module may damage, if it mends it."""
    return Path(shutil.copytree(run, tmp_path_factory.mktemp("own") / "run"))


@pytest.fixture(scope="module")
def own_packed(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, packed."""
    path = tmp_path_factory.mktemp("own") / "packed"
    pack(run, path)
    return path


@pytest.fixture(scope="module")
def own_result(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hearts that the model made."""
    path = tmp_path_factory.mktemp("own") / "made"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cheart.plot.picture.save_picture", lambda path, *_, **__: path.touch())
        load(run).generate({"age": 45}, n=2).save(path)
    return path


@pytest.fixture(scope="module")
def own_folder(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cohort as NIfTI files with a table."""
    path = tmp_path_factory.mktemp("own") / "nifti"
    export_cohort(cohort, path)
    return path
