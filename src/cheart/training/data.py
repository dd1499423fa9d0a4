"""What training reads: label maps, or their normal forms on a shape basis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.cohort import Cohort
from cheart.conditions import Encoding
from cheart.models.fields import BODIES, NARROW_MM, Array, FieldGrid, fields, labels_from_fields
from cheart.models.shape import ShapeBasis
from cheart.models.shape_network import ShapeBatch
from cheart.models.voxel import VoxelBatch
from cheart.progress import Jobs, parallel, track

BASIS_FRAMES = 600
"""Frames that a shape basis is fitted on: their fields fit into about 1 GB at the paper's grid."""

LEVEL_FRAMES = 100
"""Frames that its levels are fitted on: what a body lacks differs little from frame to frame."""

LEVEL_PROBE_MM = 0.4
"""A level near the right one; volumes are all but linear in it."""


class Data(Protocol):
    """Subjects to train on, in batches."""

    def __len__(self) -> int: ...

    def batch(self, which: NDArray[np.intp], device: torch.device) -> Any:
        """Some subjects by their place in this data."""
        ...


@dataclass(frozen=True)
class VoxelData:
    """Label maps read from the cohort's store when they are asked for."""

    cohort: Cohort
    indices: NDArray[np.intp]
    conditions: NDArray[np.float32]

    @classmethod
    def of(cls, cohort: Cohort, indices: NDArray[np.intp], encoding: Encoding) -> VoxelData:
        """The subjects of some rows of a cohort."""
        return cls(cohort, indices, encoding.encode([cohort.conditions(i) for i in indices]))

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, which: NDArray[np.intp], device: torch.device) -> VoxelBatch:
        """Labels [B, T, Z, Y, X], observed planes and conditions."""
        rows = self.indices[which]
        labels = np.stack([self.cohort.labels(int(i)) for i in rows])
        tensors = (labels, self.cohort.observed[rows], self.conditions[which])
        return VoxelBatch(*(torch.from_numpy(a).to(device) for a in tensors))


@dataclass(frozen=True)
class ShapeData:
    """Normal forms of every frame of some subjects, held in memory (see :class:`ShapeBatch`)."""

    first: Tensor
    gram: Tensor | None
    linear: Tensor
    constant: Tensor
    weight: Tensor
    conditions: Tensor

    @classmethod
    def of(
        cls, cohort: Cohort, indices: NDArray[np.intp], encoding: Encoding, basis: ShapeBasis, *, jobs: Jobs, title: str
    ) -> ShapeData:
        """The subjects of some rows of a cohort; every frame is read once."""
        if not cohort.observed[indices].all():
            basis.plane_grams  # noqa: B018  # once here, not once in every process
        work = partial(_normal_forms, cohort, basis)
        results = parallel(work, [int(i) for i in indices], jobs=jobs)
        rows = list(track(results, total=len(indices), title=title))
        first, linear, constant, weight = (
            torch.from_numpy(np.stack([row[k] for row in rows])) for k in ("first", "linear", "constant", "weight")
        )
        gram = None
        if any(row["gram"] is not None for row in rows):
            identity = np.broadcast_to(np.eye(basis.size, dtype=np.float32), (cohort.frames, basis.size, basis.size))
            gram = torch.from_numpy(np.stack([identity if r["gram"] is None else r["gram"] for r in rows]))
        conditions = encoded_conditions(cohort, indices, encoding)
        return cls(first, gram, linear, constant, weight, conditions)

    def __len__(self) -> int:
        return len(self.first)

    @property
    def whole(self) -> bool:
        """Whether every plane of every frame of every subject was observed."""
        return self.gram is None and bool((self.weight > 0).all())

    def batch(self, which: NDArray[np.intp], device: torch.device) -> ShapeBatch:
        """Normal forms and conditions."""
        rows = torch.from_numpy(which)
        gram = None if self.gram is None else self.gram[rows].to(device)
        names = ("first", "linear", "constant", "weight", "conditions")
        return ShapeBatch(gram=gram, **{n: getattr(self, n)[rows].to(device) for n in names})


def encoded_conditions(cohort: Cohort, indices: NDArray[np.intp], encoding: Encoding) -> Tensor:
    """Conditions of some rows of a cohort as a network takes them, [N, E]."""
    return torch.from_numpy(encoding.encode([cohort.conditions(int(i)) for i in indices]))


def fit_basis(cohort: Cohort, indices: NDArray[np.intp], *, modes: int, jobs: Jobs) -> ShapeBasis:
    """Principal modes of the training subjects' frames."""
    where = FieldGrid.whole(cohort.grid)
    basis = ShapeBasis.fit(sample_fields(cohort, indices, where, jobs=jobs), where, modes=modes)
    return fit_level(basis, cohort, indices, jobs=jobs)


def fit_level(basis: ShapeBasis, cohort: Cohort, indices: NDArray[np.intp], *, jobs: Jobs) -> ShapeBasis:
    """The basis with the levels at which what it makes of training frames is, on average, as large as they are."""
    observed = np.asarray(cohort.observed[indices].any(axis=2))  # [n, T]
    work = partial(_voxels_on, cohort, basis)
    items = [(int(indices[i]), frames) for i, frames in _spread(observed, LEVEL_FRAMES)]
    counted = track(parallel(work, items, jobs=jobs), total=len(items), title="Fitting its levels")
    own, low, high = np.concatenate(list(counted)).mean(axis=0)
    grown = np.maximum(high - low, 1.0)  # a body that is nowhere does not grow
    level = (LEVEL_PROBE_MM * (own - low) / grown).clip(-NARROW_MM, NARROW_MM)
    return replace(basis, level=tuple(level.tolist()))


def sample_fields(cohort: Cohort, indices: NDArray[np.intp], where: FieldGrid, *, jobs: Jobs) -> Array:
    """Fields [n, 3, z, y, x] of some frames, spread evenly over subjects and over the cycle."""
    observed = np.asarray(cohort.observed[indices].any(axis=2))  # [n, T]
    chosen = list(_spread(observed, BASIS_FRAMES))
    work = partial(_sample_fields, cohort, where)
    results = parallel(work, [(int(indices[i]), frames) for i, frames in chosen], jobs=jobs)
    data = np.empty((sum(len(f) for _, f in chosen), 3, *where.shape), np.float32)
    place = 0
    for sampled in track(results, total=len(chosen), title="Fitting the shape basis"):
        data[place : place + len(sampled)] = sampled
        place += len(sampled)
    return data


def _spread(observed: NDArray[np.bool_], most: int) -> Iterator[tuple[int, list[int]]]:
    """Observed frames of each subject, at most ``most`` in all, the choice turning from subject to subject."""
    n = len(observed)
    stride = max(1, n // most)
    each = max(1, most // n)
    for i in range(0, n, stride):
        candidates = np.flatnonzero(observed[i])
        take = min(each, len(candidates))
        steps = (np.arange(take) * len(candidates) / take + i * 7) % len(candidates)
        yield i, sorted({int(candidates[int(s)]) for s in steps})


def _sample_fields(cohort: Cohort, where: FieldGrid, item: tuple[int, list[int]]) -> Array:
    index, frames = item
    return fields(cohort.labels(index, frames), where)


def _voxels_on(cohort: Cohort, basis: ShapeBasis, item: tuple[int, list[int]]) -> NDArray[np.float64]:
    """Voxels of each body [frames, 3, 3]: of the frames, and of what the basis makes of them at two levels."""
    index, frames = item
    labels = cohort.labels(index, frames)
    made = basis.compose(basis.project(fields(labels, basis.where)))
    probes = (labels_from_fields(made - np.float32(mm), basis.where) for mm in (0.0, LEVEL_PROBE_MM))
    counts = [[np.isin(hearts, body).sum(axis=(1, 2, 3)) for body in BODIES] for hearts in (labels, *probes)]
    return np.asarray(counts, float).transpose(2, 0, 1)


def _normal_forms(cohort: Cohort, basis: ShapeBasis, index: int) -> dict[str, Any]:
    labels, observed = cohort.labels(index), cohort.observed_of(index)
    frames, size = len(labels), basis.size
    partly = observed.any(axis=1) & ~observed.all(axis=1)
    row: dict[str, Any] = {
        "linear": np.zeros((frames, size), np.float32),
        "constant": np.zeros(frames, np.float32),
        "weight": observed.any(axis=1).astype(np.float32),
        "gram": np.zeros((frames, size, size), np.float32) if partly.any() else None,
    }
    whole = np.flatnonzero(observed.all(axis=1))
    forms = dict(zip(whole.tolist(), basis.whole_forms(labels[whole]), strict=True)) if whole.size else {}
    for t in map(int, np.flatnonzero(observed.any(axis=1))):
        form = forms[t] if t in forms else basis.normal_form(labels[t], observed[t])
        row["linear"][t], row["constant"][t] = form.linear, form.constant
        if row["gram"] is not None:
            row["gram"][t] = np.eye(size) if form.gram is None else form.gram
        if t == 0:
            row["first"] = basis.estimate(form) if form.gram is None else basis.describe(labels[t], observed[t])
    return row


def in_batches(order: NDArray[np.intp], size: int) -> list[NDArray[np.intp]]:
    """Cut an order of subjects into batches; the last may be smaller."""
    return [order[i : i + size] for i in range(0, len(order), size)]
