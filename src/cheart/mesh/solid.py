"""Both ventricles' walls as tetrahedra: LV wall, septum and RV wall, with named boundaries; and the one mesh of all.

That mesh, the template, was made once of a generated heart by fTetWild (``python -m benchmarks.solid_template``; Hu et
al., ACM Trans. Graph. 2020) and comes with cheart. :mod:`cheart.mesh.fitting` brings it onto every frame of a heart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from cheart.mesh.surface import Faces, Points
from cheart.mesh.template import Layers

FILE = Path(__file__).with_name("solid.safetensors")

BOUNDARIES = ("LV_ENDOCARDIUM", "RV_ENDOCARDIUM", "EPICARDIUM", "BASE")
"""Names of the boundary's parts by number."""
TISSUES = ("LV_WALL", "SEPTUM", "RV_WALL")
"""Names of the tetrahedra's regions by number."""
LV_ENDOCARDIUM, RV_ENDOCARDIUM, EPICARDIUM, BASE = range(4)
LV_WALL, SEPTUM, RV_WALL = range(3)

_FACES = np.array([(1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1)])  # of a tetrahedron, seen from outside
_EDGES = np.array([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])


@dataclass(frozen=True, eq=False)
class Mesh:
    """Tetrahedra without places: what is the same in every frame of every heart.

    Attributes:
        tetrahedra: [C, 4] indices of points, positively oriented.
        triangles: [F, 3] the boundary, counter-clockwise seen from outside the walls.
        boundaries: [F] uint8, a number of :data:`BOUNDARIES`.
        tissues: [C] uint8, a number of :data:`TISSUES`.
    """

    tetrahedra: NDArray[np.int32]
    triangles: Faces
    boundaries: NDArray[np.uint8]
    tissues: NDArray[np.uint8]

    def on(self, *boundaries: int) -> NDArray[np.intp]:
        """The points on any of some parts of the boundary."""
        return np.unique(self.triangles[np.isin(self.boundaries, boundaries)]).astype(np.intp)

    @cached_property
    def average(self) -> csr_array:
        """[V, V] the mean over the neighbours of each point."""
        pairs = self.tetrahedra[:, np.concatenate([_EDGES, _EDGES[:, ::-1]])].reshape(-1, 2)
        matrix = csr_array(coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1]))))
        matrix.sum_duplicates()
        matrix.data[:] = 1
        matrix.data /= np.repeat(np.diff(matrix.indptr), np.diff(matrix.indptr))
        return matrix

    @property
    def mirrored(self) -> Mesh:
        """The same for places in a mirror."""
        return Mesh(self.tetrahedra[:, [1, 0, 2, 3]], self.triangles[:, ::-1].copy(), self.boundaries, self.tissues)


@dataclass(frozen=True, eq=False)
class Solid:
    """A heart's walls in one frame.

    Attributes:
        points: [V, 3] (x, y, z) in mm.
        mesh: its tetrahedra and their names.
    """

    points: Points
    mesh: Mesh

    @cached_property
    def volumes(self) -> NDArray[np.float64]:
        """[C] of the tetrahedra in mm³; negative where one is turned inside out."""
        a, b, c, d = (self.points[self.mesh.tetrahedra[:, i]] for i in range(4))
        return np.asarray(np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a)) / 6)

    def tissue_ml(self, *tissues: int) -> float:
        """Volume of some of :data:`TISSUES`."""
        return float(self.volumes[np.isin(self.mesh.tissues, tissues)].sum() / 1000)

    def cavity_ml(self, boundary: int) -> float:
        """Volume that the LV's or the RV's endocardium encloses, with a lid over its rim."""
        faces = self.mesh.triangles[self.mesh.boundaries == boundary]
        rim = np.intersect1d(faces, self.mesh.on(BASE))
        a, b, c = (self.points[faces[:, i]] - self.points[rim].mean(axis=0) for i in range(3))
        return float(-np.einsum("ij,ij->", a, np.cross(b, c)) / 6000)

    def area_mm2(self, boundary: int) -> float:
        """Of one part of the boundary."""
        a, b, c = (self.points[self.mesh.triangles[self.mesh.boundaries == boundary, i]] for i in range(3))
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)

    @cached_property
    def scaled_jacobian(self) -> NDArray[np.float64]:
        """[C] √2 · 6V over the largest product of three edges that meet: 1 for a regular tetrahedron, 0 for a flat one,
        negative inside out (Knupp 2000, as in VTK's Verdict)."""
        corners = self.points[self.mesh.tetrahedra]
        length = np.linalg.norm(corners[:, _EDGES[:, 0]] - corners[:, _EDGES[:, 1]], axis=2)
        meet = np.stack([length[:, at].prod(axis=1) for at in ((0, 1, 2), (0, 3, 4), (1, 3, 5), (2, 4, 5))])
        return np.asarray(np.sqrt(2) * 6 * self.volumes / np.maximum(meet.max(axis=0), 1e-12))


@dataclass(frozen=True, eq=False)
class SolidTemplate:
    """The mesh that is brought onto hearts.

    Attributes:
        points: [V, 3] (x, y, z) in mm, the base at +z.
        mesh: its tetrahedra.
        right: [V] 0 where a point goes with the LV to 1 where it goes with the RV.
        outer, inner_right: place and width of the LV with its wall and of the RV's cavity, from apex to base.
    """

    points: Points
    mesh: Mesh
    right: NDArray[np.float64]
    outer: Layers
    inner_right: Layers


def boundary_of(tetrahedra: NDArray[np.int32]) -> Faces:
    """The triangles [F, 3] that belong to one tetrahedron only, counter-clockwise seen from outside."""
    faces = tetrahedra[:, _FACES].reshape(-1, 3)
    _, first, times = np.unique(np.sort(faces, axis=1), axis=0, return_index=True, return_counts=True)
    return np.asarray(faces[np.sort(first[times == 1])], np.int32)


def save_solid_template(template: SolidTemplate, path: Path = FILE) -> None:
    """Write it as ``solid.safetensors``."""
    from safetensors.numpy import save_file

    mesh = template.mesh
    arrays = {
        "points": template.points.astype(np.float32), "right": template.right.astype(np.float32),
        "tetrahedra": mesh.tetrahedra.astype(np.uint16), "triangles": mesh.triangles.astype(np.uint16),
        "boundaries": mesh.boundaries, "tissues": mesh.tissues,
        "layers": np.stack([template.outer.row, template.inner_right.row]).astype(np.float32),
    }  # fmt: skip
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


@lru_cache(maxsize=1)
def load_solid_template() -> SolidTemplate:
    """The one template of this version."""
    from safetensors.numpy import load_file

    read = load_file(FILE)
    mesh = Mesh(
        read["tetrahedra"].astype(np.int32), read["triangles"].astype(np.int32), read["boundaries"], read["tissues"]
    )
    outer, right = (Layers.of_row(row) for row in read["layers"].astype(np.float64))
    return SolidTemplate(read["points"].astype(np.float64), mesh, read["right"].astype(np.float64), outer, right)
