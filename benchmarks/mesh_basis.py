"""How near the common mesh comes to hearts: ``python -m benchmarks.mesh_basis [ACDC] [--write]``.

Generated hearts by the bundled model, imported hearts of ACDC where its folder is named: the mean distance in mm
between the mesh and the surfaces of the label maps, both ways, on the paper's grid (half a voxel is 0.625 mm in plane).
Then the same of the page's arithmetic, which makes the mesh from the model's coefficients. ``--write`` first fits the
mesh basis of the bundled model anew and keeps it.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

import cheart
from cheart.mesh.surface import PARTS, Surface, closed_surface
from cheart.mesh.template import load_template
from cheart.models.common_mesh import mesh_of
from cheart.pages.mesh_basis import fit_mesh_basis, mesh_basis, sample_meshes, save_mesh_basis

_CORNERS = np.array([(i, j, 6 - i - j) for i in range(7) for j in range(7 - i)]) / 6
_FIT_ON = 900


def samples(surface: Surface) -> NDArray[np.float64]:
    """Points [N, 3] spread densely over a surface."""
    return np.einsum("fkd,nk->fnd", surface.vertices[surface.faces], _CORNERS).reshape(-1, 3)


def residuals(vertices: NDArray[np.float64], labels: NDArray[np.uint8], grid: cheart.Grid) -> list[float]:
    """Mean distance in mm of each part of the mesh from the closed surface of the labels, both ways."""
    out = []
    for part in PARTS:
        there = closed_surface(labels, grid.spacing, part)
        other = samples(Surface(there.vertices + grid.affine[:3, 3], there.faces, there.regions))
        own = samples(load_template().surface(vertices, part))
        out.append((KDTree(other).query(own)[0].mean() + KDTree(own).query(other)[0].mean()) / 2)
    return out


def report(title: str, rows: list[list[float]]) -> None:
    """A line of the table."""
    mean, most = np.mean(rows, axis=0), np.max(rows, axis=0)
    cells = " | ".join(f"{a:.2f} (≤ {b:.2f})" for a, b in zip(mean, most, strict=True))
    print(f"| {title}, {len(rows)} frames | {cells} |", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("acdc", nargs="?", type=Path, help="ACDC's training folder")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    model = cheart.load()
    if given.write:
        save_mesh_basis(fit_mesh_basis(model, hearts=_FIT_ON), model)
    print("| mesh to label map, mm: mean (at most) | LV endocardium | LV epicardium | RV endocardium |")
    print("|---|---|---|---|")
    hearts = model.generate(n=6, seed=99)
    rows = []
    for heart in hearts:
        meshes = mesh_of(heart)
        rows += [residuals(meshes[t], heart.labels[t], heart.grid) for t in (0, 4, 8, 14)]
    report("generated", rows)
    if given.acdc:
        rows = []
        for path in sorted(given.acdc.rglob("*_gt.nii.gz"))[::17]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                heart = cheart.read_heart(path, scheme="acdc", mirrored=True, spacing="pixdim")
            rows.append(residuals(mesh_of(heart)[0], heart.labels[0], heart.grid))
        report("ACDC", rows)
    basis, graph, rows = mesh_basis(model), model.network.layer_graph(), []
    representation = model.network.representation.basis
    basis.add_to(graph)
    for index in range(8):
        coefficients, _ = sample_meshes(model, 12345, index)
        made = graph.run(coefficients=coefficients.astype(np.float32))["scores"]
        labels = representation.labels(coefficients.astype(np.float32) * representation.sd)
        rows += [residuals(v, n, model.grid) for v, n in zip(basis.vertices(made), labels, strict=True)]
    report("generated, by the page's layers", rows)


if __name__ == "__main__":
    main()
