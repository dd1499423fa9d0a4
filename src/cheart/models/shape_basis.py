"""A linear basis of heart shapes: the principal modes of soft signed distances (:mod:`cheart.models.fields`).

In such fields, smooth anatomy is nearly linear: a few dozen principal modes hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import prod
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int, UInt8
from numpy.typing import NDArray
from torch import Tensor

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.models.fields import BODIES, LIMIT_MM, NARROW_MM, Array, FieldGrid, fields, on_label_grid
from cheart.models.readout import read_out, refuse_not_finite
from cheart.models.volume_ranges import SIMULATED, VolumeRanges, fit_volume_ranges
from cheart.progress import Jobs, parallel, track
from cheart.schemas import MOST_MODES

MOST_NUMBERS = 2**30
"""Numbers that all modes of a basis may have together: 4 GB."""

BASIS_FRAMES = 600
"""Frames that a shape basis is fitted on: their fields fit into about 1 GB at the paper's grid."""

OFFSET_FRAMES = 100
"""Frames that its iso-offsets are fitted on: what a body lacks differs little from frame to frame."""

OFFSET_PROBE_MM = 0.4
"""An offset near the right one; volumes are all but linear in it."""


@dataclass(frozen=True)
class ShapeBasis:
    """Mean and principal modes of the fields of many frames.

    Attributes:
        where: where the fields are sampled.
        mean: in mm.
        modes: orthonormal.
        sd: standard deviation of each coefficient over the training frames, in mm (times √voxels).
        residual_variance: in mm², of what the modes leave of a field, a voxel.
        explained: fraction of the fields' variance that the modes hold.
        iso_offset: mm, of each body: it is where its field is below this offset. Blur, sampling and the missing modes
            round edges, so that at an offset of 0 every body is a few mL too small, by nearly as much in all hearts.
        ranges: of volumes over the cycle (:mod:`cheart.models.readout`).
    """

    where: FieldGrid
    mean: Float[np.ndarray, "3 z y x"]
    modes: Float[np.ndarray, "K 3 z y x"]
    sd: Float[np.ndarray, " K"]
    residual_variance: float
    explained: float
    iso_offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ranges: VolumeRanges = SIMULATED

    @classmethod
    def fit(cls, data: Float32[np.ndarray, "n 3 z y x"], where: FieldGrid, *, modes: int) -> ShapeBasis:
        """Principal component analysis of fields sampled on the whole box, by the frames' Gram matrix.

        At most so many modes are kept, on the box where fields vary.

        Raises:
            InputError: fewer frames than it takes.
        """
        if len(data) < 3:
            raise InputError(f"{len(data)} training frames: a shape basis needs at least 3")
        where = _alive_box(data, where)
        data = np.ascontiguousarray(data[:, :, *_slices(where)])
        shape = data.shape[1:]
        flat = data.reshape(len(data), -1)
        mean = flat.mean(axis=0)
        flat -= mean
        basis, values, left = _principal(flat, modes)
        total = float(values.sum()) + left
        return cls(
            where,
            mean.reshape(shape),
            basis.reshape(-1, *shape),
            np.sqrt(values / (len(data) - 1)).astype(np.float32),
            residual_variance=left / (len(data) - 1) / flat.shape[1],
            explained=1 - left / total,
        )

    def extended(self, data: Float32[np.ndarray, "n 3 z y x"], whole: FieldGrid, modes: int) -> ShapeBasis:
        """This basis with further modes, for what it leaves of other hearts; its own modes stay first, as they are.

        Where the others' coefficients of these spread more, that is what is expected from now on.
        """
        other = _alive_box(data, whole)
        start, stop = np.minimum(self.where.start, other.start), np.maximum(self.where.stop, other.stop)
        where = FieldGrid(whole.grid, whole.factor, _triple(start), _triple(stop))
        margin = [(a - b, d - c) for a, b, c, d in zip(self.where.start, start, self.where.stop, stop, strict=True)]
        mean = np.pad(self.mean, [(0, 0), *margin], constant_values=LIMIT_MM)
        old = np.pad(self.modes, [(0, 0), (0, 0), *margin]).reshape(self.size, -1)
        flat = (data[:, :, *_slices(where)] - mean).reshape(len(data), -1)
        along = flat @ old.T
        flat -= along @ old
        basis, values, left = _principal(flat, modes)
        spread = np.maximum(self.sd, np.sqrt(np.square(along).mean(axis=0)))
        return ShapeBasis(
            where,
            mean,
            np.concatenate([old, basis]).reshape(-1, *mean.shape),
            np.concatenate([spread, np.sqrt(values / (len(data) - 1)).astype(np.float32)]),
            residual_variance=max(self.residual_variance, left / (len(data) - 1) / flat.shape[1]),
            explained=self.explained,
            iso_offset=self.iso_offset,
            ranges=self.ranges,
        )

    def to_json(self) -> dict[str, Any]:
        """What a basis is beside its tensors, as plain JSON values."""
        names = ("residual_variance", "explained", "iso_offset")
        return {"where": self.where.to_json(), **{name: getattr(self, name) for name in names}}

    def to_tensors(self) -> dict[str, Tensor]:
        """A basis as a file holds it."""
        modes = torch.from_numpy(self.modes).to(torch.float16)
        others = {f"basis.{n}": torch.from_numpy(np.asarray(getattr(self, n), np.float32)) for n in ("mean", "sd")}
        return {"basis.modes": modes, **others, **self.ranges.to_tensors()}

    @classmethod
    def from_tensors(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> ShapeBasis:
        """Read back what :meth:`to_json` and :meth:`to_tensors` gave.

        Raises:
            InputError: tensors that are not there, or are not of that sampling.
        """
        where, offset = FieldGrid.from_json(config["where"]), three_numbers(config["iso_offset"])
        modes_held = tensors.get("basis.modes", torch.empty(0))
        refuse_sizes(len(modes_held), where)
        for name, shape in (
            ("mean", (3, *where.shape)),
            ("modes", (len(modes_held), 3, *where.shape)),
            ("sd", (len(modes_held),)),
        ):
            if f"basis.{name}" not in tensors or tuple(tensors[f"basis.{name}"].shape) != shape:
                raise InputError(f"the shape basis has no {name} of shape {shape}")
        mean, modes, sd = (
            tensors[f"basis.{name}"].to(torch.float32).numpy().astype(np.float32) for name in ("mean", "modes", "sd")
        )
        refuse_spread(sd)
        left, held = float(config["residual_variance"]), float(config["explained"])
        return cls(where, mean, modes, sd, left, held, offset, VolumeRanges.from_tensors(tensors))

    @property
    def size(self) -> int:
        """K, the number of modes."""
        return len(self.modes)

    def project(self, sampled: Float32[np.ndarray, "T 3 z y x"]) -> Float32[np.ndarray, "T K"]:
        """Coefficients of fields."""
        flat = (sampled - self.mean).reshape(len(sampled), -1)
        return np.asarray(flat @ self.modes.reshape(self.size, -1).T, np.float32)

    def compose(self, coefficients: Float[np.ndarray, "T K"]) -> Float32[np.ndarray, "T 3 z y x"]:
        """Fields of coefficients."""
        flat = coefficients.astype(np.float32) @ self.modes.reshape(self.size, -1)
        return np.asarray(flat.reshape(-1, *self.mean.shape) + self.mean, np.float32)

    def labels(self, coefficients: Float[np.ndarray, "T K"]) -> UInt8[np.ndarray, "T Z Y X"]:
        """Label maps of one beat's coefficients (:mod:`cheart.models.readout`)."""
        refuse_not_finite(bool(np.isfinite(coefficients).all()))
        offset = np.asarray(self.iso_offset, np.float32)[:, None, None, None]
        made = (on_label_grid(frame, self.where) for frame in self.compose(coefficients) - offset)
        return read_out(made, self.where.grid, ranges=self.ranges)

    def normal_form(self, labels: UInt8[np.ndarray, "Z Y X"], observed: Bool[np.ndarray, " Z"]) -> NormalForm:
        """The squared distance of a frame's observed planes from any coefficients, as a quadratic form."""
        if observed.all():
            return self.whole_forms(labels[None])[0]
        weights = self._to_planes(np.flatnonzero(observed))  # [P, z]
        sampled = fields(labels[None], self.where, planes=slice(None))[0][:, observed]  # [3, P, y, x]
        rest = sampled - np.einsum("pz,kzyx->kpyx", weights, self.mean)
        spread = np.einsum("pz,kpyx->kzyx", weights, rest)
        linear = self.modes.reshape(self.size, -1) @ spread.reshape(-1)
        products = weights.T @ weights  # [z, z]: an observed plane lies between two neighbours at most
        same, above = self.plane_grams
        gram = np.tensordot(np.diagonal(products), same, 1)
        across = np.tensordot(np.diagonal(products, 1), above, 1)
        # one observed plane stands for the coarse planes that a fully observed frame would count
        scale = np.float32(1 / self.where.factor[0])
        gram = scale * (gram + across + across.T)
        return NormalForm(gram, scale * linear, float(scale * np.square(rest).sum(dtype=np.float64)))

    @cached_property
    def plane_grams(self) -> tuple[Array, Array]:
        """Products of the modes on each plane of the box with themselves, [z, K, K], and with the next, [z - 1, K, K].

        Of these every partly observed frame's Gram matrix is a weighted sum. They take as long as a few frames
        would without them; read them before handing a basis to other processes.
        """
        planes = np.ascontiguousarray(self.modes.transpose(2, 0, 1, 3, 4)).reshape(self.where.shape[0], self.size, -1)
        return planes @ planes.transpose(0, 2, 1), planes[:-1] @ planes[1:].transpose(0, 2, 1)

    def whole_forms(self, labels: UInt8[np.ndarray, "T Z Y X"]) -> list[NormalForm]:
        """The :meth:`normal_form` of fully observed frames, together: the modes are read once for all."""
        sampled = fields(labels, self.where)
        squares = np.square(sampled - self.mean).sum(axis=(1, 2, 3, 4), dtype=np.float64)
        linear = self.project(sampled)
        return [NormalForm(None, b, float(c)) for b, c in zip(linear, squares, strict=True)]

    def _to_planes(self, planes: Int[np.ndarray, " P"]) -> Float32[np.ndarray, "P z"]:
        """Linear interpolation from the box's coarse planes to planes of the label grid."""
        place = (planes + 0.5) / self.where.factor[0] - 0.5 - self.where.start[0]
        place = place.clip(0, self.where.shape[0] - 1)
        low = np.floor(place).astype(int).clip(0, max(self.where.shape[0] - 2, 0))
        weights = np.zeros((len(planes), self.where.shape[0]), np.float32)
        rows = np.arange(len(planes))
        weights[rows, low] = 1 - (place - low)
        if self.where.shape[0] > 1:
            weights[rows, low + 1] = place - low
        return weights

    def estimate(self, form: NormalForm) -> Float32[np.ndarray, " K"]:
        """The most probable coefficients given what was observed (the modes' own variances as the prior)."""
        return self.most_probable(form.gram, form.linear).astype(np.float32)

    def describe(
        self, labels: UInt8[np.ndarray, "Z Y X"], observed: Bool[np.ndarray, " Z"]
    ) -> Float32[np.ndarray, " K"]:
        """The coefficients of a frame as an encoder is given it.

        A thick stack counts as the importer filled it: where its slices end tells of the heart as well, and the same
        slices are missing from the frames that follow. Where nothing was filled in, observed planes alone count.
        """
        if observed.all() or is_filled(labels, observed):
            return self.estimate(self.whole_forms(labels[None])[0])
        return self.estimate(self.normal_form(labels, observed))

    def most_probable(
        self, gram: Float[np.ndarray, "K K"] | None, linear: Float[np.ndarray, " K"]
    ) -> Float64[np.ndarray, " K"]:
        """:meth:`estimate` of a normal form's G, or None, and b."""
        prior = self.residual_variance / np.square(self.sd, dtype=np.float64)
        if gram is None:
            return linear / (1 + prior)
        return np.asarray(np.linalg.solve(gram + np.diag(prior), linear.astype(np.float64)), np.float64)


def refuse_sizes(modes: int, where: FieldGrid) -> None:
    """Refuse a basis that is none, or that no memory holds.

    Raises:
        InputError: no modes, more than :data:`cheart.schemas.MOST_MODES`, or too many numbers in all.
    """
    if not 1 <= modes <= MOST_MODES or modes * len(BODIES) * prod(where.shape) > MOST_NUMBERS:
        raise InputError(f"the shape basis has {modes} modes on {where.shape}: expected 1 to {MOST_MODES}")


def refuse_spread(sd: Array) -> None:
    """Refuse standard deviations [K] of modes that none has.

    Raises:
        InputError: one that is not a positive number.
    """
    if not (np.isfinite(sd) & (sd > 0)).all():
        raise InputError("the shape basis has modes whose standard deviation is not positive")


def three_numbers(values: Sequence[float | int]) -> tuple[float, float, float]:
    """Of JSON, which may leave out a point."""
    a, b, c = map(float, values)
    return a, b, c


def is_filled(labels: NDArray[np.uint8], observed: NDArray[np.bool_]) -> bool:
    """Whether planes between observed ones of a heart [Z, Y, X] hold something."""
    heart = np.flatnonzero(observed & labels.any(axis=(1, 2)))
    if not heart.size:
        return False
    between = slice(heart[0], heart[-1] + 1)
    gaps = ~observed[between]
    return not gaps.any() or bool(labels[between][gaps].any())


def _principal(flat: Array, modes: int) -> tuple[Array, NDArray[np.float64], float]:
    """Principal axes [K, V] of rows [n, V], their sums of squares [K], and the sum of squares that they leave."""
    values, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    keep = min(modes, int((values > values[0] * 1e-6).sum()), len(flat) - 1)
    axes = (vectors[:, :keep] / np.sqrt(values[:keep])).T.astype(np.float32) @ flat
    left = max(float(values[keep:].sum()), 1e-6 * float(values.sum()))
    # half precision is what a model stores: training sees the same modes as whoever loads it
    return axes.astype(np.float16).astype(np.float32), values[:keep], left


def _alive_box(data: Array, whole: FieldGrid) -> FieldGrid:
    """The part of the whole box where fields [n, 3, z, y, x] are not saturated throughout."""
    alive = (np.abs(data) < np.float32(LIMIT_MM)).any(axis=(0, 1))
    spans = [(int(a.min()), int(a.max()) + 1) for a in np.nonzero(alive)]
    return FieldGrid(whole.grid, whole.factor, _triple([a for a, _ in spans]), _triple([b for _, b in spans]))


def _slices(where: FieldGrid) -> tuple[slice, slice, slice]:
    z, y, x = (slice(a, b) for a, b in zip(where.start, where.stop, strict=True))
    return z, y, x


def _triple(values: Any) -> tuple[int, int, int]:
    z, y, x = (int(v) for v in values)
    return z, y, x


@dataclass(frozen=True)
class NormalForm:
    """aᵀ G a − 2 bᵀ a + c: the squared distance (mm²) between observed fields and those of coefficients a.

    Attributes:
        gram: G, or None for the identity (everything observed).
        linear: b.
        constant: c.
    """

    gram: Float[np.ndarray, "K K"] | None
    linear: Float[np.ndarray, " K"]
    constant: float


def fit_basis(cohort: Cohort, indices: NDArray[np.intp], *, modes: int, jobs: Jobs) -> ShapeBasis:
    """Principal modes of the training subjects' frames."""
    where = FieldGrid.whole(cohort.grid)
    basis = ShapeBasis.fit(sample_fields(cohort, indices, where, jobs=jobs), where, modes=modes)
    basis = replace(basis, ranges=fit_volume_ranges(cohort, indices, jobs=jobs))
    return fit_iso_offset(basis, cohort, indices, jobs=jobs)


def extend_basis(basis: ShapeBasis, cohort: Cohort, indices: NDArray[np.intp], *, modes: int, jobs: Jobs) -> ShapeBasis:
    """A basis with further modes, at most so many, for what it lacks of some subjects."""
    where = FieldGrid.whole(cohort.grid)
    extended = basis.extended(sample_fields(cohort, indices, where, jobs=jobs), where, modes)
    extended = replace(extended, ranges=extended.ranges.joined(fit_volume_ranges(cohort, indices, jobs=jobs)))
    return fit_iso_offset(extended, cohort, indices, jobs=jobs)


def fit_iso_offset(basis: ShapeBasis, cohort: Cohort, indices: NDArray[np.intp], *, jobs: Jobs) -> ShapeBasis:
    """The basis with the iso-offsets at which what it makes of training frames is, on average, as large as they are."""
    observed = np.asarray(cohort.observed[indices].any(axis=2))  # [n, T]
    work = partial(_voxels_of, cohort, basis)
    items = [(int(indices[i]), frames) for i, frames in _spread(observed, OFFSET_FRAMES)]
    counted = track(parallel(work, items, jobs=jobs), total=len(items), title="Fitting its iso-offsets")
    own, low, high = np.concatenate(list(counted)).mean(axis=0)
    grown = np.maximum(high - low, 1.0)  # a body that is nowhere does not grow
    offset = (OFFSET_PROBE_MM * (own - low) / grown).clip(-NARROW_MM, NARROW_MM)
    return replace(basis, iso_offset=tuple(offset.tolist()))


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


def _voxels_of(cohort: Cohort, basis: ShapeBasis, item: tuple[int, list[int]]) -> NDArray[np.float64]:
    """Voxels of each body [frames, 3, 3]: of the frames, and of what the basis makes of them at two iso-offsets."""
    index, frames = item
    labels = cohort.labels(index, frames)
    made = basis.compose(basis.project(fields(labels, basis.where)))
    probes = (
        read_out((on_label_grid(frame - np.float32(mm), basis.where) for frame in made), basis.where.grid, beat=False)
        for mm in (0.0, OFFSET_PROBE_MM)
    )
    counts = [[np.isin(hearts, body).sum(axis=(1, 2, 3)) for body in BODIES] for hearts in (labels, *probes)]
    return np.asarray(counts, float).transpose(2, 0, 1)
