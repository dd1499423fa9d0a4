"""A beating label map as a folder of solids for finite elements: VTU frame by frame, MSH and XDMF of end-diastole, and
a manifest with the quality of every frame. Lengths in mm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError, show_warnings
from cheart.files import new_folder, refuse_existing, write_json
from cheart.labels import check_topology
from cheart.mesh.cell_files import Cells, write_msh, write_vtu, write_xdmf
from cheart.mesh.distances import Bodies
from cheart.mesh.fibres import ANGLES, Fibres, check_angles, fibres
from cheart.mesh.files import write_pvd
from cheart.mesh.fitting import Fitted, fit_frames
from cheart.mesh.oriented import OrientedLabels
from cheart.mesh.solid import (
    BOUNDARIES,
    LV_ENDOCARDIUM,
    LV_WALL,
    RV_ENDOCARDIUM,
    RV_WALL,
    SEPTUM,
    TISSUES,
    Mesh,
    Solid,
    load_solid_template,
)
from cheart.provenance import provenance

SolidFormat = Literal["vtu", "msh", "xdmf"]
SOLID_FORMATS: tuple[SolidFormat, ...] = get_args(SolidFormat)

REGIONS = (*BOUNDARIES, *TISSUES)
"""Names of what files call ``region``, by number: the boundary's parts (triangles), then the tissues (tetrahedra)."""

RV_WALL_MM = 3.0

GATES = {"scaled_jacobian": 0.01, "volume_error": 0.05, "off_mm": 1.5}
"""What every frame has to pass: the least scaled Jacobian, at least; the most by which the volume of LV cavity, RV
cavity or LV wall with septum differs from that of its voxels, as a fraction; and how far 95 % of the points of
endocardia and epicardium are at most from where the labels have it, mm."""


def save_solids(
    folder: Path | str,
    labels: NDArray[np.uint8],
    affine: NDArray[np.floating],
    *,
    frame_s: float = float("nan"),
    title: str = "",
    formats: Sequence[str] = ("vtu", "msh"),
    rv_wall: float = RV_WALL_MM,
    helix: tuple[float, float] = ANGLES,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write both ventricles' walls as tetrahedra, and warn where they do not pass; returns the manifest.

    Args:
        folder: to be written; ``solids.json`` in it is the manifest.
        labels: [T, Z, Y, X] canonical labels. Frames that lack a structure are left out.
        affine: 4×4, voxel (x, y, z) to mm: the space of the solids.
        frame_s: time from one frame to the next in s; nan counts as a cycle of 1 s.
        title: goes into the manifest.
        formats: any of vtu (every frame, with ``solid.pvd``), msh and xdmf (end-diastole).
        rv_wall: thickness of the RV's wall at end-diastole, 1 to 10 mm: label maps do not have it.
        helix: angles of the fibres in degrees at endocardium and epicardium (:mod:`cheart.mesh.fibres`).
        overwrite: replace what is there.

    Raises:
        InputError: another format, thickness or angle, ``folder`` exists, or labels that cannot be a heart.
    """
    if not formats or any(part not in SOLID_FORMATS for part in formats):
        raise InputError(f"format {','.join(formats)!r}: a solid can be one or more of {', '.join(SOLID_FORMATS)}")
    check_rv_wall(rv_wall)
    helix = check_angles(helix)
    refuse_existing(Path(folder), overwrite=overwrite)
    heart = OrientedLabels.of(labels, affine)
    check_topology(heart.labels[0], what="the first frame")
    fits = fit_frames(
        load_solid_template(), [Bodies.of(heart.labels[t], heart.spacing) for t in heart.frames], rv_wall_mm=rv_wall,
        mirrored=heart.mirrored,
    )  # fmt: skip
    with new_folder(Path(folder), overwrite=overwrite) as partial:
        manifest = _write(partial, heart, fits, frame_s, title or "cheart solids", formats, rv_wall, helix)
    if manifest["failed"]:
        show_warnings([f"a solid does not pass ({', '.join(manifest['failed'])}): see frames in solids.json"])
    return manifest


def check_rv_wall(rv_wall: float) -> None:
    """
    Raises:
        InputError: a thickness that no RV's wall has.
    """
    if not 1 <= rv_wall <= 10:
        raise InputError(f"a wall of the RV of {rv_wall:g} mm: expected 1 to 10 mm, in health about 3")


def summary(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """One row a heart, over its frames, for a table of many."""
    frames = manifest["frames"]
    first = frames[0]["volumes_ml"]
    return {
        "passed": "no" if manifest["failed"] else "yes",
        "failed": ",".join(manifest["failed"]) or "none",
        "frames": len(frames),
        "points": manifest["points"],
        "tetrahedra": manifest["tetrahedra"],
        "inside_out": sum(row["inside_out"] for row in frames),
        "least_scaled_jacobian": min(row["scaled_jacobian"]["least"] for row in frames),
        "volume_error": max((float(row["volume_error"]) for row in frames), key=abs),
        "off_mm": max(row["off_mm"]["p95"] for row in frames),
        **{f"{name}_ml": first[name] for name in ("lv_wall", "septum", "rv_wall")},
    }


def _write(
    folder: Path, heart: OrientedLabels, fits: list[Fitted], frame_s: float, title: str, formats: Sequence[str],
    rv_wall: float, helix: tuple[float, float],
) -> dict[str, Any]:  # fmt: skip
    step = frame_s if np.isfinite(frame_s) else 1.0 / len(heart.labels)
    mesh = load_solid_template().mesh
    worlds = [Solid(heart.to_world(fit.solid.points), mesh) for fit in fits]
    found = fibres(worlds[0], helix)
    directions = {"fibre": found.fibre, "sheet": found.sheet, "normal": found.normal}
    rows, series = [], []
    for frame, fit, world in zip(heart.frames, fits, worlds, strict=True):
        files = {}
        if "vtu" in formats:
            files["vtu"] = f"vtu/solid_t{frame:02d}.vtu"
            (folder / "vtu").mkdir(exist_ok=True)
            points = {"displacement": world.points - worlds[0].points}
            first = world is worlds[0]
            write_vtu(
                folder / files["vtu"], _cells(world), at_points=points | (_coordinates(found) if first else {}),
                at_tetrahedra=directions if first else {},
            )  # fmt: skip
            series.append((frame * step, "solid", files["vtu"]))
        rows.append({"frame": frame, "time_s": round(frame * step, 6), "files": files, **_measured(fit, world)})
    if series:
        write_pvd(folder / "solid.pvd", series)
    at_rest = {}
    for kind, write in (("msh", write_msh), ("xdmf", write_xdmf)):
        if kind in formats:
            at_rest[kind] = f"solid.{kind}"
            write(folder / at_rest[kind], _cells(worlds[0]), at_tetrahedra=directions)
    manifest = {
        "format": 1,
        "title": title,
        "units": {"length": "mm", "volume": "mL", "time": "s", "angle": "degree"},
        "space": "the input's own world (NIfTI: +x right, +y anterior, +z superior; template space as cheart has it)",
        "regions": {str(i): name for i, name in enumerate(REGIONS)},
        "arrays": _ARRAYS,
        "mesh": "point i and tetrahedron i are the same place in every frame of every heart (of this version)",
        "points": len(worlds[0].points),
        "tetrahedra": len(mesh.tetrahedra),
        "triangles": len(mesh.triangles),
        "rv_wall_mm": rv_wall,
        "helix": list(helix),
        "end_diastole": at_rest,
        "gates": GATES,
        "failed": _failed(rows),
        "frames": rows,
        "frames_left_out": [t for t in range(len(heart.labels)) if t not in heart.frames],
        "provenance": provenance(),
    }
    write_json(folder / "solids.json", manifest)
    return manifest


_ARRAYS = {
    "region": "cell: see regions",
    "displacement": "point, mm, from end-diastole",
    "fibre, sheet, normal": "tetrahedron, at end-diastole: unit vectors along the fibre, through the wall, across "
    "both; the sign means nothing",
    "lv, rv, epi": "point, at end-diastole: 1 on the LV's endocardium, the RV's, the epicardium; 0 on the other two",
    "apex_base": "point, at end-diastole: 0 at the apex to 1 on the base",
}


def _cells(solid: Solid) -> Cells:
    mesh: Mesh = solid.mesh
    regions = np.concatenate([mesh.tissues + np.uint8(len(BOUNDARIES)), mesh.boundaries])
    solids = range(len(BOUNDARIES), len(REGIONS))
    return Cells(solid.points, mesh.tetrahedra, mesh.triangles, regions, REGIONS, solids)


def _coordinates(found: Fibres) -> dict[str, NDArray[np.float64]]:
    values = dict(zip(("lv", "rv", "epi"), found.potentials.T, strict=True))
    return {**values, "apex_base": found.apex_base}


def _measured(fit: Fitted, world: Solid) -> dict[str, Any]:
    quality = world.scaled_jacobian
    volumes = {
        "lv_cavity": world.cavity_ml(LV_ENDOCARDIUM),
        "rv_cavity": world.cavity_ml(RV_ENDOCARDIUM),
        "lv_wall": world.tissue_ml(LV_WALL),
        "septum": world.tissue_ml(SEPTUM),
        "rv_wall": world.tissue_ml(RV_WALL),
    }
    voxels = {
        "lv_cavity": fit.bodies.cavity.volume_ml,
        "rv_cavity": fit.bodies.right.volume_ml,
        "lv_wall_and_septum": fit.bodies.outer.volume_ml - fit.bodies.cavity.volume_ml,
    }
    made = {**volumes, "lv_wall_and_septum": volumes["lv_wall"] + volumes["septum"]}
    errors = [float(made[name] / voxels[name] - 1) for name in voxels]
    return {
        "volumes_ml": {name: round(value, 3) for name, value in volumes.items()},
        "voxel_volumes_ml": {name: round(value, 3) for name, value in voxels.items()},
        "volume_error": round(errors[int(np.abs(errors).argmax())], 5),
        "inside_out": int((world.volumes <= 0).sum()),
        "scaled_jacobian": {
            "least": round(float(quality.min()), 4),
            "mean": round(float(quality.mean()), 3),
            "share_below_0.2": round(float((quality < 0.2).mean()), 5),
        },
        "mended": fit.mended,
        "off_mm": {"mean": round(float(fit.off_mm.mean()), 3), "p95": round(float(np.quantile(fit.off_mm, 0.95)), 3)},
    }


def _failed(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The gates that some frame does not pass."""
    bad = {
        "scaled_jacobian": any(row["scaled_jacobian"]["least"] < GATES["scaled_jacobian"] for row in rows),
        "volume_error": any(abs(row["volume_error"]) > GATES["volume_error"] for row in rows),
        "off_mm": any(row["off_mm"]["p95"] > GATES["off_mm"] for row in rows),
    }
    return [name for name, fails in bad.items() if fails]
