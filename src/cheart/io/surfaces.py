"""Triangle surfaces from files: OBJ, PLY and STL here, VTK and VTP in :mod:`cheart.io.polydata`; numpy alone.

Of a file the points and the faces are taken; normals, colours, textures and data arrays are passed over. Faces of more
corners are cut into triangles. STL has no points that faces share: equal corners become one.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.io.polydata import Polygons, read_legacy_vtk, read_vtp

_STL_FACE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
_PLY_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_PLY_LISTS = ("vertex_indices", "vertex_index")


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """Points [V, 3] in the file's own unit, and triangles [F, 3] of their numbers."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]


def read_surface(path: Path | str) -> TriangleMesh:
    """Read one surface; the suffix says how: .obj, .ply, .stl, .vtk (legacy, PolyData or triangles of a grid) or .vtp.

    Raises:
        InputError: another suffix, a file that is not what its suffix says, no faces in it, or points that are not
            numbers.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: expected a surface as one of {', '.join(READERS)}")
    try:
        with np.errstate(all="ignore"):  # bytes that are no numbers are found below
            vertices, polygons = reader(path.read_bytes())
        faces = np.concatenate([np.empty((0, 3), np.int64), *(_triangles(p) for p in polygons if p.shape[1] > 2)])
        known = not len(faces) or (faces.min() >= 0 and faces.max() < len(vertices))
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, zlib.error, ParseError) as error:
        raise _unreadable(path, str(error).splitlines()[0] if str(error) else repr(error)) from None
    if not known:
        raise _unreadable(path, f"a face names point {faces.max()} of {len(vertices)}")
    if not len(faces):
        raise _unreadable(path, "it has no faces")
    if not np.isfinite(vertices[faces]).all():
        raise _unreadable(path, "points that are not numbers")
    return TriangleMesh(vertices, faces)


def _unreadable(path: Path, what: str) -> InputError:
    return InputError(f"{path}: not a surface that can be read ({what}); write it anew, or as another of the formats")


def weld(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> TriangleMesh:
    """The same surface with points that lie in one place made one, and without faces that then have no area."""
    places, numbers = np.unique(np.asarray(vertices, np.float64), axis=0, return_inverse=True)
    joined = numbers.reshape(-1)[faces].astype(np.int64)
    a, b, c = joined.T
    return TriangleMesh(places, joined[(a != b) & (b != c) & (c != a)])


def _triangles(polygons: NDArray[np.integer]) -> NDArray[np.int64]:
    """Fans [F, 3] of polygons [P, corners] that all have as many corners."""
    p = np.asarray(polygons, np.int64)
    return np.concatenate([p[:, [0, i, i + 1]] for i in range(1, p.shape[1] - 1)])


def _read_obj(data: bytes) -> Polygons:
    vertices: list[list[float]] = []
    by_count: dict[int, list[list[int]]] = {}
    for line in data.decode("utf-8", "replace").replace("\\\n", " ").splitlines():
        word, *rest = line.split("#")[0].split() or [""]
        if word == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif word == "f":
            numbers = [int(corner.split("/")[0]) for corner in rest]
            # counted from 1; negative ones back from the last point so far
            by_count.setdefault(len(numbers), []).append([n - 1 if n > 0 else len(vertices) + n for n in numbers])
    return np.array(vertices, np.float64).reshape(-1, 3), [np.array(p) for p in by_count.values()]


def _read_stl(data: bytes) -> Polygons:
    count = int(np.frombuffer(data[80:84], "<u4")[0]) if len(data) >= 84 else -1
    if len(data) == 84 + 50 * count:
        corners = np.frombuffer(data, _STL_FACE, count, 84)["corners"].astype(np.float64)
    elif data.lstrip()[:5].lower() == b"solid":
        number = rb"\s+([-+.\deEnainf]+)"
        found = re.findall(rb"vertex" + number * 3, data, re.IGNORECASE)
        corners = np.array(found, np.float64).reshape(-1, 3, 3)
    else:
        raise ValueError(f"binary STL of {count} faces has {84 + 50 * count} bytes, and this file {len(data)}")
    mesh = weld(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3))
    return mesh.vertices, [mesh.faces]


def _read_ply(data: bytes) -> Polygons:
    head, end, body = data.partition(b"end_header")
    lines = [line.split() for line in head.decode("ascii", "replace").splitlines()]
    if not end or lines[0] != ["ply"]:
        raise ValueError("no PLY header")
    table = _PlyBody(body[body.index(b"\n") + 1 :], next((line[1] for line in lines if line[:1] == ["format"]), ""))
    vertices, polygons = np.empty((0, 3)), []
    elements: list[tuple[str, int, list[list[str]]]] = []
    for line in lines:
        if line[:1] == ["element"]:
            elements.append((line[1], int(line[2]), []))
        elif line[:1] == ["property"]:
            elements[-1][2].append(line[1:])
    for name, count, properties in elements:
        columns = table.take(count, properties)
        if name == "vertex":
            vertices = np.stack([np.concatenate(columns[axis]) for axis in "xyz"], axis=1).astype(np.float64)
        elif name == "face":
            polygons = _by_length(next((columns[key] for key in _PLY_LISTS if key in columns), []))
    return vertices, polygons


def _by_length(lists: list[NDArray]) -> list[NDArray]:
    """Rows of points' numbers as one array a length; each given is one row [n], or many [rows, n]."""
    rows = [one.reshape(-1, one.shape[-1]) for one in lists]
    return [np.concatenate([r for r in rows if r.shape[1] == n]) for n in sorted({r.shape[1] for r in rows}) if n]


class _PlyBody:
    """What comes after a PLY file's header, read from front to back."""

    def __init__(self, data: bytes, form: str) -> None:
        self.words = data.split() if form == "ascii" else None
        self.data, self.order, self.at = data, "<" if "little" in form else ">", 0

    def take(self, count: int, properties: list[list[str]]) -> dict[str, list[NDArray]]:
        """The next ``count`` rows, by property."""
        if not properties:
            return {}
        start = self.at
        columns = self._rows(min(count, 1), properties)
        if self.words is None and count:
            # nearly always every list is as long as the first row's: then all are read at once
            fields = []
            for i, p in enumerate(properties):
                if p[0] == "list":
                    fields.append((f"{i}", self.order + _PLY_TYPES[p[1]], ()))
                fields.append((p[-1], self.order + _PLY_TYPES[p[-2]], columns[p[-1]][0].shape))
            row = np.dtype(fields)
            if start + row.itemsize * count <= len(self.data):
                all_rows = np.frombuffer(self.data, row, count, start)
                lists = [(f"{i}", p[-1]) for i, p in enumerate(properties) if p[0] == "list"]
                if all((all_rows[n] == len(columns[name][0])).all() for n, name in lists):
                    self.at = start + all_rows.nbytes
                    return {p[-1]: [all_rows[p[-1]] if p[0] == "list" else all_rows[p[-1]][:, 0]] for p in properties}
        for name, more in self._rows(count - min(count, 1), properties).items():
            columns[name] += more
        return columns

    def _rows(self, count: int, properties: list[list[str]]) -> dict[str, list[NDArray]]:
        columns: dict[str, list[NDArray]] = {p[-1]: [] for p in properties}
        for _ in range(count):
            for p in properties:
                length = int(self._values(p[1], 1)[0]) if p[0] == "list" else 1
                columns[p[-1]].append(self._values(p[-2], length))
        return columns

    def _values(self, kind: str, count: int) -> NDArray:
        if self.words is not None:
            found = np.array(self.words[self.at : self.at + count], np.float64)
            self.at += count
        else:
            found = np.frombuffer(self.data, self.order + _PLY_TYPES[kind], count, self.at)
            self.at += found.nbytes
        if len(found) < count:
            raise ValueError("it ends too early")
        return found


READERS = {".vtp": read_vtp, ".ply": _read_ply, ".stl": _read_stl, ".vtk": read_legacy_vtk, ".obj": _read_obj}
"""By suffix; of several that hold the same, the one that stands first here is read."""
