"""Closed, smooth, outward-oriented triangle surfaces of the structures of one frame.

A label map is cut off flat at the base, and that cut must stay a flat face with a sharp rim while the wall around it
becomes smooth. So the structure is first continued upwards beyond its base, smoothed, and then contoured on layers
that are counted from the base: the uppermost layer *is* the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, label, map_coordinates
from scipy.sparse import coo_array, csr_array
from scipy.special import erfinv
from skimage.measure import marching_cubes

from cheart.errors import InputError
from cheart.labels import LV, MYO, RV

Points = NDArray[np.float64]
Faces = NDArray[np.int32]

PARTS: dict[str, tuple[int, ...]] = {"lv_endocardium": (LV,), "lv_epicardium": (LV, MYO), "rv_endocardium": (RV,)}
"""The surfaces, each the boundary of the union of these labels."""

WALL, BASE = 0, 1
REGIONS = ("WALL", "BASE")
"""Names of the face regions by number; ``BASE`` is the basal cut."""

RESOLUTION_MM = 2.0
_SOFT_MM = 1.5
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed triangle surface.

    Attributes:
        vertices: [V, 3] (x, y, z) in mm.
        faces: [F, 3] indices of vertices, counter-clockwise seen from outside.
        regions: [F] uint8, :data:`WALL` or :data:`BASE`.
    """

    vertices: Points
    faces: Faces
    regions: NDArray[np.uint8]

    @cached_property
    def volume_ml(self) -> float:
        """Enclosed volume in mL, positive where the faces look outwards."""
        a, b, c = (self.vertices[self.faces[:, i]] - self.vertices[0] for i in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6000)

    @cached_property
    def face_areas(self) -> NDArray[np.float64]:
        """[F] in mm²."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2)

    @cached_property
    def normals(self) -> Points:
        """[V, 3] unit normals outwards, averaged over the faces around each vertex by area."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        normals = np.zeros_like(self.vertices)
        cross = np.cross(b - a, c - a)
        for i in range(3):
            np.add.at(normals, self.faces[:, i], cross)
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))

    @cached_property
    def watertight(self) -> bool:
        """Every edge belongs to exactly two faces, which walk it in opposite directions."""
        edges = self.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
        one_way = edges[:, 0] * len(self.vertices) + edges[:, 1]
        other_way = edges[:, 1] * len(self.vertices) + edges[:, 0]
        return len(np.unique(one_way)) == len(one_way) and np.array_equal(np.sort(one_way), np.sort(other_way))

    @cached_property
    def quality(self) -> NDArray[np.float64]:
        """[F] twice the inscribed over the circumscribed radius: 1 for an equilateral triangle, 0 for a sliver."""
        corners = self.vertices[self.faces]
        a, b, c = (np.linalg.norm(corners[:, (i + 1) % 3] - corners[:, i], axis=1) for i in range(3))
        return np.asarray((b + c - a) * (c + a - b) * (a + b - c) / np.maximum(a * b * c, 1e-12))


def closed_surface(
    labels: NDArray[np.uint8], spacing: tuple[float, float, float], part: str, *, resolution_mm: float = RESOLUTION_MM
) -> Surface:
    """The surface of one part of the heart in one frame.

    The enclosed volume is that of the voxels. Only the largest connected piece is taken.

    Args:
        labels: [Z, Y, X] canonical labels, slices along Z, the base at +Z.
        spacing: voxel size in mm along (Z, Y, X).
        part: one of :data:`PARTS`.
        resolution_mm: length of a typical edge.

    Returns:
        In mm from the middle of voxel (0, 0, 0) along x, y and z.

    Raises:
        InputError: the part is not there.
    """
    inside = np.isin(labels, PARTS[part])
    if not inside.any():
        raise InputError(f"{part.replace('_', ' ')}: no voxel of it in this frame, so there is no surface to draw")
    inside, corner = _cropped(largest_piece(inside))
    volume = inside.sum() * float(np.prod(spacing))
    fine, fine_spacing, first = thin_planes(inside, spacing)
    field = _Field.around(fine, fine_spacing, resolution_mm)
    vertices, faces = field.contour()
    vertices = _relaxed(vertices, faces, field)
    surface = Surface(field.to_mm(vertices), faces, field.regions(vertices, faces))
    surface = with_volume(surface, volume)
    origin = (corner * np.array(spacing))[::-1] + np.array([0, 0, first])
    return Surface(surface.vertices + origin, surface.faces, surface.regions)


@dataclass(frozen=True, eq=False)
class _Field:
    """Signed distance (positive inside) in mm on a lattice whose last but one layer is the base.

    Lattice coordinates are (layer, row, column); the lattice is ``step`` mm wide and follows the base's height.
    """

    distance: NDArray[np.float64]
    step: float
    corner: tuple[float, float]  # mm (y, x) of row 0, column 0
    base: Base

    @property
    def top(self) -> int:
        return self.distance.shape[0] - 2

    @classmethod
    def around(cls, inside: NDArray[np.bool_], spacing: tuple[float, float, float], step: float) -> _Field:
        base = find_base(inside, spacing)
        sigma = np.maximum(_SOFT_MM / np.array(spacing), 0.7)
        pad = np.ceil(4 * sigma).astype(int) + 1
        upwards = base.continued(inside, int(pad[0]))
        soft = gaussian_filter(np.pad(upwards, [(pad[0], 0), (pad[1],) * 2, (pad[2],) * 2]).astype(np.float32), sigma)
        where = np.argwhere(inside)
        low, high = where.min(0), where.max(0)
        y, x = (np.arange(low[i] * spacing[i] - 2 * step, high[i] * spacing[i] + 2 * step + 1e-6, step) for i in (1, 2))
        height = base.height_at(*np.meshgrid(y, x, indexing="ij"))
        layers = np.arange(np.ceil((height.max() - low[0] * spacing[0]) / step) + 2, -1, -1) * step
        z = height[None] - layers[:, None, None]
        at = np.stack([z, *(np.broadcast_to(a, z.shape) for a in (y[:, None], x[None]))])
        index = at / np.array(spacing)[:, None, None, None] + pad[:, None, None, None]
        sampled = map_coordinates(soft, index, order=1).clip(1e-4, 1 - 1e-4)
        distance = _SOFT_MM * np.sqrt(2) * erfinv(2 * sampled.astype(float) - 1)
        distance = np.concatenate([distance, np.full((1, *height.shape), -1e3)])
        return cls(distance, step, (float(y[0]), float(x[0])), base)

    def contour(self) -> tuple[Points, Faces]:
        """Zero surface in lattice coordinates; the cut at the base lies exactly on the top layer."""
        near = 0.18 * self.step  # vertices that nearly coincide with lattice points make slivers
        values = np.where(np.abs(self.distance) < near, np.where(self.distance > 0, near, -near), self.distance)
        vertices, faces, _, _ = marching_cubes(values.astype(np.float32), 0.0, gradient_direction="ascent")
        vertices = vertices.astype(float)
        vertices[:, 0] = np.minimum(vertices[:, 0], self.top)
        return vertices, faces[:, ::-1].astype(np.int32)  # (z, y, x) is left-handed

    def regions(self, vertices: Points, faces: Faces) -> NDArray[np.uint8]:
        return np.asarray(self.on_top(vertices)[faces].all(axis=1), np.uint8)

    def on_top(self, vertices: Points) -> NDArray[np.bool_]:
        return np.asarray(vertices[:, 0] > self.top - 1e-3)

    def project(self, vertices: Points, *, flat: NDArray[np.bool_]) -> Points:
        """Move vertices to the zero surface; those that are ``flat`` move within their layer only."""
        below = np.concatenate([self.distance[:-1], self.distance[-2:-1]])
        value = map_coordinates(below, vertices.T, order=1, mode="nearest")
        gradient = np.empty_like(vertices)
        for axis, offset in enumerate(np.eye(3) * 0.5):
            ahead, behind = vertices + offset, vertices - offset
            gradient[:, axis] = map_coordinates(below, ahead.T, order=1, mode="nearest") - map_coordinates(
                below, behind.T, order=1, mode="nearest"
            )
        gradient[flat, 0] = 0
        step = value[:, None] * gradient / np.maximum((gradient**2).sum(axis=1, keepdims=True), (0.3 * self.step) ** 2)
        return vertices - np.clip(step, -0.5, 0.5)

    def to_mm(self, vertices: Points) -> Points:
        """Lattice coordinates to (x, y, z) in mm."""
        y = self.corner[0] + vertices[:, 1] * self.step
        x = self.corner[1] + vertices[:, 2] * self.step
        return np.stack([x, y, self.base.height_at(y, x) + (vertices[:, 0] - self.top) * self.step], axis=1)


def neighbours(faces: Faces, count: int, keep: NDArray[np.bool_] | None = None) -> csr_array:
    """[V, V] matrix that averages over the neighbours of each vertex, of those edges that ``keep`` [F, 3] selects."""
    edges = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1)
    edges = edges.reshape(-1, 2) if keep is None else edges[keep]
    pairs = np.concatenate([edges, edges[:, ::-1]])
    matrix = csr_array(coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count)))
    matrix.data[:] = 1
    degree = np.asarray(matrix.sum(axis=1)).ravel()
    matrix.data /= np.repeat(np.maximum(degree, 1), np.diff(matrix.indptr))
    return matrix


def rim_edges(faces: Faces, regions: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """[F, 3] which edges (i to i + 1) part the wall from the base; each is found from both sides."""
    start, end = faces.astype(np.int64), np.roll(faces, -1, axis=1).astype(np.int64)
    key = np.minimum(start, end) * (faces.max() + 1) + np.maximum(start, end)
    _, inverse = np.unique(key.ravel(), return_inverse=True)
    base = np.bincount(inverse, np.repeat(regions == BASE, 3))
    return np.asarray((base[inverse] == 1).reshape(faces.shape))


def _relaxed(vertices: Points, faces: Faces, field: _Field) -> Points:
    """Even out the triangles: vertices slide along the wall, along the rim and within the base."""
    regions = field.regions(vertices, faces)
    rims = rim_edges(faces, regions)
    average, along = neighbours(faces, len(vertices)), neighbours(faces, len(vertices), rims)
    on_top = field.on_top(vertices)
    rim = np.zeros(len(vertices), bool)
    rim[np.unique(np.concatenate([faces[rims], np.roll(faces, -1, axis=1)[rims]]))] = True
    wall = ~on_top
    for _ in range(_ROUNDS):
        mean = average @ vertices
        mean[rim] = (along @ vertices)[rim]
        vertices = vertices + 0.6 * (mean - vertices)
        vertices[on_top, 0] = field.top
        vertices[wall, 0] = np.minimum(vertices[wall, 0], field.top - 0.25)
        moved = field.project(vertices, flat=on_top)
        vertices = np.where((wall | rim)[:, None], moved, vertices)
        vertices[wall, 0] = np.minimum(vertices[wall, 0], field.top - 0.25)
    return vertices


def with_volume(surface: Surface, volume_mm3: float, rounds: int = 3) -> Surface:
    """Move the wall along its normals until the volume is right; the base stays in its plane."""
    wall = surface.regions == WALL
    on_wall = np.unique(surface.faces[wall])
    on_base = np.unique(surface.faces[~wall])
    for _ in range(rounds):
        outside = Surface(surface.vertices, surface.faces[wall], surface.regions[wall]).normals
        outside[on_base, 2] = 0
        step = (volume_mm3 - surface.volume_ml * 1000) / surface.face_areas[wall].sum()
        vertices = surface.vertices.copy()
        vertices[on_wall] += np.clip(step, -1.0, 1.0) * outside[on_wall]
        surface = Surface(vertices, surface.faces, surface.regions)
    return surface


def largest_piece(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of a mask [Z, Y, X]: its largest connected piece."""
    pieces, count = label(inside)
    if count < 2:
        return inside
    return np.asarray(pieces == np.bincount(pieces.ravel())[1:].argmax() + 1)


def _cropped(inside: NDArray[np.bool_], margin: int = 2) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """The box that holds the structure, with a margin in plane, and the index (z, y, x) of its first voxel."""
    where = np.argwhere(inside)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    box = inside[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return np.pad(box, [(0, 0), (margin, margin), (margin, margin)]), low - np.array([0, margin, margin])


_THICK_MM = 3.0  # planes further apart are interpolated first …
_THIN_MM = 2.0  # … to about this distance
_FLAT = 0.8
_UNEVEN_MM = 12.0
_SOFT_BASE_MM = 5.0


@dataclass(frozen=True, eq=False)
class Base:
    """The basal cut as a height over the plane.

    Attributes:
        columns: [Y, X] bool, the voxel columns that end at the cut.
        tops: [Y, X] index of the last plane inside, where ``columns``.
        surface: [Y, X] height of the cut in mm, continued smoothly over the whole plane.
        spacing: voxel size in mm along (Z, Y, X).
    """

    columns: NDArray[np.bool_]
    tops: NDArray[np.intp]
    surface: NDArray[np.float64]
    spacing: tuple[float, float, float]

    def continued(self, inside: NDArray[np.bool_], planes: int) -> NDArray[np.bool_]:
        """The structure [Z, Y, X] continued beyond its cut, with so many planes more."""
        plane = np.arange(len(inside) + planes)[:, None, None]
        longer = np.concatenate([inside, np.zeros((planes, *inside.shape[1:]), bool)])
        return longer | (self.columns & (plane > self.tops))

    def height_at(self, y: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Height in mm at points given in mm; any shape, the same for y and x."""
        at = np.stack([y / self.spacing[1], x / self.spacing[2]])
        return np.asarray(map_coordinates(self.surface, at, order=1, mode="nearest"))


def find_base(inside: NDArray[np.bool_], spacing: tuple[float, float, float]) -> Base:
    """Find the basal cut of a structure [Z, Y, X] that is cut off at +Z.

    Most hearts end at one plane, which is then the cut; what little sticks out of it is cut off. Others (a turned
    heart, an outflow tract) end unevenly: the cut is then a smooth surface through their upper ends.
    """
    planes = np.arange(len(inside))
    tops = np.where(inside, planes[:, None, None], -1).max(axis=0)
    there = np.flatnonzero(inside.any(axis=(1, 2)))
    ends = np.bincount(tops[tops >= 0], minlength=len(inside))
    upper_half = planes >= (there[0] + there[-1]) / 2
    cut = int(np.argmax(ends * upper_half))
    if ends[cut] >= _FLAT * inside[cut].sum():
        height = np.full(tops.shape, (cut + 0.5) * spacing[0])
        return Base(inside[cut], np.full(tops.shape, cut), height, spacing)
    columns = _grown(tops == cut, tops, np.abs(tops - cut) * spacing[0] <= _UNEVEN_MM)
    plane = _common_plane(columns, tops)
    columns &= tops - plane >= -1  # what ends lower ends at the wall
    height = (plane + 0.5 + _smooth_within(columns, tops - plane, spacing)) * spacing[0]
    return Base(columns, tops, height, spacing)


def thin_planes(
    inside: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> tuple[NDArray[np.bool_], tuple[float, float, float], float]:
    """Interpolate between thick slices by their signed distances (shape-based interpolation).

    Returns:
        The finer [Z', Y, X] with slices about 2 mm apart, its spacing, and the height in mm of its first plane's
        middle, counted from the middle of the first slice; thin slices come back as they are.
    """
    if spacing[0] <= _THICK_MM:
        return inside, spacing, 0.0
    times = round(spacing[0] / _THIN_MM)
    far = 2 * spacing[0]
    distance = np.stack([_signed(plane, spacing[1:], far) for plane in inside])
    height = (np.arange(len(inside) * times) - (times - 1) / 2) / times
    low = np.clip(np.floor(height).astype(int), 0, len(inside) - 1)
    high = np.minimum(low + 1, len(inside) - 1)
    fraction = np.clip(height - low, 0, 1)[:, None, None]
    mixed = (1 - fraction) * distance[low] + fraction * distance[high]
    return mixed > 0, (spacing[0] / times, *spacing[1:]), -(times - 1) / 2 * spacing[0] / times


def _signed(plane: NDArray[np.bool_], spacing: tuple[float, ...], far: float) -> NDArray[np.float64]:
    """Signed distance within a plane in mm, positive inside; −far everywhere where the plane is empty."""
    if not plane.any():
        return np.full(plane.shape, -far)
    padded = np.pad(plane, 1)
    inner = distance_transform_edt(padded, sampling=spacing) - distance_transform_edt(~padded, sampling=spacing)
    return np.asarray(inner[1:-1, 1:-1])


def _grown(seeds: NDArray[np.bool_], tops: NDArray[np.intp], allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns that are reached from the seeds in steps of at most one plane."""
    columns = seeds & allowed
    while True:
        reached = columns.copy()
        for axis in (0, 1):
            for ahead in (slice(1, None), slice(None, -1)):
                behind = slice(None, -1) if ahead.start else slice(1, None)
                to, come = [slice(None)] * 2, [slice(None)] * 2
                to[axis], come[axis] = ahead, behind
                step = np.abs(tops[tuple(to)] - tops[tuple(come)]) <= 1
                reached[tuple(to)] |= columns[tuple(come)] & step & allowed[tuple(to)] & (tops[tuple(to)] >= 0)
        if np.array_equal(reached, columns):
            return columns
        columns = reached


def _common_plane(columns: NDArray[np.bool_], tops: NDArray[np.intp], rounds: int = 20) -> NDArray[np.float64]:
    """[Y, X] the (tilted) plane that most columns end at, as a fractional plane number."""
    terms = np.stack([np.ones(tops.shape), *np.indices(tops.shape)], axis=-1)
    kept = columns
    for _ in range(rounds):
        fit = np.linalg.lstsq(terms[kept], tops[kept].astype(float), rcond=None)[0]
        closer = columns & (np.abs(tops - terms @ fit) <= 1)
        if closer.sum() < 10 or np.array_equal(closer, kept):
            break
        kept = closer
    return np.asarray(terms @ fit)


def _smooth_within(
    columns: NDArray[np.bool_], height: NDArray[np.floating], spacing: tuple[float, float, float]
) -> NDArray[np.float64]:
    """A height known in some columns, smoothed, and fading to 0 away from them."""
    sigma = [_SOFT_BASE_MM / s for s in spacing[1:]]
    weight = gaussian_filter(columns.astype(float), sigma)
    return np.asarray(gaussian_filter(np.where(columns, height, 0.0), sigma) / (weight + 0.05))
