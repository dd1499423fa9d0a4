"""The hearts of a cohort, as label maps, against what is published."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.grid import Grid
from cheart.metrics import overlap
from cheart.simulation import reference
from cheart.simulation.anatomy import mean_anatomy
from cheart.simulation.audit.measure import HEIGHTS_ED, Measures, Rays, e_to_a, shape_spectrum, surface_points
from cheart.simulation.audit.verdict import SURE, Row, mean_row, slope_of, within
from cheart.simulation.heart import Surfaces, end_diastole, voxelise
from cheart.simulation.phenotypes import Phenotypes
from cheart.simulation.reference import UKDHP
from cheart.simulation.surfaces import ANGLES, THETA, S

_shape = partial(Row, "anatomy", source=UKDHP)
_motion = partial(Row, "motion")


def anatomy(measured: Sequence[Measures], grid: Grid) -> list[Row]:
    """Shape at end-diastole."""
    wall = np.nanmean([m.wall_mm for m in measured], axis=0) - reference.SEGMENT_MM
    areas = np.mean([m.sections for m in measured], axis=0) / reference.SECTIONS_MM2 - 1
    sagitta = np.nanmean([m.sagitta for m in measured], axis=0)
    worst, section = int(np.abs(wall).argmax()), int(np.abs(areas[2]).argmax())
    thickness = f"{wall[worst]:+.1f} mm (segment {worst + 1})"
    area = f"{areas[2][section]:+.0%} (at 0.{section + 1})"
    bow = "septum bows towards the RV, smallest of 9 heights"
    rows = [
        _shape("wall by AHA segment, largest departure", "±1 mm", thickness, np.abs(wall).max() <= 1),
        _shape("RV section by height, largest departure", "±15 %", area, np.abs(areas[2]).max() <= 0.15),
        _shape(bow, "> 0 mm", f"{sagitta.min():.1f} mm", sagitta.min() > 0),
    ]
    if len(measured) >= 50:
        rows += _mean_shape(measured, grid)
    if len(measured) >= 200:
        rows += _spectrum(measured)
    return rows


def _mean_shape(measured: Sequence[Measures], grid: Grid) -> list[Row]:
    ours = voxelise(mean_surfaces([m.rays for m in measured]), grid)
    size = reference.MEAN_SHAPE
    mean = mean_anatomy(Phenotypes(size["lvedv"], size["lvedv"] / 2, size["rvedv"], size["rvedv"] / 2, size["lvm"]))
    theirs = voxelise(end_diastole(mean), grid)
    rows = []
    bands = (("LV", 0.93), ("Myo", 0.80), ("RV", 0.88))
    for (name, low), dice in zip(bands, overlap.dice(ours[None], theirs[None])[0], strict=True):
        rows.append(_shape(f"mean shape, Dice {name}", f"≥ {low:.2f}", f"{dice:.3f}", dice >= low))
    return rows


def exact_rays(surfaces: Surfaces) -> Rays:
    """What :func:`cheart.simulation.audit.measure.rays` would find at HEIGHTS_ED in endlessly fine voxels."""

    def radii(field: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sqrt(np.stack([np.interp(HEIGHTS_ED, S, column) for column in field[:, ::3].T], axis=1))

    centre = np.stack([np.interp(HEIGHTS_ED, S, c) for c in surfaces.centre.T], axis=1)
    z = surfaces.apex + HEIGHTS_ED * (surfaces.base - surfaces.apex)
    return Rays(z, centre, radii(surfaces.cavity), radii(surfaces.outer), radii(surfaces.free_wall))


def mean_surfaces(all_rays: list[Rays]) -> Surfaces:
    """The cohort's mean end-diastolic surfaces: mean radii at equal heights and angles."""
    z = np.mean([r.z for r in all_rays], axis=0)
    slope, apex = np.polyfit(HEIGHTS_ED, z, 1)
    centre = np.mean([r.centre for r in all_rays], axis=0)

    def field(name: str) -> NDArray[np.float64]:
        radii = np.mean([getattr(r, name) for r in all_rays], axis=0)
        theta = np.arange(radii.shape[1] + 1) * (2 * np.pi / radii.shape[1])
        fine = np.stack([np.interp(THETA, theta, np.append(row, row[0])) for row in radii])
        # squared radii go to nothing at the apex in proportion to height
        heights, squared = np.append(0, HEIGHTS_ED), np.vstack([np.zeros(ANGLES), fine**2])
        return np.stack([np.interp(S, heights, column) for column in squared.T], axis=1)

    return Surfaces(
        cavity=field("endo"),
        outer=field("epi"),
        free_wall=field("free"),
        centre=np.stack([np.interp(S, HEIGHTS_ED, c) for c in centre.T], axis=1),
        apex=float(apex),
        base=float(apex + slope),
        rv_drop=np.full(ANGLES, 1e-6),
    )


def _spectrum(measured: Sequence[Measures]) -> list[Row]:
    rms, variance = shape_spectrum(np.array([surface_points(m.rays) for m in measured]))
    modes = int((variance.cumsum() < 0.95).sum()) + 1
    return [
        _shape("shape PCA at ED, modes for 95 %", "10–20", f"{modes}", 10 <= modes <= 20),
        _shape("shape PCA at ED, first mode", "40–50 %", f"{variance[0]:.0%}", 0.395 <= variance[0] <= 0.505),
        _shape("distance from the mean shape, RMS", "4–5.5 mm", f"{rms:.1f} mm", 4 <= rms <= 5.5),
    ]


def motion(measured: Sequence[Measures], people: pd.DataFrame, frames: int) -> list[Row]:
    """The beat, of hearts imaged over the whole cycle; ``people`` holds their conditions, row by row."""
    cycle = people.cycle_s.to_numpy(float)
    usual = np.isnan(cycle) | (np.abs(60 / cycle - 62.5) <= 5)  # systole's fraction of the cycle follows the rate
    es = np.array([m.es_frame for m in measured])[usual if usual.any() else slice(None)] * 20 / frames
    change = max(m.wall_change for m in measured)
    faulty = [m.faults for m in measured if m.faults]
    systole, inside = f"{es.min():g}–{es.max():g}, mean {es.mean():.1f}", es.min() >= 6 and es.max() <= 8
    moved = [m.contraction for m in measured if m.contraction]
    rows = [
        _motion("ES frame of 20, near 62 beats a minute", "6–8", systole, inside, "Alhakak 2023"),
        _motion("wall volume over the cycle, largest change", "≤ 5 %", f"{change:.1f} %", change <= 5, "by definition"),
        mean_row("LV base descent, mm", [m.descent for m in moved], 13, 18, "Carlsson 2007"),
    ]
    if "rv_descent" in people:
        quantity = "RV base descent at the free wall (truth), mm"
        rows.append(mean_row(quantity, people.rv_descent.tolist(), 19, 27, "Carlsson 2007"))
    faults = f"{len(faulty)} of {len(measured)}" + (f" ({faulty[0][0]})" if faulty else "")
    rows += [
        mean_row("wall thickening, %", [m.thickening for m in moved], 40, 60, "computed"),
        mean_row("midwall circumference, %", [m.circumferential for m in moved], -23, -17, "Andre 2015"),
        Row("voxels", "hearts with a fault of topology", "none", faults, not faulty, "by definition"),
    ]
    return rows + _filling(measured, people)


def _filling(measured: Sequence[Measures], people: pd.DataFrame) -> list[Row]:
    rows = []
    for name, which in (("LV", 0), ("RV", 2)):
        curve = np.mean([m.volumes[which] / m.volumes[which][0] for m in measured], axis=0)
        rate = np.diff(np.append(curve, curve[0])) * len(curve)
        phase = (np.arange(len(curve)) + 0.5) / len(curve)
        early, still, late = (
            rate[(phase > a) & (phase < b)] for a, b in ((0.42, 0.65), (0.68, 0.8), (0.82, 1.0))
        )  # per cycle
        ours = f"{early.max():.1f}, {still.mean():.1f}, {late.max():.1f} a cycle"
        inside = bool(still.mean() < 0.35 * min(early.max(), late.max()))
        quantity = f"{name} filling: rapid, diastasis, atrial kick"
        rows.append(_motion(quantity, "two peaks, a rest between", ours, inside, "computed"))
    if "age" in people and people.age.notna().sum() >= 50:
        ratio = np.array([e_to_a(m.volumes[0]) for m in measured])
        slope, error = slope_of(people[["age"]].to_numpy(float), ratio, 0)
        at = [float(np.mean(ratio) + slope * (age - people.age.mean())) for age in (25, 70)]
        inside = within(at[0], 1.53, 2.63) and within(at[1], 0.55, 1.13) and slope + SURE * error < 0
        quantity, ours = "E/A of volume curves at 25 and at 70 years", f"{at[0]:.2f}, {at[1]:.2f}"
        rows.append(_motion(quantity, "2.08 ± 0.55, 0.84 ± 0.29", ours, inside, "Benjamin 1992"))
    return rows
