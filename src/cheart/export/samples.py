"""A heart as a sample for training another network: what a clinic would see of it, and the whole of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cheart.cohort import Split
from cheart.heart import Heart


@dataclass(frozen=True, eq=False)
class Sample:
    """One heart to be written.

    Attributes:
        name: such as ``sub-001``.
        split: what it is for.
        seen: the heart as it was imaged (:func:`cheart.simulation.acquisition.acquire`).
        whole: the same heart, every plane and frame of it.
    """

    name: str
    split: Split
    seen: Heart
    whole: Heart

    @property
    def cases(self) -> dict[str, int]:
        """A case for each imaged frame: its name, such as ``sub-001_t07``, and the frame."""
        return {f"{self.name}_t{frame:02d}": int(frame) for frame in self.seen.observed_frames}


@dataclass(frozen=True)
class Case:
    """A case that was written, as a dataset's list needs it."""

    name: str
    subject: str
    split: Split


def make_folders(folder: Path, *names: str) -> None:
    """Make subfolders where they are not there."""
    for name in names:
        (folder / name).mkdir(exist_ok=True)
