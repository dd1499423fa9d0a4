"""What is done already, of which inputs, and in what time: ``steps.json``.

A step is done when its outputs are there and were made of inputs with the same fingerprint.
The time that a step took adds up over the runs that were stopped on the way.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cheart._version import __version__
from cheart.files import read_json, write_json

STEPS = "steps.json"

Tell = Callable[[str], None]
"""Says something to whoever waits."""


def fingerprint(value: Any) -> str:
    """SHA-256 of plain JSON values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def file_fingerprint(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Ledger:
    """The steps of one folder.

    Attributes:
        out: the folder.
        expected: all steps in order, and what share of the whole work each is thought to be.
        tell: says which step begins.
        entries: what ``steps.json`` says, by step.
    """

    out: Path
    expected: Mapping[str, float]
    tell: Tell
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    _worked: float = 0.0
    _seconds: float = 0.0

    def __post_init__(self) -> None:
        path = self.out / STEPS
        self.entries = read_json(path) if path.is_file() else {}

    def done(self, name: str, inputs: Mapping[str, Any], outputs: Sequence[Path]) -> bool:
        """Whether a step's outputs are there, whole, and of these inputs."""
        entry = self.entries.get(name, {})
        same = entry.get("finished", False) and entry["inputs"] == fingerprint(inputs)
        return same and all(path.exists() for path in outputs)

    def do(self, name: str, inputs: Mapping[str, Any], outputs: Sequence[Path], work: Callable[[], None]) -> None:
        """Do a step, unless it is done."""
        if self.done(name, inputs, outputs):
            return
        self.tell(self._heading(name))
        with self._clock(name, fingerprint(inputs)):
            work()

    @contextmanager
    def _clock(self, name: str, inputs: str) -> Iterator[None]:
        before = self.entries.get(name, {})
        spent = before["seconds"] if before.get("inputs") == inputs and not before["finished"] else 0.0
        start, finished = time.perf_counter(), False
        self._write(name, inputs, spent, finished=False)
        try:
            yield
            finished = True
        finally:
            seconds = time.perf_counter() - start
            self._write(name, inputs, spent + seconds, finished=finished)
        self._worked += self.expected.get(name, 0.0)
        self._seconds += seconds

    def _write(self, name: str, inputs: str, seconds: float, *, finished: bool) -> None:
        self.entries[name] = {
            "inputs": inputs,
            "finished": finished,
            "seconds": round(seconds, 2),
            "cheart": __version__,
        }
        write_json(self.out / STEPS, self.entries)

    def _heading(self, name: str) -> str:
        names = list(self.expected)
        place = names.index(name)
        text = f"step {place + 1} of {len(names)}: {name}"
        if self._worked:
            left = sum(self.expected[n] for n in names[place:]) * self._seconds / self._worked
            text += f"   (about {in_words(left)} left in all)"
        return text


def in_words(seconds: float) -> str:
    """A duration: 8 s, 12 min, 5.3 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
