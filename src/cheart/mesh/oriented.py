"""Label maps turned so that surfaces can be drawn of them, and the way to the file's own world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.align.placement import reorder_affine, working_order
from cheart.align.pose import base_sense
from cheart.errors import InputError
from cheart.grid import spacing_of
from cheart.labels import LV, MYO, RV
from cheart.mesh.surface import PARTS, Surface, closed_surface
from cheart.phenotypes import count_voxels


@dataclass(frozen=True, eq=False)
class OrientedLabels:
    """Label maps ready for surfaces: slices along Z with the base at +Z, and the way to the file's own world.

    Attributes:
        labels: [T, Z, Y, X] canonical labels.
        affine: 4×4, voxel (x, y, z) to world mm.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]

    @classmethod
    def of(cls, labels: NDArray[np.uint8], affine: NDArray[np.floating]) -> OrientedLabels:
        """Turn the axes of label maps [T, Z, Y, X] so that slices lie along Z and the base is up; no resampling.

        Raises:
            InputError: the first frame lacks one of the three structures.
        """
        absent = [name for name, number in (("LV cavity", LV), ("myocardium", MYO), ("RV cavity", RV))
                  if not (labels[0] == number).any()]  # fmt: skip
        if absent:
            raise InputError(f"the first frame has no {' and no '.join(absent)}; name the right scheme with --scheme")
        order = working_order(labels[0], affine)
        labels = labels.transpose(0, *(axis + 1 for axis in order))
        affine = reorder_affine(affine, order)
        points = {number: np.argwhere(labels[0] == number)[:, :1].astype(float) for number in (LV, MYO, RV)}
        if base_sense(points, np.array([1.0])) < 0:
            affine = affine.copy()
            affine[:3, 3] += affine[:3, 2] * (labels.shape[1] - 1)
            affine[:3, 2] *= -1
            labels = labels[:, ::-1]
        return cls(np.ascontiguousarray(labels), affine)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along (Z, Y, X)."""
        return spacing_of(self.affine)

    @property
    def frames(self) -> list[int]:
        """The frames that hold every structure."""
        return [t for t, frame in enumerate(self.labels) if all((frame == number).any() for number in (LV, MYO, RV))]

    def surface(self, frame: int, part: str, resolution_mm: float) -> Surface:
        """One surface, still in mm along the voxel axes."""
        return closed_surface(self.labels[frame], self.spacing, part, resolution_mm=resolution_mm)

    def voxel_ml(self, frame: int, part: str) -> float:
        """Volume of the voxels that the part encloses, mL."""
        counts = count_voxels(self.labels[frame]).sum(axis=0)
        return float(sum(counts[number - 1] for number in PARTS[part]) * np.prod(self.spacing) / 1000)

    def to_world(self, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points […, 3] in mm along the voxel axes to world mm."""
        axes = self.affine[:3, :3] / np.array(self.spacing[::-1])
        return np.asarray(vertices @ axes.T + self.affine[:3, 3])

    @property
    def mirrored(self) -> bool:
        """Whether the voxel axes are left-handed in the world."""
        return bool(np.linalg.det(self.affine[:3, :3]) < 0)
