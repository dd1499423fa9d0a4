"""A few simulated hearts on the paper's grid, and a network on their shape basis, for the benchmarks to work on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cheart.cohort import Cohort
from cheart.conditions import Encoding
from cheart.grid import GRIDS
from cheart.models.base import Setting
from cheart.models.cheart import CHeart
from cheart.models.voxel import VoxelBatch
from cheart.simulation.cohort import simulate
from cheart.training.data import ShapeData, VoxelData, fit_basis
from cheart.training.linear_start import start_linear
from cheart.training.options import TrainingOptions, resolve

SUBJECTS = 8
"""Seven or six of them, with 20 frames each, are enough for the laptop preset's 96 modes."""


@dataclass(frozen=True)
class FewHearts:
    """The cohort, and how its conditions are encoded."""

    cohort: Cohort
    encoding: Encoding

    @classmethod
    def simulate(cls, folder: Path) -> FewHearts:
        """Into a new folder."""
        cohort = simulate(folder, n=SUBJECTS, seed=0, jobs=1)
        people = [cohort.conditions(int(i)) for i in cohort.indices("train")]
        return cls(cohort, Encoding.fit(cohort.schema, people, age_decades=True))

    @property
    def setting(self) -> Setting:
        """Grid, frames and encoding."""
        return Setting(self.cohort.grid, self.cohort.frames, self.encoding)

    def voxels(self, subjects: int) -> VoxelBatch:
        """Label maps of the first subjects, whatever their split."""
        data = VoxelData.of(self.cohort, np.arange(SUBJECTS), self.encoding)
        return data.batch(np.arange(subjects), torch.device("cpu"))

    def laptop(self) -> tuple[CHeart, ShapeData, TrainingOptions]:
        """The laptop preset's network at its linear start, what it trains on, and how."""
        training, options = resolve("cheart", "laptop", ())
        indices = np.arange(SUBJECTS)
        basis = fit_basis(self.cohort, indices, modes=options.modes, jobs=1)
        data = ShapeData.of(self.cohort, indices, self.encoding, basis, jobs=1, title="")
        network = CHeart(self.setting, options, basis)
        start_linear(network, data)
        return network, data, training


def made_up_batch(subjects: int, frames: int = 20) -> VoxelBatch:
    """Concentric bodies on the paper's grid: enough where only time and memory matter."""
    grid = GRIDS["paper"]
    z, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    away = np.sqrt(x**2 + y**2 + (z / 1.6) ** 2)
    sizes = 1 + 0.1 * np.cos(2 * np.pi * np.arange(frames) / frames)
    beat = np.stack([sum((away < s * mm).astype(np.uint8) for mm in (25, 35, 50)) for s in sizes])
    labels = torch.from_numpy(beat)[None].repeat(subjects, 1, 1, 1, 1)
    observed = torch.ones(subjects, frames, grid.shape[0], dtype=torch.bool)
    return VoxelBatch(labels, observed, torch.zeros(subjects, 17))
