import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from cheart.mesh.cell_files import Cells, write_msh, write_vtu, write_xdmf
from cheart.mesh.solid import boundary_of

POINTS = np.array([(0.0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
TETRAHEDRA = np.array([(0, 1, 2, 3), (1, 2, 3, 4)], np.int32)
FIBRE = np.array([(1.0, 0, 0), (0, 0.6, 0.8)])


@pytest.fixture
def cells():
    """Two tetrahedra of regions WALL and SEPTUM, and their six outer faces, all of region OUTSIDE."""
    faces = boundary_of(TETRAHEDRA)
    regions = np.concatenate([[1, 2], np.zeros(len(faces))]).astype(np.uint8)
    return Cells(POINTS, TETRAHEDRA, faces, regions, ("OUTSIDE", "WALL", "SEPTUM"), (1, 2))


def test_the_boundary_of_two_tetrahedra_has_six_faces(cells):
    assert len(cells.triangles) == 6


def test_gmsh_names_groups_and_holds_fibres_of_all_elements(cells, tmp_path):
    write_msh(tmp_path / "a.msh", cells, at_tetrahedra={"fibre": FIBRE})
    text = (tmp_path / "a.msh").read_text()
    assert '2 1 "OUTSIDE"\n3 2 "WALL"\n3 3 "SEPTUM"' in text
    elements = text.split("$Elements\n")[1].split("\n$EndElements")[0].splitlines()
    assert elements[:3] == ["8", "1 4 2 2 2 1 2 3 4", "2 4 2 3 3 2 3 4 5"]
    assert elements[3].split()[1:5] == ["2", "2", "1", "1"]
    data = text.split("$ElementData\n")[1].splitlines()
    assert data[:8] == ["1", '"fibre"', "1", "0.0", "3", "0", "3", "8"]
    assert data[8:10] == ["1 1 0 0", "2 0 0.6 0.8"]
    assert data[10] == "3 0 0 0"


def test_xdmf_holds_tetrahedra_and_boundary_with_their_numbers(cells, tmp_path):
    write_xdmf(tmp_path / "a.xdmf", cells, at_tetrahedra={"fibre": FIBRE})

    def numbers(file, path):
        item = ElementTree.parse(tmp_path / file).getroot().find("Domain/Grid/" + path)
        shape = [int(n) for n in item.attrib["Dimensions"].split()]
        return np.array(item.text.split(), float).reshape(shape)

    assert (numbers("a.xdmf", "Topology/DataItem") == TETRAHEDRA).all()
    assert (numbers("a_boundary.xdmf", "Topology/DataItem") == cells.triangles).all()
    assert (numbers("a_boundary.xdmf", "Attribute[@Name='region']/DataItem") == 0).all()
    assert numbers("a.xdmf", "Geometry/DataItem") == pytest.approx(POINTS)
    assert numbers("a.xdmf", "Attribute[@Name='region']/DataItem").tolist() == [1, 2]
    assert numbers("a.xdmf", "Attribute[@Name='fibre']/DataItem") == pytest.approx(FIBRE)


def test_vtu_counts_both_kinds_of_cells(cells, tmp_path):
    write_vtu(tmp_path / "a.vtu", cells, at_points={"depth": POINTS[:, 0]}, at_tetrahedra={"fibre": FIBRE})
    piece = ElementTree.parse(tmp_path / "a.vtu").getroot().find(".//Piece")
    assert piece.attrib == {"NumberOfPoints": "5", "NumberOfCells": "8"}
    arrays = {a.attrib["Name"]: a.attrib["NumberOfComponents"] for a in piece.iter("DataArray")}
    assert arrays["region"] == "1"
    assert arrays["fibre"] == "3"


@pytest.mark.parametrize("kind", ["vtu", "msh", "xdmf"])
def test_another_program_reads_them(cells, tmp_path, kind):
    meshio = pytest.importorskip("meshio")
    if kind == "xdmf":
        pytest.importorskip("h5py")  # meshio wants it for numbers in the file too
    path = tmp_path / f"a.{kind}"
    if kind == "vtu":
        write_vtu(path, cells, at_points={}, at_tetrahedra={"fibre": FIBRE})
    else:
        {"msh": write_msh, "xdmf": write_xdmf}[kind](path, cells, at_tetrahedra={"fibre": FIBRE})
    mesh = meshio.read(path)
    assert mesh.points == pytest.approx(POINTS, abs=1e-6)
    assert (mesh.cells_dict["tetra"] == TETRAHEDRA).all()
    assert mesh.get_cell_data("fibre", "tetra") == pytest.approx(FIBRE, abs=1e-6)
