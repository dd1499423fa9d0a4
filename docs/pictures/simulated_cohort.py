"""Make the pictures of docs/simulated-cohort.md.

    python docs/pictures/simulated_cohort.py [--measured Both_ED_mean.vtk]

The measured mean shape (UK Digital Heart Project, github.com/UK-Digital-Heart-Project/Statistical-Shape-Model) is not
part of this project; where it is given, its outlines are drawn over the simulated cohort's mean. The test
``tests/simulation/test_measured_shape.py`` uses the functions here to compare the two.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from cheart.align.pose import find_pose
from cheart.grid import GRIDS, Grid
from cheart.labels import LV, MYO, RV, hex_colour
from cheart.simulation import Truth, draw_heart, draw_person
from cheart.simulation.audit.check_hearts import exact_rays, mean_surfaces
from cheart.simulation.audit.measure import shape_spectrum, surface_points
from cheart.simulation.clinical import heart as clinical
from cheart.simulation.clinical.beat import timings
from cheart.simulation.clinical.people import KINDS, draw_patient
from cheart.simulation.clinical.voxels import voxelise as voxelise_patient
from cheart.simulation.heart import end_diastole, surfaces_at, voxelise

HERE = Path(__file__).parent
GRID = GRIDS["paper"]
COLOURS = ListedColormap(["white", hex_colour(LV), hex_colour(MYO), hex_colour(RV)])
Mesh = tuple[NDArray[np.float64], NDArray[np.intp]]


# --- the measured mean shape -----------------------------------------------------------------------------------------


def read_measured(path: Path) -> dict[int, Mesh]:
    """The three surfaces of ``Both_ED_mean.vtk`` (legacy ASCII PolyData), each closed, by what they enclose.

    Returns:
        LV: the endocardium, MYO: the epicardium, RV: its endocardium; points in mm and triangles.
    """
    text = Path(path).read_text()
    points_at, faces_at, data_at = (text.index(word) for word in ("POINTS", "POLYGONS", "POINT_DATA"))
    points = np.array(text[points_at:faces_at].split()[3:], float).reshape(-1, 3)
    faces = np.array(text[faces_at:data_at].split()[3:], int).reshape(-1, 4)[:, 1:]
    words = text[text.index("LOOKUP_TABLE", data_at) :].split()[2:]
    part = np.array(words[: len(points)], float)
    return {
        label: _closed(points, faces[(part[faces] == value).all(axis=1)])
        for label, value in ((MYO, 0), (LV, 0.5), (RV, 1))
    }


def _closed(points: NDArray[np.float64], faces: NDArray[np.intp]) -> Mesh:
    """Close a surface with one open rim (the mitral plane) by a fan about the rim's centre."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there = {(a, b) for a, b in edges.tolist()}
    rim = np.array([e for e in there if e[::-1] not in there])
    if not rim.size:
        return points, faces
    centre = points[np.unique(rim)].mean(axis=0)
    fan = np.column_stack([rim[:, ::-1], np.full(len(rim), len(points))])
    return np.vstack([points, centre]), np.vstack([faces, fan])


def section(mesh: Mesh, z: float) -> NDArray[np.float64]:
    """Where a surface meets the plane at height z: segments [N, 2, 2] in mm (x, y)."""
    points, faces = mesh
    corners = points[faces]
    height = corners[:, :, 2] - z
    ends, crossed = [], []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        cross = (height[:, a] > 0) != (height[:, b] > 0)
        share = np.where(cross, height[:, a] / np.where(cross, height[:, a] - height[:, b], 1), 0)
        ends.append(corners[:, a, :2] + share[:, None] * (corners[:, b, :2] - corners[:, a, :2]))
        crossed.append(cross)
    cross = np.stack(crossed, axis=1)
    cut = cross.sum(axis=1) == 2
    which = np.argsort(~cross[cut], axis=1, kind="stable")[:, :2]
    return np.take_along_axis(np.stack(ends, axis=1)[cut], which[:, :, None], axis=1)


def voxelise_measured(meshes: dict[int, Mesh], grid: Grid) -> NDArray[np.uint8]:
    """Label map [Z, Y, X] of the three surfaces: even-odd rule along each row of each plane."""
    labels = np.zeros(grid.shape, np.uint8)
    zs, ys, xs = grid.axes()
    for label in (RV, MYO, LV):
        for plane, z in zip(labels, zs, strict=True):
            segments = section(meshes[label], z)
            for row, y in zip(plane, ys, strict=True):
                a, b = segments[:, 0], segments[:, 1]
                across = (a[:, 1] > y) != (b[:, 1] > y)
                a, b = a[across], b[across]
                x = np.sort(a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
                row[np.searchsorted(x, xs) % 2 == 1] = label
    return labels


def moved(meshes: dict[int, Mesh], pose: NDArray[np.float64]) -> dict[int, Mesh]:
    """Surfaces turned by a rotation vector (pose[:3], rad) about their LV and shifted (pose[3:], mm)."""
    centre = meshes[MYO][0].mean(axis=0)
    turn = Rotation.from_rotvec(pose[:3])
    return {label: (turn.apply(p - centre) + centre + pose[3:], f) for label, (p, f) in meshes.items()}


def dice(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> dict[int, float]:
    """Dice by label."""
    return {k: 2 * float(((a == k) & (b == k)).sum()) / float((a == k).sum() + (b == k).sum()) for k in (LV, MYO, RV)}


def align_measured(meshes: dict[int, Mesh], ours: NDArray[np.uint8], grid: Grid) -> dict[int, Mesh]:
    """Bring the measured shape onto ours, rigidly (no scaling), by the mean Dice on the grid."""
    start = find_pose(voxelise_measured(meshes, GRID), GRID.affine)
    turn, shift = start.matrix[:3, :3], start.matrix[:3, 3]
    posed = {label: (p @ turn.T + shift, f) for label, (p, f) in meshes.items()}
    fine, centre = voxelise_measured(posed, GRID), posed[MYO][0].mean(axis=0)
    at = np.stack(np.meshgrid(*grid.axes(), indexing="ij"), axis=-1)[..., ::-1]
    unit = np.array([0.03, 0.03, 0.03, 1, 1, 1])

    def cost(pose: NDArray[np.float64]) -> float:
        back = (at - centre - pose[3:]) @ Rotation.from_rotvec(pose[:3] * unit[:3]).as_matrix() + centre
        index = np.round(back / GRID.spacing[::-1] + (np.array(GRID.shape[::-1]) - 1) / 2).astype(int)
        x, y, z = np.moveaxis(np.clip(index, 0, np.array(GRID.shape[::-1]) - 1), -1, 0)
        return -float(np.mean(list(dice(fine[z, y, x], ours).values())))

    found = minimize(cost, np.zeros(6), method="Powell", options={"maxfev": 300, "xtol": 0.05, "ftol": 1e-4})
    return moved(posed, found.x * unit)


# --- the simulated cohort --------------------------------------------------------------------------------------------


def draw(n: int, *, seed: int) -> list[Truth]:
    """Hearts of n simulated people."""
    return [draw_heart(draw_person(np.random.default_rng([seed, i])), seed=[seed, i]) for i in range(n)]


def mean_labels(truths: list[Truth], grid: Grid) -> NDArray[np.uint8]:
    """The cohort's mean end-diastolic shape as a label map."""
    return voxelise(mean_surfaces([exact_rays(end_diastole(t.anatomy)) for t in truths]), grid)


# --- pictures ---------------------------------------------------------------------------------------------------------


def _show(axes: Axes, image: NDArray[np.uint8], across: NDArray, up: NDArray) -> None:
    extent = (across[0], across[-1], up[0], up[-1])
    axes.imshow(image, origin="lower", extent=extent, cmap=COLOURS, vmin=0, vmax=3, interpolation="nearest")
    axes.set_axis_off()


def picture_mean(truths: list[Truth], measured: Path | None) -> None:
    """The mean shape in eight planes, the measured one's outlines over it."""
    ours = mean_labels(truths, GRID)
    meshes = (
        align_measured(read_measured(measured), mean_labels(truths, GRIDS["half"]), GRIDS["half"]) if measured else {}
    )
    z, y, x = GRID.axes()
    figure, axes = plt.subplots(2, 4, figsize=(10, 5.4))
    for a, height in zip(axes.ravel(), (43, 37, 27, 15, 3, -11, -25, -39), strict=True):
        plane = int(np.abs(z - height).argmin())
        _show(a, ours[plane], x, y)
        for mesh in meshes.values():
            a.add_collection(LineCollection(list(section(mesh, z[plane])), colors="black", linewidths=1.0))
        a.set(xlim=(-62, 66), ylim=(-54, 56))
        a.set_title(f"z = {z[plane]:.0f} mm", fontsize=9)
    note = "black: measured mean of 1,093 volunteers (UK Digital Heart Project)"
    if meshes:
        found = dice(ours, voxelise_measured(meshes, GRID))
        note += f"; Dice LV {found[LV]:.3f}, Myo {found[MYO]:.3f}, RV {found[RV]:.3f}"
    figure.suptitle(
        f"Mean end-diastolic shape of {len(truths)} simulated hearts" + (f"\n{note}" if meshes else ""), fontsize=10
    )
    figure.tight_layout()
    figure.savefig(HERE / "simulated-mean-shape.png", dpi=110)


def picture_curves(truths: list[Truth]) -> None:
    """Volume curves by age group, as shares of the end-diastolic volume."""
    phase = np.linspace(0, 1, 200)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
    for a, which, name in zip(axes, ("lv", "rv"), ("LV", "RV"), strict=True):
        for low, high, colour in ((18, 30, "#3b6fb6"), (40, 50, "#8a8a8a"), (60, 74, "#c0392b")):
            own = [t for t in truths if low <= float(t.conditions["age"]) < high]  # type: ignore[arg-type]
            curves = np.array([_relative(t, which, phase) for t in own])
            a.plot(phase, curves.mean(axis=0), color=colour, label=f"{low}–{high - 1} years (n = {len(own)})")
            a.fill_between(phase, *np.percentile(curves, [10, 90], axis=0), color=colour, alpha=0.12, lw=0)
        a.set(title=f"{name} volume over the cycle", xlabel="phase of the cycle", xlim=(0, 1))
        a.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("share of end-diastolic volume")
    axes[0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(HERE / "simulated-volume-curves.png", dpi=110)


def _relative(truth: Truth, which: str, phase: NDArray[np.float64]) -> NDArray[np.float64]:
    p = truth.phenotypes
    ed, es = (p.lvedv, p.lvesv) if which == "lv" else (p.rvedv, p.rvesv)
    return 1 - (ed - es) / ed * getattr(truth.motion, which).emptied(phase)


def picture_spectrum(truths: list[Truth]) -> None:
    """Variance by mode, beside the published one."""
    rms, shares = shape_spectrum(np.array([surface_points(exact_rays(end_diastole(t.anatomy))) for t in truths]))
    published = [0.449, 0.170, 0.094, 0.059, 0.055, 0.035, 0.022, 0.015, 0.013, 0.009]
    figure, a = plt.subplots(figsize=(5.4, 3.4))
    modes = np.arange(1, 11)
    a.plot(modes, 100 * shares[:10], "o-", color="#c0392b", label=f"simulated (n = {len(truths)}, RMS {rms:.1f} mm)")
    a.plot(modes, 100 * np.array(published), "s--", color="#3b6fb6", label="UKDHP, 1,093 hearts (RMS 4.8 mm)")
    a.set(xlabel="mode", ylabel="share of variance, %", yscale="log", xticks=modes)
    a.spines[["top", "right"]].set_visible(False)
    a.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(HERE / "simulated-shape-spectrum.png", dpi=110)


def picture_ten(truths: list[Truth]) -> None:
    """Ten hearts at end-diastole and at end-systole: three short-axis planes and the long axis."""
    z, y, x = GRID.axes()
    figure, axes = plt.subplots(10, 8, figsize=(10, 12.6))
    for row, truth in zip(axes, truths[:10], strict=True):
        for half, phase in ((0, 0.0), (4, truth.motion.lv.end_systole)):
            labels = voxelise(surfaces_at(truth, phase), GRID)
            planes = np.flatnonzero((labels == LV).any(axis=(1, 2)))
            cuts = planes[0] + (np.array([0.85, 0.55, 0.22]) * planes.size).astype(int)
            for a, plane in zip(row[half:], cuts, strict=False):
                _show(a, labels[plane], x, y)
                a.set(xlim=(-62, 70), ylim=(-56, 60))
            middle = int(np.abs(y).argmin())
            _show(row[half + 3], labels[:, middle], x, z)
            row[half + 3].set(xlim=(-62, 70), ylim=(-62, 62))
        c, p = truth.conditions, truth.phenotypes
        words = f"{c['sex']} {c['age']:.0f} y, {p.lvedv:.0f} mL, EF {p.lvef:.0f} %, {p.lvm:.0f} g"
        row[0].set_title(words, fontsize=8, loc="left")
    for a, words in ((axes[0, 2], "end-diastole"), (axes[0, 6], "end-systole")):
        a.set_title(words, fontsize=9)
    figure.tight_layout(pad=0.3)
    figure.savefig(HERE / "simulated-ten-hearts.png", dpi=90)


def picture_patients() -> None:
    """One heart of every kind of the clinical population, at end-diastole and at end-systole."""
    rng, found, seed = np.random.default_rng(4), {}, 0
    while len(found) < len(KINDS):
        missing = next(kind for kind in KINDS if kind.name not in found)
        truth = clinical.draw_heart({**draw_patient(rng), "group": missing.group}, seed=[11, seed])
        found.setdefault(KINDS[truth.kind].name, truth)
        seed += 1
    figure, axes = plt.subplots(len(KINDS), 8, figsize=(10, 16))
    z, y, x = GRID.axes()
    for row, kind in zip(axes, KINDS, strict=True):
        truth = found[kind.name]
        for half, phase in enumerate((0.0, timings(truth.beat)[0].end_systole)):
            labels = voxelise_patient(clinical.surfaces_of(truth, phase), GRID)
            planes = np.flatnonzero((labels == LV).any(axis=(1, 2)))
            at = planes[0] + np.array([0.97, 0.6, 0.2]) * (planes[-1] - planes[0])
            for column, plane in enumerate(at.round().astype(int)):
                _show(row[4 * half + column], labels[plane], x, y)
                row[4 * half + column].set(xlim=(-66, 76), ylim=(-58, 62))
            _show(row[4 * half + 3], labels[:, int(np.abs(y).argmin())], x, z)
            row[4 * half + 3].set(xlim=(-66, 76), ylim=(-64, 64))
        p = truth.phenotypes
        words = f"{kind.name.replace('_', ' ')}: {p.lvedv:.0f} mL, EF {p.lvef:.0f} %, {p.lvm:.0f} g"
        row[0].set_title(words, fontsize=8, loc="left")
    for a, words in ((axes[0, 3], "end-diastole"), (axes[0, 7], "end-systole")):
        a.set_title(words, fontsize=9)
    figure.tight_layout(pad=0.3)
    figure.savefig(HERE / "simulated-patients.png", dpi=80)
    plt.close(figure)


def main() -> None:
    """Make all five pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measured", type=Path, help="Both_ED_mean.vtk, for its outlines")
    measured = parser.parse_args().measured
    truths = draw(400, seed=0)
    picture_ten(truths)
    picture_curves(truths)
    picture_spectrum(truths)
    picture_mean(truths, measured)
    picture_patients()


if __name__ == "__main__":
    main()
