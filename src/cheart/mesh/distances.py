"""The heart of one frame as distances that can be asked for anywhere: LV cavity, LV with wall, RV cavity, and the base.

Each body is continued upwards beyond the base, blurred, and read as a distance by the inverse of the normal
distribution (for a flat wall it is the distance in mm, negative inside): narrowly near the wall, so that it stays where
it is, and widely away from it, so that there is a way to it from afar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.special import ndtri

from cheart.errors import InputError
from cheart.mesh.surface import PARTS, Base, Points, find_base, largest_piece, thin_planes
from cheart.mesh.template import Layers, Sampling

Floats = NDArray[np.float64]
Distance = Callable[[Points], Floats]

_NARROW_MM, _WIDE_MM = 1.5, 5.0
_BLEND_MM = (2.5, 4.5)  # up to the first distance the narrow blur counts, from the second on the wide one
_SURE = 1e-4  # beyond this share a blur tells nothing
_AROUND_MM = 14.0
_SLOPE_MM = 0.7


@dataclass(frozen=True, eq=False)
class Body:
    """One body of the heart.

    Attributes:
        narrow, wide: [Z, Y, X] its indicator, blurred.
        sampling: of these two.
        layers: its place and width from the apex to the base.
        volume_ml: of its voxels below the base; where it ends lower, of what it is continued by as well.
    """

    narrow: NDArray[np.float32]
    wide: NDArray[np.float32]
    sampling: Sampling
    layers: Layers
    volume_ml: float

    def distance(self, points: Points) -> Floats:
        """From points […, 3] (x, y, z) in mm to the body's wall in mm […], negative inside."""
        index = self.sampling.index(points.reshape(-1, 3))
        distance = _distance(self.narrow, index, _width(_NARROW_MM, self.sampling.step[2]))
        share = ((np.abs(distance) - _BLEND_MM[0]) / (_BLEND_MM[1] - _BLEND_MM[0])).clip(0, 1)
        away = np.flatnonzero(share)
        far = _distance(self.wide, index[:, away], _width(_WIDE_MM, self.sampling.step[2]))
        distance[away] += share[away] * (far - distance[away])
        return np.asarray(distance.reshape(points.shape[:-1]))


@dataclass(frozen=True, eq=False)
class Bodies:
    """All of one frame.

    Attributes:
        cavity, outer, right: LV cavity, LV with wall, RV cavity.
        base: the cut of the LV with its wall, which cuts the RV too.
        first: (z, y, x) in mm of voxel (0, 0, 0) of the base.
    """

    cavity: Body
    outer: Body
    right: Body
    base: Base
    first: tuple[float, float, float]

    @classmethod
    def of(cls, labels: NDArray[np.uint8], spacing: tuple[float, float, float]) -> Bodies:
        """Of label maps [Z, Y, X] with the base at +Z, voxels of ``spacing`` mm (Z, Y, X).

        Raises:
            InputError: a structure is not there.
        """
        whole = [np.isin(labels, numbers) for numbers in PARTS.values()]
        if not all(mask.any() for mask in whole):
            raise InputError("a frame lacks the LV cavity, the myocardium or the RV cavity: no solid can be made of it")
        where = np.argwhere(np.logical_or.reduce(whole))
        low, high = where.min(axis=0), where.max(axis=0) + 1
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        fine = [thin_planes(largest_piece(mask[box]), spacing) for mask in whole]
        step, height = fine[0][1:]
        z, y, x = (low * np.array(spacing)).tolist()
        first = (z + height, y, x)
        base = find_base(fine[1][0], step)
        cavity, outer, right = (_body(mask, base, first) for mask, _, _ in fine)
        return cls(cavity, outer, right, base, first)

    def base_at(self, points: Points) -> Floats:
        """Height in mm of the base over or under points [V, 3]."""
        return self.first[0] + self.base.height_at(points[:, 1] - self.first[1], points[:, 0] - self.first[2])

    @property
    def bearing(self) -> float:
        """The way from the LV's axis to the RV's, as an angle from +x to +y in radians."""
        x, y = (self.right.layers.middle - self.outer.layers.middle).mean(axis=0)
        return float(np.arctan2(y, x))


def _width(sigma_mm: float, step_mm: float) -> float:
    """Of a blur (:func:`_body`) in plane, with that of voxels (step²/12) and of reading between them (step²/6)."""
    return float(np.hypot(max(sigma_mm, 0.7 * step_mm), step_mm / 2))


def _distance(blurred: NDArray[np.float32], index: Floats, sigma: float) -> Floats:
    share = map_coordinates(blurred, index, order=1, mode="nearest", output=np.float64)
    return np.asarray(-sigma * ndtri(share.clip(_SURE, 1 - _SURE)))


def slope(distance: Distance, points: Points) -> tuple[Floats, Points]:
    """A distance at points [V, 3], and how it grows there along x, y and z [V, 3]."""
    offsets = np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)]) * _SLOPE_MM
    values = distance(points[None] + offsets[:, None])
    return values[0], np.asarray((values[1:4] - values[4:7]).T / (2 * _SLOPE_MM))


def _body(mask: NDArray[np.bool_], base: Base, first: tuple[float, float, float]) -> Body:
    step = np.array(base.spacing)
    pad = np.ceil(_AROUND_MM / step).astype(int)
    longer = find_base(mask, base.spacing).continued(mask, int(pad[0]))
    planes = np.arange(len(longer))[:, None, None]
    below = (base.surface / step[0] - planes + 0.5).clip(0, 1) * longer  # the cut goes through voxels
    solid = np.where(below > 0.5, -2.0, 2.0) * step[2]
    wide = np.pad(longer, [(pad[0], 0), (pad[1],) * 2, (pad[2],) * 2]).astype(np.float32)
    corner = tuple((np.array(first) - pad * step).tolist())
    return Body(
        gaussian_filter(wide, np.maximum(_NARROW_MM / step, 0.7)),
        gaussian_filter(wide, _WIDE_MM / step),
        Sampling(corner, base.spacing),
        Layers.of(solid, Sampling(first, base.spacing)),
        float(below.sum() * step.prod() / 1000),
    )
