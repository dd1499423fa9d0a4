"""Tetrahedra as files: VTU (ParaView, meshio, pyvista) and Gmsh's MSH 2.2 (FEniCS, meshio). Lengths in mm."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cheart.mesh.files import Arrays, section
from cheart.mesh.wall import MYOCARDIUM, WALL_REGIONS, Solid

_TRIANGLE, _TETRAHEDRON = 5, 10  # VTK's cell types
_GMSH = {3: 2, 4: 4}  # Gmsh's element types by their number of corners


def write_vtu(path: Path, solid: Solid, *, at_points: Arrays) -> None:
    """VTK UnstructuredGrid in XML (compressed): the tetrahedra, then the boundary's triangles.

    Args:
        path: ends in ``.vtu``.
        solid: the wall; its regions become the cell array ``region``, its depth the point array ``depth``.
        at_points: further arrays by name, [V] or [V, 3].
    """
    tetrahedra, triangles = solid.tetrahedra, solid.triangles
    cells = len(tetrahedra) + len(triangles)
    sizes = np.repeat(np.array([4, 3], "i4"), [len(tetrahedra), len(triangles)])
    connectivity = np.concatenate([tetrahedra.ravel(), triangles.ravel()]).astype("<i4")
    kinds = np.where(sizes == 4, _TETRAHEDRON, _TRIANGLE).astype("u1")
    points = {"depth": solid.depth.astype("<f4"), **{name: a.astype("<f4") for name, a in at_points.items()}}
    path.write_text(
        '<?xml version="1.0"?>\n'
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt32" '
        'compressor="vtkZLibDataCompressor">\n<UnstructuredGrid>\n'
        f'<Piece NumberOfPoints="{len(solid.points)}" NumberOfCells="{cells}">\n'
        + section("PointData", points)
        + section("CellData", {"region": _regions(solid)})
        + section("Points", {"Points": solid.points.astype("<f4")})
        + section("Cells", {"connectivity": connectivity, "offsets": np.cumsum(sizes, dtype="<i4"), "types": kinds})
        + "</Piece>\n</UnstructuredGrid>\n</VTKFile>\n",
        encoding="ascii",
    )


def write_msh(path: Path, solid: Solid) -> None:
    """Gmsh MSH 2.2 (ASCII) with named physical groups; groups count from 1, in the order of ``WALL_REGIONS``."""
    names = [f'{3 if i == MYOCARDIUM else 2} {i + 1} "{name}"' for i, name in enumerate(WALL_REGIONS)]
    lines = ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$PhysicalNames", str(len(names)), *names]
    lines += ["$EndPhysicalNames", "$Nodes", str(len(solid.points))]
    lines += [f"{i} {x:.6f} {y:.6f} {z:.6f}" for i, (x, y, z) in enumerate(solid.points.tolist(), start=1)]
    lines += ["$EndNodes", "$Elements", str(len(solid.triangles) + len(solid.tetrahedra))]
    groups = _regions(solid).astype(int) + 1
    cells = [*solid.tetrahedra.tolist(), *solid.triangles.tolist()]
    for number, (group, cell) in enumerate(zip(groups.tolist(), cells, strict=True), start=1):
        corners = " ".join(str(corner + 1) for corner in cell)
        lines.append(f"{number} {_GMSH[len(cell)]} 2 {group} {group} {corners}")
    path.write_text("\n".join([*lines, "$EndElements\n"]), encoding="ascii")


def _regions(solid: Solid) -> np.ndarray:
    solids = np.full(len(solid.tetrahedra), MYOCARDIUM, np.uint8)
    return np.concatenate([solids, solid.boundaries])
