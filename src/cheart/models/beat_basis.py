"""Few numbers for what a beat does in time: periodic curves that are 0 at end-diastole.

Where whole cycles are observed, the curves are the principal ones of the training hearts. Where only end-systole is,
there is one: it rises to 1 at the first end-systole of the cohort, stays there until the last, and falls back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.models.planes import PlaneSubject

Wide = NDArray[np.float64]

KEPT = 0.999
"""Share of the motion that the curves hold."""


def fit_curves(subjects: tuple[PlaneSubject, ...], most: int) -> Wide:
    """Curves [J, T], J ≤ ``most``, orthonormal where whole cycles are observed."""
    frames = len(subjects[0].seen)
    later = [s for s in subjects if s.seen[1:].any()]
    whole = [s for s in later if s.seen[1:].all()]
    if 2 * len(whole) >= len(later):
        gram = sum((s.motion.reshape(frames, -1).astype(np.float64) @ s.motion.reshape(frames, -1).T for s in whole), 0)
        values, vectors = np.linalg.eigh(np.asarray(gram))
        values, vectors = values[::-1].clip(0), vectors[:, ::-1]
        enough = int(np.searchsorted(np.cumsum(values) / values.sum(), KEPT)) + 1
        return np.asarray(vectors[:, : min(most, enough)].T)
    peaks = [int(np.flatnonzero(s.seen[1:].any(axis=1))[-1]) + 1 for s in later]
    return plateau(frames, min(peaks), max(peaks))[None]


def plateau(frames: int, start: int, stop: int) -> Wide:
    """A curve [T] from 0 up to 1 at ``start``, down from ``stop`` to 0 at the end of the cycle, by half cosines."""
    t = np.arange(frames, dtype=float)
    up, down = t / start, (frames - t) / (frames - stop)
    return np.asarray((1 - np.cos(np.pi * np.minimum(np.minimum(up, down), 1))) / 2)


def numbers(subject: PlaneSubject, curves: Wide, sd: Wide | None = None) -> tuple[Wide, NDArray[np.bool_]]:
    """The numbers [P, J, M] of a subject's planes by least squares over the frames seen, and which planes have any.

    Args:
        subject: of which planes of frames were observed.
        curves: [J, T].
        sd: standard deviation of each curve's number, [J]. Where fewer frames were observed than there are curves, the
            numbers are the most probable ones: at end-systole alone, a beat that is larger or smaller as a whole.
    """
    planes = subject.seen.shape[1]
    sd = np.ones(len(curves)) if sd is None else sd
    out = np.zeros((planes, len(curves), subject.motion.shape[2]))
    for p in range(planes):
        seen = subject.seen[:, p]
        if seen.any():
            weighted = (curves[:, seen] * sd[:, None]).T
            out[p] = sd[:, None] * np.linalg.lstsq(weighted, subject.motion[seen, p].astype(np.float64), rcond=None)[0]
    return out, np.asarray(subject.seen.any(axis=0))
