"""From surfaces to voxels: an open one is closed at its rims, and what it encloses is set in voxels.

**Closing.** Edges that an odd number of faces share are a rim; of every rim that hangs together each edge is joined to
the rim's centroid. Each edge then has an even number of faces, which is all that counting needs.

**Voxels.** Along the line of voxel centres with one x and y the surface is crossed an odd number of times before what
lies inside. Each triangle adds a crossing to the lines that go through its shadow; a line belongs to one of two
triangles at an edge by the sign of the same number, so that none is counted twice or missed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cheart.io.surfaces import TriangleMesh, weld

_AT_ONCE = 4_000_000
"""Pairs of triangles and lines that are looked at together."""

_ASIDE = (1.234e-4, 2.718e-4, 3.142e-4)
"""Of a voxel: how far voxel centres are moved aside, off points and faces that lie on round numbers."""


def closed(mesh: TriangleMesh) -> tuple[TriangleMesh, float]:
    """A surface without rims, and which share of its area closes them (0: it had none)."""
    mesh = weld(mesh.vertices, mesh.faces)
    total = len(mesh.vertices)
    edges = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    numbers, count = np.unique(edges[:, 0] * total + edges[:, 1], return_counts=True)
    rim = np.stack(np.divmod(numbers[count % 2 == 1], total), axis=1)
    if not len(rim):
        return mesh, 0.0
    joined = coo_matrix((np.ones(len(rim)), (rim[:, 0], rim[:, 1])), shape=(total, total))
    which = connected_components(joined, directed=False)[1][rim[:, 0]]
    _, which = np.unique(which, return_inverse=True)
    middle = mesh.vertices[rim].mean(1)
    centres = np.stack([np.bincount(which, middle[:, i]) for i in range(3)], 1) / np.bincount(which)[:, None]
    caps = np.column_stack([rim, total + which]).astype(np.int64)
    whole = TriangleMesh(np.concatenate([mesh.vertices, centres]), np.concatenate([mesh.faces, caps]))
    area = _areas(whole)
    return whole, float(area[len(mesh.faces) :].sum() / area.sum())


def _areas(mesh: TriangleMesh) -> NDArray[np.float64]:
    a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2)


def enclosed(
    mesh: TriangleMesh, origin: NDArray[np.floating], spacing: float, shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Which voxel centres lie inside a closed surface.

    Args:
        mesh: without rims (:func:`closed`).
        origin: centre (x, y, z) of voxel (0, 0, 0), in the surface's unit.
        spacing: between voxel centres.
        shape: (Z, Y, X).

    Returns:
        [Z, Y, X].
    """
    z, y, x = shape
    points = (mesh.vertices - origin) / spacing - _ASIDE
    crossings = np.zeros((z + 1) * y * x, np.int64)
    shadows = points[mesh.faces][..., :2]
    low = np.clip(np.ceil(shadows.min(1)), 0, (x, y)).astype(np.int64)
    high = np.clip(np.floor(shadows.max(1)) + 1, 0, (x, y)).astype(np.int64)
    counts = np.prod(np.maximum(high - low, 0), axis=1)
    for some in _portions(np.flatnonzero(counts), counts):
        triangle = np.repeat(some, counts[some])
        nth = np.arange(len(triangle)) - np.repeat(np.cumsum(counts[some]) - counts[some], counts[some])
        width = (high - low)[triangle, 0]
        column, row = low[triangle, 0] + nth % width, low[triangle, 1] + nth // width
        hit, at = _crossed(points, mesh.faces[triangle], column, row)
        first = np.clip(np.ceil(at[hit]), 0, z).astype(np.int64)  # the first voxel beyond the crossing
        crossings += np.bincount((first * y + row[hit]) * x + column[hit], minlength=len(crossings))
    return np.asarray(np.cumsum(crossings.reshape(z + 1, y, x)[:z], axis=0) % 2 == 1)


def _portions(triangles: NDArray[np.intp], counts: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    return np.split(triangles, np.flatnonzero(np.diff(np.cumsum(counts[triangles]) // _AT_ONCE)) + 1)


def _crossed(
    points: NDArray[np.float64], faces: NDArray[np.int64], column: NDArray[np.int64], row: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether lines along z go through triangles [N, 3], and at which z."""
    weights = []
    for i, j in ((1, 2), (2, 0), (0, 1)):
        one, two = faces[:, i], faces[:, j]
        a, b = points[np.minimum(one, two)], points[np.maximum(one, two)]
        # always computed from the same end of the edge, so that both its triangles have the same number
        side = (b[:, 0] - a[:, 0]) * (row - a[:, 1]) - (b[:, 1] - a[:, 1]) * (column - a[:, 0])
        weights.append(np.where(one < two, side, -side))
    w = np.stack(weights)
    forward = np.stack([(v > 0) | ((v == 0) & (faces[:, i] < faces[:, j])) for v, (i, j) in
                        zip(w, ((1, 2), (2, 0), (0, 1)), strict=True)])  # fmt: skip
    total = w.sum(0)
    hit = (forward.all(0) | ~forward.any(0)) & (total != 0)
    height = np.divide((w * points[faces, 2].T).sum(0), total, out=np.zeros(len(total)), where=hit)
    return hit, height
