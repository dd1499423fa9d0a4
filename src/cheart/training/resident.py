"""Label maps that lie on the GPU that trains on them, so that no step waits for the store or for a copy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.models.voxel import VoxelBatch
from cheart.progress import track
from cheart.training.data import Data, VoxelData

SHARE = 0.5
"""Of a GPU's memory, what labels may take; the paper's 968 training subjects are 20 GB as they are, a byte a voxel."""


@dataclass(frozen=True)
class ResidentVoxels:
    """Everything that :class:`VoxelData` reads from the store, on one device."""

    everyone: VoxelBatch

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
        return len(self.everyone.labels)

    def batch(self, which: NDArray[np.intp], device: torch.device) -> VoxelBatch:
        """As :meth:`VoxelData.batch`."""
        rows = torch.from_numpy(which).to(device)

        def chosen(tensor: Tensor) -> Tensor:
            return tensor.to(device)[rows]

        return VoxelBatch(
            chosen(self.everyone.labels), chosen(self.everyone.observed), chosen(self.everyone.conditions)
        )


def brought_near(data: Data, device: torch.device) -> Data:
    """The data for training on a device: on a GPU, label maps are laid there if they fit; the rest stays as it is."""
    if device.type != "cuda" or not isinstance(data, VoxelData):
        return data
    total = torch.cuda.get_device_properties(device).total_memory
    room = SHARE * total - torch.cuda.memory_allocated(device)
    grid = data.cohort.grid.shape
    if len(data) * data.cohort.frames * grid[0] * grid[1] * grid[2] > room:
        return data
    return ResidentVoxels.of(data, device)
