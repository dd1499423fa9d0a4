"""Triangle surfaces as files: STL, PLY, VTP and the PVD that strings VTP files along time; GLB. Lengths in mm.

A GLB is a beating heart as one binary glTF 2.0 file that browsers, slides and game engines open. glTF is in metres with
+y up: a node above the surfaces turns and scales the millimetres, so that the file's own numbers stay the mesh's. The
beat is a morph target a frame and one looping animation of their weights.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from cheart.mesh.correspondence import MovingSurface
from cheart.mesh.surface import BASE, REGIONS, WALL, Faces, Surface

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
    """A ParaView collection: of each file, as it lies beside ``path``, the time in s and the part's name."""
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


_FLOAT, _UINT = 5126, 5125
_ARRAY, _ELEMENTS = 34962, 34963
_METRES_A_MM = 0.001


def write_glb(
    path: Path,
    surfaces: Mapping[str, MovingSurface],
    colours: Mapping[str, tuple[float, float, float, float]],
    *,
    cycle_s: float,
    title: str,
) -> None:
    """Write surfaces in correspondence as a looping animation.

    Args:
        path: ends in ``.glb``.
        surfaces: by name; all with the same number of frames. Transparent ones should come last.
        colours: by name, linear red, green, blue and opacity, 0 to 1.
        cycle_s: duration of the beat in s.
        title: the scene's name.
    """
    document = _Document()
    nodes = []
    for name, moving in surfaces.items():
        document.add("materials", _material(name, colours[name]))
        material = len(document.json["materials"]) - 1
        primitives = [_primitive(document, moving, region, material) for region in (WALL, BASE)]
        mesh = document.add(
            "meshes",
            {
                "name": name,
                "primitives": [p for p in primitives if p],
                "weights": [0.0] * (len(moving) - 1),
                "extras": {"targetNames": [f"frame {t}" for t in range(1, len(moving))]},
            },
        )
        nodes.append(document.add("nodes", {"name": name, "mesh": mesh}))
    if len(next(iter(surfaces.values()))) > 1:
        _animate(document, nodes, len(next(iter(surfaces.values()))), cycle_s)
    half = float(np.sqrt(0.5))
    root = document.add(
        "nodes",
        {"name": "millimetres", "children": nodes, "scale": [_METRES_A_MM] * 3, "rotation": [-half, 0.0, 0.0, half]},
    )
    document.add("scenes", {"name": title, "nodes": [root]})
    path.write_bytes(document.pack())


class _Document:
    """The JSON and the binary part of a glTF file while they grow."""

    def __init__(self) -> None:
        self.json: dict[str, Any] = {"asset": {"version": "2.0", "generator": "cheart"}, "scene": 0}
        self.binary = bytearray()

    def add(self, key: str, value: dict[str, Any]) -> int:
        """Append to one of the lists and return the index."""
        self.json.setdefault(key, []).append(value)
        return len(self.json[key]) - 1

    def accessor(self, array: NDArray, *, target: int | None = None, bounds: bool = False) -> int:
        """Store an array and return its accessor's index."""
        raw = np.ascontiguousarray(array, "<u4" if array.dtype.kind in "iu" else "<f4")
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": raw.nbytes}
        if target:
            view["target"] = target
        self.binary += raw.tobytes()
        accessor: dict[str, Any] = {
            "bufferView": self.add("bufferViews", view),
            "componentType": _UINT if raw.dtype.kind == "u" else _FLOAT,
            "count": len(raw),
            "type": "VEC3" if raw.ndim == 2 else "SCALAR",
        }
        if bounds:
            accessor["min"], accessor["max"] = (np.atleast_1d(f(raw, axis=0)).tolist() for f in (np.min, np.max))
        return self.add("accessors", accessor)

    def pack(self) -> bytes:
        """The whole file."""
        self.json["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(self.json, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        binary = bytes(self.binary) + b"\0" * (-len(self.binary) % 4)
        chunks = np.array([len(text)], "<u4").tobytes() + b"JSON" + text
        chunks += np.array([len(binary)], "<u4").tobytes() + b"BIN\0" + binary
        return b"glTF" + np.array([2, 12 + len(chunks)], "<u4").tobytes() + chunks


def _primitive(document: _Document, moving: MovingSurface, region: int, material: int) -> dict[str, Any] | None:
    """One region with vertices (and so normals) of its own: the rim stays sharp."""
    chosen = moving.faces[moving.regions == region]
    if not len(chosen):
        return None
    used, inverse = np.unique(chosen, return_inverse=True)
    faces: Faces = inverse.reshape(chosen.shape).astype(np.int32)
    frames = [_part(moving[t], used, faces) for t in range(len(moving))]
    first = frames[0]
    targets = [
        {
            "POSITION": document.accessor(frame.vertices - first.vertices, target=_ARRAY, bounds=True),
            "NORMAL": document.accessor(frame.normals - first.normals, target=_ARRAY),
        }
        for frame in frames[1:]
    ]
    primitive: dict[str, Any] = {
        "attributes": {
            "POSITION": document.accessor(first.vertices, target=_ARRAY, bounds=True),
            "NORMAL": document.accessor(first.normals, target=_ARRAY),
        },
        "indices": document.accessor(faces.ravel().astype("<u4"), target=_ELEMENTS),
        "material": material,
        "extras": {"region": REGIONS[region]},
    }
    if targets:
        primitive["targets"] = targets
    return primitive


def _part(surface: Surface, used: NDArray[np.intp], faces: Faces) -> Surface:
    vertices = surface.vertices[used].astype(np.float32).astype(float)
    return Surface(vertices, faces, np.zeros(len(faces), np.uint8))


def _material(name: str, colour: tuple[float, float, float, float]) -> dict[str, Any]:
    material: dict[str, Any] = {
        "name": name,
        "pbrMetallicRoughness": {"baseColorFactor": list(colour), "metallicFactor": 0.0, "roughnessFactor": 0.55},
        "doubleSided": colour[3] < 1,
    }
    if colour[3] < 1:
        material["alphaMode"] = "BLEND"
    return material


def _animate(document: _Document, nodes: list[int], frames: int, cycle_s: float) -> None:
    """Weights from frame to frame, and back to the first at the end of the cycle."""
    times = document.accessor(np.arange(frames + 1, dtype="<f4") * np.float32(cycle_s / frames), bounds=True)
    weights = np.zeros((frames + 1, frames - 1), "<f4")
    weights[np.arange(1, frames), np.arange(frames - 1)] = 1
    output = document.accessor(weights.ravel())
    document.add(
        "animations",
        {
            "name": "beat",
            "samplers": [{"input": times, "output": output, "interpolation": "LINEAR"}],
            "channels": [{"sampler": 0, "target": {"node": node, "path": "weights"}} for node in nodes],
        },
    )
