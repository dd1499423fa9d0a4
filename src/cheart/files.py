"""Files and folders that are either whole or not there.

A folder of results is also owned, written by one process at a time, and lists its files with their checksums:

    OUT/checksums.sha256    a line a file, as ``sha256sum`` writes and checks it: what cheart wrote, nothing else
    .OUT.lock               beside OUT while it is being written
    .OUT.partial-PID        what is being written: renamed to OUT when all is well, swept by the next run if killed

A folder may be replaced only if all that stands in it is on its list: what a person put there is never deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from cheart.errors import InputError

FILE_MODULE = "cheart_file_"
"""What the names of modules begin with that were executed by :func:`from_file`."""
CHECKSUMS = "checksums.sha256"
MOST_JSON = 1_000_000_000
"""Bytes of a JSON file that is read: the way back of a million hearts."""
_NAMED = 3  # files that a message names
_DESKTOP = {".DS_Store", "Thumbs.db", "desktop.ini"}  # what file managers leave, which nobody misses


@contextmanager
def new_folder(path: Path, *, overwrite: bool = False, keep: bool = False, resume: bool = False) -> Iterator[Path]:
    """Write a folder beside its place and rename it when all is well.

    Yields a temporary folder; when the block ends its checksums are written and it becomes ``path``, when it fails (or
    on Ctrl-C) it is removed and nothing else has changed.

    Args:
        path: the folder.
        overwrite: replace what is there.
        keep: what is there on Ctrl-C stays, for another run to go on with.
        resume: go on with what a run left that was stopped or killed.

    Raises:
        InputError: ``path`` must not be written to (:func:`refuse_existing`), another process is writing it, or no run
            left anything to ``resume``.
    """
    path = Path(path)
    refuse_existing(path, overwrite=overwrite)
    with locked(path, sweep=not resume):
        partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
        left = sorted(path.parent.glob(f".{path.name}.partial-*"), key=lambda place: place.stat().st_mtime)
        if resume and not left:
            raise InputError(f"--resume: no run left anything of {path} to go on with; leave --resume out to start")
        if resume:
            left.pop().rename(partial)
        _sweep_beside(path, but=partial)
        partial.mkdir(exist_ok=True)
        try:
            yield partial
            write_checksums(partial)
            _put_in_place(partial, path)
        except KeyboardInterrupt:
            if not keep:
                shutil.rmtree(partial, ignore_errors=True)
            raise
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _put_in_place(partial: Path, path: Path) -> None:
    """Rename a folder to its place; what stood there is deleted only when the new one is in its place."""
    before = path.with_name(f".{path.name}.before-{os.getpid()}")
    if path.exists():
        path.rename(before)
    try:
        partial.rename(path)
    except BaseException:
        if before.exists():
            before.rename(path)
        raise
    shutil.rmtree(before, ignore_errors=True)


@contextmanager
def locked(path: Path, *, sweep: bool = True) -> Iterator[None]:
    """Keep other processes from writing a folder, and ``sweep`` what killed ones left beside it.

    The lock is the operating system's: it ends with the process that holds it, however that ends.

    Raises:
        InputError: another process is writing the folder.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    while True:
        file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(file, 200).decode(errors="replace") or "unknown"
            os.close(file)
            raise InputError(
                f"another cheart ({who}) is writing {path}; wait for it, or choose another place"
            ) from None
        if lock.exists() and os.fstat(file).st_ino == lock.stat().st_ino:
            break
        os.close(file)  # its last holder took it away between opening and locking
    try:
        os.ftruncate(file, 0)
        os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
        if sweep:
            _sweep_beside(path)
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(file)


def _sweep_beside(path: Path, *, but: Path | None = None) -> None:
    """Take away what killed processes left; a folder that one had moved aside and not replaced goes back."""
    for left in (*path.parent.glob(f".{path.name}.partial-*"), *path.parent.glob(f".{path.name}.before-*")):
        if ".before-" in left.name and not path.exists():
            left.rename(path)
        elif left != but:
            shutil.rmtree(left, ignore_errors=True)


def refuse_existing(path: Path, *, overwrite: bool, file: bool = False) -> None:
    """Refuse to write a folder (or a ``file``) over what is there, before any work is done.

    Raises:
        InputError: ``path`` is the working folder, home, one of their parents or a link; it holds something and
            ``overwrite`` is false; it is a file in a folder's place or the other way round; or a folder that holds
            what cheart did not write.
    """
    path = Path(path)
    whole = path.resolve()
    for kept, name in ((Path.cwd(), "the working folder"), (Path.home(), "your home folder")):
        if whole == kept.resolve() or whole in kept.resolve().parents:
            raise InputError(f"{path} is or holds {name}: choose a new folder, such as {path / 'result'}")
    if path.is_symlink():
        raise InputError(f"{path} is a link (to {os.readlink(path)}): name the place itself")
    if not file and path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; choose another place, or replace it with overwrite (--overwrite)")
    if path.exists() and path.is_dir() == file:
        is_there, wanted = ("folder", "file") if file else ("file", "folder")
        raise InputError(f"{path} is a {is_there}; a {wanted} is to be written there: choose another place")
    if path.is_dir():
        _refuse_foreign(path)


def _refuse_foreign(folder: Path) -> None:
    """Refuse to replace a folder that cheart did not write, or in which something else stands too."""
    if not (folder / CHECKSUMS).is_file():
        raise InputError(
            f"--overwrite: {folder} was not written by cheart, or not to its end (it has no {CHECKSUMS}): "
            "go on with --resume where a verb has it, delete it yourself, or choose another place"
        )
    foreign = sorted(set(_files(folder)) - {CHECKSUMS, *read_checksums(folder)})
    if foreign:
        named = ", ".join(foreign[:_NAMED]) + (f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else "")
        raise InputError(f"--overwrite: {folder} also holds {named}, which cheart did not write: move it away first")


def _files(folder: Path) -> Iterator[str]:
    """All files below a folder, as paths from it; links are files, never followed."""
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*(n for n in names if n not in _DESKTOP), *links):
            yield (Path(place) / name).relative_to(folder).as_posix()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_json(value: Any) -> str:
    """SHA-256 of plain JSON values, in whatever order their keys stand."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def write_checksums(folder: Path) -> None:
    """List all files of a folder with their SHA-256 (``sha256sum -c checksums.sha256`` checks it too)."""
    names = sorted(name for name in _files(folder) if name != CHECKSUMS)
    with new_file(folder / CHECKSUMS) as partial:
        partial.write_text("".join(f"{sha256_of(folder / name)}  {name}\n" for name in names), encoding="utf-8")


def read_checksums(folder: Path) -> dict[str, str]:
    """The listed files of a folder and their SHA-256.

    Raises:
        InputError: there is no list, or it is damaged.
    """
    path = Path(folder) / CHECKSUMS
    try:
        rows = [line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines()]
        listed = {name: digest for digest, name in rows}
    except (OSError, ValueError, UnicodeDecodeError):
        listed = {}
    if not listed or any(len(digest) != 64 for digest in listed.values()):
        raise InputError(
            f"{path} is missing or damaged, so that nobody can tell whether the files beside it are whole; "
            f"if you trust them, cheart verify {folder} --accept"
        )
    return listed


@dataclass(frozen=True)
class Damage:
    """What is not as it was written: files that changed, that are gone, and that nobody listed."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    foreign: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing)


def find_damage(folder: Path) -> Damage:
    """Compare a folder with its checksums.

    Raises:
        InputError: it has none.
    """
    listed, there = read_checksums(folder), set(_files(folder)) - {CHECKSUMS}
    changed = [name for name in sorted(there & set(listed)) if sha256_of(Path(folder) / name) != listed[name]]
    return Damage(tuple(changed), tuple(sorted(set(listed) - there)), tuple(sorted(there - set(listed))))


class Checked:
    """Files of a folder, each compared with its checksum before it is read for the first time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._listed = Path(folder), read_checksums(folder)
        self._seen: set[str] = set()

    def __call__(self, names: Iterable[str]) -> None:
        """Compare some files; those that are neither listed nor there are passed over.

        Raises:
            InputError: a file that changed, is gone, or is not listed.
        """
        for name in names:
            path = self.folder / name
            if name in self._seen or not (name in self._listed or path.exists()):
                continue
            if name not in self._listed or not path.is_file() or sha256_of(path) != self._listed[name]:
                what = (
                    "is gone" if not path.exists() else "is not as it was written" if name in self._listed else "is new"
                )
                raise InputError(
                    f"{path} {what}: restore it from where it came from; if the change is yours and right, "
                    f"cheart verify {self.folder} --accept"
                )
            self._seen.add(name)


def checked(folder: Path) -> Checked:
    """The :class:`Checked` files of a folder; a process compares each file once, until the list is written anew.

    Raises:
        InputError: the folder has no list.
    """
    path = Path(folder).absolute()
    try:
        written = (path / CHECKSUMS).stat().st_mtime_ns
    except OSError:
        written = 0
    return _checked(path, written)


@lru_cache(maxsize=8)
def _checked(folder: Path, written: int) -> Checked:
    return Checked(folder)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Write a file beside its place and rename it when all is well; the temporary name keeps the suffixes."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all; nan is written as null."""
    with new_file(path) as partial:
        partial.write_text(json.dumps(without_nan(value), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        InputError: the file is not there, larger than :data:`MOST_JSON`, or no JSON: NaN and a key that stands twice
            are none.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is {'a folder, and a file was expected' if path.is_dir() else 'not there'}")
    if path.stat().st_size > MOST_JSON:
        raise InputError(f"{path} has {path.stat().st_size / 1e9:.1f} GB, and at most {MOST_JSON / 1e9:g} are read")
    return parse_json(path.read_bytes(), path)


def parse_json(content: str | bytes, where: Path | str) -> Any:
    """JSON values of a text; ``where`` it stands, for messages.

    Raises:
        InputError: as :func:`read_json`.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, a number of thousands of digits, a deep nest
        raise InputError(f"{where} is not JSON: {error}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that stands twice would leave open which of the two counts."""
    whole = dict(pairs)
    if len(whole) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise ValueError(f"the key {twice!r} stands twice")
    return whole


def without_nan(value: Any) -> Any:
    """JSON has no nan: it becomes null, however deep it stands."""
    if isinstance(value, dict):
        return {k: without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(v) for v in value]
    return None if isinstance(value, float) and value != value else value


def from_file(name: str, *, what: str) -> Any:
    """What ``path/to/file.py:name`` names. The file is executed, once, as a module that this process finds again.

    Raises:
        InputError: no such file, or nothing of that name in it; ``what`` it should be is said.
    """
    file, _, attribute = name.rpartition(":")
    path = Path(file).expanduser().resolve()
    module = FILE_MODULE + hashlib.sha256(str(path).encode()).hexdigest()[:16]
    if module not in sys.modules:
        if not path.is_file():
            raise InputError(f"{what} {name!r}: there is no file {path}")
        spec = spec_from_file_location(module, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[module] = module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[module])
        except BaseException:
            del sys.modules[module]
            raise
    if not hasattr(sys.modules[module], attribute):
        raise InputError(f"{what} {name!r}: {path} has no {attribute!r}")
    return getattr(sys.modules[module], attribute)
