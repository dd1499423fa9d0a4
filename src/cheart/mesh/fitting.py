"""The solid template brought onto the frames of a heart: point i is the same place in everybody and at all times.

End-diastole is reached from the template, every other frame from the heart's own end-diastole: stretched from apex to
base and layer by layer first, then each boundary moves along the gradient of its own distance
(:mod:`cheart.mesh.distances`), by a displacement that is smoothed through the wall less and less. So points slide along
their wall as they have to, and the RV's insertion goes where it is. At last the inside follows the boundary by
Laplace's equation, and tetrahedra that came out thin are mended (:mod:`cheart.mesh.untangle`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array, eye_array

from cheart.mesh.distances import Bodies, Distance, Floats, slope
from cheart.mesh.laplace import Laplace
from cheart.mesh.solid import (
    BASE,
    EPICARDIUM,
    LV_ENDOCARDIUM,
    LV_WALL,
    RV_ENDOCARDIUM,
    RV_WALL,
    SEPTUM,
    Mesh,
    Solid,
    SolidTemplate,
)
from cheart.mesh.surface import Points
from cheart.mesh.template import Layers, stretched
from cheart.mesh.untangle import untangled
from cheart.progress import track

_FROM_TEMPLATE = (40, 30, 20, 14, 10, 7, 5, 4, 3, 2, 1)
_FROM_DIASTOLE = (20, 12, 8, 5, 3, 2, 1)
_AGAIN = (8, 5, 3, 2)
_TURNS, _NEAR_MM = 3, 0.4
_STEP_MM = 6.0
_ROUNDED_MM = 2.0  # the notch between LV and RV on the epicardium is filled about as far as this
_LEVEL_ROUNDS = 3
_FARTHEST_MM = 2.0
_OVER_LV, _OVER_RV = 0.6, 0.5  # about the share of the epicardium over each; rounds make up for what it is not
_LEAST_AT_REST, _LEAST = 0.12, 0.06  # scaled Jacobians below which tetrahedra are mended: computations begin at rest


@dataclass(frozen=True, eq=False)
class Fitted:
    """One frame.

    Attributes:
        solid: in mm along the voxel axes.
        bodies: what it was brought onto.
        off_mm: [N] how far each point of endocardia and epicardium is from where the labels have its wall.
        mended: how many tetrahedra had to be mended.
    """

    solid: Solid
    bodies: Bodies
    off_mm: Floats
    mended: int


@dataclass(frozen=True, eq=False)
class Levels:
    """At which distances, mm, walls are drawn so that volumes are those of the voxels; and the RV's wall."""

    cavity: float = 0.0
    outer: float = 0.0
    right: float = 0.0
    rv_wall: float = 3.0


def fit_frames(template: SolidTemplate, frames: list[Bodies], *, rv_wall_mm: float, mirrored: bool) -> list[Fitted]:
    """The walls in every frame of one heart.

    Args:
        template: the mesh.
        frames: the first is end-diastole.
        rv_wall_mm: thickness of the RV's wall at end-diastole; its volume is kept over the cycle.
        mirrored: whether the voxel axes are left-handed in the world. The mesh is then mirrored as well, so that the
            same points are the same places.

    Returns:
        A solid a frame, all on one mesh.
    """
    first = frames[0]
    points, outer, right = _turned(template, first.bearing, mirrored=mirrored)
    follower = _Follower(template.mesh.mirrored if mirrored else template.mesh, template.right, points)
    levels = Levels(rv_wall=rv_wall_mm)
    goal = first.outer.layers.round, first.right.layers.round
    start = follower.start(points, (outer.round, right.round), goal)
    diastole, levels = follower.onto(start, first, levels, _FROM_TEMPLATE, least=_LEAST_AT_REST)
    for _ in range(_TURNS):  # what was mended has left its wall; from there it is nearer than it was from the template
        if np.quantile(diastole.off_mm, 0.95) < _NEAR_MM:
            break
        follower = _Follower(follower.mesh, template.right, diastole.solid.points)
        diastole, levels = follower.onto(diastole.solid.points, first, levels, _AGAIN, least=_LEAST_AT_REST)
    out, points = [diastole], diastole.solid.points
    follower = _Follower(follower.mesh, template.right, points, rv_wall_ml=diastole.solid.tissue_ml(RV_WALL))
    own = first.outer.layers, first.right.layers
    for frame in track(frames[1:], total=len(frames) - 1, title="Solids"):
        start = follower.start(points, own, (frame.outer.layers, frame.right.layers))
        fitted, levels = follower.onto(start, frame, levels, _FROM_DIASTOLE, least=_LEAST)
        out.append(fitted)
    return out


def rounded_union(one: Floats, other: Floats) -> Floats:
    """The distance from two bodies together, of their own; the notch between them is filled a little."""
    share = (0.5 + (other - one) / (2 * _ROUNDED_MM)).clip(0, 1)
    return np.asarray(other + share * (one - other) - _ROUNDED_MM * share * (1 - share))


def _turned(template: SolidTemplate, bearing: float, *, mirrored: bool) -> tuple[Points, Layers, Layers]:
    """The template and its layers with the RV where a heart has it, seen from the LV."""
    flip = np.diag([1.0, -1.0 if mirrored else 1.0])
    x, y = flip @ (template.inner_right.middle - template.outer.middle).mean(axis=0)
    angle = bearing - np.arctan2(y, x)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ flip
    points = np.column_stack([template.points[:, :2] @ turn.T, template.points[:, 2]])
    outer, right = (replace(one, middle=one.middle @ turn.T) for one in (template.outer, template.inner_right))
    return points, outer, right


class _Follower:
    """A mesh in a first place, to be moved to others."""

    def __init__(self, mesh: Mesh, right: Floats, rest: Points, *, rv_wall_ml: float | None = None) -> None:
        self.mesh, self.right, self.rest, self.rv_wall_ml = mesh, right, rest, rv_wall_ml
        self.parts = {part: mesh.on(part) for part in (LV_ENDOCARDIUM, RV_ENDOCARDIUM, EPICARDIUM)}
        self.base = mesh.on(BASE)
        self.on_base = np.isin(np.arange(len(rest)), self.base)
        count = len(rest)
        self.smooth = csr_array(0.4 * eye_array(count) + 0.6 * mesh.average)

    @cached_property
    def inside(self) -> Laplace:
        return Laplace(self.rest, self.mesh.tetrahedra, self.mesh.on(*self.parts, BASE))

    def start(self, points: Points, own: tuple[Layers, Layers], goal: tuple[Layers, Layers]) -> Points:
        """Stretched as the LV and the RV are, each point between the two as it goes with them."""
        left, right = (stretched(points, a, b) for a, b in zip(own, goal, strict=True))
        return np.asarray(left + self.right[:, None] * (right - left))

    def onto(
        self, start: Points, bodies: Bodies, levels: Levels, rounds: tuple[int, ...], *, least: float
    ) -> tuple[Fitted, Levels]:
        """Moved onto a frame; ``levels`` are the first guess, and come back as they are then."""
        shift = np.zeros_like(start)
        for times in rounds:
            for _ in range(times):
                shift = self.smooth @ shift
            shift += self._step(start + shift, bodies, levels)[0]
        for _ in range(_LEVEL_ROUNDS):
            levels = self._levelled(start + shift, bodies, levels)
            shift = self.smooth @ shift
            shift += self._step(start + shift, bodies, levels)[0]
        shift += self._step(start + shift, bodies, levels)[0]
        points = start + self.inside.solve(shift[self.inside.fixed])
        points, mended = untangled(points, self.mesh, least=least)
        return Fitted(Solid(points, self.mesh), bodies, self._step(points, bodies, levels)[1], mended), levels

    def _step(self, points: Points, bodies: Bodies, levels: Levels) -> tuple[Points, Floats]:
        """[V, 3] from the boundary's points towards where they belong; and [N] how far they are off."""
        walls: dict[int, Distance] = {
            LV_ENDOCARDIUM: lambda x: bodies.cavity.distance(x) - levels.cavity,
            RV_ENDOCARDIUM: lambda x: bodies.right.distance(x) - levels.right,
            EPICARDIUM: lambda x: rounded_union(
                bodies.outer.distance(x) - levels.outer, bodies.right.distance(x) - levels.right - levels.rv_wall
            ),
        }
        step, off = np.zeros_like(points), []
        for part, distance in walls.items():
            at = self.parts[part]
            value, grows = slope(distance, points[at])
            grows[self.on_base[at], 2] = 0
            size = np.linalg.norm(grows, axis=1)
            move = -(value / np.maximum(size, 0.4) ** 2)[:, None] * grows
            long = np.linalg.norm(move, axis=1, keepdims=True)
            step[at] = move * np.minimum(1, _STEP_MM / np.maximum(long, 1e-9))
            off.append(np.abs(value))
        moved = points[self.base] + step[self.base]
        step[self.base, 2] = bodies.base_at(moved) - points[self.base, 2]
        return step, np.concatenate(off)

    def _levelled(self, points: Points, bodies: Bodies, levels: Levels) -> Levels:
        """Levels that bring volumes nearer to those of the voxels, and the RV's wall to its own."""
        solid = Solid(points, self.mesh)
        wall_ml = bodies.outer.volume_ml - bodies.cavity.volume_ml
        lv, rv, epi = (solid.area_mm2(part) for part in (LV_ENDOCARDIUM, RV_ENDOCARDIUM, EPICARDIUM))
        cavity = (bodies.cavity.volume_ml - solid.cavity_ml(LV_ENDOCARDIUM)) * 1000 / lv
        right = (bodies.right.volume_ml - solid.cavity_ml(RV_ENDOCARDIUM)) * 1000 / rv
        outer = (wall_ml - solid.tissue_ml(LV_WALL, SEPTUM)) * 1000 / (_OVER_LV * epi) + cavity * lv / (_OVER_LV * epi)
        thicker = 0.0
        if self.rv_wall_ml is not None:
            thicker = (self.rv_wall_ml - solid.tissue_ml(RV_WALL)) * 1000 / (_OVER_RV * epi)
        return Levels(
            _moved(levels.cavity, cavity), _moved(levels.outer, outer), _moved(levels.right, right),
            float(np.clip(levels.rv_wall + np.clip(thicker, -0.7, 0.7), 0.5, 15)),
        )  # fmt: skip


def _moved(level: float, by: float) -> float:
    return float(np.clip(level + np.clip(by, -0.5, 0.5), -_FARTHEST_MM, _FARTHEST_MM))
