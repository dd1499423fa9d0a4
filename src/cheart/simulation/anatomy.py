"""One heart at end-diastole: the mean anatomy, varied by smooth random fields and brought to its exact volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.align.pose import TEMPLATE_CENTRE
from cheart.errors import InputError
from cheart.labels import MYOCARDIUM_G_PER_ML
from cheart.simulation import surfaces
from cheart.simulation.phenotypes import Phenotypes
from cheart.simulation.reference import MEAN_SHAPE
from cheart.simulation.surfaces import CAVITY_APEX, MEAN_LENGTH, RV_APEX, THETA, Field, S, integral

BOX = np.array([80.0, 80.0, 64.0])  # mm, half of the paper's box (x, y, z)
MARGIN = 1.5  # mm
_MAX_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The end-diastolic surfaces of one heart (see :mod:`cheart.simulation.surfaces`), in the template pose.

    Attributes:
        length: epicardial apex to basal plane, mm.
        base: z of the basal plane, mm.
        centre: [HEIGHTS, 2], the axis (x, y) in mm.
        turn: rad by which the fields are turned about the axis to bring the RV to +x.
        cavity, wall, rv: A, P − A and D, mm².
    """

    length: float
    base: float
    centre: NDArray[np.float64]
    turn: float
    cavity: Field
    wall: Field
    rv: Field

    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The corners (x, y, z) in mm of the box around the heart at end-diastole."""
        radius = np.sqrt(self.cavity + self.wall + self.rv)
        x, y = (self.centre[:, i, None] + radius * f(THETA + self.turn) for i, f in enumerate((np.cos, np.sin)))
        low = np.array([x.min(), y.min(), self.base - self.length])
        return low, np.array([x.max(), y.max(), self.base])


# standard deviations of the random fields, as fractions of the radius (cavity), of the wall and of D
_CAVITY_SD, _WALL_SD, _RV_SD = 0.072, 0.10, 0.15
_ANGLE_FALL, _HEIGHT_FALL = 1.6, 0.9
_PRESSURE = 0.05 / 18  # a mmHg, towards septum and anterior wall: none is left for the lateral wall
_LENGTH_SD, _BEND_SD = 0.068, 2.2
_RV_APEX_SD, _RV_WIDEN_SD, _RV_TURN_SD = 0.027, 0.055, 0.10


def draw_anatomy(
    phenotypes: Phenotypes, rng: np.random.Generator, *, pressure: float = 0.0
) -> tuple[Anatomy, dict[str, float]]:
    """Draw a shape and give it exactly the volumes and the mass of the phenotypes.

    Args:
        phenotypes: what it has to measure.
        rng: where chance comes from.
        pressure: systolic pressure above what is usual at the age and sex, mmHg. Pressure thickens the septum and
            the anterior wall and leaves the lateral wall (de Marvao et al., JACC CVI 8:1260, 2015).

    Returns:
        The anatomy and the parameters that made it (for the table of truth).

    Raises:
        InputError: no such heart fits the template's box.
    """
    for _ in range(_MAX_DRAWS):
        shape = _draw_shape(rng, pressure)
        anatomy = _build(shape, phenotypes)
        if _fits(anatomy):
            return anatomy, shape.to_row() | {"length": anatomy.length}
    raise InputError(
        f"no heart of LVEDV {phenotypes.lvedv:.0f} mL and RVEDV {phenotypes.rvedv:.0f} mL fits the template's box of "
        f"{' × '.join(f'{2 * b:g}' for b in BOX)} mm: give a smaller person"
    )


def mean_anatomy(phenotypes: Phenotypes) -> Anatomy:
    """The mean shape, with the volumes and the mass of the phenotypes."""
    zero = np.zeros_like(surfaces.mean_cavity())
    return _build(_Shape(0.0, zero, zero, zero, surfaces.mean_bend(), RV_APEX, 1.0, 0.0), phenotypes)


def _build(shape: _Shape, phenotypes: Phenotypes) -> Anatomy:
    length = float(MEAN_LENGTH * (phenotypes.lvedv / MEAN_SHAPE["lvedv"]) ** (1 / 3) * np.exp(shape.elongation))
    cavity = surfaces.mean_cavity() * np.exp(2 * shape.cavity)
    wall = surfaces.mean_wall() * np.exp(shape.wall)
    rv = surfaces.rv_field(apex=shape.rv_apex, widen=shape.rv_widen, turn=shape.rv_turn) * np.exp(shape.rv)
    cavity *= 1000 * phenotypes.lvedv / (length * integral(cavity))
    wall *= 1000 * phenotypes.lvm / MYOCARDIUM_G_PER_ML / (length * integral(wall))
    rv *= 1000 * phenotypes.rvedv / (length * integral(rv))
    return _posed(length, cavity, wall, rv, shape.bend)


def _fits(anatomy: Anatomy) -> bool:
    """Whether the heart lies within the template's box, so that no grid over it clips a heart."""
    low, high = anatomy.extent()
    return bool(np.all(low > -BOX + MARGIN) and np.all(high < BOX - MARGIN))


@dataclass(frozen=True, eq=False)
class _Shape:
    elongation: float
    cavity: Field
    wall: Field
    rv: Field
    bend: NDArray[np.float64]
    rv_apex: float
    rv_widen: float
    rv_turn: float

    def to_row(self) -> dict[str, float]:
        return {
            "elongation": self.elongation,
            "rv_apex": self.rv_apex,
            "rv_widen": self.rv_widen,
            "rv_turn_deg": float(np.degrees(self.rv_turn)),
        }


def _draw_shape(rng: np.random.Generator, pressure: float) -> _Shape:
    bend = rng.normal(size=(2, 2)) * _BEND_SD * np.array([1.0, 0.5])
    h = 2 * S - 1
    return _Shape(
        elongation=float(rng.normal(0, _LENGTH_SD)),
        cavity=random_field(rng, sd=_CAVITY_SD),
        wall=random_field(rng, sd=_WALL_SD) + pressure * _PRESSURE * np.cos(THETA - np.pi / 4),
        rv=random_field(rng, sd=_RV_SD),
        bend=surfaces.mean_bend() + np.stack([b[0] * (2 * h**2 - 1) + b[1] * (4 * h**3 - 3 * h) for b in bend], -1),
        rv_apex=float(np.clip(RV_APEX + rng.normal(0, _RV_APEX_SD), CAVITY_APEX + 0.02, 0.16)),
        rv_widen=float(np.exp(rng.normal(0, _RV_WIDEN_SD))),
        rv_turn=float(rng.normal(0, _RV_TURN_SD)),
    )


def random_field(rng: np.random.Generator, *, sd: float, angles: int = 4, heights: int = 5) -> Field:
    """A smooth random field of zero mean: cosines in height times a Fourier series in angle, falling off with order,
    of SD ``sd`` at a node on average; ``angles`` and ``heights`` say how many orders."""
    along = np.cos(np.pi * np.arange(heights)[None] * S[:, None])
    around = surfaces.fourier(angles)
    k = np.repeat(np.arange(angles + 1), 2)[1:]
    scale = (1.0 + np.arange(heights))[:, None] ** -_HEIGHT_FALL * (1.0 + k)[None] ** -_ANGLE_FALL
    scale[0, 0] = 0.0  # the size is drawn elsewhere
    variance = np.einsum("hj,jk,tk->ht", along**2, scale**2, around**2).mean()
    return along @ (rng.normal(size=scale.shape) * scale) @ around.T * (sd / np.sqrt(variance))


def _posed(length: float, cavity: Field, wall: Field, rv: Field, bend: NDArray[np.float64]) -> Anatomy:
    """Place the surfaces so that the landmarks of the template pose come out exactly (:mod:`cheart.align.pose`)."""
    inside = S >= CAVITY_APEX + 0.01
    weight = np.sqrt(cavity[inside].mean(1))  # polyfit squares it: each plane counts by its area, as in find_pose
    trend = [np.polyval(np.polyfit(S[inside], b[inside], 1, w=weight), S) for b in bend.T]
    straight = bend - np.stack(trend, axis=-1)
    centre = straight - slice_centroids(cavity, inside)
    cavity_at = _centroid(np.zeros_like(cavity), cavity, centre)
    rv_at = _centroid(cavity + wall, cavity + wall + rv, centre)
    turn = -float(np.arctan2(*(rv_at - cavity_at)[1::-1]))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = centre @ rotation.T
    whole_at = _centroid(np.zeros_like(cavity), cavity + wall, centre, turn)
    x, y, z = TEMPLATE_CENTRE
    base = z + (1 - whole_at[2]) * length
    return Anatomy(length, float(base), centre + np.array([x, y]) - whole_at[:2], turn, cavity, wall, rv)


def slice_centroids(cavity: Field, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Centroid of the LV cavity in each plane relative to its axis, [HEIGHTS, 2]; below the cavity as at its apex."""
    moment = np.stack([(cavity**1.5 * f(THETA)).mean(1) for f in (np.cos, np.sin)], axis=-1) / 3
    centroid = np.zeros_like(moment)
    centroid[inside] = moment[inside] / (cavity[inside].mean(1) / 2)[:, None]
    centroid[~inside] = centroid[np.flatnonzero(inside)[0]]
    return centroid


def _centroid(inner: Field, outer: Field, centre: NDArray[np.float64], turn: float = 0.0) -> NDArray[np.float64]:
    """Centroid (x, y in mm, z as height s) of what lies between two fields."""
    area = (outer - inner).mean(1) / 2
    volume = float(np.trapezoid(area, S))
    cubed = (outer**1.5 - inner**1.5) / 3
    moments = [
        np.trapezoid(area * centre[:, i] + (cubed * f(THETA + turn)).mean(1), S) for i, f in enumerate((np.cos, np.sin))
    ]
    return np.array([*moments, np.trapezoid(area * S, S)]) / volume
