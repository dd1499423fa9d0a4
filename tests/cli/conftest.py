from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Answer, run_cheart

Cheart = Callable[..., Answer]


@pytest.fixture
def cheart(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cheart:
    """Run ``cheart`` with arguments, as the console script does."""

    return lambda *arguments: run_cheart(monkeypatch, capsys, arguments)


@pytest.fixture
def refused(cheart: Cheart) -> Callable[..., str]:
    """Run ``cheart`` with arguments that it must refuse: exit code 2, one line on standard error. Returns the line."""

    def command(*arguments: object) -> str:
        answer = cheart(*arguments)
        assert answer.code == 2, answer
        assert answer.out == ""
        (line,) = answer.err.splitlines()
        assert line.startswith("cheart: ")
        return line.removeprefix("cheart: ")

    return command


@pytest.fixture
def tiny_bundled(monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
    """The tiny model in place of those that come with cheart."""
    monkeypatch.setattr("cheart.models.find.BUNDLED_FOLDER", run)
    monkeypatch.setattr("cheart.models.find.CLINICAL_FOLDER", run)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pictures empty where they are not what a test is about: drawing takes longer than all the rest."""
    monkeypatch.setattr("cheart.plot.picture.save_picture", lambda path, *_, **__: path.touch())
