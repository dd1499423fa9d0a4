"""What is done already, of which inputs, and in what time: ``steps.json``.

A step is done when its outputs are there and were made of inputs with the same fingerprint.
The time that a step took adds up over the runs that were stopped on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cheart._version import __version__
from cheart.files import read_json, sha256_of_json, write_json
from cheart.schemas import StepJson, check_each

STEPS = "steps.json"

Tell = Callable[[str], None]
"""Says something to whoever waits."""


@dataclass(frozen=True)
class Step:
    """Something to be done once.

    Attributes:
        name: what is done.
        cost: how long it is thought to take; only ratios matter.
        inputs: plain JSON values that it depends on; asked for when its turn comes.
        outputs: files that are there when it is done.
        work: does it.
    """

    name: str
    cost: float
    inputs: Callable[[], Mapping[str, Any]]
    outputs: Sequence[Path]
    work: Callable[[], None]


class StepCache:
    """The steps of one folder.

    Attributes:
        entries: what ``steps.json`` says, by step.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / STEPS
        self.entries: dict[str, dict[str, Any]] = {}
        if self._path.is_file():
            mend = "delete it, and what it lists is done anew"
            self.entries = check_each(read_json(self._path), StepJson, self._path, mend=mend)

    def run(self, steps: Sequence[Step], tell: Tell) -> None:
        """Do the steps that are not done, one after the other, and tell which begins."""
        done = seconds = 0.0
        for place, step in enumerate(steps):
            inputs = sha256_of_json(step.inputs())
            if self._is_done(step, inputs):
                continue
            heading = f"step {place + 1} of {len(steps)}: {step.name}"
            if done:
                left = sum(s.cost for s in steps[place:]) * seconds / done
                heading += f"   (about {in_words(left)} left in all)"
            tell(heading)
            start = time.perf_counter()
            with self._clock(step.name, inputs):
                step.work()
            done, seconds = done + step.cost, seconds + time.perf_counter() - start

    def _is_done(self, step: Step, inputs: str) -> bool:
        """Whether a step's outputs are there, whole, and of these inputs."""
        entry = self.entries.get(step.name, {})
        same = entry.get("finished", False) and entry["inputs"] == inputs
        return same and all(path.exists() for path in step.outputs)

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
            self._write(name, inputs, spent + time.perf_counter() - start, finished=finished)

    def _write(self, name: str, inputs: str, seconds: float, *, finished: bool) -> None:
        self.entries[name] = {
            "inputs": inputs,
            "finished": finished,
            "seconds": round(seconds, 2),
            "cheart": __version__,
        }
        write_json(self._path, self.entries)


def in_words(seconds: float) -> str:
    """A duration: 8 s, 12 min, 5.3 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
