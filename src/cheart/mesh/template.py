"""One biventricular mesh for all hearts: vertex i is the same place in everybody and at all times.

The template (a few thousand vertices: LV endocardium, LV epicardium, RV endocardium, each closed) is brought onto a
heart's signed distances (:mod:`cheart.models.fields`, or any): stretched layer by layer to its place and width first,
then moved along the distances' gradient, by a displacement that is smoothed less and less. Vertex i of the LV's
endocardium and vertex i of its epicardium are the two ends of one column through the wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.sparse import csr_array, eye_array
from scipy.spatial import KDTree

from cheart.errors import InputError
from cheart.mesh.correspondence import follow
from cheart.mesh.surface import BASE, PARTS, WALL, Faces, Points, Surface, closed_surface, neighbours, rim_edges

FILE = Path(__file__).with_name("template.safetensors")

_LAYERS = 12
_MIDDLES = (np.arange(_LAYERS) + 0.5) / _LAYERS
_SMOOTHING = (60, 40, 30, 20, 14, 10, 7, 5, 3, 2, 2, 1)
_STEP_MM = 6.0
_SEPTUM_MM = 5.0  # the RV's wall this near to the LV's epicardium is septum


@dataclass(frozen=True)
class Sampling:
    """Where signed distances [z, y, x] are sampled: the place of voxel (0, 0, 0) and the step, mm along (z, y, x)."""

    first: tuple[float, float, float]
    step: tuple[float, float, float]

    def index(self, points: Points) -> NDArray[np.float64]:
        """Points [V, 3] (x, y, z) in mm to fractional voxels [3, V] (z, y, x)."""
        return np.asarray((points[:, ::-1] - np.array(self.first)) / np.array(self.step)).T


@dataclass(frozen=True, eq=False)
class Layers:
    """A solid in layers from its apex to its base.

    Attributes:
        apex, base: its lowest and its highest point, mm along z.
        middle: [_LAYERS, 2] mean x and y of each layer, mm.
        width: [_LAYERS, 2] their standard deviation, mm.
    """

    apex: float
    base: float
    middle: NDArray[np.float64]
    width: NDArray[np.float64]

    @classmethod
    def of(cls, distance: NDArray[np.floating], where: Sampling) -> Layers:
        """Of a solid's signed distance [z, y, x], negative inside."""
        z, y, x = (where.first[i] + where.step[i] * np.arange(n) for i, n in enumerate(distance.shape))
        deepest = distance.min(axis=(1, 2))
        inside = np.flatnonzero(deepest < 0)
        if not inside.size:
            raise InputError("a part of the heart is nowhere in this frame, so that no mesh can be brought onto it")
        apex, base = _crossing(z, deepest, inside[0], -1), _crossing(z, deepest, inside[-1], 1)
        share = (0.5 - distance / (2 * where.step[2])).clip(0, 1)
        mass = share.sum(axis=(1, 2))
        rows, columns = share.sum(axis=2), share.sum(axis=1)
        relative = (z - apex) / (base - apex)
        moments = np.stack([columns @ x, rows @ y, columns @ x**2, rows @ y**2], axis=1)
        weight = np.exp(-0.5 * ((relative - _MIDDLES[:, None]) * _LAYERS / 0.8) ** 2)
        pooled = weight @ moments / np.maximum(weight @ mass, 1e-6)[:, None]
        middle = pooled[:, :2]
        return cls(apex, base, middle, np.sqrt(np.maximum(pooled[:, 2:] - middle**2, 1.0)))

    @property
    def round(self) -> Layers:
        """The same, as wide along x as along y: one that can be turned."""
        return Layers(self.apex, self.base, self.middle, self.width[:, ::-1] / 2 + self.width / 2)

    @property
    def row(self) -> NDArray[np.float64]:
        """All its numbers, as a file holds them; :meth:`of_row` reads them back."""
        return np.concatenate([[self.apex, self.base], self.middle.ravel(), self.width.ravel()])

    @classmethod
    def of_row(cls, row: NDArray[np.float64]) -> Layers:
        """Of what :attr:`row` gave."""
        middle, width = row[2:].reshape(2, -1, 2)
        return cls(float(row[0]), float(row[1]), middle, width)


def _crossing(z: NDArray[np.floating], deepest: NDArray[np.floating], last: int, way: int) -> float:
    """The height between the last plane that holds something and the next one at which the solid ends."""
    other = last + way
    if not 0 <= other < len(z):
        return float(z[last])
    fraction = deepest[last] / (deepest[last] - deepest[other])
    return float(z[last] + fraction * (z[other] - z[last]))


@dataclass(frozen=True, eq=False)
class Template:
    """The mesh that is brought onto hearts.

    Attributes:
        vertices: [V, 3] (x, y, z) in mm of the template pose; those of a part stand together, in the order of
            :data:`cheart.mesh.surface.PARTS`.
        faces: [F, 3] counter-clockwise seen from outside.
        part: [F] the number of each face's part.
        regions: [F] wall or basal cut (:data:`cheart.mesh.surface.REGIONS`).
        layers: of each part.
    """

    vertices: Points
    faces: Faces
    part: NDArray[np.uint8]
    regions: NDArray[np.uint8]
    layers: tuple[Layers, ...]

    @classmethod
    def of(
        cls, labels: NDArray[np.uint8], spacing: tuple[float, float, float], first: NDArray[np.floating],
        distances: NDArray[np.floating], where: Sampling, *, resolution_mm: float = 4.5,
    ) -> Template:  # fmt: skip
        """Of one heart in the template pose: the first that all others are compared with.

        Args:
            labels: [Z, Y, X].
            spacing: mm along (Z, Y, X).
            first: (x, y, z) of voxel (0, 0, 0), mm.
            distances: its signed distances [3, z, y, x] of LV cavity, LV with wall, RV cavity.
            where: their sampling.
            resolution_mm: length of a typical edge.
        """
        inner, outer, right = (closed_surface(labels, spacing, part, resolution_mm=resolution_mm) for part in PARTS)
        surfaces = [inner, follow([inner, outer], title="the wall")[1], right]
        ends = np.cumsum([0] + [len(s.vertices) for s in surfaces])
        return cls(
            np.concatenate([s.vertices for s in surfaces]) + first,
            np.concatenate([s.faces + end for s, end in zip(surfaces, ends, strict=False)]).astype(np.int32),
            np.repeat(np.arange(len(PARTS)), [len(s.faces) for s in surfaces]).astype(np.uint8),
            np.concatenate([s.regions for s in surfaces]),
            tuple(Layers.of(d, where) for d in distances),
        )

    @cached_property
    def spans(self) -> dict[str, slice]:
        """The vertices of each part."""
        ends = [0, *(int(self.faces[self.part == k].max()) + 1 for k in range(len(PARTS)))]
        return {name: slice(a, b) for name, a, b in zip(PARTS, ends[:-1], ends[1:], strict=True)}

    def surface(self, vertices: Points, part: str) -> Surface:
        """One part, closed, at vertices [V, 3]."""
        span, own = self.spans[part], self.part == list(PARTS).index(part)
        return Surface(vertices[span], (self.faces[own] - span.start).astype(np.int32), self.regions[own])

    def volumes_ml(self, vertices: Points) -> dict[str, float]:
        """Volume that each part encloses."""
        return {part: self.surface(vertices, part).volume_ml for part in PARTS}

    @cached_property
    def names(self) -> dict[str, NDArray[np.intp]]:
        """Vertices of what has a name: each part's wall, the base of all, and the septum from the right."""
        sets = {part: np.unique(self.faces[(self.part == k) & (self.regions == WALL)]) for k, part in enumerate(PARTS)}
        right = sets["rv_endocardium"]
        points, inner, outer = (self.vertices[sets[part]] for part in ("rv_endocardium", *tuple(PARTS)[:2]))
        left = inner[KDTree(inner).query(points)[1]] - points
        outwards = self.surface(self.vertices, "rv_endocardium").normals[right - self.spans["rv_endocardium"].start]
        facing = (left * outwards).sum(axis=1) > 0.3 * np.linalg.norm(left, axis=1)
        near = KDTree(outer).query(points)[0] < _SEPTUM_MM
        return {**sets, "septum": right[near & facing], "base": np.unique(self.faces[self.regions == BASE])}

    def onto(self, distances: NDArray[np.floating], where: Sampling) -> Points:
        """The template brought onto a heart.

        Args:
            distances: signed distances [3, z, y, x] in mm of LV cavity, LV with wall and RV cavity, negative inside.
            where: their sampling.

        Returns:
            Vertices [V, 3] in mm.

        Raises:
            InputError: a part is nowhere.
        """
        cavity, outer, right = np.asarray(distances, np.float64)
        solids = (np.maximum(cavity, outer), outer, np.maximum(right, -outer))  # as labels have them: none in another
        pairs = zip(PARTS, self.layers, solids, strict=True)
        return np.concatenate([self._part_onto(part, own, solid, where) for part, own, solid in pairs])

    @cached_property
    def _average(self) -> Mapping[str, csr_array]:
        """For each part, the matrix that moves a displacement a step towards its neighbours'."""
        out = {}
        for part in PARTS:
            surface = self.surface(self.vertices, part)
            count = len(surface.vertices)
            plain = neighbours(surface.faces, count)
            rims = rim_edges(surface.faces, surface.regions)
            along = neighbours(surface.faces, count, rims)  # a rim's place is told by the rim
            on_rim = np.zeros(count)
            on_rim[np.unique(surface.faces[rims])] = 1
            mixed = plain.multiply(1 - on_rim[:, None]) + along.multiply(on_rim[:, None])
            out[part] = csr_array(0.4 * eye_array(count) + 0.6 * mixed)
        return out

    def _part_onto(self, part: str, own: Layers, distance: NDArray[np.float64], where: Sampling) -> Points:
        template = self.vertices[self.spans[part]]
        start = stretched(template, own, Layers.of(distance, where))
        slopes: list[Points] = list(np.gradient(distance, *where.step))
        shift: Points = np.zeros_like(start)
        average = self._average[part]
        for rounds in _SMOOTHING:
            for _ in range(rounds):
                shift = average @ shift
            shift = shift + _towards(start + shift, distance, slopes, where)
        return start + shift + _towards(start + shift, distance, slopes, where)


def stretched(vertices: Points, own: Layers, other: Layers) -> Points:
    """Stretched from apex to base, and in each layer to the other's place and width."""
    height = ((vertices[:, 2] - own.apex) / (own.base - own.apex)).clip(0, 1)
    out = vertices.copy()
    for axis in (0, 1):
        at = [np.interp(height, _MIDDLES, v[:, axis]) for v in (own.middle, own.width, other.middle, other.width)]
        out[:, axis] = at[2] + (vertices[:, axis] - at[0]) * at[3] / at[1]
    out[:, 2] = other.apex + (vertices[:, 2] - own.apex) * (other.base - other.apex) / (own.base - own.apex)
    return out


def _towards(points: Points, distance: NDArray[np.float64], slopes: list[Points], where: Sampling) -> Points:
    """From points [V, 3] to the zero surface along the gradient: a Newton step, not longer than a few mm."""
    index = where.index(points)
    value = map_coordinates(distance, index, order=1, mode="nearest")
    slope = np.stack([map_coordinates(s, index, order=1, mode="nearest") for s in slopes[::-1]], axis=1)
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    step = -value[:, None] * slope / np.maximum(length, 0.3) ** 2
    size = np.linalg.norm(step, axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1, _STEP_MM / np.maximum(size, 1e-9)))


def save_template(template: Template, path: Path = FILE) -> None:
    """Write it as ``template.safetensors``."""
    from safetensors.numpy import save_file

    layers = np.stack([layers.row for layers in template.layers])
    save_file(
        {
            "vertices": template.vertices.astype(np.float32), "faces": template.faces.astype(np.uint16),
            "part": template.part, "regions": template.regions, "layers": layers.astype(np.float32),
        },
        path,
    )  # fmt: skip


@lru_cache(maxsize=1)
def load_template() -> Template:
    """The one template of this version."""
    from safetensors.numpy import load_file

    read = load_file(FILE)
    layers = tuple(Layers.of_row(row) for row in read["layers"].astype(np.float64))
    return Template(
        read["vertices"].astype(np.float64), read["faces"].astype(np.int32), read["part"], read["regions"], layers
    )
