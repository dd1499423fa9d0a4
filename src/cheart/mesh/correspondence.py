"""One template surface carried through the cycle: vertex i is the same place of the heart in every frame.

Label maps show where the walls are, not which piece of tissue lies where: movement along the wall (such as torsion)
is not in them. What is in them is followed: the rim of the basal cut, the apex, the displacement of the wall along
its normal; between these the displacement is as smooth as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from cheart.mesh.surface import BASE, WALL, Faces, Points, Surface, neighbours, rim_edges, with_volume
from cheart.progress import track

_NORMAL_MM = 10.0  # a surface that faces the other way counts as this much farther away
_LAYERS = 16
_MIDDLES = (np.arange(_LAYERS) + 0.5) / _LAYERS
_SMOOTHING = (40, 30, 20, 14, 10, 7, 5, 4, 3, 2)


@dataclass(frozen=True, eq=False)
class MovingSurface:
    """A surface whose vertices are followed through the frames.

    Attributes:
        vertices: [T, V, 3] (x, y, z) in mm; frame 0 is the template.
        faces: [F, 3], the same in every frame.
        regions: [F] uint8, the same in every frame.
    """

    vertices: Points
    faces: Faces
    regions: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.vertices)

    def __getitem__(self, frame: int) -> Surface:
        return Surface(self.vertices[frame], self.faces, self.regions)

    def each(self) -> list[Surface]:
        """The surface of every frame."""
        return [self[t] for t in range(len(self))]

    @property
    def displacement(self) -> Points:
        """[T, V, 3] mm from frame 0."""
        return np.asarray(self.vertices - self.vertices[0])

    @cached_property
    def area_strain(self) -> NDArray[np.float64]:
        """[T, F] relative change of each face's area from frame 0: A / A₀ − 1."""
        areas = np.stack([surface.face_areas for surface in self.each()])
        return np.asarray(areas / areas[0] - 1)


def follow(surfaces: list[Surface], *, title: str = "Surface") -> MovingSurface:
    """Deform the first frame's closed surface, its base at +z, onto those of all other frames.

    Each frame is reached from the first one directly, so that nothing drifts and the cycle closes.
    """
    template = surfaces[0]
    carrier = _Carrier.of(template)
    others = track(surfaces[1:], total=len(surfaces) - 1, title=f"Following {title}")
    moved = [template.vertices, *(carrier.onto(target) for target in others)]
    return MovingSurface(np.stack(moved), template.faces, template.regions)


def wall_thickness(inner: Surface, outer: Surface) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance in mm from each wall vertex of one surface to the wall of the other, both ways; nan on the base.

    Returns:
        Thickness at the vertices of ``inner`` [V] and at those of ``outer`` [V'].
    """
    return _distance(inner, outer), _distance(outer, inner)


def _distance(one: Surface, other: Surface) -> NDArray[np.float64]:
    thickness = np.full(len(one.vertices), np.nan)
    wall = np.unique(one.faces[one.regions == WALL])
    thickness[wall] = KDTree(_samples(other, WALL)[0]).query(one.vertices[wall])[0]
    return thickness


def _samples(surface: Surface, region: int) -> tuple[Points, Points]:
    """Points spread over a region (corners, middles of edges and of faces), and the normals there."""
    corners = surface.vertices[surface.faces[surface.regions == region]]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    points = np.stack([a, b, c, (a + b) / 2, (b + c) / 2, (c + a) / 2, (a + b + c) / 3], axis=1)
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return points.reshape(-1, 3), np.repeat(normals, 7, axis=0)


@dataclass(frozen=True, eq=False)
class _Carrier:
    """The template with what is needed to deform it, worked out once."""

    template: Surface
    average: csr_array
    rim: NDArray[np.intp]
    wall: NDArray[np.intp]  # without the rim
    cap: NDArray[np.intp]  # the base without the rim

    @classmethod
    def of(cls, template: Surface) -> _Carrier:
        faces, count = template.faces, len(template.vertices)
        rim = rim_loop(template)
        wall = np.setdiff1d(faces[template.regions == WALL], rim)
        cap = np.setdiff1d(faces[template.regions == BASE], rim)
        return cls(template, neighbours(faces, count), rim, wall, cap)

    def onto(self, target: Surface) -> Points:
        """The template's vertices [V, 3] on another surface."""
        walls, wall_normals = _samples(target, WALL)
        wall_tree = KDTree(np.hstack([walls, _NORMAL_MM * wall_normals]))
        caps, cap_normals = _samples(target, BASE)
        cap_tree = KDTree(caps[:, :2])

        start = _stretched(self.template, target)
        rim = _matched_rim(start[self.rim], target)
        shift = np.zeros_like(start)
        for smoothing in _SMOOTHING:
            shift = self._smoothed(shift, smoothing, pinned=rim - start[self.rim])
            vertices = start + shift
            normals = Surface(vertices, self.template.faces, self.template.regions).normals
            near = wall_tree.query(np.hstack([vertices[self.wall], _NORMAL_MM * normals[self.wall]]))[1]
            shift[self.wall] += _towards(vertices[self.wall], walls[near], wall_normals[near])
            near = cap_tree.query(vertices[self.cap, :2])[1]
            shift[self.cap] += _towards(vertices[self.cap], caps[near], cap_normals[near])
        surface = Surface(start + shift, self.template.faces, self.template.regions)
        return with_volume(surface, target.volume_ml * 1000).vertices

    def _smoothed(self, shift: Points, rounds: int, *, pinned: Points) -> Points:
        for _ in range(rounds):
            shift[self.rim] = pinned
            shift = 0.4 * shift + 0.6 * (self.average @ shift)
        shift[self.rim] = pinned
        return shift


def _towards(points: Points, near: Points, normals: Points) -> Points:
    """From points to the planes through their nearest samples."""
    return np.asarray(((near - points) * normals).sum(axis=1, keepdims=True) * normals)


def rim_loop(surface: Surface) -> NDArray[np.intp]:
    """The vertices of the (longest) rim between wall and base, in order, the wall on the left seen from outside."""
    walls = (surface.regions == WALL)[:, None] & rim_edges(surface.faces, surface.regions)
    onward = dict(zip(surface.faces[walls].tolist(), np.roll(surface.faces, -1, axis=1)[walls].tolist(), strict=True))
    loops: list[list[int]] = []
    while onward:
        start, vertex = onward.popitem()
        loops.append([start])
        while vertex != start and vertex in onward:
            loops[-1].append(vertex)
            vertex = onward.pop(vertex)
    return np.array(max(loops, key=len, default=[]), np.intp)


def _matched_rim(rim: Points, target: Surface, fine: int = 720) -> Points:
    """Where each point of a closed rim belongs on the target's rim: at the same fraction of the way around."""
    other = _around(target.vertices[rim_loop(target)], np.arange(fine) / fine)
    own = _around(rim, np.arange(fine) / fine)
    centred, other_centred = own - own.mean(axis=0), other - other.mean(axis=0)
    spectrum = np.conj(np.fft.rfft(centred, axis=0)) * np.fft.rfft(other_centred, axis=0)
    turn = int(np.argmax(np.fft.irfft(spectrum.sum(axis=1), fine)))  # the start that lays one rim best on the other
    return _around(other, _way(rim) + turn / fine)


def _way(loop: Points) -> NDArray[np.float64]:
    """The fraction of the way around a closed loop at which each of its points lies, 0 to 1."""
    length = np.linalg.norm(np.diff(loop, axis=0, append=loop[:1]), axis=1)
    return np.asarray(np.concatenate([[0.0], np.cumsum(length)[:-1]]) / length.sum())


def _around(loop: Points, fraction: NDArray[np.floating]) -> Points:
    """Points of a closed loop at given fractions of the way around."""
    way, closed = np.append(_way(loop), 1.0), np.vstack([loop, loop[:1]])
    return np.stack([np.interp(fraction % 1.0, way, closed[:, axis]) for axis in range(3)], axis=1)


def _stretched(template: Surface, target: Surface) -> Points:
    """A first guess: stretched along the axis from apex to base, and in each layer to the target's place and width."""
    own, other = _Layers.of(template), _Layers.of(target)
    vertices = template.vertices.copy()
    height = own.relative(vertices)
    for axis in (0, 1):
        at = [np.interp(height, _MIDDLES, values[:, axis]) for values in (own.mean, own.width, other.mean, other.width)]
        vertices[:, axis] = at[2] + (vertices[:, axis] - at[0]) * at[3] / at[1]
    vertices[:, 2] = other.apex + height * (other.base_at(vertices) - other.apex)
    return vertices


@dataclass(frozen=True, eq=False)
class _Layers:
    """A surface in layers from its apex to its base.

    Attributes:
        apex: height of the apex in mm.
        base: [3] the plane of the base, z = base · (1, x, y).
        mean, width: [layers, 2] mean and spread of x and y of the wall in mm.
    """

    apex: float
    base: NDArray[np.float64]
    mean: NDArray[np.float64] = field(default_factory=lambda: np.zeros((_LAYERS, 2)))
    width: NDArray[np.float64] = field(default_factory=lambda: np.ones((_LAYERS, 2)))

    @classmethod
    def of(cls, surface: Surface) -> _Layers:
        cap = surface.vertices[np.unique(surface.faces[surface.regions == BASE])]
        terms = np.column_stack([np.ones(len(cap)), cap[:, :2]])
        layers = cls(float(surface.vertices[:, 2].min()), np.linalg.lstsq(terms, cap[:, 2], rcond=None)[0])
        points = _samples(surface, WALL)[0]
        weight = np.exp(-0.5 * ((layers.relative(points)[None] - _MIDDLES[:, None]) * _LAYERS / 0.7) ** 2)
        weight /= weight.sum(axis=1, keepdims=True)
        mean = weight @ points[:, :2]
        width = np.sqrt(np.maximum(weight @ points[:, :2] ** 2 - mean**2, 1e-6))
        return cls(layers.apex, layers.base, mean, width)

    def base_at(self, points: Points) -> NDArray[np.float64]:
        return np.asarray(np.column_stack([np.ones(len(points)), points[:, :2]]) @ self.base)

    def relative(self, points: Points) -> NDArray[np.float64]:
        """0 at the apex, 1 at the base."""
        return np.asarray(np.clip((points[:, 2] - self.apex) / (self.base_at(points) - self.apex), 0, 1.2))
