"""``cheart`` with arguments, run in this process as the console script runs it."""

import sys
from dataclasses import dataclass

import pytest

from cheart.cli.main import main


@dataclass(frozen=True)
class Answer:
    """What a person gets from a command."""

    code: int
    out: str
    err: str

    @property
    def err_but_validity(self) -> str:
        """Standard error without the line on hearts that are not valid: those of tiny networks are not."""
        return "".join(line for line in self.err.splitlines(keepends=True) if "hearts are not valid" not in line)


def run_cheart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> Answer:
    """Run it; an exception that comes through is a failure of the test."""
    monkeypatch.setattr(sys, "argv", ["cheart", *map(str, arguments)])
    capsys.readouterr()
    code: object = 0
    try:
        main()
    except SystemExit as exit:
        code = exit.code or 0
    said = capsys.readouterr()
    assert isinstance(code, int)
    return Answer(code, said.out, said.err)
