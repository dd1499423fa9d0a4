"""An analytic heart that can be sampled anywhere: turned, moved, in voxels of any size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cheart.align.pose import RigidTransform
from cheart.labels import LV, MYO, RV

CENTRE = np.array([-18.0, 0.0, 0.0])
"""A point well inside the LV, about which hearts are turned."""


def heart_at(points: NDArray[np.floating], *, shrink: float = 0.0) -> NDArray[np.uint8]:
    """Labels at positions [..., 3] (x, y, z) in mm near the template pose: half ellipsoids open at a flat base.

    LV cavity 2/3·π·24²·78·(1 − shrink)² mm³, wall 9 mm; the RV leans to +y towards the base, as its outflow tract
    does, so that the heart differs from its mirror image.
    """
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    k, up = 1 - shrink, z - 38.0

    def inside(cx: float, cy: NDArray | float, a: float, b: float, c: float) -> NDArray[np.bool_]:
        return (up <= 0) & (((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 + (up / c) ** 2 <= 1)

    labels = np.zeros(x.shape, np.uint8)
    lean = 12.0 * (1 + up / 60.0)
    labels[inside(8, lean, 42 * k, 40 * k, 70) & (x > -18)] = RV
    labels[inside(-18, 0, 33, 33, 87)] = MYO
    labels[inside(-18, 0, 24 * k, 24 * k, 78)] = LV
    return labels


def sample(
    world_to_heart: RigidTransform, affine: NDArray[np.floating], shape: tuple[int, int, int], *, shrink: float = 0.0
) -> NDArray[np.uint8]:
    """The heart in a volume [Z, Y, X] of its own."""
    voxels = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)[..., ::-1]
    return heart_at(world_to_heart.apply(voxels @ affine[:3, :3].T + affine[:3, 3]), shrink=shrink)


def random_motion(rng: np.random.Generator, *, tilt: float = 30.0) -> RigidTransform:
    """Any turn about the axis, a tilt of up to 30°, shifts of up to 40 mm, either way up; world to heart."""
    about, lean, back = rng.uniform(0, 360), rng.uniform(0, tilt), rng.uniform(0, 360)
    rotation = Rotation.from_euler("ZYZ", [about, lean, back], degrees=True).as_matrix()
    if rng.random() < 0.5:
        rotation = rotation @ np.diag([1.0, -1.0, -1.0])
    return RigidTransform.from_parts(rotation, CENTRE - rotation @ CENTRE + rng.uniform(-40, 40, 3))


def volume_around(
    world_to_heart: RigidTransform, spacing: tuple[float, float, float], *, half_mm: float = 80.0
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """An axis-aligned affine with voxels (z, y, x) mm and a shape (Z, Y, X) that holds the moved heart."""
    centre = world_to_heart.inverse.apply(CENTRE + np.array([12.0, 0.0, 0.0]))
    affine = np.diag([*spacing[::-1], 1.0])
    shape = tuple(int(np.ceil(2 * half_mm / s)) for s in spacing)
    affine[:3, 3] = centre - (np.array(shape[::-1]) - 1) / 2 * spacing[::-1]
    return affine, (shape[0], shape[1], shape[2])


def dice(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> list[float]:
    """Overlap of each structure."""
    both = [2 * np.sum((one == n) & (other == n)) / max(1, np.sum(one == n) + np.sum(other == n)) for n in (1, 2, 3)]
    return [float(d) for d in both]
