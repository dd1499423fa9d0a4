"""Measures of label maps in the template pose: what the simulated cohort is judged by, and any other described by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cheart.grid import Grid
from cheart.labels import LV, MYO, RV, STRUCTURES
from cheart.phenotypes import voxel_volumes

SECTIONS: NDArray[np.float64] = np.arange(1, 10) / 10
"""Where sections are measured: fractions of the LV cavity's length, from base to apex."""


@dataclass(frozen=True, eq=False)
class Rays:
    """The surfaces of one frame along rays from the LV axis.

    Attributes:
        z: [H] heights in mm, from the apex of the wall to the base, H = len(heights).
        centre: [H, 2], the LV's centroid (x, y) in mm.
        endo, epi, free: [H, A] radii in mm of LV endocardium, epicardium, and outer border of the RV (or of the
            epicardium where there is no RV).
    """

    z: NDArray[np.float64]
    centre: NDArray[np.float64]
    endo: NDArray[np.float64]
    epi: NDArray[np.float64]
    free: NDArray[np.float64]

    @property
    def angles(self) -> NDArray[np.float64]:
        """[A] in rad from +x (the RV) towards +y (anterior)."""
        return np.arange(self.endo.shape[1]) * (2 * np.pi / self.endo.shape[1])


def rays(
    labels: NDArray[np.uint8], grid: Grid, *, heights: NDArray[np.floating], angles: int = 120, step: float = 0.5
) -> Rays:
    """Follow rays of one frame outward from the LV axis until each structure ends, at heights from the LV wall's
    apex (0) to its base (1)."""
    z, y, x = grid.axes()
    lv_wall = (labels == LV) | (labels == MYO)
    planes = np.flatnonzero(lv_wall.any(axis=(1, 2)))
    low, high = z[planes[0]] - grid.spacing[0] / 2, z[planes[-1]] + grid.spacing[0] / 2
    height = low + (high - low) * np.asarray(heights, float)
    area = lv_wall[planes].sum(axis=(1, 2))
    in_x = (lv_wall[planes].sum(axis=1) * x).sum(axis=1) / area
    in_y = (lv_wall[planes].sum(axis=2) * y).sum(axis=1) / area
    centre = np.stack([np.interp(height, z[planes], c) for c in (in_x, in_y)], axis=-1)

    theta = np.arange(angles) * (2 * np.pi / angles)
    radius = (np.arange(int(95 / step)) + 0.5) * step
    xs = centre[:, 0, None, None] + radius[None, None] * np.cos(theta)[None, :, None]
    ys = centre[:, 1, None, None] + radius[None, None] * np.sin(theta)[None, :, None]
    at = np.clip((height - z[0]) / grid.spacing[0], planes[0], planes[-1])
    where = [np.broadcast_to(at[:, None, None], xs.shape), (ys - y[0]) / grid.spacing[1], (xs - x[0]) / grid.spacing[2]]
    radii = []
    for mask in (labels == LV, lv_wall, labels > 0):
        inside = ndimage.map_coordinates(mask.astype(np.float32), where, order=1, prefilter=False) > 0.5
        radii.append(inside.sum(axis=-1) * step)
    return Rays(height, centre, *radii)


HEIGHTS_ED: NDArray[np.float64] = np.append(np.arange(1, 20) / 20, 0.98)
"""Heights of the rays at end-diastole; every second is one of SECTIONS."""

_POINT_ANGLES, _RV_POINTS = 24, 9
_MIN_RV = 1.0  # mm: thinner is no RV


def surface_points(r: Rays) -> NDArray[np.float64]:
    """Corresponding points [P, 3] in mm on the three surfaces, for a shape model.

    Of rays at HEIGHTS_ED: the LV at fixed heights and angles, the RV at fixed heights and fractions of the arc between
    its insertions.
    """
    points = []
    for radii, start in ((r.endo, 2), (r.epi, 0)):
        step = radii.shape[1] // _POINT_ANGLES
        points.append(_to_xyz(r, radii[:, ::step], r.angles[::step])[start:].reshape(-1, 3))
    for h in range(3, len(r.z)):
        arc = _rv_arc(r, h)
        for radii in (r.epi, r.free):
            across = np.interp(arc, np.append(r.angles, 2 * np.pi) - np.pi, _half_turn(radii[h]))
            xy = r.centre[h] + across[:, None] * np.stack([np.cos(arc), np.sin(arc)], axis=-1)
            points.append(np.column_stack([xy, np.full(len(xy), r.z[h])]))
    return np.concatenate(points)


def _half_turn(radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radii from −π to π, both included."""
    turned = np.roll(radii, radii.size // 2)
    return np.append(turned, turned[0])


def _to_xyz(r: Rays, radii: NDArray[np.float64], theta: NDArray[np.float64]) -> NDArray[np.float64]:
    x = r.centre[:, 0, None] + radii * np.cos(theta)
    y = r.centre[:, 1, None] + radii * np.sin(theta)
    return np.stack([x, y, np.broadcast_to(r.z[:, None], x.shape)], axis=-1)


def _rv_arc(r: Rays, i: int) -> NDArray[np.float64]:
    """Angles at fixed fractions of the arc between the RV's insertions (a tenth to nine tenths)."""
    fraction = (np.arange(_RV_POINTS) + 1) / (_RV_POINTS + 1)
    span = insertions(r, i)
    low, high = span if span is not None else (0.0, 0.0)
    return low + fraction * (high - low)


def insertions(r: Rays, i: int) -> tuple[float, float] | None:
    """Angles in rad (−π to π) where the RV meets the wall, inferior and anterior; None where there is no RV."""
    over = _half_turn(r.free[i] - r.epi[i]) - _MIN_RV
    parts, count = ndimage.label(over > 0)
    if not count:
        return None
    span = np.flatnonzero(parts == 1 + int(np.bincount(parts)[1:].argmax()))
    step = 2 * np.pi / (over.size - 1)

    def edge(inside: int, outside: int) -> float:
        if not 0 <= outside < over.size:
            return inside * step - np.pi
        fraction = over[inside] / (over[inside] - over[outside])
        return (inside + fraction * (outside - inside)) * step - np.pi

    return float(edge(span[0], span[0] - 1)), float(edge(span[-1], span[-1] + 1))


def septal_sagitta(r: Rays) -> NDArray[np.float64]:
    """How far the septum bows towards the RV beyond the chord of the RV's insertions, mm (+: convex), at
    SECTIONS [9], of rays at HEIGHTS_ED; nan where there is no RV."""
    out = np.full(SECTIONS.size, np.nan)
    for i in range(SECTIONS.size):
        h = 17 - 2 * i
        span = insertions(r, h)
        if span is None or span[1] - span[0] < 0.2:
            continue
        arc = np.linspace(*span, 41)
        radii = np.interp(arc, np.append(r.angles, 2 * np.pi) - np.pi, _half_turn(r.epi[h]))
        xy = radii[:, None] * np.stack([np.cos(arc), np.sin(arc)], axis=-1)
        chord = (xy[-1] - xy[0]) / np.linalg.norm(xy[-1] - xy[0])
        beyond = (xy - xy[0]) @ np.array([chord[1], -chord[0]])
        out[i] = beyond[np.abs(beyond).argmax()]
    return out


def sections(labels: NDArray[np.uint8], grid: Grid, *, slab: float = 0.06) -> NDArray[np.float64]:
    """Areas [3, 9] in mm² of LV cavity, LV with its wall, and RV at SECTIONS along the apex-to-mitral-centre axis, each
    averaged over a hat of half-width ``slab``, a fraction of the length."""
    z, y, x = grid.axes()
    at = np.argwhere(labels > 0)
    what = labels[tuple(at.T)]
    xyz = np.stack([x[at[:, 2]], y[at[:, 1]], z[at[:, 0]]], axis=-1)
    cavity = xyz[what == LV]
    top, bottom = cavity[:, 2].max(), cavity[:, 2].min()
    mitral = cavity[cavity[:, 2] == top].mean(0) + np.array([0, 0, grid.spacing[0] / 2])
    apex = cavity[cavity[:, 2] == bottom].mean(0) - np.array([0, 0, grid.spacing[0] / 2])
    length = float(np.linalg.norm(apex - mitral))
    along = (xyz - mitral) @ (apex - mitral) / length**2
    areas = np.zeros((3, SECTIONS.size))
    for i, inside in enumerate((what == LV, what != RV, what == RV)):
        for j, middle in enumerate(SECTIONS):
            hat = np.clip(1 - np.abs(along[inside] - middle) / slab, 0, None).sum()
            areas[i, j] = hat * grid.voxel_ml * 1000 / (slab * length)
    return areas


def wall_thickness(labels: NDArray[np.uint8], grid: Grid) -> NDArray[np.float64]:
    """Mean wall thickness in mm of the 17 AHA segments at end-diastole, from the epicardium to the nearest cavity."""
    z, y, x = grid.axes()
    lv_wall = (labels == LV) | (labels == MYO)
    planes = np.flatnonzero((labels == LV).any(axis=(1, 2)))
    inner = ndimage.binary_erosion(np.pad(lv_wall, 1, mode="edge"), ndimage.generate_binary_structure(3, 1))
    border = (labels == MYO) & ~inner[1:-1, 1:-1, 1:-1]
    box = ndimage.find_objects(lv_wall.astype(np.uint8))[0]
    thickness = ndimage.distance_transform_edt(labels[box] != LV, sampling=grid.spacing)[border[box]]
    at = np.argwhere(border)
    cavity = labels[planes] == LV
    in_x = (cavity.sum(axis=1) * x).sum(axis=1) / cavity.sum(axis=(1, 2))
    in_y = (cavity.sum(axis=2) * y).sum(axis=1) / cavity.sum(axis=(1, 2))
    height = (at[:, 0] - planes[0] + 0.5) / planes.size  # below 0: the apex
    plane = z[at[:, 0]]
    theta = np.arctan2(y[at[:, 1]] - np.interp(plane, z[planes], in_y), x[at[:, 2]] - np.interp(plane, z[planes], in_x))
    segment = _segment(height, np.degrees(theta))
    segment[height > 0.93] = -1  # the mitral annulus, where a wall has no thickness of its own
    return np.array([thickness[segment == i].mean() if (segment == i).any() else np.nan for i in range(17)])


def _segment(height: NDArray[np.float64], theta: NDArray[np.float64]) -> NDArray[np.intp]:
    """AHA segment 0 to 16 by height above the cavity's apex (fraction of its length) and angle in degrees."""
    six = np.array([1, 0, 5, 4, 3, 2])[(theta // 60).astype(int) % 6]
    four = np.array([1, 0, 3, 2])[((theta + 45) // 90).astype(int) % 4]
    return np.where(
        height > 2 / 3, six, np.where(height > 1 / 3, 6 + six, np.where(height > 0.04, 12 + four, 16))
    ).astype(np.intp)


@dataclass(frozen=True)
class Contraction:
    """What changes from end-diastole to end-systole.

    Attributes:
        descent: of the LV's base, mm.
        thickening: of the wall at mid-height, %.
        circumferential: change of the midwall's circumference at mid-height, % (negative: shorter).
    """

    descent: float
    thickening: float
    circumferential: float


def contraction(ed: NDArray[np.uint8], es: NDArray[np.uint8], grid: Grid) -> Contraction:
    """Measure contraction between two frames [Z, Y, X]."""
    middle = np.linspace(0.45, 0.75, 7)  # fraction of the wall's length: the middle third of the cavity
    before, after = (rays(frame, grid, heights=middle, angles=60) for frame in (ed, es))
    wall = [(r.epi - r.endo).mean() for r in (before, after)]
    midwall = [((r.epi + r.endo) / 2).mean() for r in (before, after)]
    return Contraction(
        descent=_top(ed) * grid.spacing[0] - _top(es) * grid.spacing[0],
        thickening=float(100 * (wall[1] / wall[0] - 1)),
        circumferential=float(100 * (midwall[1] / midwall[0] - 1)),
    )


def _top(labels: NDArray[np.uint8]) -> int:
    return int(np.flatnonzero((labels == LV).any(axis=(1, 2)))[-1])


def e_to_a(lv_ml: NDArray[np.float64]) -> float:
    """Ratio of the greatest filling rate early in diastole to that of the atrial kick, from a volume curve [T]."""
    frames = lv_ml.size
    rate = np.diff(np.append(lv_ml, lv_ml[0]))
    kick = int(0.78 * frames)
    early, late = rate[int(lv_ml.argmin()) : kick].max(), rate[kick:].max()
    return float(early / late) if late > 0 else float("nan")


def topology_faults(labels: NDArray[np.uint8]) -> list[str]:
    """What is wrong with the label maps [T, Z, Y, X] of one heart, in words; nothing where all is well."""
    labels = np.pad(cropped(labels), ((0, 0), (1, 1), (1, 1), (1, 1)))
    faults = {fault for frame in labels for fault in frame_faults(frame)}
    tops = {int(np.flatnonzero((labels[0] == number).any(axis=(1, 2)))[-1]) for number in STRUCTURES.values()}
    if len(tops) > 1:
        faults.add("no common basal plane at end-diastole")
    return sorted(faults)


def cropped(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The smallest box [T, Z, Y, X] that holds the heart in every frame."""
    (box,) = ndimage.find_objects(labels.any(axis=0).astype(np.uint8))
    return labels[:, *box]


def frame_faults(frame: NDArray[np.uint8]) -> list[str]:
    """What is wrong with one frame [Z, Y, X] whose base is a flat cut, in words."""
    faults = []
    for name, number in STRUCTURES.items():
        if ndimage.label(frame == number, structure=np.ones((3, 3, 3)))[1] != 1:
            faults.append(f"{name} not in one piece")
    for axis in range(3):
        a = np.moveaxis(frame, axis, 0)
        for lower, upper, up in ((a[:-1], a[1:], True), (a[1:], a[:-1], False)):
            if ((lower == LV) & (upper == RV)).any():
                faults.append("LV touches RV")
            if not (axis == 0 and up) and ((lower == LV) & (upper == 0)).any():
                faults.append("LV open elsewhere than at the base")
    planes = [(frame == number).any(axis=(1, 2)) for number in (LV, MYO, RV)]
    if (planes[2] & ~(planes[0] & planes[1])).any():
        faults.append("RV in a plane without LV and wall")
    return faults


def shape_spectrum(points: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """PCA of corresponding points [N, P, 3] in mm, rigidly aligned (generalised Procrustes, no scaling).

    Returns:
        RMS distance per point from the mean shape in mm, and each mode's fraction of the variance.
    """
    aligned = points - points.mean(axis=1, keepdims=True)
    mean = aligned[0]
    for _ in range(3):
        for i, shape in enumerate(aligned):
            u, _, vt = np.linalg.svd(shape.T @ mean)
            aligned[i] = shape @ (u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt)
        mean = aligned.mean(axis=0)
    flat = (aligned - mean).reshape(len(aligned), -1)
    gram = flat @ flat.T if len(flat) < flat.shape[1] else flat.T @ flat
    variance = np.clip(np.linalg.eigvalsh(gram)[::-1], 0, None) / (len(flat) - 1)
    return float(np.sqrt(variance.sum() / points.shape[1])), variance / variance.sum()


@dataclass(frozen=True, eq=False)
class Measures:
    """All measures of one heart; those of the cycle are None where it was not imaged whole.

    Attributes:
        rays: of end-diastole, at HEIGHTS_ED.
        wall_mm: [17] see :func:`wall_thickness`.
        sections: [3, 9] see :func:`sections`.
        sagitta: [9] see :func:`septal_sagitta`.
        volumes: [3, T] LV cavity, wall and RV cavity in mL.
        faults: see :func:`topology_faults`.
        contraction: from frame 0 to the frame of least LV cavity.
    """

    rays: Rays
    wall_mm: NDArray[np.float64]
    sections: NDArray[np.float64]
    sagitta: NDArray[np.float64]
    volumes: NDArray[np.float64]
    faults: list[str] | None = None
    contraction: Contraction | None = None

    @property
    def es_frame(self) -> int:
        """The frame of least LV cavity."""
        return int(self.volumes[0].argmin())

    @property
    def wall_change(self) -> float:
        """Largest departure of the wall's volume from that at end-diastole, %."""
        return float(100 * np.abs(self.volumes[1] / self.volumes[1][0] - 1).max())


def measure(labels: NDArray[np.uint8], grid: Grid, *, cycle: bool = True) -> Measures:
    """Measure one heart [T, Z, Y, X] in the template pose; the cycle only where every frame of it was imaged."""
    ed, at_ed = labels[0], rays(labels[0], grid, heights=HEIGHTS_ED)
    v = voxel_volumes(labels, grid.voxel_ml).T
    return Measures(
        rays=at_ed,
        wall_mm=wall_thickness(ed, grid),
        sections=sections(ed, grid),
        sagitta=septal_sagitta(at_ed),
        volumes=v,
        faults=topology_faults(labels) if cycle else None,
        contraction=contraction(ed, labels[int(v[0].argmin())], grid) if cycle else None,
    )
