"""Files and folders that are either whole or not there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from cheart.errors import InputError

FILE_MODULE = "cheart_file_"
"""What the names of modules begin with that were executed by :func:`from_file`."""


@contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Write a folder beside its place and rename it when all is well.

    Yields a temporary folder; when the block ends it becomes ``path``, when it fails (or on Ctrl-C) it is
    removed and nothing else has changed.

    Raises:
        InputError: ``path`` exists and ``overwrite`` is false, or it exists and is not a folder of ours.
    """
    path = Path(path)
    refuse_existing(path, overwrite=overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        if path.exists():
            shutil.rmtree(path)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def refuse_existing(path: Path, *, overwrite: bool, file: bool = False) -> None:
    """Refuse to write a folder (or a ``file``) over what is there, before any work is done.

    Raises:
        InputError: ``path`` holds something and ``overwrite`` is false, or a file is in a folder's place or the
            other way round.
    """
    if not file and path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; choose another place, or replace it with overwrite (--overwrite)")
    if path.exists() and path.is_dir() == file:
        is_there, wanted = ("folder", "file") if file else ("file", "folder")
        raise InputError(f"{path} is a {is_there}; a {wanted} is to be written there: choose another place")


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
        InputError: the file is not there or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is not there") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None


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
    module = FILE_MODULE + sha256(str(path).encode()).hexdigest()[:16]
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
