"""Faults of files, and what is to come of them: a refusal in a sentence, or what comes without the fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cheart import files
from cheart.errors import InputError

Outcome = Any
"""What a reader gave, in a form that can be compared; or None where it refused."""


@contextmanager
def replaced(path: Path, content: bytes | None) -> Iterator[None]:
    """A file with other content, or without the file (None); afterwards it is as it was."""
    before = path.read_bytes()
    try:
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        files._checked.cache_clear()
        yield
    finally:
        path.write_bytes(before)
        files._checked.cache_clear()


def flipped(content: bytes, part: float, bit: int) -> bytes:
    """With one bit the other way round: of the byte that lies at a part of the whole."""
    changed = bytearray(content)
    changed[min(int(part * len(content)), len(content) - 1)] ^= 1 << bit
    return bytes(changed)


def outcome_of(read: Callable[[], Outcome]) -> Outcome:
    """What a reader gives; None where it refuses in a message that a person can read. Anything else is a failure."""
    try:
        return read()
    except InputError as error:
        said = str(error)
        assert said, "a refusal says why"
        assert "Traceback" not in said
        assert len(said) < 2000
        return None


def leaves(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The ways to all values in JSON, the objects and lists themselves included."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*way, key)
        yield from leaves(item, (*way, key))


GONE = object()
"""In place of a value: take it out."""

VALUES: tuple[Any, ...] = (
    GONE, None, True, "", "x", "../../etc/passwd", -1, 0, 0.5, 3, 10**6, 10**18, -1e300, [], [0], [[]], {}, {"a": 1},
)  # fmt: skip
"""What may stand in a value's place."""


def changed(value: Any, way: tuple[str | int, ...], new: Any) -> Any:
    """JSON with another value at the end of a way."""
    whole = json.loads(json.dumps(value))
    place = whole
    for step in way[:-1]:
        place = place[step]
    if new is GONE:
        del place[way[-1]]
    else:
        place[way[-1]] = new
    return whole


def some(count: int, of: list[Any]) -> list[Any]:
    """So many of a list, evenly."""
    return of if len(of) <= count else [of[int(i * len(of) / count)] for i in range(count)]
