"""Hearts as label maps on voxels, as the paper has them: convolutions from and to them, cross-entropy between them."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from cheart.cohort import Cohort, Split
from cheart.conditions import Encoding
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.models.blocks import BLOCK, Box, block_cross_entropy, box_around, put_blocks, union, whole_box
from cheart.models.chunks import sum_in_chunks
from cheart.models.fields import BODIES, around, as_slices
from cheart.models.process_group import group_min, local_batch, local_weight
from cheart.models.readout import read_out, refuse_not_finite
from cheart.models.representation import Data, NetworkRepresentation, SomeFrames
from cheart.models.volume_ranges import SIMULATED, VolumeRanges, fit_volume_ranges
from cheart.models.voxel_network import LABELS, BeatDecoder, FrameDecoder, VoxelCritic, VoxelEncoder, one_hot
from cheart.progress import Jobs, parallel, track
from cheart.schemas import VoxelJson, check

CPU_VOLUMES = 5
"""Frames of one subject that a CPU decodes at once: more are slower, since they leave the processor's cache."""

BYTES_PER_VOXEL = 100
"""Memory of a GPU's training step, a voxel of the frames that are decoded at once: logits, slopes and copies."""

RESIDENT_FRACTION = 0.5
"""Of a GPU's memory, or of what a computer has free, what labels may take (the paper's 968 hearts: 20 GB)."""

BOX_MARGIN = 2
"""Voxels around the training subjects' hearts in which a network may still make one."""


@dataclass(frozen=True)
class VoxelBatch:
    """Label maps of a few subjects.

    Attributes:
        labels: of all frames; of some, with end-diastole before them.
        observed: of all frames.
        conditions: encoded.
        some: the frames that labels are of; None for all.
    """

    labels: UInt8[Tensor, "B t Z Y X"]
    observed: Bool[Tensor, "B T Z"]
    conditions: Float[Tensor, "B E"]
    some: SomeFrames | None = None

    @property
    def first(self) -> UInt8[Tensor, "B Z Y X"]:
        """End-diastole."""
        return self.labels[:, 0]

    @property
    def shown(self) -> UInt8[Tensor, "B t Z Y X"]:
        """The frames that the loss is of: some, or all."""
        return self.labels if self.some is None else self.labels[:, 1:]

    @property
    def which(self) -> Int[Tensor, " t"]:
        """Which frames those are."""
        return self.some.which if self.some else torch.arange(self.labels.shape[1], device=self.labels.device)


@dataclass(frozen=True)
class VoxelData(Data):
    """Label maps read from the cohort's store when they are asked for."""

    cohort: Cohort
    indices: NDArray[np.intp]
    conditions: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, which: NDArray[np.intp], device: torch.device, some: SomeFrames | None = None) -> VoxelBatch:
        """Label maps of all frames, or of end-diastole and some frames."""
        rows = self.indices[which]
        frames = None if some is None else [0, *some.which.tolist()]
        read = np.stack([self.cohort.labels(int(i), frames) for i in rows])
        arrays = (read, self.cohort.observed[rows], self.conditions[which])
        labels, observed, conditions = (torch.from_numpy(a).to(device) for a in arrays)
        return VoxelBatch(labels, observed, conditions, some and some.to(device))

    def near(self, device: torch.device) -> Data:
        """Where the labels fit: laid in the device's memory, so that no step waits for the store or for a copy."""
        if len(self) * self.cohort.frames * math.prod(self.cohort.grid.shape) > _room(device):
            return self
        return ResidentVoxels.of(self, device)


@dataclass(frozen=True)
class ResidentVoxels(Data):
    """Everything that :class:`VoxelData` reads from the store, on one device."""

    subjects: VoxelBatch

    @classmethod
    def of(cls, data: VoxelData, device: torch.device) -> ResidentVoxels:
        """Read all subjects once."""
        first = data.batch(np.arange(1), device)
        labels = first.labels.new_empty((len(data), *first.labels.shape[1:]))
        for i in track(range(len(data)), total=len(data), title=f"Reading label maps onto {device}"):
            labels[i] = data.batch(np.array([i]), device).labels[0]
        observed = torch.from_numpy(data.cohort.observed[data.indices]).to(device)
        return cls(VoxelBatch(labels, observed, torch.from_numpy(data.conditions).to(device)))

    def __len__(self) -> int:
        return len(self.subjects.labels)

    def batch(self, which: NDArray[np.intp], device: torch.device, some: SomeFrames | None = None) -> VoxelBatch:
        """As :meth:`VoxelData.batch`."""
        rows, some = torch.from_numpy(which).to(device), some and some.to(device)
        labels, observed, conditions = (
            t.to(device) for t in (self.subjects.labels, self.subjects.observed, self.subjects.conditions)
        )
        read = labels[rows] if some is None else labels[rows[:, None], F.pad(some.which, (1, 0))]
        return VoxelBatch(read, observed[rows], conditions[rows], some)


class VoxelRepresentation(NetworkRepresentation):
    """Hearts as label maps on a grid. Beats are label probabilities [B, t, 4, Z, Y, X].

    Predictions are label logits as a last layer makes them, in blocks (:mod:`cheart.models.blocks`),
    [B, t, 4·8, z, y, x]. They are of all frames or of those that a batch shows.

    Args:
        grid, frames: the voxels, and T.
        box: the blocks in which hearts are made, background elsewhere; None for all.
        ranges: of volumes over the cycle (:mod:`cheart.models.readout`).
    """

    name = "voxel"
    linear = False
    threads = None

    def __init__(self, grid: Grid, frames: int, box: Box | None = None, ranges: VolumeRanges = SIMULATED) -> None:
        super().__init__()
        self.grid, self.frames, self.ranges = grid, frames, ranges
        self.box: Box = whole_box(grid.shape) if box is None else box

    @classmethod
    def fit(cls, cohort: Cohort, options: Any, *, prepared: Path | None, jobs: Jobs) -> VoxelRepresentation:
        """With ``options.box``, hearts are made where those of the training subjects are."""
        box = heart_box(cohort, jobs=jobs) if getattr(options, "box", False) else None
        return cls(cohort.grid, cohort.frames, box, fit_volume_ranges(cohort, cohort.indices("train"), jobs=jobs))

    def widened(self, cohort: Cohort, *, jobs: Jobs) -> VoxelRepresentation:
        """With a box that holds another cohort's hearts too."""
        whole = self.box == whole_box(self.grid.shape)
        box = self.box if whole else union(self.box, heart_box(cohort, jobs=jobs))
        ranges = self.ranges.joined(fit_volume_ranges(cohort, cohort.indices("train"), jobs=jobs))
        return VoxelRepresentation(self.grid, self.frames, box, ranges)

    def to_config(self) -> dict[str, Any]:
        """See :class:`Representation`."""
        return {"name": self.name, "box": self.box, "ranges": asdict(self.ranges)}

    @classmethod
    def read(
        cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor], grid: Grid, frames: int
    ) -> VoxelRepresentation:
        """See :class:`Representation`."""
        known = check(config, VoxelJson, "representation")
        box, ranges = known.get("box"), {n: (low, high) for n, (low, high) in (known.get("ranges") or {}).items()}
        if box and any(not 0 <= a < b <= end for (a, b), (_, end) in zip(box, whole_box(grid.shape), strict=True)):
            raise InputError(f"box {box} is not within the blocks {whole_box(grid.shape)} of the grid")
        return cls(grid, frames, box and [(first, end) for first, end in box], VolumeRanges(**ranges))

    def data(self, cohort: Cohort, split: Split, encoding: Encoding, *, prepared: Path | None, jobs: Jobs) -> VoxelData:
        """Label maps, read when they are asked for."""
        indices = cohort.indices(split)
        return VoxelData(cohort, indices, encoding.encode([cohort.conditions(int(i)) for i in indices]))

    def first(self, batch: VoxelBatch) -> UInt8[Tensor, "B Z Y X"]:
        """End-diastole."""
        return batch.first

    def describe(self, first: UInt8[np.ndarray, "Z Y X"], observed: Bool[np.ndarray, " Z"]) -> UInt8[Tensor, "1 Z Y X"]:
        """End-diastole; unobserved planes count as they stand."""
        return torch.from_numpy(first)[None]

    def labels(self, prediction: Float[Tensor, "1 T 32 z y x"]) -> UInt8[np.ndarray, "T Z Y X"]:
        """The most probable labels [T, Z, Y, X] of one beat that can be a heart's (:mod:`cheart.models.readout`)."""
        refuse_not_finite(bool(prediction.isfinite().all()))
        return read_out(map(self._bodies, prediction[0].detach()), self.grid, ranges=self.ranges)

    def _bodies(self, frame: Tensor) -> tuple[NDArray[np.float32], tuple[slice, slice, slice]]:
        """By how much logits [4·8, z, y, x] speak against each body, and the box of the grid that they need."""
        background, lv, myo, rv = frame.unflatten(0, (LABELS, BLOCK))
        outside, inside = torch.maximum(background, rv), torch.maximum(lv, myo)
        against = (torch.maximum(outside, myo) - lv, outside - inside, torch.maximum(background, inside) - rv)
        nowhere = frame.new_full((1, len(BODIES), *self.grid.shape), torch.inf)
        made = put_blocks(torch.cat(against)[None], self.box, nowhere)[0].cpu().numpy()
        needed = around(np.any(made < 0, axis=0))
        box = as_slices(np.zeros((3, 2), int) if needed is None else needed)
        return made[(slice(None), *box)], box

    # -- networks --------------------------------------------------------------------------------------------------

    def make_encoder(self, latent: int, embedding: int, options: Any) -> VoxelEncoder:
        """The paper's encoder of one frame, conditions as constant channels."""
        return VoxelEncoder(self.grid.shape, latent, embedding)

    def make_frame_decoder(self, size: int, options: Any) -> FrameDecoder:
        """The paper's decoder."""
        norm = getattr(options, "norm", "batch")
        return FrameDecoder(self.grid.shape, self.frames, size, norm=norm, box=self.box)

    def make_beat_decoder(self, size: int, options: Any) -> BeatDecoder:
        """Frames as channels; ``options.width`` of them in the last hidden layer."""
        return BeatDecoder(self.grid.shape, self.frames, size, width=options.width, box=self.box)

    def make_critic(self, out: int, options: Any, *, conditions: int = 0) -> VoxelCritic:
        """Frames as channels; ``options.width`` of them in the first layer."""
        how = {"out": out, "width": options.width, "conditions": conditions, "spectral": not options.penalty}
        return VoxelCritic(self.grid.shape, self.frames, **how)

    def compile_decoder(self, decoder: Any) -> None:
        """See :class:`Representation`."""
        decoder.make_blocks = compiled(decoder.blocks)

    def predict(
        self, decoder: Any, latent: Float[Tensor, "B size"], batch: VoxelBatch | None
    ) -> Float[Tensor, "B t 32 z y x"]:
        """See :class:`Representation`; only the channels of the frames that the batch shows are made."""
        prediction: Tensor = decoder(latent, None if batch is None or batch.some is None else batch.some.which)
        return prediction

    # -- likelihood ------------------------------------------------------------------------------------------------

    def reconstruction(self, prediction: Float[Tensor, "B t 32 z y x"], batch: VoxelBatch) -> Float[Tensor, " B"]:
        """Cross-entropy over the observed planes (:func:`cheart.models.voxel_network.masked_cross_entropy`)."""
        labels, weight = batch.shown.flatten(0, 1), plane_weights(batch).flatten(0, 1)
        loss = block_cross_entropy(prediction.flatten(0, 1), labels, weight, self.box)
        return loss.unflatten(0, (len(prediction), -1)).sum(dim=1)

    def frame_reconstruction(
        self, decoder: Any, latents: Float[Tensor, "B T size"], batch: VoxelBatch
    ) -> Float[Tensor, " B"]:
        """The first term of Eq. 8, in the memory of a few frames."""
        shown, weight = latents[:, batch.which], plane_weights(batch)
        parts = [_cross_entropy(decoder, shown[:, c], batch, weight, c) for c in self._chunks(shown)]
        return torch.stack(parts).sum(dim=0)

    def mean_frame_reconstruction(
        self, decoder: Any, latents: Float[Tensor, "B T size"], batch: VoxelBatch
    ) -> Float[Tensor, ""]:
        """The mean of :meth:`frame_reconstruction` over the batch, with gradients in the memory of a few frames."""
        # gradients meet those of other processes within a term, where each must count as it will
        part = local_weight()
        shown, weight = latents[:, batch.which], plane_weights(batch) / len(latents) * part

        def term(some: Tensor, chunk: slice) -> Tensor:
            return _cross_entropy(decoder, some, batch, weight, chunk).sum()

        return sum_in_chunks(term, shown, tuple(decoder.parameters()), self._chunks(shown)) / part

    def frame_labels(self, decoder: Any, latents: Float[Tensor, "1 T size"]) -> UInt8[np.ndarray, "T Z Y X"]:
        """Latents of one heart to its label maps."""
        which = torch.arange(latents.shape[1], device=latents.device)
        made = [decoder.blocks(latents[:, c], which[c]) for c in self._chunks(latents)]
        return self.labels(torch.cat(made)[None])

    def _chunks(self, latents: Tensor) -> list[slice]:
        """Frames that are decoded together; always those of the whole batch, whose statistics they share."""
        here = local_batch()
        each = max(1, self._volumes_at_once(latents.device) // (len(latents) if here is None else here.most))
        return [slice(t, t + each) for t in range(0, latents.shape[1], each)]

    def _volumes_at_once(self, device: torch.device) -> int:
        if device.type != "cuda":
            return CPU_VOLUMES
        free = torch.cuda.get_device_properties(device).total_memory - torch.cuda.memory_allocated(device)
        return group_min(int(0.5 * free / (math.prod(self.grid.shape) * BYTES_PER_VOXEL)), device)

    # -- beats -----------------------------------------------------------------------------------------------------

    def real(self, batch: VoxelBatch) -> Float[Tensor, "B t 4 Z Y X"]:
        """Label probabilities of real beats, nothing on planes that were not observed."""
        probabilities = one_hot(batch.shown.flatten(0, 1), batch.conditions.dtype)
        return _seen(probabilities.unflatten(0, (-1, len(batch.which))), batch)

    def predicted(self, prediction: Float[Tensor, "B t 32 z y x"], batch: VoxelBatch) -> Float[Tensor, "B t 4 Z Y X"]:
        """Label probabilities of predicted beats; background around the box."""
        inside = prediction.flatten(0, 1).unflatten(1, (LABELS, BLOCK)).softmax(dim=1).flatten(1, 2)
        around = inside.new_zeros(len(inside), LABELS, *self.grid.shape)
        around[:, 0] = 1
        return _seen(put_blocks(inside, self.box, around).unflatten(0, (len(prediction), -1)), batch)

    def judge(
        self,
        critic: Any,
        beat: Float[Tensor, "B t 4 Z Y X"],
        batch: VoxelBatch,
        conditions: Float[Tensor, "B E"] | None = None,
    ) -> tuple[Float[Tensor, "B out"], Float[Tensor, "B F"]]:
        """See :class:`Representation`."""
        numbers, features = critic(beat, conditions, batch.some and batch.some.which)
        return numbers, features

    def outcome(self, beat: Float[Tensor, "B t 4 Z Y X"]) -> Float[Tensor, "B t*3"]:
        """Volumes in mL of the three structures in all frames, per root mean square."""
        volumes = beat[:, :, 1:].sum(dim=(3, 4, 5)).flatten(1) * (math.prod(self.grid.spacing) / 1000)
        return volumes / volumes.shape[1] ** 0.5


REPRESENTATION = VoxelRepresentation


def plane_weights(batch: VoxelBatch) -> Float[Tensor, "B t Z"]:
    """What each voxel of a plane counts in the loss.

    See :func:`cheart.models.voxel_network.masked_cross_entropy`; of some frames, each counts as much more as it stands
    for further frames.
    """
    seen = batch.observed.to(batch.conditions.dtype)
    frames, plane = seen.shape[1], batch.labels.shape[3] * batch.labels.shape[4]
    weight = seen * (frames / plane / seen.sum(dim=(1, 2), keepdim=True).clamp(min=1))
    return weight if batch.some is None else weight[:, batch.some.which] * batch.some.weight


def heart_box(cohort: Cohort, *, jobs: Jobs) -> Box:
    """The blocks of voxels where the training subjects' hearts are in any frame, and a margin."""
    indices = [int(i) for i in cohort.indices("train")]
    occupied = np.zeros(cohort.grid.shape, bool)
    found = parallel(partial(_occupied, cohort), indices, jobs=jobs)
    for heart in track(found, total=len(indices), title="Finding where hearts are"):
        occupied |= heart
    return box_around(torch.from_numpy(occupied), BOX_MARGIN)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """torch.compile, at the first call; without a working compiler the function itself, with a warning."""
    fast = torch.compile(function)

    def call(*args: Any) -> Any:
        nonlocal fast
        if fast is function:
            return function(*args)
        try:
            return fast(*args)
        except torch._dynamo.exc.TorchDynamoException as error:  # no C++ or Triton compiler, or one that fails
            what = str(error).strip().splitlines()[0]
            warnings.warn(f"nothing is compiled, training goes on without ({what})", RuntimeWarning, stacklevel=2)
            fast = function
            return function(*args)

    return call


def _occupied(cohort: Cohort, index: int) -> NDArray[np.bool_]:
    return np.asarray((cohort.labels(index) > 0).any(axis=0))


def _room(device: torch.device) -> float:
    """Bytes that labels may take on a device; none where that cannot be told."""
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        return RESIDENT_FRACTION * total - torch.cuda.memory_allocated(device)
    if device.type != "cpu" or "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return 0.0
    return RESIDENT_FRACTION * os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _seen(beat: Float[Tensor, "B t 4 Z Y X"], batch: VoxelBatch) -> Float[Tensor, "B t 4 Z Y X"]:
    """A beat with nothing on the planes that were not observed of the real one."""
    return beat * batch.observed[:, batch.which, None, :, None, None]


def _cross_entropy(
    decoder: FrameDecoder,
    latents: Float[Tensor, "B c size"],
    batch: VoxelBatch,
    weight: Float[Tensor, "B t Z"],
    chunk: slice,
) -> Float[Tensor, " B"]:
    """Weighted cross-entropy of a chunk of the frames that a batch shows."""
    logits = decoder.make_blocks(latents, batch.which[chunk])
    labels, planes = batch.shown[:, chunk].flatten(0, 1), weight[:, chunk].flatten(0, 1)
    loss = block_cross_entropy(logits, labels, planes, decoder.box)
    return loss.unflatten(0, (len(latents), -1)).sum(dim=1)
