"""The template pose, and the rigid transform that brings a heart into it.

The contract (template space, mm; see :class:`cheart.grid.Grid`), met at end-diastole:

* the LV long axis, the line through the centroids of the LV cavity in planes perpendicular to it, is parallel to z,
  with the base at +z;
* the direction across that axis from the centroid of the LV cavity to that of the RV cavity is +x;
* the centroid of LV cavity and myocardium together lies at :data:`TEMPLATE_CENTRE`.

The space stays right-handed and nothing is mirrored, so that +y is anterior, where the RV's outflow tract is
(:func:`outflow_turn`), as in the UK Digital Heart Project's mean shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.labels import LV, MYO, RV


@dataclass(frozen=True, eq=False)
class RigidTransform:
    """A proper rotation and a shift, from a subject's world space to the template space, both in mm.

    Attributes:
        matrix: 4×4; template (x, y, z, 1) = matrix @ world (x, y, z, 1).

    Raises:
        InputError: not 4×4, not finite, or not rigid: it scales, shears or mirrors.
    """

    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise InputError(f"transform {matrix.tolist()}: expected a finite 4×4 matrix with the last row 0 0 0 1")
        turn = matrix[:3, :3]
        if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-6) or np.linalg.det(turn) < 0:
            raise InputError(f"transform {turn.tolist()} is not a proper rotation: it scales, shears or mirrors")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def identity(cls) -> RigidTransform:
        """The transform that changes nothing."""
        return cls(np.eye(4))

    @classmethod
    def from_parts(
        cls, rotation: NDArray[np.floating], shift: Sequence[float] | NDArray[np.floating]
    ) -> RigidTransform:
        """template = rotation @ world + shift, with a 3×3 rotation and a shift (x, y, z) in mm."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation, shift
        return cls(matrix)

    @property
    def rotation(self) -> NDArray[np.float64]:
        """The 3×3 rotation; its rows are the template's x, y and z axes in world coordinates."""
        return self.matrix[:3, :3]

    @property
    def angle_deg(self) -> float:
        """Angle of the rotation in degrees, 0 to 180."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.rotation) - 1) / 2, -1, 1))))

    @property
    def inverse(self) -> RigidTransform:
        """From the template back to the subject's world space."""
        return RigidTransform.from_parts(self.rotation.T, -self.rotation.T @ self.matrix[:3, 3])

    def after(self, first: RigidTransform) -> RigidTransform:
        """The transform that does ``first`` and then this one."""
        return RigidTransform(self.matrix @ first.matrix)

    def apply(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Transform points [..., 3] (x, y, z) in mm."""
        return np.asarray(points) @ self.rotation.T + self.matrix[:3, 3]

    def to_json(self) -> list[list[float]]:
        """As plain JSON values; :meth:`from_json` reads it back."""
        return [[float(v) for v in row] for row in self.matrix]

    @classmethod
    def from_json(cls, value: list[list[float]]) -> RigidTransform:
        """Read what :meth:`to_json` wrote."""
        return cls(np.array(value, np.float64))


TEMPLATE_CENTRE = (-18.0, 0.0, 8.0)
"""Where the centroid of LV cavity and myocardium lies at ED (x, y, z, mm): off the middle towards −x and +z,
so that the RV and the apex of large hearts fit the paper's box."""

THICK_MM = 4.0
"""Slices further apart than this are kept as slices: between them there is nothing to turn."""

TO_BASE, TO_RV = (0.6, -0.6, 0.5), (0.7, 0.7, 0.0)
"""From the LV's apex to its base, and from LV to RV, along the patient's right, anterior and superior: as a heart lies
in the chest and short-axis images show it, with the RV on the left and the anterior wall on top. By how much the
direction to the RV is off in one person is not known here: some tens of degrees are to be expected."""

_SLAB_MM = 3.0
_MAX_ROUNDS = 100


def find_pose(labels: NDArray[np.uint8], affine: NDArray[np.floating]) -> RigidTransform:
    """Find the rigid transform that brings an end-diastolic heart into the template pose.

    A dense volume is turned freely. Of a thick stack (see :func:`is_thick`; slices along Z) the slices stay
    parallel to the template's planes: it is turned and shifted in plane, moved along the axis, and turned over by
    180° if the apex is up.

    Where no RV was traced, the patient's axes say where it lies, and where the base does (:data:`TO_RV`,
    :data:`TO_BASE`).

    Args:
        labels: [Z, Y, X] canonical labels at ED; LV cavity and myocardium are there.
        affine: 4×4, voxel (x, y, z) to world mm, without shear; in NIfTI's axes, where no RV was traced.

    Returns:
        World mm to template mm.
    """
    points = {number: _world(labels == number, affine) for number in (LV, MYO, RV)}
    line = long_axis(points[LV], affine)
    axis = _normal(affine) if is_thick(affine) else line
    # slices may lie oblique to the heart: halfway to its axis the base is told apart more surely than along either
    halfway = line * np.sign(line @ axis) + axis
    halfway /= np.linalg.norm(halfway)
    if len(points[RV]):
        axis = axis * base_sense(points, halfway)
        across = points[RV].mean(0) - points[LV].mean(0)
    else:
        axis, across = axis * (1 if halfway @ TO_BASE >= 0 else -1), np.array(TO_RV)
    x = across - (across @ axis) * axis
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(axis, x), axis])
    centre = np.concatenate([points[LV], points[MYO]]).mean(0)
    return RigidTransform.from_parts(rotation, np.array(TEMPLATE_CENTRE) - rotation @ centre)


def is_thick(affine: NDArray[np.floating]) -> bool:
    """Whether the planes along Z are further apart than :data:`THICK_MM`."""
    return bool(np.linalg.norm(np.asarray(affine)[:3, 2]) > THICK_MM)


def base_sense(points: Mapping[int, NDArray[np.float64]], axis: NDArray[np.floating]) -> int:
    """+1 where the base lies towards ``axis``, −1 where the apex does.

    Both cavities narrow towards the apex, so that each has its centroid on the basal side of the middle of its
    extent, and the RV does not reach as far down as the LV. The three distances are added:
    any one of them fails in some of the 200 ACDC label maps (3, 1 and 30 of them), the sum in none.

    Args:
        points: from LV, MYO and RV to their voxels' [N, 3] positions in mm.
        axis: unit vector along the LV, more or less.
    """
    lv, myo, rv = (points[number] @ axis for number in (LV, MYO, RV))
    wall = np.concatenate([lv, myo])
    signs = lv.mean() - _middle(lv) + rv.mean() - _middle(rv) + rv.mean() - wall.mean()
    return 1 if signs >= 0 else -1


def _middle(heights: NDArray[np.floating]) -> float:
    return float(heights.max() + heights.min()) / 2


def outflow_turn(labels: NDArray[np.uint8], affine: NDArray[np.floating], transform: RigidTransform) -> float:
    """By how many degrees the direction from LV to RV turns from the apical to the basal half of the RV.

    Towards the base the RV reaches to its outflow tract, which is anterior (+y), so that a heart turns by a positive
    angle (UK Digital Heart Project mean shape +29°, ACDC +11° in the median and positive in 97 of 100). A negative
    one means that the header's axes make the heart a mirror image.

    Args:
        labels: [Z, Y, X] canonical labels at ED.
        affine: 4×4, voxel (x, y, z) to world mm.
        transform: the pose found.

    Returns:
        Degrees about +z, nan where a half has no LV or no RV.
    """
    lv, rv = (transform.apply(_world(labels == number, affine)) for number in (LV, RV))
    if not len(rv):
        return float("nan")
    middle = np.median(rv[:, 2])
    angles = []
    for basal in (False, True):
        own, other = lv[(lv[:, 2] > middle) == basal], rv[(rv[:, 2] > middle) == basal]
        if not len(own) or not len(other):
            return float("nan")
        across = other.mean(0) - own.mean(0)
        angles.append(np.degrees(np.arctan2(across[1], across[0])))
    return float((angles[1] - angles[0] + 180) % 360 - 180)


def long_axis(cavity: NDArray[np.floating], affine: NDArray[np.floating]) -> NDArray[np.float64]:
    """Unit vector along the line through the LV cavity's centroids in planes perpendicular to it.

    Begins with the longest axis of inertia and re-slices until the direction settles, which for an ellipsoid is
    power iteration towards its longest axis. Of a thick stack the slices' own centroids are taken, once.

    Args:
        cavity: [N, 3] mm, the cavity's voxels.
        affine: 4×4, from which the directions of the slices and their distance are taken.
    """
    centred = cavity - cavity.mean(0)
    if is_thick(affine):
        return _centroid_line(centred, _normal(affine), float(np.linalg.norm(affine[:3, 2])))
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    for _ in range(_MAX_ROUNDS):
        new = _centroid_line(centred, axis, _SLAB_MM)
        settled = abs(new @ axis) > 1 - 1e-9
        axis = new
        if settled:
            break
    return axis


def slice_jitter(cavity: NDArray[np.floating], affine: NDArray[np.floating]) -> float:
    """How far the slices' LV centroids lie from the line through them: RMS in mm, of the cavity's voxels [N, 3] in mm.

    Large where the slices of a thick stack were taken at different breath-holds and do not fit one another.
    """
    axis = long_axis(cavity, affine)
    centroids, area = _centroids(cavity - cavity.mean(0), _normal(affine), float(np.linalg.norm(affine[:3, 2])))
    centroids = centroids - np.average(centroids, axis=0, weights=area)
    off = centroids - np.outer(centroids @ axis, axis)
    return float(np.sqrt(np.average((off**2).sum(1), weights=area)))


def _normal(affine: NDArray[np.floating]) -> NDArray[np.float64]:
    """Unit vector at right angles to the slices."""
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    return np.array(normal / np.linalg.norm(normal))


def _centroids(
    centred: NDArray[np.floating], axis: NDArray[np.floating], slab_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centroid [S, 3] and voxel count [S] of each slab at right angles to the axis."""
    height = centred @ axis
    # a quarter of a slab further, so that no edge runs through the middle of a stack's slices
    slab = np.floor((height - height.min()) / slab_mm + 0.25).astype(int)
    area = np.bincount(slab).astype(float)
    used = area > 0
    return np.stack([np.bincount(slab, centred[:, i])[used] / area[used] for i in range(3)], axis=1), area[used]


def _centroid_line(centred: NDArray[np.floating], axis: NDArray[np.floating], slab_mm: float) -> NDArray[np.float64]:
    """Unit vector along the least-squares line through the slabs' centroids, weighted by their area."""
    centroids, area = _centroids(centred, axis, slab_mm)
    level = centroids @ axis
    from_mean = centroids - np.average(centroids, axis=0, weights=area)
    slope = (area * (level - np.average(level, weights=area))) @ from_mean
    return np.array(slope / np.linalg.norm(slope))


def _world(mask: NDArray[np.bool_], affine: NDArray[np.floating]) -> NDArray[np.float64]:
    """World coordinates [N, 3] of a mask's voxel centres."""
    xyz = np.argwhere(mask)[:, ::-1].astype(float)
    return np.array(xyz @ np.asarray(affine)[:3, :3].T + np.asarray(affine)[:3, 3])
