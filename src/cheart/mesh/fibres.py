"""Directions of muscle by rule, after Bayer et al. (Ann. Biomed. Eng. 2012, doi:10.1007/s10439-012-0593-5).

Four solutions of Laplace's equation tell where a tetrahedron lies between the LV's endocardium, the RV's, the
epicardium, and between apex and base. Their gradients give axes: through the wall, along it to the base, and around.
The fibre turns in the wall from one helix angle at the endocardium to another at the epicardium, linearly with depth;
in the septum from the LV's endocardium to the RV's.

It differs from the paper's algorithm in two ways. Each of the three systems of axes (from the LV, from the RV, from the
epicardium) is turned by the angle of the tetrahedron's own depth before they are interpolated: turned by the angles of
their own surfaces, as in the paper, those of ±60° would be 120° apart, and the shorter way between two lines 120° apart
is the wrong one. And of the two directions that need not be at right angles, the one through the wall is kept, so that
fibres lie in the wall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cheart.errors import InputError
from cheart.mesh.laplace import Laplace
from cheart.mesh.solid import BASE, EPICARDIUM, LV_ENDOCARDIUM, RV_ENDOCARDIUM, Solid
from cheart.mesh.surface import Points

Floats = NDArray[np.float64]

ANGLES = (60.0, -60.0)
"""Helix angles in degrees at endocardium and epicardium: commonly taken, after Streeter et al. 1969."""

_APEX_POINTS = 12


@dataclass(frozen=True, eq=False)
class Fibres:
    """Of one solid; directions are lines, their sign means nothing.

    Attributes:
        fibre, sheet, normal: [C, 3] unit vectors at right angles: along the fibre, through the wall, and across both.
        potentials: [V, 3] 1 on the LV's endocardium, on the RV's, on the epicardium, and 0 on the other two.
        apex_base: [V] 0 at the apex to 1 on the base.
    """

    fibre: Points
    sheet: Points
    normal: Points
    potentials: Floats
    apex_base: Floats


def check_angles(angles: tuple[float, float]) -> tuple[float, float]:
    """Helix angles at endocardium and epicardium, in degrees.

    Raises:
        InputError: not two numbers, or beyond ±90°.
    """
    if len(angles) != 2 or not all(abs(angle) <= 90 for angle in angles):
        raise InputError(
            f"helix angles {angles!r}: expected two in degrees, at endocardium and epicardium, each from -90 to 90, "
            "such as 60 and -60"
        )
    return float(angles[0]), float(angles[1])


def fibres(solid: Solid, angles: tuple[float, float] = ANGLES) -> Fibres:
    """Fibres of one solid in a right-handed space.

    Args:
        solid: in mm, its tetrahedra positive.
        angles: of the helix in degrees at endocardium and epicardium; seen from outside, counted from the way around
            (counter-clockwise seen from the base) towards the base.

    Raises:
        InputError: angles beyond ±90°.
    """
    inner, outer = np.radians(check_angles(angles))
    mesh, tetrahedra = solid.mesh, solid.mesh.tetrahedra
    walls = Laplace(solid.points, tetrahedra, mesh.on(LV_ENDOCARDIUM, RV_ENDOCARDIUM, EPICARDIUM))
    ends = [np.isin(walls.fixed, mesh.on(part)) for part in (LV_ENDOCARDIUM, RV_ENDOCARDIUM, EPICARDIUM)]
    potentials = walls.solve(np.stack(ends, axis=1).astype(float))
    along = _apex_to_base(solid)

    left, right, outside = (walls.gradient(potentials[:, i]) for i in range(3))
    up = walls.gradient(along)
    share = potentials[tetrahedra].mean(axis=1).clip(0, 1)
    across = share[:, 1] / np.maximum(share[:, 0] + share[:, 1], 1e-9)  # from the LV's side to the RV's
    depth = share[:, 2]
    septal = inner * (1 - 2 * across) * (1 - depth)
    from_left = _turned(_axes(up, -left), septal + outer * depth)
    from_right = _turned(_axes(up, right), septal - outer * depth)  # seen from the RV, outwards is inwards
    from_outside = _turned(_axes(up, outside), inner * (1 - depth) + outer * depth)
    both = _between(_between(from_left, from_right, across), from_outside, depth)
    return Fibres(both[:, :, 0], both[:, :, 2], -both[:, :, 1], potentials, along)


def _apex_to_base(solid: Solid) -> Floats:
    mesh = solid.mesh
    base, wall = mesh.on(BASE), mesh.on(EPICARDIUM)
    a, b, c = (solid.points[mesh.triangles[mesh.boundaries == BASE, i]] for i in range(3))
    up = np.cross(b - a, c - a).sum(axis=0)
    apex = np.setdiff1d(wall[np.argsort(solid.points[wall] @ up)[:_APEX_POINTS]], base)
    rise = Laplace(solid.points, mesh.tetrahedra, np.concatenate([apex, base]))
    return rise.solve(np.repeat([0.0, 1.0], [len(apex), len(base)]))


def _axes(up: Points, through: Points) -> Floats:
    """[C, 3, 3] columns: around, along the wall towards the base, through the wall."""
    outward = _unit(through)
    along = up - (up * outward).sum(axis=1, keepdims=True) * outward
    lost = np.linalg.norm(along, axis=1) < 1e-9 * np.linalg.norm(up, axis=1)  # straight through the wall, at the apex
    along[lost] = np.cross(outward[lost], [0.577, 0.577, 0.577])
    along = _unit(along)
    return np.stack([np.cross(along, outward), along, outward], axis=2)


def _unit(vectors: Points) -> Points:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-30, vectors / np.maximum(length, 1e-30), [0.0, 0.0, 1.0])


def _turned(axes: Floats, angle: Floats) -> Floats:
    """Axes turned about the way through the wall, by angles [C] in rad."""
    out = axes.copy()
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    out[:, :, 0] = cos * axes[:, :, 0] + sin * axes[:, :, 1]
    out[:, :, 1] = cos * axes[:, :, 1] - sin * axes[:, :, 0]
    return out


def _between(one: Floats, other: Floats, share: Floats) -> Floats:
    """From one system of axes to another the shorter way, where two axes may change their sign (bislerp)."""
    a, b = (Rotation.from_matrix(axes).as_quat() for axes in (one, other))
    x, y, z, w = a.T
    same = np.stack([a, np.stack([w, z, -y, -x], 1), np.stack([-z, w, x, -y], 1), np.stack([y, -x, w, -z], 1)])
    cosine = np.einsum("kci,ci->kc", same, b)
    best = np.abs(cosine).argmax(axis=0)
    rows = np.arange(len(a))
    start, cosine = same[best, rows], cosine[best, rows]
    start = start * np.where(cosine < 0, -1, 1)[:, None]
    angle = np.arccos(np.abs(cosine).clip(0, 1))
    sine = np.maximum(np.sin(angle), 1e-9)
    near = angle < 1e-6
    first = np.where(near, 1 - share, np.sin((1 - share) * angle) / sine)
    second = np.where(near, share, np.sin(share * angle) / sine)
    return np.asarray(Rotation.from_quat(first[:, None] * start + second[:, None] * b).as_matrix())
