"""The wall of the left ventricle as tetrahedra in layers, for finite elements.

The endocardial surface is carried onto the epicardial one (:mod:`cheart.mesh.correspondence`), so that each of its
triangles becomes a column of prisms through the wall, and each prism three tetrahedra. The mesh has whole layers from
endocardium to epicardium, a depth at every point, and the same connectivity in every frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cheart.mesh.correspondence import follow
from cheart.mesh.surface import WALL, Faces, Points, Surface, neighbours
from cheart.progress import track

WALL_REGIONS = ("ENDOCARDIUM", "EPICARDIUM", "BASE", "MYOCARDIUM")
"""Names by number: three boundaries (triangles) and the solid (tetrahedra)."""

ENDOCARDIUM, EPICARDIUM, BASE, MYOCARDIUM = range(4)
_ROUNDS = 80
_CROSSED = 0.05  # quality below which columns are taken to cross


@dataclass(frozen=True, eq=False)
class Solid:
    """A wall in one frame.

    Attributes:
        points: [V, 3] (x, y, z) in mm.
        tetrahedra: [C, 4] indices of points, positively oriented.
        triangles: [F, 3] the boundary, counter-clockwise seen from outside.
        boundaries: [F] uint8, :data:`ENDOCARDIUM`, :data:`EPICARDIUM` or :data:`BASE`.
        depth: [V] 0 on the endocardium to 1 on the epicardium.
    """

    points: Points
    tetrahedra: NDArray[np.int32]
    triangles: Faces
    boundaries: NDArray[np.uint8]
    depth: NDArray[np.float64]

    @cached_property
    def volumes(self) -> NDArray[np.float64]:
        """[C] of the tetrahedra in mm³; negative where one is turned inside out."""
        a, b, c, d = (self.points[self.tetrahedra[:, i]] for i in range(4))
        return np.asarray(np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a)) / 6)

    @property
    def volume_ml(self) -> float:
        """Of the whole wall."""
        return float(self.volumes.sum() / 1000)

    @cached_property
    def quality(self) -> NDArray[np.float64]:
        """[C] mean ratio, 12 (3V)^(2/3) / Σ l²: 1 for a regular tetrahedron, 0 for a flat one, negative inside out."""
        corners = self.points[self.tetrahedra]
        pairs = np.array([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
        squares = ((corners[:, pairs[:, 0]] - corners[:, pairs[:, 1]]) ** 2).sum(axis=(1, 2))
        return np.asarray(12 * np.sign(self.volumes) * (3 * np.abs(self.volumes)) ** (2 / 3) / squares)


def wall_solids(
    endocardium: list[Surface], epicardium: list[Surface], volumes_ml: list[float], *, edge_mm: float
) -> list[Solid]:
    """The wall of every frame, all with one connectivity where the endocardial surfaces have one.

    Args:
        endocardium, epicardium: one closed surface a frame, the base at +z.
        volumes_ml: that the wall of each frame shall have: that of its voxels.
        edge_mm: length of a typical edge; it settles the number of layers, at least two.

    Returns:
        One solid a frame. Frames whose endocardium has the same faces as the first have the same tetrahedra as it.
    """
    solids: list[Solid] = []
    frames = list(zip(endocardium, epicardium, volumes_ml, strict=True))
    layers = 0
    for inner, outer, volume in track(frames, total=len(frames), title="Walls"):
        carried = follow([inner, outer], title="")[1]
        layers = layers or max(2, round(_thickness_mm(inner, carried) / edge_mm))
        solids.append(_fitted(inner, carried, layers, volume))
    return solids


def _thickness_mm(inner: Surface, outer: Surface) -> float:
    wall = np.unique(inner.faces[inner.regions == WALL])
    return float(np.median(np.linalg.norm(outer.vertices[wall] - inner.vertices[wall], axis=1)))


def _fitted(inner: Surface, outer: Surface, layers: int, volume_ml: float) -> Solid:
    """The wall between two surfaces, stretched outwards to its volume.

    Where columns cross, they take the mean direction of those around them.
    """
    walls = inner.faces[inner.regions == WALL]
    used, average = np.unique(walls), neighbours(walls, len(inner.vertices))
    through = outer.vertices - inner.vertices
    for _ in range(_ROUNDS):
        solid = _between(inner, Surface(inner.vertices + through, inner.faces, inner.regions), layers)
        error, crossed = volume_ml / solid.volume_ml - 1, solid.quality < _CROSSED
        if abs(error) < 1e-4 and not crossed.any():
            break
        through *= 1 + np.clip(error, -0.2, 0.2)
        near = np.zeros(len(inner.vertices))
        near[used[np.unique(solid.tetrahedra[crossed] % len(used))]] = 1
        for _ in range(2):
            near = np.maximum(near, average @ near > 0)
        through += 0.7 * near[:, None] * (average @ through - through)
    return solid


def _between(inner: Surface, outer: Surface, layers: int) -> Solid:
    """Layers of prisms between two surfaces of one connectivity, each prism three tetrahedra."""
    used, faces = np.unique(inner.faces[inner.regions == WALL], return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    count = len(used)
    depth = np.linspace(0, 1, layers + 1)
    ends = inner.vertices[used], outer.vertices[used]
    points = np.concatenate([ends[0] * (1 - s) + ends[1] * s for s in depth])
    prisms = np.concatenate([faces + count * layer for layer in range(layers)]).astype(np.int32)
    tetrahedra = _split(prisms, count)
    sides = _base(inner, used, count, layers)
    top = faces + count * layers
    triangles = np.concatenate([faces[:, ::-1], top, sides]).astype(np.int32)
    boundaries = np.repeat(np.array([ENDOCARDIUM, EPICARDIUM, BASE], np.uint8), [len(faces), len(top), len(sides)])
    return Solid(points, tetrahedra, triangles, boundaries, np.repeat(depth, count))


def _split(prisms: Faces, up: int) -> NDArray[np.int32]:
    """Prisms over triangles [F, 3] as tetrahedra [3F, 4]; each side's diagonal rises from its lesser corner.

    Neighbours share a side's corners, so they agree on its diagonal (Dompierre et al. 1999).
    """
    first = (prisms.argmin(axis=1)[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(prisms, first, axis=1).T
    last = np.stack([a, b + up, c + up, a + up], axis=1)
    rising = np.stack([np.stack([a, b, c, c + up], 1), np.stack([a, b, c + up, b + up], 1), last], axis=1)
    falling = np.stack([np.stack([a, b, c, b + up], 1), np.stack([a, c, c + up, b + up], 1), last], axis=1)
    return np.asarray(np.where((b < c)[:, None, None], rising, falling).reshape(-1, 4), np.int32)


def _base(inner: Surface, used: NDArray[np.intp], up: int, layers: int) -> NDArray[np.int32]:
    """The ring between the two rims as triangles, with the diagonals of :func:`_split`."""
    walls = inner.faces[inner.regions == WALL]
    edges = np.concatenate([walls[:, [0, 1]], walls[:, [1, 2]], walls[:, [2, 0]]])
    key = np.sort(edges, axis=1)
    _, place, times = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    free = np.searchsorted(used, edges[times[place.ravel()] == 1])
    rows = []
    for layer in range(layers):
        a, b = (free + layer * up).T
        lower = np.where((a < b)[:, None], np.stack([a, b, b + up], 1), np.stack([a, b, a + up], 1))
        upper = np.where((a < b)[:, None], np.stack([a, b + up, a + up], 1), np.stack([b, b + up, a + up], 1))
        rows += [lower, upper]
    return np.concatenate(rows).astype(np.int32)
