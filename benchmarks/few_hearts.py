"""A few simulated hearts on the paper's grid, and a network on their shape basis, for the benchmarks to work on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cheart.cohort import Cohort
from cheart.conditions import Encoding
from cheart.grid import GRIDS
from cheart.models.base import Setting
from cheart.models.cheart import CHeart
from cheart.models.shape import ShapeData, ShapeRepresentation, read_normal_forms
from cheart.models.shape_basis import ShapeBasis, fit_basis
from cheart.models.voxel import VoxelBatch, VoxelData
from cheart.simulation.cohort import simulate
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
        people = [self.cohort.conditions(i) for i in range(SUBJECTS)]
        data = VoxelData(self.cohort, np.arange(SUBJECTS), self.encoding.encode(people))
        return data.batch(np.arange(subjects), torch.device("cpu"))

    def laptop(self) -> tuple[CHeart, ShapeData, TrainingOptions]:
        """The laptop preset's network at its linear start, what it trains on, and how."""
        training, options = resolve("cheart", "laptop", ())
        indices = np.arange(SUBJECTS)
        basis = fit_basis(self.cohort, indices, modes=options.modes, jobs=1)
        data = self.on(basis, indices)
        network = CHeart(self.setting, options, ShapeRepresentation(basis, self.cohort.frames))
        network.initialise(data)
        return network, data, training

    def on(self, basis: ShapeBasis, indices: NDArray[np.intp]) -> ShapeData:
        """Some subjects read into normal forms on a basis."""
        forms = read_normal_forms(self.cohort, indices, basis, "some", jobs=1)
        return ShapeData.of(forms, self.cohort, indices, self.encoding)


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
