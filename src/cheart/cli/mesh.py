"""``cheart mesh``: surfaces of a beating label map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cheart.cli.options import AsJson, LabelScheme, OutFolder, Overwrite


def mesh(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A label map, 3D or 4D NIfTI.")],
    out: OutFolder,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help="Any of stl, ply, vtp (with .pvd) and glb (animated); vtu and msh: the LV's wall as tetrahedra.",
        ),
    ] = "stl,ply,vtp,glb",
    correspondence: Annotated[
        bool,
        typer.Option(
            "--correspondence",
            help="One surface deformed through the cycle: vertex i is the same place in every frame; "
            "displacement, wall thickness and area strain come as arrays.",
        ),
    ] = False,
    resolution: Annotated[float, typer.Option("--resolution", help="Length of a typical edge, mm.")] = 2.0,
    labels: LabelScheme = "cheart",
    spacing: Annotated[
        Literal["pixdim", "affine"] | None, typer.Option("--spacing", help="Which to believe where they disagree.")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="What this is; it goes into every file.")] = "",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Write closed, smooth surfaces of both ventricles, frame by frame, in the input's own space (mm)."""
    from cheart.cli.say import answer, warn
    from cheart.errors import InputError
    from cheart.files import new_folder, refuse_existing
    from cheart.io.nifti import read_label_map
    from cheart.labels import check_topology, parse_scheme, to_canonical
    from cheart.mesh.write import FORMATS, OrientedLabels, write_meshes

    wanted = tuple(part.strip().lower() for part in formats.split(","))
    if any(part not in FORMATS for part in wanted):
        raise InputError(f"--format {formats!r}: expected one or more of {', '.join(FORMATS)}, with commas")
    if not 0.8 <= resolution <= 10:
        raise InputError(f"--resolution {resolution:g}: expected 0.8 to 10 mm")
    scheme = parse_scheme(labels)
    refuse_existing(out, overwrite=overwrite)
    stored = read_label_map(source, spacing=spacing)
    heart = OrientedLabels.of(to_canonical(stored.labels, scheme), stored.affine)
    check_topology(heart.labels[0], what=source.name)
    with new_folder(out, overwrite=overwrite) as partial:
        manifest = write_meshes(
            partial, heart, frame_s=stored.frame_s, title=title or "cheart surfaces",
            formats=tuple(f for f in FORMATS if f in wanted), correspondence=correspondence,
            resolution_mm=resolution,
        )  # fmt: skip
    rows = manifest["surfaces"]
    if manifest["frames_left_out"]:
        warn(f"frames without a whole heart were left out: {', '.join(map(str, manifest['frames_left_out']))}")
    worst = max(abs(row["volume_error"]) for row in [*rows, *manifest.get("walls", [])])
    if worst > 0.02:
        warn(
            f"a surface's volume differs from its voxels' by {worst:.1%}, most likely because pieces that lie apart "
            "were left out: see volume_error in surfaces.json"
        )
    poor = max(row["quality"]["share_below_0.2"] for row in rows)
    if poor > 0.01:
        warn(f"up to {poor:.1%} of a surface's triangles are thin (quality below 0.2): see quality in surfaces.json")
    inside_out = sum(row["quality"]["inside_out"] for row in manifest.get("walls", []))
    if inside_out:
        warn(f"{inside_out} tetrahedra are inside out: see quality of the walls in surfaces.json; try --resolution")
    closed = sum(row["watertight"] for row in rows)
    text = (
        f"{len(rows)} surfaces of {len(manifest['frames'])} frames in {out} ({closed} watertight, volume within "
        f"{worst:.2%} of the voxels); start with surfaces.json"
        + (", heart.pvd in ParaView" if "vtp" in wanted else "")
        + (", heart.glb in a browser" if "glb" in wanted else "")
        + (", wall.pvd for the wall's tetrahedra" if "vtu" in wanted else "")
    )
    answer(manifest, text, as_json=as_json)
