import struct

import numpy as np
import pytest
import trimesh

from cheart.errors import InputError
from cheart.io.surfaces import READERS, read_surface
from cheart.mesh.files import write_vtp
from cheart.mesh.surface import Surface

BALL = trimesh.creation.icosphere(subdivisions=2, radius=20.0)
BALL.apply_translation([5.0, -3.0, 60.0])
POINTS = [(0, 0, 0), (2, 0, 0), (2, 3, 0), (0, 3, 0), (1, 1, 4)]
"""A pyramid of volume 8 on a rectangle of 2 × 3, 4 high: four triangles and one quadrilateral."""
FACES = [(0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]


def volume(mesh):
    a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
    return np.einsum("ij,ij->", a, np.cross(b, c)) / 6


def legacy(kind, version="4.2", *, binary=False, grid=False):
    """The pyramid as legacy VTK, with data of no use before and after it."""

    def numbers(values, code):
        values = np.array(values, code)
        return values.tobytes() + b"\n" if binary else " ".join(map(str, values.tolist())).encode() + b"\n"

    head = f"# vtk DataFile Version {version}\npyramid\n{'BINARY' if binary else 'ASCII'}\nDATASET {kind}\n".encode()
    out = head + b"FIELD FieldData 1\nTime 1 2 double\n" + numbers([0.5, 1.5], ">f8")
    out += b"POINTS 5 float\n" + numbers(np.ravel(POINTS), ">f4")
    lengths, joined = [len(f) for f in FACES], [i for f in FACES for i in f]
    if version == "4.2":
        out += f"{'CELLS' if grid else 'POLYGONS'} 5 {5 + len(joined)}\n".encode()
        out += numbers([i for f in FACES for i in (len(f), *f)], ">i4")
    else:
        out += f"POLYGONS 6 {len(joined)}\nOFFSETS vtktypeint64\n".encode() + numbers([0, *np.cumsum(lengths)], ">i8")
        out += b"CONNECTIVITY vtktypeint64\n" + numbers(joined, ">i8")
    if grid:
        out += b"CELL_TYPES 5\n" + numbers([9, 5, 5, 5, 5], ">i4")
    return out + b"CELL_DATA 5\nSCALARS x float\nLOOKUP_TABLE default\n" + numbers([0.0] * 5, ">f4")


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl"])
def test_what_trimesh_wrote(tmp_path, suffix):
    BALL.export(tmp_path / f"ball{suffix}")
    mesh = read_surface(tmp_path / f"ball{suffix}")
    assert volume(mesh) == pytest.approx(BALL.volume, rel=1e-5)
    assert len(mesh.vertices) == len(BALL.vertices)
    assert mesh.vertices.mean(0) == pytest.approx(BALL.vertices.mean(0), abs=1e-4)


@pytest.mark.parametrize(("suffix", "form"), [(".ply", "ascii"), (".stl", "stl_ascii")])
def test_text_formats(tmp_path, suffix, form):
    text = BALL.export(file_type="ply", encoding="ascii") if suffix == ".ply" else BALL.export(file_type=form)
    (tmp_path / f"ball{suffix}").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert volume(read_surface(tmp_path / f"ball{suffix}")) == pytest.approx(BALL.volume, rel=1e-4)


def test_vtp_as_cheart_writes_it(tmp_path):
    surface = Surface(BALL.vertices, BALL.faces.astype(np.int32), np.zeros(len(BALL.faces), np.uint8))
    write_vtp(tmp_path / "ball.vtp", surface, at_points={}, at_faces={})
    assert volume(read_surface(tmp_path / "ball.vtp")) == pytest.approx(BALL.volume, rel=1e-5)


def test_vtp_with_raw_bytes_after_the_xml(tmp_path):
    arrays = [
        np.array(POINTS, "<f8"),
        np.array([i for f in FACES for i in f], "<i8"),
        np.array([4, 7, 10, 13, 16], "<i8"),
    ]
    packed = [struct.pack("<I", a.nbytes) + a.tobytes() for a in arrays]
    at = np.cumsum([0, *map(len, packed)])
    held = [f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{n}" format="appended" offset="{offset}"/>'
            for kind, name, n, offset in (("Float64", "Points", 3, at[0]), ("Int64", "connectivity", 1, at[1]),
                                          ("Int64", "offsets", 1, at[2]))]  # fmt: skip
    text = (
        '<VTKFile type="PolyData" byte_order="LittleEndian" header_type="UInt32"><PolyData>'
        f'<Piece NumberOfPoints="5" NumberOfPolys="5"><Points>{held[0]}</Points><Polys>{held[1]}{held[2]}</Polys>'
        '</Piece></PolyData><AppendedData encoding="raw">_'
    )
    (tmp_path / "p.vtp").write_bytes(text.encode() + b"".join(packed) + b"</AppendedData></VTKFile>")
    assert volume(read_surface(tmp_path / "p.vtp")) == pytest.approx(8)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(("kind", "version"), [("POLYDATA", "4.2"), ("POLYDATA", "5.1"), ("UNSTRUCTURED_GRID", "4.2")])
def test_legacy_vtk_of_either_layout(tmp_path, kind, version, binary):
    path = tmp_path / "pyramid.vtk"
    path.write_bytes(legacy(kind, version, binary=binary, grid=kind != "POLYDATA"))
    assert volume(read_surface(path)) == pytest.approx(8)


def test_faces_of_more_corners_and_numbers_from_the_end(tmp_path):
    lines = [f"v {x} {y} {z}" for x, y, z in POINTS] + ["vn 0 0 1", "o pyramid"]
    lines += ["f " + " ".join(f"{i - 5}//1" for i in face) for face in FACES]
    (tmp_path / "p.obj").write_text("\n".join(lines))
    assert volume(read_surface(tmp_path / "p.obj")) == pytest.approx(8)
    rows = "".join(f"{len(f)} {' '.join(map(str, f))}\n" for f in FACES)
    points = "".join(f"{x} {y} {z}\n" for x, y, z in POINTS)
    head = "ply\nformat ascii 1.0\nelement vertex 5\nproperty float x\nproperty float y\nproperty float z\n"
    (tmp_path / "p.ply").write_text(
        head + "element face 5\nproperty list uchar int vertex_index\nend_header\n" + points + rows
    )
    assert volume(read_surface(tmp_path / "p.ply")) == pytest.approx(8)


@pytest.mark.parametrize("suffix", list(READERS))
@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 200, b"ply\n", b"# vtk DataFile Version 5.1\nx\nASCII\nDATASET POLYDATA\n"]
)
def test_what_is_no_surface_is_refused_by_name(tmp_path, suffix, data):
    (tmp_path / f"bad{suffix}").write_bytes(data)
    with pytest.raises(InputError, match=rf"bad\{suffix}: not a surface that can be read"):
        read_surface(tmp_path / f"bad{suffix}")


@pytest.mark.parametrize("suffix", [".ply", ".stl", ".vtk"])
def test_files_that_end_too_early_are_refused(tmp_path, suffix):
    path = tmp_path / f"cut{suffix}"
    if suffix == ".vtk":
        path.write_bytes(legacy("POLYDATA", binary=True))
    else:
        BALL.export(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="not a surface"):
        read_surface(path)


def test_points_that_are_not_there_or_are_not_numbers(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 7\n")
    with pytest.raises(InputError, match="names point 6 of 3"):
        read_surface(tmp_path / "a.obj")
    (tmp_path / "b.obj").write_text("v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(InputError, match="not numbers"):
        read_surface(tmp_path / "b.obj")
    with pytest.raises(InputError, match=r"expected a surface as one of \.vtp"):
        read_surface(tmp_path / "c.fbx")


def test_lengths_that_no_list_has_are_refused_without_being_reserved(tmp_path):
    path = tmp_path / "p.vtk"
    path.write_bytes(legacy("POLYDATA", "5.1").replace(b"0 4 7 10 13 16", b"0 4 7 10 13 16000000000"))
    with pytest.raises(InputError, match="beyond the list"):
        read_surface(path)
