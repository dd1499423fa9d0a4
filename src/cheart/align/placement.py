"""Where a heart lies in its own space and where on the template grid: the way there and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.align.pose import THICK_MM, RigidTransform, is_thick
from cheart.errors import InputError
from cheart.grid import Grid, spacing_of
from cheart.labels import LV


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a heart lies in its own space and how it came into the template: the way there and back.

    Attributes:
        transform: own world mm to template mm.
        affine: 4×4, own voxel (x, y, z) to own world mm, the axes in working order: slices along Z.
        shape: own voxels (Z, Y, X) in working order.
        grid: the template grid.
        planes: the template plane of each own slice (beyond the grid: below 0 or past its end), or None where
            the volume is carried as a whole.
        order: the axes of the file, numbered 0, 1, 2 for (Z, Y, X), that became the working Z, Y and X.
        mirrored: the file's header has its third axis the wrong way round, and ``affine`` has it put right.
        shifts: mm along the template's x and y by which each own slice is moved after the transform, against
            breath-holds (:mod:`cheart.align.slices`); None where none is. Only slices with ``planes`` of their own are.
    """

    transform: RigidTransform
    affine: NDArray[np.float64]
    shape: tuple[int, int, int]
    grid: Grid
    planes: tuple[int, ...] | None
    order: tuple[int, int, int] = (0, 1, 2)
    mirrored: bool = False
    shifts: tuple[tuple[float, float], ...] | None = None

    @property
    def stored_affine(self) -> NDArray[np.float64]:
        """The affine as the file has it, its axes in the file's order and any mirroring left in."""
        affine = reorder_affine(self.affine, inverse_order(self.order))
        return mirror(affine) if self.mirrored else affine

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Own voxel size in mm along (Z, Y, X)."""
        return spacing_of(self.affine)

    @property
    def heights(self) -> NDArray[np.float64]:
        """Position of each own slice's middle along the template's z axis, as a fractional plane number [Z]."""
        middle = np.array([[(self.shape[2] - 1) / 2, (self.shape[1] - 1) / 2, k, 1.0] for k in range(self.shape[0])])
        return np.array((middle @ self.to_grid.T)[:, 2])

    @property
    def to_grid(self) -> NDArray[np.float64]:
        """4×4, own voxel (x, y, z) to template voxel (x, y, z)."""
        return np.array(np.linalg.inv(self.grid.affine) @ self.transform.matrix @ self.affine)

    @property
    def shifts_yx(self) -> NDArray[np.float64]:
        """By how many template voxels (y, x) each own slice is moved within its plane [Z, 2]."""
        shifts = np.zeros((self.shape[0], 2)) if self.shifts is None else np.array(self.shifts, float)
        return np.array(shifts[:, ::-1] / self.grid.spacing[1:])

    @property
    def rounding_mm(self) -> float:
        """The most by which a slice was moved along the axis to lie on a template plane, mm."""
        if self.planes is None:
            return 0.0
        return float(np.abs(self.heights - np.array(self.planes)).max() * self.grid.spacing[0])

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_json` reads it back. The grid is the cohort's and not repeated."""
        return {
            "world_to_template_mm": self.transform.to_json(),
            "voxel_to_world_mm": [[float(v) for v in row] for row in self.affine],
            "shape_zyx": list(self.shape),
            "planes": None if self.planes is None else list(self.planes),
            "axes_in_file": list(self.order),
            "mirrored": self.mirrored,
            "slice_shifts_mm": None if self.shifts is None else [list(shift) for shift in self.shifts],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], grid: Grid) -> Placement:
        """Read what :meth:`to_json` wrote.

        Raises:
            InputError: a matrix that has no way back, axes that are not three, or planes that are not the slices'.
        """
        affine = np.array(value["voxel_to_world_mm"], np.float64)
        matrix = np.array(value["world_to_template_mm"], np.float64)
        if min(abs(np.linalg.det(m)) for m in (affine, matrix)) < 1e-9 or sorted(value["axes_in_file"]) != [0, 1, 2]:
            raise InputError("pose: a matrix or the order of axes has no way back")
        if value["planes"] is not None and len(value["planes"]) != value["shape_zyx"][0]:
            raise InputError(f"pose: {len(value['planes'])} planes of {value['shape_zyx'][0]} slices")
        if len(value.get("slice_shifts_mm") or [None] * value["shape_zyx"][0]) != value["shape_zyx"][0]:
            raise InputError(f"pose: {len(value['slice_shifts_mm'])} shifts of {value['shape_zyx'][0]} slices")
        z, y, x = value["shape_zyx"]
        planes = None if value["planes"] is None else tuple(value["planes"])
        transform = RigidTransform.from_json(value["world_to_template_mm"])
        a, b, c = value["axes_in_file"]
        stored = value.get("slice_shifts_mm")  # cohorts before 0.2 have none
        shifts = stored and tuple((float(right), float(up)) for right, up in stored)
        return cls(transform, affine, (z, y, x), grid, planes, (a, b, c), bool(value["mirrored"]), shifts)


def working_order(labels: NDArray[np.uint8], affine: NDArray[np.floating]) -> tuple[int, int, int]:
    """The order of the axes that puts the slices along Z.

    In a thick stack the slices lie along the coarsest axis; in a dense volume Z is the axis nearest to the long
    axis of the LV.

    Args:
        labels: [Z, Y, X] canonical labels at ED, axes as the file has them.
        affine: 4×4, voxel (x, y, z) to world mm.
    """
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    if spacing.max() > THICK_MM:
        first = int(np.argmax(spacing))
    else:
        voxels = np.argwhere(labels == LV) * spacing
        long_axis = np.linalg.eigh(np.cov(voxels.T))[1][:, -1] if len(voxels) > 3 else np.array([1.0, 0, 0])
        first = int(np.argmax(np.abs(long_axis)))
    rest = [axis for axis in range(3) if axis != first]
    return first, rest[0], rest[1]


def inverse_order(order: tuple[int, int, int]) -> tuple[int, int, int]:
    """The order that undoes an order."""
    a, b, c = np.argsort(order)
    return int(a), int(b), int(c)


def reorder_affine(affine: NDArray[np.floating], order: tuple[int, int, int]) -> NDArray[np.float64]:
    """The affine after the array's axes (Z, Y, X) have been transposed to ``order``."""
    columns = [2 - axis for axis in order][::-1]  # array axis a belongs to column 2 − a
    return np.array(affine, np.float64)[:, [*columns, 3]]


def mirror(affine: NDArray[np.floating]) -> NDArray[np.float64]:
    """The affine with the file's third axis the other way round; doing it twice changes nothing."""
    return np.array(affine, np.float64) @ np.diag([1.0, 1.0, -1.0, 1.0])


def place(
    transform: RigidTransform,
    affine: NDArray[np.floating],
    shape: tuple[int, int, int],
    grid: Grid,
    *,
    order: tuple[int, int, int] = (0, 1, 2),
    mirrored: bool = False,
) -> Placement:
    """Lay a volume out on the grid.

    The slices of a thick stack, if no closer than the grid's planes, each get a plane of their own; the whole stack
    is moved along the axis by up to half a plane so that they fall on planes as exactly as they can.
    """
    own = np.array(affine, np.float64)
    placement = Placement(transform, own, shape, grid, None, order, mirrored)
    if not is_thick(own) or placement.spacing[0] < grid.spacing[0] * (1 - 1e-3):
        return placement
    shift = _best_shift(placement.heights)
    nudge = RigidTransform.from_parts(np.eye(3), (0.0, 0.0, shift * grid.spacing[0]))
    moved = Placement(nudge.after(transform), own, shape, grid, None)
    planes = tuple(int(p) for p in np.floor(moved.heights + 0.5))
    return Placement(moved.transform, own, shape, grid, planes, order, mirrored)


def _best_shift(heights: NDArray[np.floating]) -> float:
    """The shift, within ± half a plane, after which the heights lie nearest to whole numbers; of equals the least."""
    shifts = np.linspace(-0.5, 0.5, 201)
    off = heights[None] + shifts[:, None]
    off = ((off + 0.5) % 1 - 0.5) ** 2
    return float(shifts[np.argmin(off.mean(1) + 1e-3 * shifts**2)])


def fraction_cut(labels: NDArray[np.uint8], placement: Placement) -> float:
    """The fraction of a heart's volume, its labels [Z, Y, X] in its own space, outside the template grid's box."""
    xyz = np.argwhere(labels)[:, ::-1].astype(float)
    inside = placement.to_grid[:3, :3] @ xyz.T + placement.to_grid[:3, 3:]
    inside[:2] += placement.shifts_yx[xyz[:, 2].astype(int), ::-1].T
    limit = np.array(placement.grid.shape[::-1])[:, None] - 0.5
    return float(((inside < -0.5) | (inside > limit)).any(0).mean()) if len(xyz) else 0.0
