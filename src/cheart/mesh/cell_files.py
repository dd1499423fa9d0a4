"""Tetrahedra and the triangles of their boundary as files: VTU, MSH and XDMF. Lengths in mm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cheart.mesh.files import Arrays, section
from cheart.mesh.surface import Faces, Points

_TRIANGLE, _TETRAHEDRON = 5, 10  # VTK's cell types
_GMSH = {3: 2, 4: 4}  # Gmsh's element types by their number of corners


@dataclass(frozen=True, eq=False)
class Cells:
    """What a file holds.

    Attributes:
        points: [V, 3] (x, y, z) in mm.
        tetrahedra: [C, 4] indices of points, positively oriented.
        triangles: [F, 3] the boundary, counter-clockwise seen from outside.
        regions: [C + F] a number of ``names`` of each, tetrahedra first.
        names: of the regions.
        solid: which of them are of tetrahedra.
    """

    points: Points
    tetrahedra: NDArray[np.int32]
    triangles: Faces
    regions: NDArray[np.uint8]
    names: Sequence[str]
    solid: Sequence[int]


def write_vtu(path: Path, cells: Cells, *, at_points: Arrays, at_tetrahedra: Arrays | None = None) -> None:
    """VTK UnstructuredGrid in XML (compressed): tetrahedra, then the boundary's triangles.

    Args:
        path: ends in ``.vtu``.
        cells: the mesh; its regions become the cell array ``region``.
        at_points: further arrays by name, [V] or [V, 3].
        at_tetrahedra: further arrays by name, [C] or [C, 3]; 0 on triangles.
    """
    tetrahedra, triangles = cells.tetrahedra, cells.triangles
    count = len(tetrahedra) + len(triangles)
    sizes = np.repeat(np.array([4, 3], "i4"), [len(tetrahedra), len(triangles)])
    connectivity = np.concatenate([tetrahedra.ravel(), triangles.ravel()]).astype("<i4")
    kinds = np.where(sizes == 4, _TETRAHEDRON, _TRIANGLE).astype("u1")
    points = {name: array.astype("<f4") for name, array in at_points.items()}
    path.write_text(
        '<?xml version="1.0"?>\n'
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt32" '
        'compressor="vtkZLibDataCompressor">\n<UnstructuredGrid>\n'
        f'<Piece NumberOfPoints="{len(cells.points)}" NumberOfCells="{count}">\n'
        + section("PointData", points)
        + section("CellData", {"region": cells.regions.astype("u1"), **_on_all(cells, at_tetrahedra or {})})
        + section("Points", {"Points": cells.points.astype("<f4")})
        + section("Cells", {"connectivity": connectivity, "offsets": np.cumsum(sizes, dtype="<i4"), "types": kinds})
        + "</Piece>\n</UnstructuredGrid>\n</VTKFile>\n",
        encoding="ascii",
    )


def write_msh(path: Path, cells: Cells, *, at_tetrahedra: Arrays | None = None) -> None:
    """Gmsh MSH 2.2 (ASCII) with named physical groups, which count from 1; arrays [C, 3] as element data."""
    names = [f'{3 if i in cells.solid else 2} {i + 1} "{name}"' for i, name in enumerate(cells.names)]
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$PhysicalNames", str(len(names)), *names]
    lines += ["$EndPhysicalNames", "$Nodes", str(len(cells.points))]
    lines += [f"{i} {x:.6f} {y:.6f} {z:.6f}" for i, (x, y, z) in enumerate(cells.points.tolist(), start=1)]
    lines += ["$EndNodes", "$Elements", str(len(cells.triangles) + len(cells.tetrahedra))]
    corners = [*cells.tetrahedra.tolist(), *cells.triangles.tolist()]
    groups = (cells.regions.astype(int) + 1).tolist()
    for number, (group, cell) in enumerate(zip(groups, corners, strict=True), start=1):
        at = " ".join(str(corner + 1) for corner in cell)
        lines.append(f"{number} {_GMSH[len(cell)]} 2 {group} {group} {at}")
    lines.append("$EndElements")
    for name, array in _on_all(cells, at_tetrahedra or {}).items():
        lines += ["$ElementData", "1", f'"{name}"', "1", "0.0", "3", "0", str(array.shape[1]), str(len(array))]
        lines += [f"{i} {x:.6g} {y:.6g} {z:.6g}" for i, (x, y, z) in enumerate(array.tolist(), start=1)]
        lines.append("$EndElementData")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_xdmf(path: Path, cells: Cells, *, at_tetrahedra: Arrays) -> None:
    """XDMF 3 whose numbers stand in the file itself, a grid a file, as FEniCS reads it: the tetrahedra with their
    arrays, and beside them, as ``…_boundary.xdmf``, the triangles; ``region`` in both."""
    count = len(cells.tetrahedra)
    inside = {"region": cells.regions[:count], **at_tetrahedra}
    _write_grid(path, cells.points, "Tetrahedron", cells.tetrahedra, inside)
    beside = path.with_name(f"{path.stem}_boundary{path.suffix}")
    _write_grid(beside, cells.points, "Triangle", cells.triangles, {"region": cells.regions[count:]})


def _write_grid(path: Path, points: Points, kind: str, corners: NDArray[np.int32], arrays: Arrays) -> None:
    attributes = "".join(
        f'<Attribute Name="{key}" AttributeType="{"Vector" if array.ndim == 2 else "Scalar"}" Center="Cell">\n'
        f"{_item(array)}</Attribute>\n"
        for key, array in arrays.items()
    )
    path.write_text(
        '<?xml version="1.0"?>\n<Xdmf Version="3.0">\n<Domain>\n<Grid Name="Grid" GridType="Uniform">\n'
        f'<Topology TopologyType="{kind}" NumberOfElements="{len(corners)}">\n{_item(corners)}</Topology>\n'
        f'<Geometry GeometryType="XYZ">\n{_item(points)}</Geometry>\n{attributes}</Grid>\n</Domain>\n</Xdmf>\n',
        encoding="ascii",
    )


def _item(array: NDArray) -> str:
    whole = array.dtype.kind in "iu"
    rows = array.reshape(len(array), -1).tolist()
    text = "\n".join(" ".join(map(str, row) if whole else (f"{x:.6g}" for x in row)) for row in rows)
    kind = 'NumberType="Int"' if whole else 'NumberType="Float" Precision="8"'
    return f'<DataItem Dimensions="{" ".join(map(str, array.shape))}" {kind} Format="XML">\n{text}\n</DataItem>\n'


def _on_all(cells: Cells, arrays: Arrays) -> Mapping[str, NDArray]:
    """Arrays of tetrahedra with zeros for the triangles behind them."""
    more = len(cells.triangles)
    return {k: np.concatenate([a, np.zeros((more, *a.shape[1:]))]).astype("<f4") for k, a in arrays.items()}
