"""Laplace's equation on tetrahedra, by linear finite elements."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import SuperLU, splu

from cheart.mesh.surface import Points

Floats = NDArray[np.float64]


class Laplace:
    """Laplace's equation between points that are fixed; nothing flows through the rest of the boundary.

    Args:
        points: [V, 3] in mm.
        tetrahedra: [C, 4] indices of points.
        fixed: [K] the points at which values are given.
    """

    def __init__(self, points: Points, tetrahedra: NDArray[np.int32], fixed: NDArray[np.intp]) -> None:
        self.gradients, volumes = shape_gradients(points, tetrahedra)
        self.tetrahedra, self.fixed = tetrahedra, fixed
        self.free = np.setdiff1d(np.arange(len(points)), fixed)
        local = np.einsum("cid,cjd,c->cij", self.gradients, self.gradients, np.abs(volumes))
        rows, columns = np.repeat(tetrahedra, 4, axis=1).ravel(), np.tile(tetrahedra, (1, 4)).ravel()
        self.stiffness = csc_array(coo_array((local.ravel(), (rows, columns)), shape=(len(points),) * 2))

    @cached_property
    def _factor(self) -> SuperLU:
        inner = self.stiffness[self.free][:, self.free]
        return splu(
            csc_array(inner), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )

    def solve(self, values: Floats) -> Floats:
        """Values [K, …] at the fixed points to the values [V, …] at all."""
        out = np.zeros((self.stiffness.shape[0], *values.shape[1:]))
        out[self.fixed] = values
        if self.free.size:
            out[self.free] = self._factor.solve(-(self.stiffness[self.free][:, self.fixed] @ values))
        return out

    def gradient(self, values: Floats) -> Points:
        """[C, 3] how values [V] grow in each tetrahedron, per mm."""
        return np.asarray(np.einsum("cid,ci->cd", self.gradients, values[self.tetrahedra]))


def shape_gradients(points: Points, tetrahedra: NDArray[np.int32]) -> tuple[Floats, Floats]:
    """Gradients [C, 4, 3] of the functions that are 1 at one corner and 0 at the others, and volumes [C] in mm³."""
    sides = points[tetrahedra[:, 1:]] - points[tetrahedra[:, :1]]
    inverse = np.linalg.inv(sides)
    gradients = np.concatenate([-inverse.sum(axis=2)[:, None], inverse.transpose(0, 2, 1)], axis=1)
    return gradients, np.linalg.det(sides) / 6
