"""A beating label map as a folder: surfaces (STL, PLY, VTP, GLB), tetrahedra (VTU, MSH), a manifest. Lengths in mm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError, show_warnings
from cheart.files import new_folder, refuse_existing, write_json
from cheart.labels import COLOURS, LV, MYO, RV, check_topology
from cheart.mesh.cell_files import Cells, write_msh, write_vtu
from cheart.mesh.correspondence import MovingSurface, follow, wall_thickness
from cheart.mesh.files import write_glb, write_ply, write_pvd, write_stl, write_vtp
from cheart.mesh.oriented import OrientedLabels
from cheart.mesh.surface import PARTS, REGIONS, RESOLUTION_MM, Surface
from cheart.mesh.wall import MYOCARDIUM, WALL_REGIONS, Solid, wall_solids
from cheart.progress import track
from cheart.provenance import provenance

Format = Literal["stl", "ply", "vtp", "glb", "vtu", "msh"]
FORMATS: tuple[Format, ...] = get_args(Format)
SURFACES: tuple[Format, ...] = ("stl", "ply", "vtp", "glb")
"""Those that hold surfaces; the others hold the wall as tetrahedra."""

_GLB_MM = 3.0  # a page should load in a moment
_GLB_ORDER = ("lv_endocardium", "rv_endocardium", "lv_epicardium")
_POOR = 0.2


def save_surfaces(
    folder: Path | str,
    labels: NDArray[np.uint8],
    affine: NDArray[np.floating],
    *,
    frame_s: float = float("nan"),
    title: str = "",
    formats: Sequence[str] = SURFACES,
    correspondence: bool = False,
    resolution: float = RESOLUTION_MM,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write closed, smooth surfaces of both ventricles, and warn of what is wrong with them; returns the manifest.

    Args:
        folder: to be written; ``surfaces.json`` in it is the manifest.
        labels: [T, Z, Y, X] canonical labels.
        affine: 4×4, voxel (x, y, z) to mm: the space of the surfaces.
        frame_s, title, formats, correspondence, resolution (0.8 to 10 mm): see :func:`write_meshes`.
        overwrite: replace what is there.

    Raises:
        InputError: another format or resolution, ``folder`` exists, or labels that cannot be a heart.
    """
    if any(part not in FORMATS for part in formats):
        raise InputError(f"format {','.join(formats)!r}: expected one or more of {', '.join(FORMATS)}")
    if not 0.8 <= resolution <= 10:
        raise InputError(f"resolution {resolution:g}: expected 0.8 to 10 mm")
    refuse_existing(Path(folder), overwrite=overwrite)
    heart = OrientedLabels.of(labels, affine)
    check_topology(heart.labels[0], what="the first frame")
    with new_folder(Path(folder), overwrite=overwrite) as partial:
        manifest = write_meshes(
            partial, heart, frame_s=frame_s, title=title or "cheart surfaces",
            formats=tuple(f for f in FORMATS if f in formats), correspondence=correspondence, resolution_mm=resolution,
        )  # fmt: skip
    show_warnings(_warnings(manifest))
    return manifest


def worst_volume_error(manifest: Mapping[str, Any]) -> float:
    """The most by which a volume differs from its voxels', as a fraction."""
    return max(abs(row["volume_error"]) for row in [*manifest["surfaces"], *manifest.get("walls", [])])


def _warnings(manifest: Mapping[str, Any]) -> Iterator[str]:
    if manifest["frames_left_out"]:
        yield f"frames without a whole heart were left out: {', '.join(map(str, manifest['frames_left_out']))}"
    if (worst := worst_volume_error(manifest)) > 0.02:
        yield (
            f"a surface's volume differs from its voxels' by {worst:.1%}, most likely because pieces that lie apart "
            "were left out: see volume_error in surfaces.json"
        )
    if (poor := max(row["quality"]["share_below_0.2"] for row in manifest["surfaces"])) > 0.01:
        yield f"up to {poor:.1%} of a surface's triangles are thin (quality below 0.2): see quality in surfaces.json"
    if inside_out := sum(row["quality"]["inside_out"] for row in manifest.get("walls", [])):
        yield f"{inside_out} tetrahedra are inside out: see quality of the walls in surfaces.json; try --resolution"


def write_meshes(
    folder: Path,
    heart: OrientedLabels,
    *,
    frame_s: float,
    title: str,
    formats: tuple[Format, ...] = FORMATS,
    correspondence: bool = False,
    resolution_mm: float = RESOLUTION_MM,
) -> dict[str, Any]:
    """Write every surface of every frame, in world mm.

    Args:
        folder: an empty folder (see :func:`cheart.files.new_folder`).
        heart: the label maps; frames that lack a structure are left out and named in the manifest.
        frame_s: time from one frame to the next in s; nan counts as a cycle of 1 s.
        title: what these surfaces are, such as ``Generated: age 63 years``; it goes into every file.
        formats: which files; ``vtu`` and ``msh`` hold the LV's wall as tetrahedra (:mod:`cheart.mesh.wall`).
        correspondence: deform the first frame's surfaces through the cycle instead of drawing each frame's anew.
            A GLB, which needs that, is otherwise made from coarser surfaces (3 mm).
        resolution_mm: length of a typical edge.

    Returns:
        The manifest, as written to ``surfaces.json``.
    """
    frames = heart.frames
    step = frame_s if np.isfinite(frame_s) else 1.0 / len(heart.labels)
    drawn = draw_surfaces(heart, resolution_mm)
    moving = follow_all(drawn) if correspondence else {}
    arrays = _arrays(moving) if correspondence else {}
    final = {part: surface.each() for part, surface in moving.items()} if correspondence else drawn
    world = {part: [_world(surface, heart) for surface in surfaces] for part, surfaces in final.items()}
    rows, collection = [], []
    for i, frame in enumerate(frames):
        for part in PARTS:
            files = {
                str(kind): f"{kind}/{part}_t{frame:02d}.{kind}" for kind in formats if kind in ("stl", "ply", "vtp")
            }
            at_points, at_faces = arrays.get((part, i), ({}, {}))
            if correspondence:
                at_points = at_points | {"displacement": world[part][i].vertices - world[part][0].vertices}
            _write_one(folder, files, world[part][i], f"{title}, {part}", at_points, at_faces)
            if "vtp" in files:
                collection.append((frame * step, part, files["vtp"]))
            rows.append(_row(world[part][i], part, frame, heart.voxel_ml(frame, part), files))
    if collection:
        write_pvd(folder / "heart.pvd", collection)
    if "glb" in formats:
        moving = moving or follow_all(draw_surfaces(heart, max(_GLB_MM, resolution_mm)))
        _write_glb(folder / "heart.glb", moving, heart, cycle_s=step * len(heart.labels), title=title)
    manifest = _manifest(title, heart, frames, step, formats, correspondence) | {"surfaces": rows}
    if {"vtu", "msh"} & set(formats):
        manifest |= {
            "wall_regions": {str(i): name for i, name in enumerate(WALL_REGIONS)},
            "wall_quality": "per tetrahedron: mean ratio, 1 is regular, 0 is flat, negative is inside out",
            "walls": write_walls(folder, heart, final, formats, step=step, correspondence=correspondence),
        }
    write_json(folder / "surfaces.json", manifest)
    return manifest


def write_walls(
    folder: Path,
    heart: OrientedLabels,
    surfaces: Mapping[str, list[Surface]],
    formats: tuple[Format, ...],
    *,
    step: float,
    correspondence: bool,
) -> list[dict[str, Any]]:
    """Write the LV's wall as tetrahedra, a file a frame and format, and ``wall.pvd``; see :func:`write_meshes`.

    Returns:
        One row a frame, for the manifest.
    """
    inner, outer = surfaces["lv_endocardium"], surfaces["lv_epicardium"]
    edge_mm = float(np.sqrt(np.median(inner[0].face_areas) * 4 / np.sqrt(3)))
    voxels_ml = [heart.voxel_ml(frame, "lv_epicardium") - heart.voxel_ml(frame, "lv_endocardium")
                 for frame in heart.frames]  # fmt: skip
    rows, collection, first = [], [], None
    for frame, solid, voxel_ml in zip(
        heart.frames, wall_solids(inner, outer, voxels_ml, edge_mm=edge_mm), voxels_ml, strict=True
    ):
        world = _solid_in_world(solid, heart)
        first = first or world
        files = {str(kind): f"{kind}/lv_wall_t{frame:02d}.{kind}" for kind in formats if kind in ("vtu", "msh")}
        for name in files.values():
            (folder / name).parent.mkdir(exist_ok=True)
        if "vtu" in files:
            moved = {"displacement": world.points - first.points} if correspondence else {}
            write_vtu(folder / files["vtu"], _cells(world), at_points={"depth": world.depth, **moved})
            collection.append((frame * step, "lv_wall", files["vtu"]))
        if "msh" in files:
            write_msh(folder / files["msh"], _cells(world))
        rows.append(_wall_row(world, frame, voxel_ml, files))
    if collection:
        write_pvd(folder / "wall.pvd", collection)
    return rows


def draw_surfaces(heart: OrientedLabels, resolution_mm: float) -> dict[str, list[Surface]]:
    """Every part in every whole frame, in mm along the voxel axes."""
    jobs = [(part, frame) for part in PARTS for frame in heart.frames]
    drawn: dict[str, list[Surface]] = {part: [] for part in PARTS}
    for part, frame in track(jobs, total=len(jobs), title="Surfaces"):
        drawn[part].append(heart.surface(frame, part, resolution_mm))
    return drawn


def follow_all(drawn: Mapping[str, list[Surface]]) -> dict[str, MovingSurface]:
    """Each part's first surface carried through all frames."""
    return {part: follow(surfaces, title=part.replace("_", " ")) for part, surfaces in drawn.items()}


def _world(surface: Surface, heart: OrientedLabels) -> Surface:
    faces = surface.faces[:, ::-1] if heart.mirrored else surface.faces
    return Surface(heart.to_world(surface.vertices), np.ascontiguousarray(faces), surface.regions)


def _solid_in_world(solid: Solid, heart: OrientedLabels) -> Solid:
    tetrahedra, triangles = solid.tetrahedra, solid.triangles
    if heart.mirrored:
        tetrahedra, triangles = tetrahedra[:, [1, 0, 2, 3]], triangles[:, ::-1]
    return Solid(heart.to_world(solid.points), tetrahedra, triangles, solid.boundaries, solid.depth)


def _wall_row(solid: Solid, frame: int, voxel_ml: float, files: Mapping[str, str]) -> dict[str, Any]:
    return {
        "frame": frame,
        "files": dict(files),
        "points": len(solid.points),
        "tetrahedra": len(solid.tetrahedra),
        "layers": len(np.unique(solid.depth)) - 1,
        **_measured(solid, voxel_ml, inside_out=int((solid.quality <= 0).sum())),
    }


def _measured(one: Surface | Solid, voxel_ml: float, **more: float) -> dict[str, Any]:
    """Volume and quality; ``more`` of the quality."""
    return {
        "volume_ml": round(one.volume_ml, 3),
        "voxel_volume_ml": round(voxel_ml, 3),
        "volume_error": round(one.volume_ml / voxel_ml - 1, 5),
        "quality": {"mean": round(float(one.quality.mean()), 3), "least": round(float(one.quality.min()), 4), **more},
    }


def _write_one(
    folder: Path,
    files: Mapping[str, str],
    surface: Surface,
    title: str,
    at_points: Mapping[str, NDArray],
    at_faces: Mapping[str, NDArray],
) -> None:
    for kind, name in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if kind == "stl":
            write_stl(path, surface, title)
        elif kind == "ply":
            write_ply(path, surface, title)
        else:
            write_vtp(path, surface, at_points=at_points, at_faces=at_faces)


def _arrays(
    moving: Mapping[str, MovingSurface],
) -> dict[tuple[str, int], tuple[dict[str, NDArray], dict[str, NDArray]]]:
    """Wall thickness at points and area strain on faces, by part and frame."""
    inner, outer = moving["lv_endocardium"], moving["lv_epicardium"]
    arrays = {}
    for i in range(len(inner)):
        thickness = dict(zip(("lv_endocardium", "lv_epicardium"), wall_thickness(inner[i], outer[i]), strict=True))
        for part, surface in moving.items():
            points = {"wall_thickness": thickness[part]} if part in thickness else {}
            arrays[part, i] = (points, {"area_strain": surface.area_strain[i]})
    return arrays


def _write_glb(
    path: Path, moving: Mapping[str, MovingSurface], heart: OrientedLabels, *, cycle_s: float, title: str
) -> None:
    world = {}
    for part in _GLB_ORDER:
        first = _world(moving[part][0], heart)
        world[part] = MovingSurface(heart.to_world(moving[part].vertices), first.faces, first.regions)
    opacity = {"lv_epicardium": 0.45}
    label = {"lv_endocardium": LV, "lv_epicardium": MYO, "rv_endocardium": RV}
    colours = {}
    for part, number in label.items():
        r, g, b = ((c / 255) ** 2.2 for c in COLOURS[number])  # glTF takes linear light
        colours[part] = (round(r, 4), round(g, 4), round(b, 4), opacity.get(part, 1.0))
    write_glb(path, world, colours, cycle_s=cycle_s, title=title)


def _row(surface: Surface, part: str, frame: int, voxel_ml: float, files: Mapping[str, str]) -> dict[str, Any]:
    poor = round(float((surface.quality < _POOR).mean()), 5)
    return {
        "part": part,
        "frame": frame,
        "files": dict(files),
        "vertices": len(surface.vertices),
        "faces": len(surface.faces),
        "watertight": surface.watertight,
        **_measured(surface, voxel_ml, **{"share_below_0.2": poor}),
    }


def _manifest(
    title: str, heart: OrientedLabels, frames: list[int], step: float, formats: tuple[Format, ...], correspondence: bool
) -> dict[str, Any]:
    arrays = {"region": "face: " + ", ".join(f"{i} {name}" for i, name in enumerate(REGIONS))}
    if correspondence:
        arrays |= {
            "displacement": "vertex, mm, from the first frame",
            "wall_thickness": "vertex of the LV's surfaces, mm to the nearest point of the other one; nan on BASE",
            "area_strain": "face, A / A0 - 1 against the first frame",
        }
    return {
        "format": 1,
        "title": title,
        "units": {"length": "mm", "volume": "mL", "time": "s"},
        "space": "the input's own world (NIfTI: +x right, +y anterior, +z superior; template space as cheart has it)",
        "regions": {str(i): name for i, name in enumerate(REGIONS)},
        "arrays": arrays,
        "quality": "per face: twice the inscribed over the circumscribed radius, 1 is equilateral",
        "correspondence": correspondence,
        "animation": "heart.glb" if "glb" in formats else None,
        "frames": [{"frame": t, "time_s": round(t * step, 6)} for t in frames],
        "frames_left_out": [t for t in range(len(heart.labels)) if t not in frames],
        "provenance": provenance(),
    }


def _cells(solid: Solid) -> Cells:
    regions = np.concatenate([np.full(len(solid.tetrahedra), MYOCARDIUM, np.uint8), solid.boundaries])
    return Cells(solid.points, solid.tetrahedra, solid.triangles, regions, WALL_REGIONS, (MYOCARDIUM,))
