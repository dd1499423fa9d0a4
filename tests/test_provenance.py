import sys
from pathlib import Path

import pytest

from cheart.provenance import provenance, without_places


def test_a_command_tells_no_places_of_a_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    words = [
        f"{tmp_path}/data/cohort",
        "-o",
        "/home/anna/runs/one",
        "--from=/srv/models/m",
        "my run",
        "a/b",
        "--age",
        "63",
    ]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/cheart", "train", *words])
    assert provenance()["command"] == "cheart train data/cohort -o one --from=m 'my run' a/b --age 63"


def test_what_is_passed_on_has_names_alone() -> None:
    assert without_places("cheart train 'my data/a b' -o x/y") == "cheart train 'a b' -o y"
    assert without_places("cheart train Anna's -o x/y") == "cheart train 'Anna'\"'\"'s' -o y"
