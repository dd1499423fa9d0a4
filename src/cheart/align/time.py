"""The cycle's frames: which source frames make which frame of the heart.

Frame 0 is end-diastole (ED). A complete cycle of any frame count is resampled periodically, by mixing the label
distances of the two frames next to the moment wanted (:mod:`cheart.align.resample`), never label numbers. Time is
stretched by less than half a frame so that end-systole (ES) falls on a frame and is kept as it was, not blurred.
A few labelled frames, such as ED and ES alone, stay a few: each goes to the frame nearest its moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError

ES_PHASE = 0.36
"""When ES comes, as a fraction of the cycle after ED, where only the two label maps and no times are given."""


@dataclass(frozen=True)
class Mix:
    """One frame as (1 − fraction) of source frame ``first`` and ``fraction`` of source frame ``second``."""

    first: int
    second: int
    fraction: float


@dataclass(frozen=True)
class FramePlan:
    """Where each frame of the heart comes from.

    Attributes:
        mixes: one a frame of the heart; None where nothing was labelled near it.
        es: the frame of the heart that holds ES, or None where ES is not among the source frames.
    """

    mixes: tuple[Mix | None, ...]
    es: int | None


def find_ed_es(cavity: NDArray[np.floating], *, ed: int | None = None, es: int | None = None) -> tuple[int, int]:
    """ED and ES as given, or as the frames of the largest and the least LV cavity.

    Args:
        cavity: volume of the LV cavity in each source frame, in any unit; nan where the frame is not labelled.
        ed, es: frame numbers from 0, where they are known.

    Raises:
        InputError: a number beyond the frames there are, or of a frame without labels.
    """
    for name, frame in (("ed", ed), ("es", es)):
        if frame is not None and not 0 <= frame < len(cavity):
            raise InputError(
                f"{name} {frame} is not a frame: there are {len(cavity)}, numbered 0 to {len(cavity) - 1}; "
                f"mend {name} in the table"
            )
        if frame is not None and np.isnan(cavity[frame]):
            labelled = ", ".join(map(str, np.flatnonzero(~np.isnan(cavity))))
            raise InputError(f"{name} {frame}: that frame has no labels (frames with labels: {labelled}); mend {name}")
    return (int(np.nanargmax(cavity)) if ed is None else ed, int(np.nanargmin(cavity)) if es is None else es)


def plan_frames(moments: Sequence[float], *, ed: int, es: int | None, frames: int) -> FramePlan:
    """Decide which source frames make each of ``frames`` frames, evenly spaced over the cycle, frame 0 at ED.

    Args:
        moments: when each labelled source frame was taken, as a fraction of the cycle (any origin).
        ed, es: indices into ``moments``; ``es`` None (or the same as ``ed``) where there is no ES.
        frames: T, frames of the heart.

    Raises:
        InputError: fewer than two frames wanted.
    """
    if frames < 2:
        raise InputError(f"--frames {frames}: a cycle needs at least 2 frames")
    phase = (np.asarray(moments, float) - moments[ed]) % 1.0
    es = None if es == ed else es
    es_frame = None if es is None else int(np.clip(np.floor(phase[es] * frames + 0.5), 1, frames - 1))
    if _is_complete(phase, frames):
        return FramePlan(_mix_all(phase, es, es_frame, frames), es_frame)
    return FramePlan(_place_each(phase, ed, es, es_frame, frames), es_frame)


def _is_complete(phase: NDArray[np.floating], frames: int) -> bool:
    """Whether the source frames cover the whole cycle evenly, at no less than half the wanted rate."""
    if len(phase) < max(frames / 2, 3):
        return False
    gaps = np.diff(np.append(np.sort(phase), 1.0))
    return bool(gaps.max() < 1.5 / len(phase))


def _mix_all(phase: NDArray[np.floating], es: int | None, es_frame: int | None, frames: int) -> tuple[Mix | None, ...]:
    order = np.argsort(phase)
    knots, values = [0.0, 1.0], [0.0, 1.0]
    if es is not None and es_frame is not None and phase[es] > 0:
        knots.insert(1, es_frame / frames)
        values.insert(1, float(phase[es]))
    wanted = np.interp(np.arange(frames) / frames, knots, values)
    edges = np.append(phase[order], 1.0)
    mixes = []
    for moment in wanted:
        i = int(np.clip(np.searchsorted(edges, moment + 1e-6, side="right") - 1, 0, len(order) - 1))
        fraction = max(0.0, float((moment - edges[i]) / (edges[i + 1] - edges[i])))
        first, second = int(order[i]), int(order[(i + 1) % len(order)])
        mixes.append(Mix(first, first, 0.0) if fraction < 1e-4 else Mix(first, second, fraction))
    return tuple(mixes)


def _place_each(
    phase: NDArray[np.floating], ed: int, es: int | None, es_frame: int | None, frames: int
) -> tuple[Mix | None, ...]:
    mixes: list[Mix | None] = [None] * frames
    mixes[0] = Mix(ed, ed, 0.0)
    if es is not None and es_frame is not None:
        mixes[es_frame] = Mix(es, es, 0.0)
    away = np.abs(phase * frames - np.floor(phase * frames + 0.5))
    for i in np.argsort(away):  # where two source frames fall on one frame, the nearer one has it
        frame = int(np.floor(phase[i] * frames + 0.5)) % frames
        if mixes[frame] is None and i not in (ed, es):
            mixes[frame] = Mix(int(i), int(i), 0.0)
    return tuple(mixes)
