"""Mean shapes as images: the labels of a mean mesh, and how likely each voxel is one structure's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import ndtr

from cheart.grid import Grid
from cheart.io.rasterise import enclosed
from cheart.io.surfaces import TriangleMesh
from cheart.labels import LV, MYO, RV
from cheart.mesh.surface import PARTS, Surface
from cheart.mesh.template import load_template

REACH = 4.0
"""Standard deviations from a surface beyond which a voxel is surely inside or outside."""


def mean_labels(vertices: NDArray[np.floating], grid: Grid) -> NDArray[np.uint8]:
    """The label map [Z, Y, X] of the template mesh at ``vertices`` [V, 3] (x, y, z), mm."""
    inner, outer, right = (_inside(part, grid) for part in _parts(vertices))
    labels = np.zeros(grid.shape, np.uint8)
    for body, label in ((right, RV), (outer, MYO), (inner & outer, LV)):
        labels[body] = label
    return labels


def likely_labels(vertices: NDArray[np.floating], sd: NDArray[np.floating], grid: Grid) -> NDArray[np.float32]:
    """Probabilities [3, Z, Y, X] of LV cavity, myocardium and RV cavity.

    A voxel lies within a part of the mesh if the part's surface lies beyond it, whose place along its outward normal is
    normally distributed; what the LV's endocardium and epicardium have of it goes to cavity and wall, and the RV has
    what the LV leaves.

    Args:
        vertices: of the mean mesh, [V, 3] (x, y, z), mm.
        sd: standard deviation of the surface at each vertex along its outward normal, mm, [V].
        grid: of the images.
    """
    spans = load_template().spans.values()
    inner, outer, right = (_likely(part, sd[span], grid) for part, span in zip(_parts(vertices), spans, strict=True))
    inner = np.minimum(inner, outer)
    return np.stack([inner, outer - inner, np.minimum(right, 1 - outer)]).astype(np.float32)


def _parts(vertices: NDArray[np.floating]) -> list[Surface]:
    template = load_template()
    return [template.surface(np.asarray(vertices, np.float64), part) for part in PARTS]


def _inside(part: Surface, grid: Grid) -> NDArray[np.bool_]:
    """Voxels [Z, Y, X] whose centres a part encloses."""
    step = np.array(grid.spacing[::-1])
    first = np.array([axis[0] for axis in grid.axes()[::-1]]) / step  # of a grid whose voxels are cubes of 1
    mesh = TriangleMesh(np.asarray(part.vertices / step, np.float64), np.asarray(part.faces, np.int64))
    return enclosed(mesh, first, 1.0, grid.shape)


def _likely(part: Surface, sd: NDArray[np.floating], grid: Grid) -> NDArray[np.float64]:
    """How likely each voxel [Z, Y, X] lies within a part.

    Its distance is that from the plane of the nearest of the surface's points: its vertices and its faces' middles.
    """
    inside = _inside(part, grid)
    points = np.concatenate([part.vertices, part.vertices[part.faces].mean(1)])
    normals = np.concatenate([part.normals, part.normals[part.faces].mean(1)])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    spread = np.concatenate([sd, sd[part.faces].mean(1)])
    z, y, x = np.meshgrid(*grid.axes(), indexing="ij")
    centres = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    far, nearest = KDTree(points).query(centres, distance_upper_bound=REACH * float(spread.max()))
    near = np.flatnonzero(np.isfinite(far))
    at = np.asarray(nearest)[near]
    from_plane = np.abs(((centres[near] - points[at]) * normals[at]).sum(1))
    out = inside.ravel().astype(np.float64)
    sign = np.where(inside.ravel()[near], 1.0, -1.0)
    out[near] = ndtr(sign * from_plane / np.maximum(spread[at], 1e-6))
    return out.reshape(grid.shape)
