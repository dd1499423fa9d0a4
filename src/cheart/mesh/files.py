"""Triangle surfaces as files: STL, PLY, VTP and the PVD that strings VTP files along time. Lengths in mm."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from cheart.mesh.surface import REGIONS, Surface

Arrays = Mapping[str, NDArray]

_STL_FACE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("region", "<u2")])
_PLY_FACE = np.dtype([("corners", "u1"), ("vertices", "<i4", 3), ("region", "u1")])
_VTK_TYPES = {"f4": "Float32", "i4": "Int32", "u1": "UInt8"}


def write_stl(path: Path, surface: Surface, title: str) -> None:
    """Binary STL; each face's attribute (two bytes) is the number of its region: 0 the wall, 1 ``BASE``."""
    corners = surface.vertices[surface.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    records = np.zeros(len(corners), _STL_FACE)
    records["normal"] = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    records["corners"], records["region"] = corners, surface.regions
    header = f"{title} (mm)".encode("ascii", "replace")[:80].ljust(80)
    path.write_bytes(header + np.uint32(len(records)).tobytes() + records.tobytes())


def write_ply(path: Path, surface: Surface, title: str) -> None:
    """Binary PLY; each face has a property ``region``: 0 the wall, 1 ``BASE``."""
    header = "\n".join(
        [
            "ply",
            "format binary_little_endian 1.0",
            f"comment {title}",
            "comment lengths in mm",
            "comment region: " + ", ".join(f"{number} {name}" for number, name in enumerate(REGIONS)),
            f"element vertex {len(surface.vertices)}",
            *(f"property float {axis}" for axis in "xyz"),
            f"element face {len(surface.faces)}",
            "property list uchar int vertex_indices",
            "property uchar region",
            "end_header\n",
        ]
    )
    faces = np.zeros(len(surface.faces), _PLY_FACE)
    faces["corners"], faces["vertices"], faces["region"] = 3, surface.faces, surface.regions
    path.write_bytes(header.encode("ascii", "replace") + surface.vertices.astype("<f4").tobytes() + faces.tobytes())


def write_vtp(path: Path, surface: Surface, *, at_points: Arrays, at_faces: Arrays) -> None:
    """VTK PolyData in XML (compressed).

    Args:
        path: ends in ``.vtp``.
        surface: the surface; its regions become the face array ``region``.
        at_points: further arrays by name, [V] or [V, 3].
        at_faces: further arrays by name, [F].
    """
    count = len(surface.faces)
    cells = {"region": surface.regions.astype("u1"), **{name: a.astype("<f4") for name, a in at_faces.items()}}
    points = {name: a.astype("<f4") for name, a in at_points.items()}
    path.write_text(
        '<?xml version="1.0"?>\n'
        '<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt32" '
        'compressor="vtkZLibDataCompressor">\n<PolyData>\n'
        f'<Piece NumberOfPoints="{len(surface.vertices)}" NumberOfVerts="0" NumberOfLines="0" NumberOfStrips="0" '
        f'NumberOfPolys="{count}">\n'
        + section("PointData", points)
        + section("CellData", cells)
        + section("Points", {"Points": surface.vertices.astype("<f4")})
        + section(
            "Polys",
            {
                "connectivity": surface.faces.ravel().astype("<i4"),
                "offsets": np.arange(3, 3 * count + 1, 3, dtype="<i4"),
            },
        )
        + "</Piece>\n</PolyData>\n</VTKFile>\n",
        encoding="ascii",
    )


def write_pvd(path: Path, entries: Iterable[tuple[float, str, str]]) -> None:
    """A ParaView collection.

    Args:
        path: ends in ``.pvd``.
        entries: time in s, the part's name, and the VTP file relative to ``path``.
    """
    rows = list(entries)
    numbers = {name: i for i, name in enumerate(dict.fromkeys(name for _, name, _ in rows))}
    lines = [
        f'<DataSet timestep="{time:.6g}" part="{numbers[name]}" name={quoteattr(name)} file={quoteattr(file)}/>'
        for time, name, file in rows
    ]
    path.write_text(
        '<?xml version="1.0"?>\n<VTKFile type="Collection" version="1.0" byte_order="LittleEndian">\n<Collection>\n'
        + "\n".join(lines)
        + "\n</Collection>\n</VTKFile>\n",
        encoding="utf-8",
    )


def section(tag: str, arrays: Arrays) -> str:
    """A VTK XML section of data arrays, [N] or [N, 3], compressed."""
    return f"<{tag}>\n" + "".join(_data_array(name, array) for name, array in arrays.items()) + f"</{tag}>\n"


def _data_array(name: str, array: NDArray) -> str:
    kind = _VTK_TYPES[array.dtype.str[1:]]
    width = array.shape[1] if array.ndim == 2 else 1
    raw = np.ascontiguousarray(array).tobytes()
    packed = zlib.compress(raw, 6)
    header = np.array([1, len(raw), 0, len(packed)], "<u4").tobytes()  # one block, whole
    text = base64.b64encode(header).decode() + base64.b64encode(packed).decode()
    return (
        f'<DataArray type="{kind}" Name={quoteattr(name)} NumberOfComponents="{width}" format="binary">{text}'
        "</DataArray>\n"
    )
