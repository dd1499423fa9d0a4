import multiprocessing
import os
from pathlib import Path

import pytest

from cheart.errors import InputError
from cheart.files import CHECKSUMS, checked, find_damage, new_file, new_folder, read_json, write_checksums, write_json


def written(path: Path, *names: str) -> Path:
    """A folder of ours with some files."""
    with new_folder(path, overwrite=path.exists()) as folder:
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(name)
    return path


def test_a_folder_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def stopped() -> None:
        with new_folder(tmp_path / "out") as folder:
            (folder / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_ours_is_replaced_only_when_asked(tmp_path: Path) -> None:
    out = written(tmp_path / "out", "old")
    with pytest.raises(InputError, match="--overwrite"), new_folder(out):
        pass
    written(out, "new")
    assert sorted(p.name for p in out.iterdir()) == [CHECKSUMS, "new"]
    assert list(tmp_path.iterdir()) == [out]


def test_a_replacement_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    out = written(tmp_path / "out", "old")

    def full() -> None:
        with new_folder(out, overwrite=True) as folder:
            (folder / "new").write_text("x")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk"):
        full()
    assert (out / "old").is_file()
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["thesis.docx", "deep/er/thesis.docx"])
def test_what_a_person_put_there_is_never_deleted(tmp_path: Path, name: str) -> None:
    out = written(tmp_path / "out", "ours")
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.docx.*move it away"), new_folder(out, overwrite=True):
        pass
    assert (out / name).read_text() == "years of work"


def test_a_folder_that_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "a").write_text("x")
    with pytest.raises(InputError, match="not written by cheart"), new_folder(tmp_path / "theirs", overwrite=True):
        pass
    assert (tmp_path / "theirs" / "a").is_file()


@pytest.mark.parametrize("name", [".", "..", "here/..", "/"])
def test_the_working_folder_and_its_parents_are_refused(tmp_path: Path, monkeypatch, name: str) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="working folder"), new_folder(Path(name), overwrite=True):
        pass


def test_home_is_refused(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "me").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    with pytest.raises(InputError, match="home folder"), new_folder(tmp_path / "me", overwrite=True):
        pass


def test_a_link_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "far", "a")
    (tmp_path / "out").symlink_to(tmp_path / "far")
    with pytest.raises(InputError, match="is a link"), new_folder(tmp_path / "out", overwrite=True):
        pass
    assert (tmp_path / "far" / "a").is_file()


def _hold(path: Path, ready, done) -> None:
    with new_folder(path):
        ready.set()
        done.wait()


def _die(path: Path) -> None:
    with new_folder(path) as folder:
        (folder / "half").write_text("x")
        os._exit(9)


def test_two_processes_never_write_one_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "out", ready, done))
    other.start()
    try:
        assert ready.wait(20)
        with pytest.raises(InputError, match="another cheart"), new_folder(tmp_path / "out"):
            pass
    finally:
        done.set()
        other.join()
    assert (tmp_path / "out" / CHECKSUMS).is_file()


def test_what_a_killed_process_left_is_swept_by_the_next(tmp_path: Path) -> None:
    killed = multiprocessing.get_context("fork").Process(target=_die, args=(tmp_path / "out",))
    killed.start()
    killed.join()
    assert any(".partial-" in p.name for p in tmp_path.iterdir())
    written(tmp_path / "out", "whole")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_damage_is_found_by_name(tmp_path: Path) -> None:
    out = written(tmp_path / "out", "a", "b", "deep/c")
    assert not find_damage(out)
    (out / "a").write_text("A")
    (out / "deep" / "c").unlink()
    (out / "d").write_text("")
    damage = find_damage(out)
    assert (damage.changed, damage.missing, damage.foreign) == (("a",), ("deep/c",), ("d",))


@pytest.mark.parametrize(("change", "what"), [("edit", "not as it was written"), ("delete", "is gone"), ("add", "new")])
def test_a_file_is_compared_before_it_is_read(tmp_path: Path, change: str, what: str) -> None:
    out = written(tmp_path / "out", "a")
    if change == "edit":
        (out / "a").write_text("A")
    elif change == "delete":
        (out / "a").unlink()
    else:
        (out / "b").write_text("B")
    with pytest.raises(InputError, match=f"{what}.*--accept"):
        checked(out)(["a", "b", "never there"])


def test_without_its_list_a_folder_cannot_be_trusted(tmp_path: Path) -> None:
    out = written(tmp_path / "out", "a")
    (out / CHECKSUMS).unlink()
    with pytest.raises(InputError, match=r"verify .* --accept"):
        checked(out)
    write_checksums(out)
    checked(out)(["a"])


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
