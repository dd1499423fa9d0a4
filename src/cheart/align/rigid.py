"""A rigid transform, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError


@dataclass(frozen=True, eq=False)
class RigidTransform:
    """A proper rotation and a shift, from a subject's world space to the template space, both in mm.

    Attributes:
        matrix: 4×4; template (x, y, z, 1) = matrix @ world (x, y, z, 1).

    Raises:
        InputError: not 4×4, not finite, or not rigid: it scales, shears or mirrors.
    """

    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise InputError(f"transform {matrix.tolist()}: expected a finite 4×4 matrix with the last row 0 0 0 1")
        turn = matrix[:3, :3]
        if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-6) or np.linalg.det(turn) < 0:
            raise InputError(f"transform {turn.tolist()} is not a proper rotation: it scales, shears or mirrors")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def identity(cls) -> RigidTransform:
        """The transform that changes nothing."""
        return cls(np.eye(4))

    @classmethod
    def from_parts(
        cls, rotation: NDArray[np.floating], shift: Sequence[float] | NDArray[np.floating]
    ) -> RigidTransform:
        """template = rotation @ world + shift, with a 3×3 rotation and a shift (x, y, z) in mm."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation, shift
        return cls(matrix)

    @property
    def rotation(self) -> NDArray[np.float64]:
        """The 3×3 rotation; its rows are the template's x, y and z axes in world coordinates."""
        return self.matrix[:3, :3]

    @property
    def angle_deg(self) -> float:
        """Angle of the rotation in degrees, 0 to 180."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.rotation) - 1) / 2, -1, 1))))

    @property
    def inverse(self) -> RigidTransform:
        """From the template back to the subject's world space."""
        return RigidTransform.from_parts(self.rotation.T, -self.rotation.T @ self.matrix[:3, 3])

    def after(self, first: RigidTransform) -> RigidTransform:
        """The transform that does ``first`` and then this one."""
        return RigidTransform(self.matrix @ first.matrix)

    def apply(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Transform points [..., 3] (x, y, z) in mm."""
        return np.asarray(points) @ self.rotation.T + self.matrix[:3, 3]

    def to_json(self) -> list[list[float]]:
        """As plain JSON values; :meth:`from_json` reads it back."""
        return [[float(v) for v in row] for row in self.matrix]

    @classmethod
    def from_json(cls, value: list[list[float]]) -> RigidTransform:
        """Read what :meth:`to_json` wrote."""
        return cls(np.array(value, np.float64))
