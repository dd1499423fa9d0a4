"""Hearts as planes in their own frame: end-diastole, and by how much each distance changes from there.

    φ_0 (plane)           ≈ mean + a · anatomy modes          signed distances of the three bodies, centred on the LV
    φ_t (plane) − φ_0     ≈ m_t · motion modes

Planes of all heights share the modes (:mod:`cheart.models.heart_frame`). Only planes that were observed are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.cohort import Cohort, Split
from cheart.conditions import Encoding
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.models.fields import Array
from cheart.models.heart_frame import PLANE, HeartFrame
from cheart.models.representation import Data, Representation, SomeFrames
from cheart.models.shape_basis import is_filled
from cheart.models.volume_ranges import VolumeRanges, fit_volume_ranges
from cheart.progress import Jobs, collect

ANATOMY_MODES, MOTION_MODES = 30, 80

FURTHER_ANATOMY, FURTHER_MOTION = 30, 40
"""Modes that another cohort adds, at most."""

BASIS_PLANES = 1500
"""Planes that the modes are fitted on, at most."""

SIZE = int(np.prod(PLANE))


@dataclass(frozen=True)
class PlaneSubject:
    """One heart on P sampled planes.

    Attributes:
        anatomy: a, coefficients of end-diastole, [P, A].
        relative: height between apex and base, [P].
        below_base: mm above the base, negative below it, [P].
        size: logarithms of the volumes of LV cavity, wall and RV cavity in mL, and of the length in mm, [4].
        motion: m, [T, P, M]; 0 where nothing was observed.
        left: what the modes leave of φ_t − φ_0, the sum of squares in mm², [T, P].
        seen: planes of frames that were observed, [T, P] bool.
    """

    anatomy: Array
    relative: Array
    below_base: Array
    size: Array
    motion: Array
    left: Array
    seen: NDArray[np.bool_]


@dataclass(frozen=True)
class Described:
    """End-diastole of one heart, as completion takes it.

    Attributes:
        frame: where its planes are.
        first: φ_0 on the planes in reach, [R, 3, 50, 58].
        subject: its sampled planes, with no motion.
    """

    frame: HeartFrame
    first: Array
    subject: PlaneSubject


@dataclass(frozen=True)
class PlaneData(Data):
    """Subjects in their own frames, and their encoded conditions [N, E]."""

    subjects: tuple[PlaneSubject, ...]
    conditions: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.subjects)

    def batch(self, which: NDArray[np.intp], device: torch.device, some: SomeFrames | None = None) -> PlaneData:
        """Some subjects; always on the CPU."""
        return PlaneData(tuple(self.subjects[int(i)] for i in which), self.conditions[which])


class PlaneRepresentation(Representation):
    """Planes in the heart's own frame, on modes of anatomy and of motion.

    Args:
        grid: of label maps.
        frames: T.
        mean: of end-diastolic planes, [SIZE].
        anatomy: modes [A, SIZE], orthonormal.
        motion: modes [M, SIZE], orthonormal.
        ranges: of volumes over the cycle (:mod:`cheart.models.readout`).
    """

    name = "planes"
    linear = False

    def __init__(
        self, grid: Grid, frames: int, mean: Array, anatomy: Array, motion: Array, ranges: VolumeRanges
    ) -> None:
        super().__init__()
        self.grid, self.frames, self.ranges = grid, frames, ranges
        self.mean, self.anatomy, self.motion = mean, anatomy, motion

    @classmethod
    def fit(cls, cohort: Cohort, options: Any, *, prepared: Path | None, jobs: Jobs) -> PlaneRepresentation:
        """Principal modes of the training subjects' planes, and of what is added to them by later frames.

        Raises:
            InputError: nothing is observed after end-diastole.
        """
        ends, later = _training_planes(cohort, jobs=jobs)
        mean = ends.mean(axis=0)
        anatomy, motion = principal_axes(ends - mean, ANATOMY_MODES), principal_axes(later, MOTION_MODES)
        ranges = fit_volume_ranges(cohort, cohort.indices("train"), jobs=jobs)
        return cls(cohort.grid, cohort.frames, _half(mean), _half(anatomy), _half(motion), ranges)

    def widened(self, cohort: Cohort, *, jobs: Jobs) -> PlaneRepresentation:
        """With further modes for what the own ones leave of another cohort's planes."""
        ends, later = _training_planes(cohort, jobs=jobs)
        anatomy, motion = (
            np.concatenate([own, _half(principal_axes(_left_by(own, rows), most))])
            for own, rows, most in (
                (self.anatomy, ends - self.mean, FURTHER_ANATOMY),
                (self.motion, later, FURTHER_MOTION),
            )
        )
        ranges = self.ranges.joined(fit_volume_ranges(cohort, cohort.indices("train"), jobs=jobs))
        return PlaneRepresentation(self.grid, self.frames, self.mean, anatomy, motion, ranges)

    def to_config(self) -> dict[str, Any]:
        """See :class:`Representation`."""
        return {"name": self.name}

    def to_tensors(self) -> dict[str, Tensor]:
        """See :class:`Representation`."""
        tensors = {f"basis.{n}": torch.from_numpy(getattr(self, n)).half() for n in ("mean", "anatomy", "motion")}
        return {**tensors, **self.ranges.to_tensors()}

    @classmethod
    def read(
        cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor], grid: Grid, frames: int
    ) -> PlaneRepresentation:
        """See :class:`Representation`."""
        mean, anatomy, motion = (tensors[f"basis.{n}"].float().numpy() for n in ("mean", "anatomy", "motion"))
        return cls(grid, frames, mean, anatomy, motion, VolumeRanges.from_tensors(tensors))

    def data(self, cohort: Cohort, split: Split, encoding: Encoding, *, prepared: Path | None, jobs: Jobs) -> PlaneData:
        """All observed planes of a split's subjects."""
        indices = cohort.indices(split)
        conditions = encoding.encode([cohort.conditions(int(i)) for i in indices])
        read = partial(_read, cohort, self)
        title = f"Reading planes of {split} subjects"
        return PlaneData(tuple(collect(read, [int(i) for i in indices], jobs=jobs, title=title)), conditions)

    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Described:
        """End-diastole [Z, Y, X] by its observed planes [Z]; what is empty between them is interpolated."""
        frame = HeartFrame.of(first, observed, self.grid)
        fields = frame.sample(first[None], frame.reach)[:, 0]
        own = fields[np.searchsorted(frame.reach, frame.sampled)]
        if not is_filled(first, observed):
            weights = frame.between(frame.height[frame.reach])
            fields = np.tensordot(weights, own, axes=1).astype(np.float32)
        return Described(frame, fields, self.subject(frame, own[:, None]))

    def subject(
        self, frame: HeartFrame, planes: Array, which: list[int] | None = None, seen: NDArray[np.bool_] | None = None
    ) -> PlaneSubject:
        """A heart's sampled planes in numbers.

        Args:
            frame: of the heart.
            planes: fields [P, t, 3, 50, 58] of frames; the first is end-diastole.
            which: the frames that the others are.
            seen: planes [t, P] of the others that were observed.
        """
        ends = planes[:, 0].reshape(len(planes), -1)
        motion = np.zeros((self.frames, len(ends), len(self.motion)), np.float32)
        left = np.zeros(motion.shape[:2], np.float32)
        found = np.zeros(motion.shape[:2], bool)
        for k, t in enumerate(which or []):
            assert seen is not None
            moved = planes[:, k + 1].reshape(ends.shape) - ends
            motion[t] = moved @ self.motion.T * seen[k][:, None]
            left[t] = (np.square(moved).sum(axis=1) - np.square(motion[t]).sum(axis=1)) * seen[k]
            found[t] = seen[k]
        height = frame.height[frame.sampled]
        return PlaneSubject(
            ((ends - self.mean) @ self.anatomy.T).astype(np.float32),
            frame.relative[frame.sampled].astype(np.float32),
            (height - frame.base).astype(np.float32),
            _size(planes[:, 0], height, frame),
            motion,
            left.clip(0),
            found,
        )


REPRESENTATION = PlaneRepresentation


def _size(planes: Array, height: NDArray[np.float64], frame: HeartFrame) -> Array:
    """The size of :class:`PlaneSubject`, from fields [P, 3, 50, 58] of planes at so many mm."""
    thick = np.gradient(height) if len(height) > 1 else np.array([10.0])
    lv, epi, rv = areas_mm2(planes).T @ thick / 1000
    length = frame.base - frame.apex + float(thick.mean())
    return np.log(np.maximum([lv, epi - lv, rv, length], 1.0)).astype(np.float32)


def areas_mm2(planes: Array) -> NDArray[np.float64]:
    """Areas [P, 3] inside the surfaces of fields [P, 3, 50, 58]: the share of each sample that lies within."""
    return np.asarray(np.clip(0.5 - planes / 2.5, 0, 1).sum(axis=(2, 3), dtype=np.float64) * 2.5**2)


def principal_axes(rows: Array, most: int) -> Array:
    """The axes [K, V] along which rows [n, V] have the largest sums of squares."""
    values, vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = min(most, int((values > 1e-7 * values[0]).sum()))
    return np.asarray((vectors[:, :keep] / np.sqrt(values[:keep])).T.astype(np.float32) @ rows, np.float32)


def _left_by(modes: Array, rows: Array) -> Array:
    """What orthonormal modes [K, V] leave of rows [n, V]."""
    return np.asarray(rows - (rows @ modes.T) @ modes, np.float32)


def _half(values: Array) -> Array:
    """As a file holds them, so that training sees the same as whoever loads the model."""
    return values.astype(np.float16).astype(np.float32)


def _training_planes(cohort: Cohort, *, jobs: Jobs) -> tuple[Array, Array]:
    """End-diastolic planes of training subjects [n, SIZE], and what later frames add to planes [m, SIZE].

    Raises:
        InputError: nothing is observed after end-diastole.
    """
    indices = cohort.indices("train")
    share = max(1, len(indices) * 12 // BASIS_PLANES)
    items = [(int(i), k) for k, i in enumerate(indices[::share])]
    firsts, moved = zip(
        *collect(partial(_sampled, cohort), items, jobs=jobs, title="Fitting modes of planes"), strict=True
    )
    later = np.concatenate(moved)
    if len(later) < 3:
        raise InputError(f"{cohort.path}: fewer than 3 planes are observed after end-diastole: there is no motion")
    return np.concatenate(firsts), later


def _sampled(cohort: Cohort, item: tuple[int, int]) -> tuple[Array, Array]:
    """Rows of end-diastolic planes, and of what two later frames, which turn with the subject, add to them."""
    index, turn = item
    observed = cohort.observed_of(index)
    later = np.flatnonzero(observed[1:].any(axis=1)) + 1
    frames = sorted({int(later[(turn * 7 + k * len(later) // 2) % len(later)]) for k in range(2)} if len(later) else [])
    labels = cohort.labels(index, [0, *frames])
    frame = HeartFrame.of(labels[0], observed[0], cohort.grid)
    planes = frame.sample(labels, frame.sampled).reshape(len(frame.sampled), 1 + len(frames), -1)
    moved = [
        planes[observed[t, frame.sampled], k + 1] - planes[observed[t, frame.sampled], 0] for k, t in enumerate(frames)
    ]
    return planes[:, 0], np.concatenate([np.empty((0, SIZE), np.float32), *moved])


def _read(cohort: Cohort, representation: PlaneRepresentation, index: int) -> PlaneSubject:
    observed = cohort.observed_of(index)
    frames = [int(t) for t in np.flatnonzero(observed[1:].any(axis=1)) + 1]
    labels = cohort.labels(index, [0, *frames])
    frame = HeartFrame.of(labels[0], observed[0], cohort.grid)
    planes = frame.sample(labels, frame.sampled)
    return representation.subject(frame, planes, frames, observed[frames][:, frame.sampled])
