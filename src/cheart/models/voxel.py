"""Hearts as label maps on voxels, as the paper has them: convolutions from and to them, cross-entropy between them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.cohort import Cohort, Split
from cheart.conditions import Encoding
from cheart.grid import Grid
from cheart.models.blocks import block_cross_entropy, from_blocks
from cheart.models.chunks import sum_in_chunks
from cheart.models.process_group import group_min, local_batch, local_weight
from cheart.models.representation import Data, Representation
from cheart.models.voxel_network import (
    LABELS,
    BeatDecoder,
    FrameDecoder,
    VoxelCritic,
    VoxelEncoder,
    masked_cross_entropy,
    one_hot,
)
from cheart.progress import Jobs, track

CPU_VOLUMES = 5
"""Frames of one subject that a CPU decodes at once: more are slower, since they leave the processor's cache."""

BYTES_PER_VOXEL = 100
"""Memory of a GPU's training step, a voxel of the frames that are decoded at once: logits, slopes and copies."""

GPU_FRACTION = 0.5
"""Of a GPU's memory, what labels may take; the paper's 968 training subjects are 20 GB as they are, a byte a voxel."""


@dataclass(frozen=True)
class VoxelBatch:
    """Label maps of a few subjects.

    Attributes:
        labels: [B, T, Z, Y, X] uint8.
        observed: [B, T, Z] bool.
        conditions: [B, E] float32, encoded.
    """

    labels: Tensor
    observed: Tensor
    conditions: Tensor


@dataclass(frozen=True)
class VoxelData(Data):
    """Label maps read from the cohort's store when they are asked for."""

    cohort: Cohort
    indices: NDArray[np.intp]
    conditions: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, which: NDArray[np.intp], device: torch.device) -> VoxelBatch:
        """Labels [B, T, Z, Y, X], observed planes and conditions."""
        rows = self.indices[which]
        labels = np.stack([self.cohort.labels(int(i)) for i in rows])
        tensors = (labels, self.cohort.observed[rows], self.conditions[which])
        return VoxelBatch(*(torch.from_numpy(a).to(device) for a in tensors))

    def near(self, device: torch.device) -> Data:
        """On a GPU where the labels fit: laid there, so that no step waits for the store or for a copy."""
        if device.type != "cuda":
            return self
        total = torch.cuda.get_device_properties(device).total_memory
        free = GPU_FRACTION * total - torch.cuda.memory_allocated(device)
        if len(self) * self.cohort.frames * math.prod(self.cohort.grid.shape) > free:
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

    def batch(self, which: NDArray[np.intp], device: torch.device) -> VoxelBatch:
        """As :meth:`VoxelData.batch`."""
        rows = torch.from_numpy(which).to(device)
        subjects = self.subjects
        chosen = [t.to(device)[rows] for t in (subjects.labels, subjects.observed, subjects.conditions)]
        return VoxelBatch(*chosen)


class VoxelRepresentation(Representation):
    """Hearts as label maps on a grid. Predictions are label logits, beats label probabilities [B, T, 4, Z, Y, X].

    Args:
        grid: the voxels.
        frames: T.
    """

    name = "voxel"
    linear = False

    def __init__(self, grid: Grid, frames: int) -> None:
        super().__init__()
        self.grid, self.frames = grid, frames

    @classmethod
    def fit(cls, cohort: Cohort, options: Any, *, prepared: Path | None, jobs: Jobs) -> VoxelRepresentation:
        """Nothing is learned."""
        return cls(cohort.grid, cohort.frames)

    def to_config(self) -> dict[str, Any]:
        """See :class:`Representation`."""
        return {"name": self.name}

    @classmethod
    def read(
        cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor], grid: Grid, frames: int
    ) -> VoxelRepresentation:
        """See :class:`Representation`."""
        return cls(grid, frames)

    def data(self, cohort: Cohort, split: Split, encoding: Encoding, *, prepared: Path | None, jobs: Jobs) -> VoxelData:
        """Label maps, read when they are asked for."""
        indices = cohort.indices(split)
        return VoxelData(cohort, indices, encoding.encode([cohort.conditions(int(i)) for i in indices]))

    def first(self, batch: VoxelBatch) -> Tensor:
        """End-diastole [B, Z, Y, X]."""
        return batch.labels[:, 0]

    def describe(self, first: NDArray[np.uint8], observed: NDArray[np.bool_]) -> Tensor:
        """End-diastole [1, Z, Y, X]; unobserved planes count as they stand."""
        return torch.from_numpy(first)[None]

    def labels(self, prediction: Tensor) -> NDArray[np.uint8]:
        """The most probable labels [T, Z, Y, X] of one beat."""
        return prediction[0].argmax(dim=1).to(torch.uint8).cpu().numpy()

    # -- networks --------------------------------------------------------------------------------------------------

    def make_encoder(self, latent: int, embedding: int, options: Any) -> VoxelEncoder:
        """The paper's encoder of one frame, conditions as constant channels."""
        return VoxelEncoder(self.grid.shape, latent, embedding)

    def make_frame_decoder(self, size: int, options: Any) -> FrameDecoder:
        """The paper's decoder."""
        return FrameDecoder(self.grid.shape, size)

    def make_beat_decoder(self, size: int, options: Any) -> BeatDecoder:
        """Frames as channels; ``options.width`` of them in the last hidden layer."""
        return BeatDecoder(self.grid.shape, self.frames, size, width=options.width)

    def make_critic(self, out: int, options: Any, *, conditions: int = 0) -> VoxelCritic:
        """Frames as channels; ``options.width`` of them in the first layer."""
        return VoxelCritic(self.grid.shape, self.frames, out=out, width=options.width, conditions=conditions)

    def compile_decoder(self, decoder: Any) -> None:
        """See :class:`Representation`."""
        decoder.make_blocks = compiled(decoder.blocks)

    # -- likelihood ------------------------------------------------------------------------------------------------

    def reconstruction(self, prediction: Tensor, batch: VoxelBatch) -> Tensor:
        """Cross-entropy over the observed planes, [B]."""
        return masked_cross_entropy(prediction, batch.labels, batch.observed)

    def frame_reconstruction(self, decoder: Any, latents: Tensor, batch: VoxelBatch) -> Tensor:
        """The first term of Eq. 8 for latents [B, T, size], [B], in the memory of a few frames."""
        weight = plane_weights(batch)
        parts = [
            _cross_entropy(decoder, latents[:, c], batch.labels[:, c], weight[:, c]) for c in self._chunks(latents)
        ]
        return torch.stack(parts).sum(dim=0)

    def mean_frame_reconstruction(self, decoder: Any, latents: Tensor, batch: VoxelBatch) -> Tensor:
        """The mean of :meth:`frame_reconstruction` over the batch, with gradients in the memory of a few frames."""
        # gradients meet those of other processes within a term, where each must count as it will
        part = local_weight()
        weight = plane_weights(batch) / len(latents) * part

        def term(some: Tensor, frames: slice) -> Tensor:
            return _cross_entropy(decoder, some, batch.labels[:, frames], weight[:, frames]).sum()

        return sum_in_chunks(term, latents, tuple(decoder.parameters()), self._chunks(latents)) / part

    def frame_labels(self, decoder: Any, latents: Tensor) -> NDArray[np.uint8]:
        """Latents of one heart [1, T, size] to label maps [T, Z, Y, X]."""
        chunks = self._chunks(latents)
        found = [decoder.blocks(latents[:, c]).unflatten(1, (LABELS, -1)).argmax(dim=1) for c in chunks]
        return from_blocks(torch.cat(found).to(torch.uint8))[:, 0].cpu().numpy()

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

    def real(self, batch: VoxelBatch) -> Tensor:
        """Label probabilities of real beats, nothing on planes that were not observed."""
        probabilities = one_hot(batch.labels.flatten(0, 1), batch.conditions.dtype)
        return _seen(probabilities.unflatten(0, (-1, batch.labels.shape[1])), batch)

    def predicted(self, prediction: Tensor, batch: VoxelBatch) -> Tensor:
        """Label probabilities of predicted beats."""
        return _seen(prediction.softmax(dim=2), batch)

    def outcome(self, beat: Tensor) -> Tensor:
        """Volumes in mL of the three structures in all frames, [B, T·3], per root mean square."""
        volumes = beat[:, :, 1:].sum(dim=(3, 4, 5)).flatten(1) * (math.prod(self.grid.spacing) / 1000)
        return volumes / volumes.shape[1] ** 0.5


REPRESENTATION = VoxelRepresentation


def plane_weights(batch: VoxelBatch) -> Tensor:
    """What each voxel of a plane counts in the loss, [B, T, Z]: see :func:`masked_cross_entropy`."""
    seen = batch.observed.to(batch.conditions.dtype)
    frames, plane = batch.labels.shape[1], batch.labels.shape[3] * batch.labels.shape[4]
    return seen * (frames / plane / seen.sum(dim=(1, 2), keepdim=True).clamp(min=1))


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


def _seen(beat: Tensor, batch: VoxelBatch) -> Tensor:
    """A beat [B, T, 4, Z, Y, X] with nothing on the planes that were not observed of the real one."""
    return beat * batch.observed[:, :, None, :, None, None]


def _cross_entropy(decoder: FrameDecoder, latents: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    """Weighted cross-entropy of some frames: latents [B, t, size], labels [B, t, Z, Y, X], weight [B, t, Z]; [B]."""
    logits = decoder.make_blocks(latents)
    loss = block_cross_entropy(logits, labels.flatten(0, 1), weight.flatten(0, 1))
    return loss.unflatten(0, (len(latents), -1)).sum(dim=1)
