"""Imaging phenotypes: volumes, mass and function, from voxels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Conditions
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import MYOCARDIUM_G_PER_ML, STRUCTURES

PAPER_FIVE = ("lvm", "lvedv", "lvesv", "rvedv", "rvesv")
"""The phenotypes of the paper's Tables III and IV and its Fig. 5."""

UNITS: dict[str, str] = {
    "lvm": "g", "lvedv": "mL", "lvesv": "mL", "rvedv": "mL", "rvesv": "mL", "lvsv": "mL", "rvsv": "mL",
    "lvef": "%", "rvef": "%", "lvco": "L/min", "rvco": "L/min", "mass_volume": "g/mL",
}  # fmt: skip
"""Every phenotype with its unit, in the order of tables."""

TITLES: dict[str, str] = {name: name.upper() for name in UNITS} | {"mass_volume": "LVM/LVEDV"}


@dataclass(frozen=True)
class Phenotypes:
    """Volumes, mass and function of one beating heart. nan is what cannot be known.

    Attributes:
        lvedv, rvedv: cavity volumes at end-diastole (frame 0), mL.
        lvesv, rvesv: cavity volumes at end-systole, mL; nan where only end-diastole was imaged.
        lvm: myocardial mass at end-diastole, g (1.05 g/mL).
        es_frame: the frame of end-systole, None where only end-diastole was imaged.
        cycle_s: duration of the cycle in s, nan where it is not known.
    """

    lvm: float
    lvedv: float
    lvesv: float
    rvedv: float
    rvesv: float
    es_frame: int | None
    cycle_s: float = math.nan

    @property
    def lvsv(self) -> float:
        """LV stroke volume, mL."""
        return self.lvedv - self.lvesv

    @property
    def rvsv(self) -> float:
        """RV stroke volume, mL."""
        return self.rvedv - self.rvesv

    @property
    def lvef(self) -> float:
        """LV ejection fraction, %."""
        return _ratio(100 * self.lvsv, self.lvedv)

    @property
    def rvef(self) -> float:
        """RV ejection fraction, %."""
        return _ratio(100 * self.rvsv, self.rvedv)

    @property
    def lvco(self) -> float:
        """Cardiac output of the LV, L/min; nan where the cycle's duration is not known."""
        return self.lvsv / 1000 * 60 / self.cycle_s

    @property
    def rvco(self) -> float:
        """Cardiac output of the RV, L/min; nan where the cycle's duration is not known."""
        return self.rvsv / 1000 * 60 / self.cycle_s

    @property
    def mass_volume(self) -> float:
        """Mass-to-volume ratio LVM / LVEDV, g/mL."""
        return _ratio(self.lvm, self.lvedv)

    def row(self) -> dict[str, float]:
        """All phenotypes by name, in the order and the units of :data:`UNITS`; a row of a table."""
        return {name: float(getattr(self, name)) for name in UNITS}


def from_curves(curves: NDArray[np.floating], *, cycle_s: float = math.nan) -> Phenotypes:
    """Phenotypes from volume–time curves [T, 3] in mL, as :func:`volume_curves` gives them.

    End-diastole is frame 0, end-systole the frame of least LV cavity among those of which planes were imaged.

    >>> heart = from_curves(np.array([[150.0, 100.0, 160.0], [60.0, 100.0, 70.0]]), cycle_s=0.9)
    >>> heart.es_frame, heart.lvef, heart.lvm, round(heart.lvco, 3)
    (1, 60.0, 105.0, 6.0)
    """
    lv, myo, rv = np.asarray(curves, float).T
    known = np.flatnonzero(np.isfinite(lv))
    es = int(known[np.argmin(lv[known])]) if known.size and (known.size > 1 or known[0] > 0) else None
    return Phenotypes(
        lvm=float(myo[0]) * MYOCARDIUM_G_PER_ML,
        lvedv=float(lv[0]),
        lvesv=math.nan if es is None else float(lv[es]),
        rvedv=float(rv[0]),
        rvesv=math.nan if es is None else float(rv[es]),
        es_frame=es,
        cycle_s=cycle_s,
    )


def volume_curves(
    labels: NDArray[np.uint8], grid: Grid, observed: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Volume of each structure in each frame, [T, 3] in mL.

    Where every plane is observed this is the number of voxels times their volume. Otherwise the observed planes
    stand for what lies between them, by the sum of discs that is usual for thick slices: see :func:`plane_mm`.

    Args:
        labels: [T, Z, Y, X] canonical labels.
        grid: the voxel grid.
        observed: [T, Z] bool, the planes that count; all where it is left out.

    Returns:
        nan in frames of which no plane, or one plane of several, was imaged.

    Raises:
        InputError: shapes that do not agree.
    """
    if labels.ndim != 4 or labels.shape[1:] != grid.shape:
        raise InputError(f"labels {labels.shape}: expected [T, Z, Y, X] on the grid {grid.shape}")
    if observed is None:
        observed = np.ones(labels.shape[:2], bool)
    if observed.shape != labels.shape[:2]:
        raise InputError(f"observed {observed.shape}: expected [T, Z], {labels.shape[:2]}")
    pixel_mm2 = grid.spacing[1] * grid.spacing[2]
    curves = np.full((len(labels), len(STRUCTURES)), np.nan)
    for t, planes in enumerate(observed):
        seen = np.flatnonzero(planes)
        if seen.size >= min(2, grid.shape[0]):
            curves[t] = plane_mm(planes, grid.spacing[0])[seen] @ count_voxels(labels[t, seen]) * pixel_mm2 / 1000
    return curves


def count_voxels(labels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Voxels of each structure in each plane: every volume that is counted in voxels is counted here.

    >>> count_voxels(np.array([[[0, 1], [2, 2]]], np.uint8))
    array([[1, 2, 0]])

    Args:
        labels: […, Y, X] canonical labels.

    Returns:
        […, 3] in the order of :data:`cheart.labels.STRUCTURES`.
    """
    planes = labels.reshape(-1, *labels.shape[-2:])
    counts = [[np.count_nonzero(plane == number) for number in STRUCTURES.values()] for plane in planes]
    return np.array(counts, np.intp).reshape(*labels.shape[:-2], len(STRUCTURES))


def voxel_volumes(labels: NDArray[np.uint8], voxel_ml: float) -> NDArray[np.float64]:
    """Volume of each structure in each frame from all of its voxels: […, Z, Y, X] to […, 3] in mL."""
    return count_voxels(labels).sum(axis=-2) * voxel_ml


def plane_mm(planes: NDArray[np.bool_], spacing: float) -> NDArray[np.float64]:
    """The thickness of tissue that each observed plane stands for, [Z] in mm; 0 for the others.

    Each plane reaches half-way to its neighbours, and beyond the outermost ones by half the stack's usual
    distance between planes. All planes observed: the spacing. A single plane: the spacing.

    >>> plane_mm(np.array([False, True, False, True, True]), spacing=2.0)
    array([0. , 3.5, 0. , 3. , 2.5])

    Args:
        planes: [Z] bool, the observed planes.
        spacing: distance of the grid's planes in mm.
    """
    thickness = np.zeros(planes.shape)
    seen = np.flatnonzero(planes)
    if seen.size:
        gaps = np.diff(seen).astype(float)
        usual = float(np.median(gaps)) if gaps.size else 1.0
        gaps = np.concatenate([[usual], gaps, [usual]])
        thickness[seen] = (gaps[:-1] + gaps[1:]) / 2 * spacing
    return thickness


def surface_m2(conditions: Conditions) -> float | None:
    """Body surface by Mosteller's formula, √(height · weight / 3600), m²; None where either is not known."""
    height, weight = conditions.get("height"), conditions.get("weight")
    return None if height is None or weight is None else float((float(height) * float(weight) / 3600) ** 0.5)


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.nan
