"""One simulated beating heart: the continuous surfaces at any phase of the cycle, and their voxels.

A material point of the LV wall at height s stays at height s; the base descends and the apex rises, so that the
length shrinks by λ(t); in plane, squared radii follow the volumes:

    A(t) = A₀ (1 − a(t) g)      with a(t) such that the cavity has its volume V_LV(t);  g: regional amplitude
    P(t) = A(t) + (P₀ − A₀) / λ(t)   every wedge of wall keeps its volume, so thickening emerges
    P(t) + c(t) D₀              the RV's free wall, with c(t) such that the RV has its volume V_RV(t)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cheart.conditions import Conditions
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.heart import Heart, whole
from cheart.labels import BACKGROUND, LV, MYO, RV
from cheart.simulation import surfaces
from cheart.simulation.anatomy import Anatomy, draw_anatomy
from cheart.simulation.demographics import complete_conditions, expected
from cheart.simulation.motion import Motion, draw_motion
from cheart.simulation.phenotypes import Phenotypes, draw_phenotypes
from cheart.simulation.surfaces import ANGLES, Field, S, integral

Seed = int | list[int] | np.random.SeedSequence


@dataclass(frozen=True, eq=False)
class Truth:
    """What is exactly known of a simulated heart.

    Attributes:
        conditions: its owner's.
        phenotypes: of the continuous surfaces, not of voxels.
        anatomy, motion: what generated it.
        shape: the drawn parameters of the shape.
        lv_ml, rv_ml: [T] volume-time curves in mL.
    """

    conditions: Conditions
    phenotypes: Phenotypes
    anatomy: Anatomy
    motion: Motion
    shape: dict[str, float]
    lv_ml: NDArray[np.float64]
    rv_ml: NDArray[np.float64]

    def to_row(self) -> dict[str, Any]:
        """Phenotypes and generating parameters under one name each, for a table."""
        return {**self.phenotypes.to_row(), **self.shape, **self.motion.to_row()}


@dataclass(frozen=True, eq=False)
class Surfaces:
    """The surfaces at one phase.

    Attributes:
        cavity, outer, free_wall: squared radii over (height, angle), mm².
        centre: [HEIGHTS, 2], the axis (x, y), mm.
        apex, base: z of the epicardial apex and of the LV's basal plane, mm.
        rv_drop: [ANGLES], how far the RV's base at the free wall lies below the LV's, mm.
    """

    cavity: Field
    outer: Field
    free_wall: Field
    centre: NDArray[np.float64]
    apex: float
    base: float
    rv_drop: NDArray[np.float64]


def draw_heart(conditions: Conditions, *, seed: Seed, frames: int = 20) -> Truth:
    """Draw one of the hearts that a person of these conditions, all known, may have; another seed gives another heart.

    The heart rate is 62.5 a minute where it is not among the conditions; ``frames`` are of the volume-time curves.

    Raises:
        InputError: a condition is missing or refused.
    """
    person = complete_conditions(conditions)
    seeds = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    size, form, beat = (np.random.default_rng([*np.atleast_1d(seeds.generate_state(4)), i]) for i in range(3))
    phenotypes = draw_phenotypes(person, size)
    usual = expected(float(person["age"]), str(person["sex"]))
    anatomy, shape = draw_anatomy(phenotypes, form, pressure=float(person["sbp"]) - usual.sbp)
    motion = draw_motion(person, phenotypes, anatomy.length, beat)
    phase = np.arange(frames) / frames
    lv_ml = phenotypes.lvedv - (phenotypes.lvedv - phenotypes.lvesv) * motion.lv.emptied(phase)
    rv_ml = phenotypes.rvedv - (phenotypes.rvedv - phenotypes.rvesv) * motion.rv.emptied(phase)
    return Truth(dict(conditions), phenotypes, anatomy, motion, shape, lv_ml, rv_ml)


def simulate_heart(conditions: Conditions, *, seed: Seed, grid: Grid, frames: int = 20) -> tuple[Heart, Truth]:
    """Draw one beating heart for a person, as label maps.

    Args:
        conditions: age (years), sex (F or M), weight (kg), height (cm) and sbp (mmHg), all known; heart_rate
            (bpm) may be given, and the cycle then lasts 60 / heart_rate s (else 0.96 s).
        seed: the same seed gives the same heart; another seed another heart of the same conditions.
        grid: the voxel grid.
        frames: T, frames a cycle; frame 0 is end-diastole.

    Returns:
        The label maps [T, Z, Y, X] in the template pose (every plane observed), and the truth about them.

    Raises:
        InputError: a condition is missing or refused, or the grid is too small for the heart.
    """
    truth = draw_heart(conditions, seed=seed, frames=frames)
    refuse_to_clip(*truth.anatomy.extent(), grid)
    labels = np.stack([voxelise(surfaces_at(truth, t / frames), grid) for t in range(frames)])
    return whole(labels, grid, truth.motion.cycle_s, kind="simulated", conditions=dict(conditions)), truth


def refuse_to_clip(low: NDArray[np.float64], high: NDArray[np.float64], grid: Grid) -> None:
    """Raise InputError where a box with corners (x, y, z) in mm reaches out of the grid."""
    half = np.array(grid.shape[::-1]) * grid.spacing[::-1] / 2
    if np.any(low < -half) or np.any(high > half):
        text = " × ".join(f"{a:.0f}…{b:.0f}" for a, b in zip(low, high, strict=True))
        raise InputError(
            f"--grid {grid.name} spans {' × '.join(f'{2 * h:g}' for h in half)} mm and would cut off a heart that "
            f"reaches over {text} mm (x × y × z); choose one of 160 × 160 × 128 mm or more"
        )


def surfaces_at(truth: Truth, phase: float) -> Surfaces:
    """The continuous surfaces at a phase of the cycle, 0 (end-diastole) to 1."""
    anatomy, motion, p = truth.anatomy, truth.motion, truth.phenotypes
    emptied, rv_emptied = (float(timing.emptied(np.array(phase))) for timing in (motion.lv, motion.rv))
    descent, rise = motion.lv_descent * emptied, motion.apex_rise * emptied
    length = anatomy.length - descent - rise
    shrink = length / anatomy.length
    lv_volume = p.lvedv - (p.lvedv - p.lvesv) * emptied
    rv_volume = p.rvedv - (p.rvedv - p.rvesv) * rv_emptied

    amplitude = regional_amplitude(motion.regional, anatomy.cavity)
    cavity = anatomy.cavity * (1 - (1 - lv_volume / (p.lvedv * shrink)) * amplitude)
    outer = cavity + anatomy.wall / shrink
    twist = np.radians(motion.base_twist * S + motion.apex_twist * (1 - S)) * emptied
    turn = anatomy.turn - twist  # seen from the apex, against our angle
    drop = max(motion.rv_descent - motion.lv_descent, 0.0) * rv_emptied
    rv_drop = drop * surfaces.tricuspid() + 1e-6  # mm
    # the RV's base is tilted from the septum (no drop) to the free wall: what remains of each height's area
    kept = np.clip((1 - S)[:, None] * length / rv_drop, 0, 1)
    rv = anatomy.rv * (1000 * rv_volume / (length * integral(anatomy.rv * kept)))
    rv_turn = anatomy.turn - 0.3 * twist
    outer = turned(outer, turn)
    return Surfaces(
        cavity=turned(cavity, turn),
        outer=outer,
        free_wall=outer + turned(rv, rv_turn),
        centre=anatomy.centre,
        apex=anatomy.base - anatomy.length + rise,
        base=anatomy.base - descent,
        rv_drop=turned(np.broadcast_to(rv_drop, anatomy.rv.shape), rv_turn)[0],
    )


def end_diastole(anatomy: Anatomy) -> Surfaces:
    """The surfaces of an anatomy at rest."""
    return Surfaces(
        cavity=turned(anatomy.cavity, anatomy.turn),
        outer=turned(anatomy.cavity + anatomy.wall, anatomy.turn),
        free_wall=turned(anatomy.cavity + anatomy.wall + anatomy.rv, anatomy.turn),
        centre=anatomy.centre,
        apex=anatomy.base - anatomy.length,
        base=anatomy.base,
        rv_drop=np.full(ANGLES, 1e-6),
    )


def regional_amplitude(coefficients: tuple[float, ...], cavity: Field) -> Field:
    """g: how much each region contracts, 1 on average over the cavity's volume."""
    around = surfaces.fourier(2)[:, 1:]
    c = np.array(coefficients).reshape(2, 4)
    field = 1 + (around @ c[0])[None] + np.cos(np.pi * S)[:, None] * (around @ c[1])[None]
    field = np.clip(field + 0.06 * np.cos(np.pi * S)[:, None], 0.75, 1.25)
    return field * (integral(cavity) / integral(cavity * field))


def turned(field: Field, by: float | NDArray[np.float64]) -> Field:
    """A field turned by an angle in rad (one, or one a height), by linear interpolation."""
    position = np.arange(ANGLES)[None] - np.broadcast_to(np.asarray(by), (S.size,))[:, None] * ANGLES / (2 * np.pi)
    low = np.floor(position).astype(int)
    fraction = position - low
    rows = np.arange(S.size)[:, None]
    return field[rows, low % ANGLES] * (1 - fraction) + field[rows, (low + 1) % ANGLES] * fraction


_FINE = 4  # angles of the lookup table per node


def voxelise(surface: Surfaces, grid: Grid) -> NDArray[np.uint8]:
    """Label maps [Z, Y, X] of one phase: each voxel is what its centre lies in."""
    labels = np.zeros(grid.shape, np.uint8)
    z, y, x = grid.axes()
    planes = np.flatnonzero((z > surface.apex) & (z < surface.base))
    if not planes.size:
        return labels
    radius = np.sqrt(surface.free_wall)
    rows = reached(y, surface.centre[:, 1, None] + radius * np.sin(surfaces.THETA))
    cols = reached(x, surface.centre[:, 0, None] + radius * np.cos(surfaces.THETA))
    s = (z[planes] - surface.apex) / (surface.base - surface.apex)
    cavity, outer, free_wall = (at_heights(f, s) for f in (surface.cavity, surface.outer, surface.free_wall))
    centre = np.stack([np.interp(s, S, c) for c in surface.centre.T], axis=-1).astype(np.float32)

    dx = x[cols].astype(np.float32)[None, None] - centre[:, 0, None, None]
    dy = y[rows].astype(np.float32)[None, :, None] - centre[:, 1, None, None]
    squared = dx * dx + dy * dy
    fine = ANGLES * _FINE
    angle = (np.arctan2(dy, dx) * np.float32(fine / (2 * np.pi)) + np.float32(fine + 0.5)).astype(np.int32) % fine
    index = angle + (np.arange(planes.size, dtype=np.int32) * fine)[:, None, None]
    inner_r2, outer_r2, free_r2 = (f.ravel()[index] for f in (cavity, outer, free_wall))

    block = np.zeros(squared.shape, np.uint8)
    in_rv = squared < free_r2
    # the RV's tilted base cuts off the part near the free wall; above the largest drop nothing is cut
    left = (surface.base - z[planes]).astype(np.float32)
    top = np.flatnonzero(left < surface.rv_drop.max())
    if top.size:
        drop = np.interp(np.arange(fine) / _FINE, np.arange(ANGLES), surface.rv_drop, period=ANGLES).astype(np.float32)
        kept = left[top, None, None] / drop[angle[top]]
        in_rv[top] &= squared[top] - outer_r2[top] < kept * (free_r2[top] - outer_r2[top])
    block[in_rv] = RV
    block[squared < outer_r2] = MYO
    block[squared < inner_r2] = LV
    _keep_apart(block)
    block[(block == RV) & ~(block == LV).any(axis=(1, 2), keepdims=True)] = BACKGROUND
    keep_largest(block, RV)
    labels[planes[0] : planes[-1] + 1, rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] = block
    return labels


def reached(axis: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.intp]:
    """Indices of the voxels along one axis between the outermost points."""
    return np.flatnonzero((axis > points.min()) & (axis < points.max()))


def at_heights(field: Field, s: NDArray[np.floating]) -> NDArray[np.float32]:
    """A field at other heights, and finely in angle for lookup: [len(s), ANGLES·_FINE]."""
    position = s * (S.size - 1)
    low = np.minimum(position.astype(int), S.size - 2)
    fraction = (position - low)[:, None]
    there = field[low] * (1 - fraction) + field[low + 1] * fraction
    after = np.roll(there, -1, axis=1)
    steps = np.arange(_FINE) / _FINE
    fine = there[..., None] * (1 - steps) + after[..., None] * steps
    return fine.reshape(len(s), -1).astype(np.float32)


def _keep_apart(block: NDArray[np.uint8]) -> None:
    """What a coarse grid cannot hold of the wall, it takes from the cavities; in place.

    RV voxels that share a face with the LV cavity become wall, and so do voxels of the LV cavity that would be open to
    the outside elsewhere than upwards, at the base.
    """
    padded = np.pad(block, 1, constant_values=BACKGROUND)
    inner = slice(1, -1)
    open_lv, touching_rv = np.zeros(block.shape, bool), np.zeros(block.shape, bool)
    for axis in range(3):
        for step in (slice(0, -2), slice(2, None)):
            where = [inner, inner, inner]
            where[axis] = step
            beside = padded[tuple(where)]
            touching_rv |= beside == LV
            if axis > 0 or step.start == 0:
                open_lv |= beside == BACKGROUND
    block[touching_rv & (block == RV)] = MYO
    block[open_lv & (block == LV)] = MYO


def keep_largest(block: NDArray[np.uint8], structure: int) -> None:
    """A grid cuts single voxels off the RV's thin edges: what is not in one 26-connected piece goes; in place."""
    mask = block == structure
    pieces, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    if count > 1:
        largest = 1 + int(np.bincount(pieces.ravel())[1:].argmax())
        block[mask & (pieces != largest)] = BACKGROUND
