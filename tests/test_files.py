from pathlib import Path

import pytest

from cheart.errors import InputError
from cheart.files import new_file, new_folder, read_json, write_json


def test_a_folder_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def stopped() -> None:
        with new_folder(tmp_path / "out") as folder:
            (folder / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_what_stands_there_is_not_written_over_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(InputError, match="--overwrite"), new_folder(tmp_path / "out"):
        pass
    with new_folder(tmp_path / "out", overwrite=True) as folder:
        (folder / "new").write_text("y")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["new"]


def test_a_file_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"n": float("nan")})

    def failed() -> None:
        with new_file(path) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failed()
    assert read_json(path) == {"n": None}
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        read_json(tmp_path / "a")
