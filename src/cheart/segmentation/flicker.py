"""Label maps of a cycle without the flicker of networks that see one frame at a time.

Label distances are smoothed along the cycle, never label numbers: for two labels that is the signed distance to their
border, for more it leaves neither gaps nor overlaps (as :mod:`cheart.align.resample`). First a frame that disagrees
with the two before it and the two after gives way to their median, then a parabola is fitted to five frames (Savitzky
and Golay, Anal. Chem. 36:1627, 1964), so that the turn at end-systole keeps its depth. The cycle is periodic.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import generate_binary_structure, label
from scipy.signal import savgol_filter

from cheart.align.pose import THICK_MM
from cheart.align.resample import label_distances
from cheart.labels import STRUCTURES
from cheart.progress import track

FEWEST = 8
"""Frames that a cycle must have to be smoothed: of fewer, neighbours are too far apart to judge each other."""

_WINDOW = 5
_APART_MM = 3.0
"""How far a border may lie from the median of five frames: a wall moves by 1 to 2 mm a frame, and turns slowly."""

_MARGIN = 2


def steady(labels: NDArray[np.uint8], spacing: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Take the flicker out of the label maps of one whole cycle.

    Args:
        labels: [T, Z, Y, X] canonical labels of consecutive frames, evenly over the cycle.
        spacing: voxel size in mm along (Z, Y, X); slices further apart than those of a dense volume are kept apart.

    Returns:
        [T, Z, Y, X], the same where T is below :data:`FEWEST`. Shifting the frames round shifts the result round.
    """
    if len(labels) < FEWEST or not labels.any():
        return labels
    box = _bounding_box(np.any(labels, axis=0))
    planar = spacing[0] > THICK_MM
    absent = spacing[0] if planar else 2 * max(spacing)
    inside = track(labels[:, *box], total=len(labels), title="Steadying the cycle")
    distances = np.stack([label_distances(frame, spacing, planar=planar, absent_mm=absent) for frame in inside])
    out = labels.copy()
    for z in range(distances.shape[2]):  # a plane at a time: five frames of all would not fit
        out[:, box[0].start + z, *box[1:]] = np.argmin(_smooth(distances[:, :, z]), axis=1)
    return out


def _smooth(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """[T, 4, Y, X], along the first axis. A voxel's labels give way together, or they would tie."""
    around = np.stack([np.roll(distances, shift, axis=0) for shift in range(-(_WINDOW // 2), _WINDOW // 2 + 1)])
    middle = np.median(around, axis=0)
    apart = (np.abs(distances - middle) > _APART_MM).any(axis=1, keepdims=True)
    return np.asarray(savgol_filter(np.where(apart, middle, distances), _WINDOW, 2, axis=0, mode="wrap"), np.float32)


def drop_specks(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of each frame the largest connected body of all structures together; bodies apart from it become background.

    Args:
        labels: [T, Z, Y, X]. Voxels are connected by faces, edges and corners.
    """
    out = labels.copy()
    for frame in out:
        bodies, count = label(frame > 0, generate_binary_structure(3, 3))
        if count > 1:
            sizes = np.bincount(bodies.ravel())[1:]
            frame[(bodies > 0) & (bodies != sizes.argmax() + 1)] = 0
    return out


def changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[T] the share of each frame's heart that is another label now: 1 − the Dice over all structures together."""
    same = sum(((before == n) & (after == n)).sum((1, 2, 3)) for n in STRUCTURES.values())
    total = (before > 0).sum((1, 2, 3)) + (after > 0).sum((1, 2, 3))
    return np.asarray(1 - 2 * same / np.maximum(total, 1), np.float64)


def _bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    where = np.argwhere(mask)
    low, high = where.min(0) - _MARGIN, where.max(0) + 1 + _MARGIN
    return tuple(slice(max(0, int(a)), int(b)) for a, b in zip(low, high, strict=True))
