"""``cheart mesh``: surfaces of a beating label map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cheart.cli.options import OUTPUT, Output, SchemeName, SpacingName, options


@options(target=OUTPUT)
def mesh(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A label map, 3D or 4D NIfTI.")],
    target: Output,
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
    scheme: SchemeName = "cheart",
    spacing: SpacingName = None,
    title: Annotated[str, typer.Option("--title", help="What this is; it goes into every file.")] = "",
) -> None:
    """Write closed, smooth surfaces of both ventricles, frame by frame, in the input's own space (mm)."""
    from cheart.cli.console import answer
    from cheart.io.nifti import read_label_map
    from cheart.labels import parse_scheme, to_canonical
    from cheart.mesh.write import save_surfaces, worst_volume_error

    wanted = tuple(part.strip().lower() for part in formats.split(","))
    stored = read_label_map(source, spacing=spacing)
    manifest = save_surfaces(
        target.out, to_canonical(stored.labels, parse_scheme(scheme)), stored.affine, frame_s=stored.frame_s,
        title=title, formats=wanted, correspondence=correspondence, resolution=resolution, overwrite=target.overwrite,
    )  # fmt: skip
    rows = manifest["surfaces"]
    worst = worst_volume_error(manifest)
    closed = sum(row["watertight"] for row in rows)
    text = (
        f"{len(rows)} surfaces of {len(manifest['frames'])} frames in {target.out} ({closed} watertight, volume within "
        f"{worst:.2%} of the voxels); start with surfaces.json"
        + (", heart.pvd in ParaView" if "vtp" in wanted else "")
        + (", heart.glb in a browser" if "glb" in wanted else "")
        + (", wall.pvd for the wall's tetrahedra" if "vtu" in wanted else "")
    )
    answer(manifest, text, as_json=target.as_json)
