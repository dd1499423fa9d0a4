"""Tetrahedra that came out thin or inside out, put right.

Around each such tetrahedron points move so that the sum of 1 / (mean ratio) becomes least; the volume in it is read
through a function that stays positive, and that is sharpened round by round until nothing is inside out any more
(Garanzha et al., Foldover-free maps in 50 lines of code, ACM Trans. Graph. 2021). Points of the boundary may slide
along it, and leave it by a fraction of a mm where there is no other way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from cheart.mesh.solid import BASE, Mesh, Solid
from cheart.mesh.surface import Points

Floats = NDArray[np.float64]

_RINGS = 2
_ROUNDS, _STIFF_ROUNDS, _SOFTER = 10, 4, 16.0
_FLOOR = 0.02  # for what is thinner than this after the stiff rounds, the boundary gives way more and more
_STEPS = 40
_SPREAD = 0.1  # weight of what keeps tetrahedra from shrinking to nothing
_SHARP = 0.02  # volumes below this, in those of a usual tetrahedron, are read through the positive function
_OFF_MM, _OFF_BASE_MM, _ALONG_MM = 0.2, 0.03, 3.0  # the base stays flat
_REGULAR = np.array([(1, -1, -1), (1, 1, 1), (-1, 1, -1), (-1, -1, 1)]) / np.sqrt(8)  # edges of length 1


def untangled(points: Points, mesh: Mesh, *, least: float) -> tuple[Points, int]:
    """Put thin tetrahedra right.

    Args:
        points: [V, 3] in mm.
        mesh: its tetrahedra.
        least: scaled Jacobian that each should have.

    Returns:
        The points, and how many tetrahedra had less. Some may still have, where there is no way: look at them.
    """
    quality = Solid(points, mesh).scaled_jacobian
    mended = int((quality < least).sum())
    for turn in range(_ROUNDS):
        late = turn - _STIFF_ROUNDS
        thin = quality < (least if late < 0 else _FLOOR)
        if not thin.any():
            break
        points = _Patch.around(points, mesh, thin, softer=_SOFTER ** max(0, late + 1)).relaxed(points)
        quality = Solid(points, mesh).scaled_jacobian
    return points, mended


@dataclass(frozen=True, eq=False)
class _Patch:
    """Some points that may move, and the tetrahedra that they belong to.

    Attributes:
        moving: [N] the points.
        tetrahedra: [C, 4] places in ``local``.
        local: [M] all points of these; the moving ones come first.
        gradients: [4, 3] of a regular tetrahedron's corner functions, 1 / its edge in mm.
        stiff: [N, 3, 3] what it costs a point to leave its place.
    """

    moving: NDArray[np.intp]
    tetrahedra: NDArray[np.intp]
    local: NDArray[np.intp]
    gradients: Floats
    stiff: Floats

    @classmethod
    def around(cls, points: Points, mesh: Mesh, thin: NDArray[np.bool_], softer: float) -> _Patch:
        near = np.zeros(len(points), bool)
        near[mesh.tetrahedra[thin]] = True
        for _ in range(_RINGS - 1 if softer == 1 else _RINGS):
            near[mesh.tetrahedra[near[mesh.tetrahedra].any(axis=1)]] = True
        cells = mesh.tetrahedra[near[mesh.tetrahedra].any(axis=1)]
        moving = np.flatnonzero(near)
        local = np.concatenate([moving, np.setdiff1d(cells, moving)])
        place = np.zeros(len(points), np.intp)
        place[local] = np.arange(len(local))
        edge = (6 * np.sqrt(2) * np.median(np.abs(Solid(points, mesh).volumes))) ** (1 / 3)
        gradients = np.linalg.inv(np.column_stack([np.ones(4), _REGULAR * edge]))[1:].T
        return cls(moving, place[cells], local, gradients, _stiffness(points, mesh)[moving] / softer)

    def relaxed(self, points: Points) -> Points:
        """All points [V, 3], the moving ones where the sum is least."""
        start = points[self.local]
        count = len(self.moving)
        x = start[:count].ravel()
        worst = float(self._volume(start).min())
        eps = max(_SHARP, -0.2 * worst) if worst < _SHARP else 1e-4

        def cost(x: Floats) -> tuple[float, Floats]:
            at = np.concatenate([x.reshape(-1, 3), start[count:]])
            value, slope = self._shape(at, eps)
            away = at[:count] - start[:count]
            pull = np.einsum("nij,nj->ni", self.stiff, away)
            return value + float((pull * away).sum()) / 2, (slope[:count] + pull).ravel()

        found = minimize(cost, x, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "maxcor": 8})
        out = points.copy()
        out[self.moving] = found.x.reshape(-1, 3)
        return out

    def _maps(self, at: Points) -> Floats:
        return np.asarray(at[self.tetrahedra].transpose(0, 2, 1) @ self.gradients)

    def _volume(self, at: Points) -> Floats:
        return np.asarray(np.linalg.det(self._maps(at)))

    def _shape(self, at: Points, eps: float) -> tuple[float, Points]:
        """Σ tr(FᵀF) / 3χ^⅔ + a little of (det²F + 1) / 2χ, χ in place of det F; and how it grows with the points."""
        maps = self._maps(at)
        a, b, c = maps[:, :, 0], maps[:, :, 1], maps[:, :, 2]
        cofactor = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=2)
        volume = (a * cofactor[:, :, 0]).sum(axis=1)
        root = np.sqrt(eps**2 + volume**2)
        safe = np.maximum((volume + root) / 2, 1e-12)
        size = (maps**2).sum(axis=(1, 2))
        ratio = size / (3 * safe ** (2 / 3))
        by_map = (2 / 3) * maps / safe[:, None, None] ** (2 / 3)
        sharper = (1 + volume / root) / 2
        spread = (volume**2 + 1) / (2 * safe)
        by_volume = _SPREAD * (volume - spread * sharper) / safe - (2 / 3) * ratio / safe * sharper
        by_map += by_volume[:, None, None] * cofactor
        pulls = (self.gradients @ by_map.transpose(0, 2, 1)).reshape(-1, 3)
        index = self.tetrahedra.ravel()
        slope = np.stack([np.bincount(index, pulls[:, i], len(at)) for i in range(3)], axis=1)
        return float((ratio + _SPREAD * spread).sum()), np.asarray(slope, np.float64)


def _stiffness(points: Points, mesh: Mesh) -> Floats:
    """[V, 3, 3] that holds points of the boundary to it, and on a rim to the rim; 0 inside."""
    a, b, c = (points[mesh.triangles[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    out = np.zeros((len(points), 3, 3))
    for part in np.unique(mesh.boundaries):
        own = mesh.boundaries == part
        mean = np.zeros_like(points)
        for i in range(3):
            np.add.at(mean, mesh.triangles[own, i], normals[own])
        mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        off = _OFF_BASE_MM if part == BASE else _OFF_MM
        out += mean[:, :, None] * mean[:, None] / off**2
    return np.asarray(out + np.any(out, axis=(1, 2))[:, None, None] * np.eye(3) / _ALONG_MM**2)
