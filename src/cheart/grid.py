"""The voxel grid of the template space, as a value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.schemas import MOST_FRAMES

MOST_VOXELS = 100_000_000
"""Voxels that a grid may have: 576 × 576 × 300."""

MOST_OF_A_HEART = 2_000_000_000
"""Voxels that all frames of a heart may have together, a byte each."""


@dataclass(frozen=True)
class Grid:
    """A regular grid centred on the template's origin.

    The template space is right-handed and in mm: +z along the left-ventricular long axis towards the base,
    +x from the left to the right ventricle, the origin in the middle of the grid.

    >>> grid = Grid(shape=(32, 64, 64), spacing=(4.0, 2.5, 2.5))
    >>> grid.name, grid.voxel_ml
    ('half', 0.025)
    >>> grid.affine[:3, 3]  # the middle of voxel (0, 0, 0)
    array([-78.75, -78.75, -62.  ])

    Attributes:
        shape: voxels as (Z, Y, X), the order of the arrays.
        spacing: voxel size in mm as (Z, Y, X).

    Raises:
        InputError: a shape or a spacing that is not three positive numbers.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]

    def __post_init__(self) -> None:
        shape, spacing = tuple(self.shape), tuple(self.spacing)
        if len(shape) != 3 or any(int(n) != n or n < 1 for n in shape):
            raise InputError(f"grid shape {shape} is not three positive whole numbers (Z, Y, X)")
        if len(spacing) != 3 or not all(np.isfinite(s) and s > 0 for s in spacing):
            raise InputError(f"grid spacing {spacing} is not three positive numbers (Z, Y, X) in mm")
        if prod(int(n) for n in shape) > MOST_VOXELS:
            raise InputError(f"grid shape {shape} has more than {MOST_VOXELS:,} voxels: choose a coarser one")
        object.__setattr__(self, "shape", tuple(int(n) for n in shape))
        object.__setattr__(self, "spacing", tuple(float(s) for s in spacing))

    @classmethod
    def parse(cls, text: str | Grid) -> Grid:
        """Read ``paper``, ``half``, ``quarter`` or ``128x128x64@1.25x1.25x2`` (X×Y×Z voxels @ mm).

        A grid comes back as it is.

        >>> Grid.parse("paper").shape
        (64, 128, 128)
        >>> Grid.parse("96x96x48@1.7x1.7x2.5").spacing
        (2.5, 1.7, 1.7)

        Raises:
            InputError: no such name, or another form.
        """
        if isinstance(text, Grid):
            return text
        if text in GRIDS:
            return GRIDS[text]
        number = r"(\d+(?:\.\d+)?)"
        match = re.fullmatch(rf"(\d+)x(\d+)x(\d+)@{number}x{number}x{number}", text.replace("×", "x"))
        if match is None:
            raise InputError(
                f"grid {text!r}: expected one of {', '.join(GRIDS)} "
                "or X×Y×Z voxels @ mm, such as 128x128x64@1.25x1.25x2"
            )
        nx, ny, nz, sx, sy, sz = match.groups()
        return cls((int(nz), int(ny), int(nx)), (float(sz), float(sy), float(sx)))

    @property
    def name(self) -> str:
        """The text that :meth:`parse` reads back."""
        for name, grid in GRIDS.items():
            if grid == self:
                return name
        return "x".join(map(str, self.shape[::-1])) + "@" + "x".join(f"{s:g}" for s in self.spacing[::-1])

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in mL."""
        return float(np.prod(self.spacing)) / 1000.0

    @property
    def affine(self) -> NDArray[np.float64]:
        """The 4×4 matrix from voxel indices (x, y, z), the NIfTI order, to template mm (x, y, z)."""
        spacing, shape = np.array(self.spacing[::-1]), np.array(self.shape[::-1])
        matrix = np.diag([*spacing, 1.0])
        matrix[:3, 3] = -(shape - 1) / 2 * spacing
        return matrix

    def axes(self) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]:
        """Voxel-centre coordinates in mm along z [Z], y [Y] and x [X]."""
        z, y, x = ((np.arange(n) - (n - 1) / 2) * s for n, s in zip(self.shape, self.spacing, strict=True))
        return z, y, x

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_json` reads it back."""
        return {"shape_zyx": list(self.shape), "spacing_zyx_mm": list(self.spacing)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Grid:
        """Read what :meth:`to_json` wrote."""
        return cls(tuple(value["shape_zyx"]), tuple(value["spacing_zyx_mm"]))


GRIDS: dict[str, Grid] = {
    "paper": Grid((64, 128, 128), (2.0, 1.25, 1.25)),
    "half": Grid((32, 64, 64), (4.0, 2.5, 2.5)),
    "quarter": Grid((16, 32, 32), (8.0, 5.0, 5.0)),
}
"""Grids with a name. ``paper`` is the paper's (section III-A); the others cover the same box more coarsely."""


def spacing_of(affine: NDArray[np.floating]) -> tuple[float, float, float]:
    """Voxel size in mm along (Z, Y, X) of a 4×4 matrix from voxel (x, y, z) to mm.

    >>> spacing_of(GRIDS["paper"].affine)
    (2.0, 1.25, 1.25)
    """
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
    return float(z), float(y), float(x)


def check_size(grid: Grid, frames: int) -> None:
    """Refuse a cycle that no memory holds, before anything is made of it.

    Raises:
        InputError: frames below 1 or above :data:`cheart.schemas.MOST_FRAMES`, or too many voxels in all.
    """
    if not 1 <= frames <= MOST_FRAMES:
        raise InputError(f"{frames} frames (--frames): expected 1 to {MOST_FRAMES}")
    if prod(grid.shape) * frames > MOST_OF_A_HEART:
        raise InputError(
            f"{frames} frames on the grid {grid.name} are more than {MOST_OF_A_HEART:,} voxels a heart: choose fewer "
            "(--frames) or a coarser --grid"
        )
