"""VTK's surfaces, read with numpy alone: legacy ``.vtk`` and XML ``.vtp``.

Legacy files are text or binary, of the layout before and since version 5; a grid's triangles and quadrilaterals count
as a surface. XML files hold their arrays as text, base64 or appended, compressed by zlib or not.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

Polygons = tuple[NDArray[np.float64], list[NDArray]]
"""Points [V, 3], and faces [F, corners] by their number of corners."""

_FLAT_CELLS = (5, 7, 9)
"""VTK's numbers of a triangle, a polygon and a quadrilateral."""

_LEGACY_TYPES = {
    "float": "f4", "double": "f8", "int": "i4", "unsigned_int": "u4", "long": "i8", "unsigned_long": "u8",
    "vtkidtype": "i8", "vtktypeint64": "i8", "vtktypeint32": "i4", "short": "i2", "unsigned_short": "u2",
    "char": "i1", "unsigned_char": "u1",
}  # fmt: skip
_XML_TYPES = {"Float": "f", "Int": "i", "UInt": "u"}


def read_legacy_vtk(data: bytes) -> Polygons:
    """The points and faces of a legacy VTK file."""
    file = _Legacy(data)
    points, cells, kinds = np.empty((0, 3)), [], None
    while (words := file.line()) is not None:
        key = words[0].upper()
        if key in ("POINT_DATA", "CELL_DATA"):
            break
        if key == "POINTS":
            points = file.values(3 * int(words[1]), words[2]).reshape(-1, 3).astype(np.float64)
        elif key in ("POLYGONS", "CELLS"):
            cells.append(file.cells(int(words[1]), int(words[2])))
        elif key in ("VERTICES", "LINES", "TRIANGLE_STRIPS"):
            if key == "TRIANGLE_STRIPS" and int(words[1]):
                raise ValueError("triangle strips: write triangles")
            file.cells(int(words[1]), int(words[2]))
        elif key == "CELL_TYPES":
            kinds = file.values(int(words[1]), "int")
        elif key == "FIELD":
            file.skip_fields(int(words[2]))
        elif key == "DATASET" and words[1].upper() not in ("POLYDATA", "UNSTRUCTURED_GRID"):
            raise ValueError(f"a data set of kind {words[1]}; expected POLYDATA or UNSTRUCTURED_GRID")
    joined = [_polygons(connectivity, offsets, kinds) for offsets, connectivity in cells]
    return points, [polygons for one in joined for polygons in one]


def _polygons(connectivity: NDArray, offsets: NDArray, kinds: NDArray | None = None) -> list[NDArray]:
    """Faces by their number of corners; ``offsets`` [F + 1] into ``connectivity``."""
    lengths, starts = np.diff(offsets), offsets[:-1]
    if len(offsets) and (offsets[0] < 0 or (lengths < 0).any() or offsets[-1] > len(connectivity)):
        raise ValueError("faces that reach beyond the list of their points")
    flat = np.ones(len(lengths), bool) if kinds is None else np.isin(kinds, _FLAT_CELLS)
    return [
        connectivity[starts[flat & (lengths == n)][:, None] + np.arange(n)] for n in np.unique(lengths[flat]) if n > 2
    ]


class _Legacy:
    """A legacy file read from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        first = self._raw_line()
        if first is None or not first.startswith(b"# vtk DataFile Version"):
            raise ValueError("no legacy VTK header")
        self.offsets = float(first.split()[-1]) >= 5
        self._raw_line()
        self.binary = (self._raw_line() or b"").strip().upper() == b"BINARY"

    def _raw_line(self) -> bytes | None:
        if self.at >= len(self.data):
            return None
        end = self.data.find(b"\n", self.at)
        end = len(self.data) if end < 0 else end
        line, self.at = self.data[self.at : end], end + 1
        return line

    def line(self) -> list[str] | None:
        """The words of the next line that has any, metadata passed over; None at the end."""
        while (raw := self._raw_line()) is not None:
            words = raw.decode("ascii", "replace").split()
            if words[:1] == ["METADATA"]:
                while self._raw_line():
                    pass
            elif words:
                return words
        return None

    def values(self, count: int, kind: str) -> NDArray:
        """The next numbers."""
        code = _LEGACY_TYPES[kind.lower()]
        if count < 0:
            raise ValueError(f"{count} values")
        if self.binary:
            found = np.frombuffer(self.data, ">" + code, count, self.at)
            self.at += found.nbytes
            return found
        words = self.data[self.at :].split(None, count)
        self.at = len(self.data) - (len(words[count]) if len(words) > count else 0)
        if len(words) < count:
            raise ValueError("it ends too early")
        return np.array(words[:count], np.float64).astype(code)

    def cells(self, one: int, two: int) -> tuple[NDArray, NDArray]:
        """Offsets [F + 1] and connectivity, as either layout has them."""
        if self.offsets:
            arrays = []
            for count in (one, two):
                words = self.line() or ["", ""]
                arrays.append(self.values(count, words[1]))
            return arrays[0], arrays[1]
        mixed = self.values(two, "int")
        begins: list[int] = []
        at = 0
        while at < two and len(begins) < one:
            begins.append(at)
            at += 1 + max(int(mixed[at]), 0)
        lengths = mixed[begins] if begins else np.empty(0, int)
        keep = np.ones(two, bool)
        keep[begins] = False
        return np.concatenate([[0], np.cumsum(lengths)]), mixed[keep]

    def skip_fields(self, count: int) -> None:
        for _ in range(count):
            words = self.line()
            if words is None or words[-1] == "string":
                raise ValueError("a field of text")
            self.values(int(words[1]) * int(words[2]), words[3])


def read_vtp(data: bytes) -> Polygons:
    """The points and polygons of a VTK XML PolyData file, all its pieces."""
    head, appended = _without_appended(data)
    root = ElementTree.fromstring(head)
    if root.get("type") != "PolyData":
        raise ValueError(f"a VTK file of type {root.get('type')}; expected PolyData")
    compressor = root.get("compressor")
    if compressor not in (None, "vtkZLibDataCompressor"):
        raise ValueError(f"compressed by {compressor}: write it with zlib")
    order = "<" if root.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
    array = _xml_arrays(order, order + ("u8" if root.get("header_type") == "UInt64" else "u4"), compressor, appended)
    points, polygons, so_far = [], [], 0
    for piece in root.iter("Piece"):
        if int(piece.get("NumberOfStrips", 0)):
            raise ValueError("triangle strips: write triangles")
        held = piece.find("Points/DataArray")
        points.append(np.empty((0, 3)) if held is None else array(held).reshape(-1, 3).astype(np.float64))
        parts = {one.get("Name"): array(one) for one in piece.findall("Polys/DataArray")}
        if parts:
            offsets = np.concatenate([[0], parts["offsets"].astype(np.int64)])
            polygons += [p.astype(np.int64) + so_far for p in _polygons(parts["connectivity"], offsets)]
        so_far += len(points[-1])
    return np.concatenate(points) if points else np.empty((0, 3)), polygons


def _without_appended(data: bytes) -> tuple[bytes, tuple[bytes, bool]]:
    """The XML alone, and the appended data with whether they are base64 (raw bytes are no XML)."""
    start = data.find(b"<AppendedData")
    if start < 0:
        return data, (b"", False)
    opened = data.index(b">", start)
    begin = data.index(b"_", opened) + 1
    return data[:start] + b"</VTKFile>", (data[begin:], b"base64" in data[start:opened])


def _xml_arrays(
    order: str, header: str, compressor: str | None, appended: tuple[bytes, bool]
) -> Callable[[ElementTree.Element], NDArray]:
    def array(element: ElementTree.Element) -> NDArray:
        name = str(element.get("type"))
        letters = name.rstrip("0123456789")
        kind = f"{order}{_XML_TYPES[letters]}{int(name[len(letters) :]) // 8}"
        text = (element.text or "").strip()
        if element.get("format") == "ascii":
            return np.array(text.split(), np.float64).astype(kind)
        if element.get("format") == "appended":
            held, encoded = appended[0][int(element.get("offset", 0)) :], appended[1]
        else:
            held, encoded = text.encode(), True
        return np.frombuffer(_unpacked(held, encoded, np.dtype(header), compressed=compressor is not None), kind)

    return array


def _unpacked(held: bytes, encoded: bool, header: np.dtype, *, compressed: bool) -> bytes:
    """The bytes of an array: of its header it is known how long they are, and in how many blocks."""

    def part(begin: int, count: int) -> tuple[bytes, int]:
        """``count`` bytes that stand together from ``begin``, and where they end."""
        length = -(-count // 3) * 4 if encoded else count
        raw = held[begin : begin + length]
        return (base64.b64decode(raw) if encoded else raw)[:count], begin + length

    size = header.itemsize
    first = int(np.frombuffer(part(0, size)[0], header)[0])
    if not compressed:
        return part(0, size + first)[0][size:]
    numbers, after = part(0, (3 + first) * size)
    lengths = [int(n) for n in np.frombuffer(numbers, header)[3:]]
    packed, _ = part(after, sum(lengths))
    blocks, at = [], 0
    for length in lengths:
        blocks.append(zlib.decompress(packed[at : at + length]))
        at += length
    return b"".join(blocks)
