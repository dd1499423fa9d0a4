"""``cheart mesh``: surfaces or solids of a beating label map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cheart.cli.options import OUTPUT, Output, RvWall, SchemeName, SpacingName, Strict, options


@options(target=OUTPUT)
def mesh(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A label map, 3D or 4D NIfTI.")],
    target: Output,
    formats: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Any of stl, ply, vtp (with .pvd) and glb (animated); vtu and msh: the LV's wall as tetrahedra. With "
            "--solid any of vtu, msh and xdmf.  [default: stl,ply,vtp,glb; vtu,msh]",
        ),
    ] = None,
    solid: Annotated[
        bool,
        typer.Option(
            "--solid",
            help="In place of surfaces: LV wall, septum and RV wall as tetrahedra, with boundaries, fibres, quality.",
        ),
    ] = False,
    rv_wall: RvWall = None,
    helix: Annotated[
        str | None,
        typer.Option("--helix", help="With --solid: fibre angles at endocardium and epicardium, °.  [default: 60,-60]"),
    ] = None,
    correspondence: Annotated[
        bool,
        typer.Option(
            "--correspondence",
            help="One surface deformed through the cycle: vertex i is the same place in every frame; "
            "displacement, wall thickness and area strain come as arrays. Solids have it always.",
        ),
    ] = False,
    resolution: Annotated[
        float | None, typer.Option("--resolution", help="Length of a typical edge, mm.  [default: 2]")
    ] = None,
    scheme: SchemeName = "cheart",
    spacing: SpacingName = None,
    title: Annotated[str, typer.Option("--title", help="What this is; it goes into every file.")] = "",
    strict: Strict = False,
) -> None:
    """Write closed, smooth surfaces of both ventricles, or solids of their walls, in the input's own space (mm)."""
    from cheart.cli.console import answer
    from cheart.errors import InputError
    from cheart.io.nifti import read_label_map
    from cheart.labels import parse_scheme, to_canonical
    from cheart.mesh.write import RESOLUTION_MM, save_surfaces

    wanted = None if formats is None else tuple(part.strip().lower() for part in formats.split(","))
    if solid and (correspondence or resolution is not None):
        raise InputError(
            f"--{'correspondence' if correspondence else 'resolution'} with --solid: solids have one mesh, the same in "
            "every frame of every heart; leave it out"
        )
    for option, given in (("--rv-wall", rv_wall), ("--helix", helix), ("--strict", strict or None)):
        if not solid and given is not None:
            raise InputError(f"{option} without --solid: surfaces have no such thing; give --solid, or leave it out")
    stored = read_label_map(source, spacing=spacing)
    labels = to_canonical(stored.labels, parse_scheme(scheme))
    common: dict[str, Any] = {"frame_s": stored.frame_s, "title": title, "overwrite": target.overwrite}
    if wanted is not None:
        common["formats"] = wanted
    if not solid:
        manifest = save_surfaces(
            target.out, labels, stored.affine, correspondence=correspondence,
            resolution=RESOLUTION_MM if resolution is None else resolution, **common,
        )  # fmt: skip
        answer(manifest, _of_surfaces(manifest, target.out), as_json=target.as_json)
        return
    from cheart.mesh.write_solids import save_solids

    if rv_wall is not None:
        common["rv_wall"] = rv_wall
    if helix is not None:
        common["helix"] = _angles(helix)
    manifest = save_solids(target.out, labels, stored.affine, **common)
    answer(manifest, _of_solids(manifest, target.out), as_json=target.as_json)
    if strict and manifest["failed"]:
        raise typer.Exit(1)


def _angles(text: str) -> tuple[float, ...]:
    """
    Raises:
        InputError: not numbers with a comma between them.
    """
    from cheart.errors import InputError

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--helix {text!r}: expected two angles in degrees, such as 60,-60") from None


def _of_surfaces(manifest: Mapping[str, Any], out: Path) -> str:
    from cheart.mesh.write import worst_volume_error

    rows = manifest["surfaces"]
    files = {kind for row in [*rows, *manifest.get("walls", [])] for kind in row["files"]}
    closed = sum(row["watertight"] for row in rows)
    return (
        f"{len(rows)} surfaces of {len(manifest['frames'])} frames in {out} ({closed} watertight, volume within "
        f"{worst_volume_error(manifest):.2%} of the voxels); start with surfaces.json"
        + (", heart.pvd in ParaView" if "vtp" in files else "")
        + (", heart.glb in a browser" if manifest["animation"] else "")
        + (", wall.pvd for the wall's tetrahedra" if "vtu" in files else "")
    )


def _of_solids(manifest: Mapping[str, Any], out: Path) -> str:
    from cheart.mesh.write_solids import summary

    row = summary(manifest)
    passed = "it passes" if row["passed"] == "yes" else f"it does not pass ({row['failed']})"
    return (
        f"{row['tetrahedra']} tetrahedra in {row['frames']} frames in {out}: {row['inside_out']} inside out, least "
        f"scaled Jacobian {row['least_scaled_jacobian']:.3f}, volumes within {abs(row['volume_error']):.2%} of the "
        f"voxels'; "
        f"{passed}. Start with solids.json" + (", solid.pvd in ParaView" if manifest["frames"][0]["files"] else "")
    )
