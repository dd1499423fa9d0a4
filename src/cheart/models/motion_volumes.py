"""Volumes of the beats that a motion makes, and how they change with its residual numbers q.

A voxel counts by its chance to lie inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from cheart.models.fields import Array
from cheart.models.heart_frame import PLANE
from cheart.models.plane_features import Wide

THINNED = 3
"""Of so many planes one is enough to know when the LV is emptiest."""


@dataclass(frozen=True)
class BeatVolumes:
    """Volumes in mL as functions of q [Q], of the solid bodies: LV cavity, LV with its wall, RV cavity.

    Attributes:
        first: distances at end-diastole, [R, 3, 50, 58].
        numbers: from q to the numbers of motion, [R, J, M].
        spread: how they change with q, [R, Q, J, M].
        curves: b, [J, T].
        modes: V, [M, 3·50·58].
        sd: of the surfaces in mm, [R, 3, T].
        voxel: mL.
    """

    first: Array
    numbers: Callable[[Wide], Wide]
    spread: Wide
    curves: Wide
    modes: Array
    sd: Wide
    voxel: float

    def least(self, q: Wide) -> int:
        """The frame of the least LV cavity, which is end-systole, by some of the planes."""
        some = slice(1, None, THINNED) if len(self.first) > THINNED else slice(None)
        numbers, cavity = self.numbers(q)[some], self.modes[:, : PLANE[1] * PLANE[2]]
        first, found = self.first[some, 0], []
        for t in range(self.curves.shape[1]):
            then = np.tensordot(self.curves[:, t], numbers, axes=(0, 1)).astype(np.float32)
            found.append(ndtr((-first - (then @ cavity).reshape(first.shape)) / self._half(t)[some, 0]).sum())
        return int(np.argmin(found))

    def at(self, q: Wide, t: int) -> tuple[Wide, Wide]:
        """Volumes [3] of frame t and their gradients [3, Q]."""
        then = np.tensordot(self.curves[:, t], self.numbers(q), axes=(0, 1)).astype(np.float32)
        half = self._half(t)
        fields = (self.first + (then @ self.modes).reshape(self.first.shape)) / half
        density = (np.exp(-0.5 * np.square(fields)) / half / np.sqrt(2 * np.pi)).reshape(len(fields), PLANE[0], -1)
        along = np.tensordot(self.curves[:, t], self.spread, axes=(0, 2))  # [R, Q, M]
        by_body = self.modes.reshape(len(self.modes), PLANE[0], -1).transpose(1, 2, 0)  # [3, V, M]
        slopes = [-self.voxel * np.einsum("rm,rqm->q", density[:, k] @ by_body[k], along) for k in range(PLANE[0])]
        return ndtr(-fields).sum(axis=(0, 2, 3)) * self.voxel, np.array(slopes)

    def _half(self, t: int) -> Array:
        return (self.sd[:, :, t] / 2).astype(np.float32)[:, :, None, None]
