"""Make the solid template anew: both ventricles' walls of one generated heart as tetrahedra, by fTetWild.

    pip install 'pytetwild==0.2.3'                       # MPL-2.0; later versions need pyvista and VTK to be imported
    python -m benchmarks.solid_template solid.safetensors  # a minute or two

The RV's wall is made thicker here (5 mm) than hearts have it, so that it has whole layers of tetrahedra when it is
brought to its thickness there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

import cheart
from cheart.mesh.distances import Bodies
from cheart.mesh.fitting import rounded_union
from cheart.mesh.laplace import Laplace
from cheart.mesh.oriented import OrientedLabels
from cheart.mesh.solid import (
    BASE,
    BOUNDARIES,
    EPICARDIUM,
    LV_ENDOCARDIUM,
    LV_WALL,
    RV_ENDOCARDIUM,
    RV_WALL,
    SEPTUM,
    Mesh,
    Solid,
    SolidTemplate,
    boundary_of,
    save_solid_template,
)

EDGE_MM, STEP_MM, RV_WALL_MM, OFF_MM, WITH_RV_MM = 3.6, 2.0, 5.0, 0.25, 10.0
CRUMB = 20  # triangles
Points = NDArray[np.float64]


def main(path: Path) -> None:
    """Make it and write it."""
    heart = cheart.load("bundled").generate({"age": 60, "sex": "M"}, n=4, seed=3)[3]
    oriented = OrientedLabels.of(heart.labels[:1], heart.grid.affine)
    bodies = Bodies.of(oriented.labels[0], oriented.spacing)
    points, tetrahedra = tetrahedralised(*surface_of(bodies))
    template = named(points, tetrahedra, bodies)
    quality = Solid(template.points, template.mesh).scaled_jacobian
    save_solid_template(template, path)
    print(f"{len(points)} points, {len(tetrahedra)} tetrahedra, least scaled Jacobian {quality.min():.3f}: {path}")


def surface_of(bodies: Bodies) -> tuple[Points, NDArray[np.int32]]:
    """The walls' surface, its base cut flat: layers of the lattice are counted from the base."""
    reach = RV_WALL_MM + 3 * STEP_MM
    outer, right = bodies.outer.layers, bodies.right.layers
    low = np.minimum(outer.middle - 2.5 * outer.width, right.middle - 2.5 * right.width).min(axis=0) - reach
    high = np.maximum(outer.middle + 2.5 * outer.width, right.middle + 2.5 * right.width).max(axis=0) + reach
    x, y = (np.arange(a, b, STEP_MM) for a, b in zip(low, high, strict=True))
    depth = np.arange(outer.base - min(outer.apex, right.apex) + reach, -STEP_MM / 2, -STEP_MM)
    depth -= depth[-1]
    plane = np.stack([*np.meshgrid(x, y, indexing="ij"), np.zeros((len(x), len(y)))], axis=-1)
    top = bodies.base_at(plane.reshape(-1, 3)).reshape(len(x), len(y))
    at = np.broadcast_to(plane, (len(depth), *plane.shape)).copy()
    at[..., 2] = top - depth[:, None, None]
    cavity, whole, rv = (body.distance(at) for body in (bodies.cavity, bodies.outer, bodies.right))
    inside = np.maximum.reduce([rounded_union(whole, rv - RV_WALL_MM), -cavity, -rv])
    field = np.concatenate([inside, np.full((1, *top.shape), 1e3)])
    near = 0.15 * STEP_MM  # vertices that nearly coincide with lattice points make slivers
    field = np.where(np.abs(field) < near, np.where(field > 0, near, -near), field)
    vertices, faces, _, _ = marching_cubes(field.astype(np.float32), 0.0)
    layer = np.minimum(vertices[:, 0].astype(float), len(depth) - 1)
    where = np.column_stack([x[0] + vertices[:, 1] * STEP_MM, y[0] + vertices[:, 2] * STEP_MM, layer * 0])
    where[:, 2] = bodies.base_at(where) + (layer - (len(depth) - 1)) * STEP_MM
    a, b, c = (where[faces[:, i]] for i in range(3))
    outwards = np.einsum("ij,ij->", a, np.cross(b, c)) > 0
    return where, np.ascontiguousarray(faces if outwards else faces[:, ::-1], np.int32)


def tetrahedralised(vertices: Points, faces: NDArray[np.int32]) -> tuple[Points, NDArray[np.int32]]:
    """By fTetWild (Hu et al., ACM Trans. Graph. 2020), in one thread; positively oriented."""
    import pytetwild

    size = np.linalg.norm(np.ptp(vertices, axis=0))
    points, cells = pytetwild.tetrahedralize(
        vertices, faces, edge_length_abs=EDGE_MM, epsilon=OFF_MM / size, num_threads=1
    )
    sides = points[cells[:, 1:]] - points[cells[:, :1]]
    cells = np.where((np.linalg.det(sides) > 0)[:, None], cells, cells[:, [1, 0, 2, 3]])
    return np.asarray(points, float), cells.astype(np.int32)


def named(points: Points, tetrahedra: NDArray[np.int32], bodies: Bodies) -> SolidTemplate:
    """With names for boundaries and tissues."""
    triangles = boundary_of(tetrahedra)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    middle, normal = (a + b + c) / 3, np.cross(b - a, c - a)
    flat = normal[:, 2] > 0.8 * np.linalg.norm(normal, axis=1)
    base = flat & (np.abs(middle[:, 2] - bodies.base_at(middle)) < 1.5 * OFF_MM)
    boundaries = np.full(len(triangles), BASE, np.uint8)
    rest = np.flatnonzero(~base)
    piece = pieces(triangles[rest], len(points))
    off = np.abs([body.distance(middle[rest]) for body in (bodies.cavity, bodies.right)])
    kept = []
    for number in np.unique(piece):
        own = piece == number
        if own.sum() < CRUMB:  # a few steep triangles within the base
            continue
        kept.append(number)
        left, right = np.median(off[:, own], axis=1)
        part = LV_ENDOCARDIUM if left < 1 else RV_ENDOCARDIUM if right < 1 else EPICARDIUM
        boundaries[rest[own]] = part
    assert len(kept) == 3, f"{len(kept)} pieces beside the base: expected {BOUNDARIES[:3]}"
    mesh = Mesh(tetrahedra, triangles, boundaries, np.zeros(len(tetrahedra), np.uint8))
    walls = Laplace(points, tetrahedra, mesh.on(LV_ENDOCARDIUM, RV_ENDOCARDIUM, EPICARDIUM))
    ends = np.stack([np.isin(walls.fixed, mesh.on(part)) for part in (RV_ENDOCARDIUM, EPICARDIUM)], axis=1)
    right, outside = walls.solve(ends.astype(float))[tetrahedra].mean(axis=1).T
    free = bodies.outer.distance(points[tetrahedra].mean(axis=1)) > OFF_MM
    wall = pieces(tetrahedra[free], len(points))
    free[np.flatnonzero(free)[wall != np.bincount(wall).argmax()]] = False  # crumbs between septum and RV
    tissues = np.where(free, RV_WALL, np.where(right > outside, SEPTUM, LV_WALL)).astype(np.uint8)
    return SolidTemplate(
        points, Mesh(tetrahedra, triangles, boundaries, tissues),
        (bodies.outer.distance(points) / WITH_RV_MM).clip(0, 1), bodies.outer.layers, bodies.right.layers,
    )  # fmt: skip


def pieces(cells: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """[C] the connected piece of each cell, by its points."""
    pairs = np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()])
    graph = coo_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1][cells[:, 0]])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
