"""Overlap of two hearts: Dice per structure and frame, over the planes that were imaged; and the seam of a beat.

**The seam**, the step from the last frame to the first, is compared with the steps between successive frames. Unlike
the distance between the first frame and the frame after the last, it applies to every model and to real hearts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import STRUCTURES
from cheart.phenotypes import volume_curves


@dataclass(frozen=True)
class Overlap:
    """Voxel counts from which Dice follows, over observed planes only.

    Attributes:
        both: [T, 3] voxels that carry the structure in both hearts; structures as in ``labels.STRUCTURES``.
        reference: [T, 3] voxels in the reference.
        other: [T, 3] voxels in the other heart.
        observed: [T] bool, frames of which at least one plane was imaged.
    """

    both: NDArray[np.int64]
    reference: NDArray[np.int64]
    other: NDArray[np.int64]
    observed: NDArray[np.bool_]

    @property
    def dice(self) -> NDArray[np.float64]:
        """[T, 3] from 0 to 1: 2|A∩B| / (|A| + |B|). 0 where one of the two is empty, nan where both are."""
        total = self.reference + self.other
        return np.divide(2.0 * self.both, total, out=np.full(total.shape, np.nan), where=total > 0)

    @property
    def one_empty(self) -> NDArray[np.int64]:
        """[3] observed frames in which the structure is in one of the two only (these count with Dice 0)."""
        one = (self.reference == 0) != (self.other == 0)
        return one[self.observed].sum(axis=0)

    @property
    def both_empty(self) -> NDArray[np.int64]:
        """[3] observed frames in which the structure is in neither (these have no Dice)."""
        neither = (self.reference == 0) & (self.other == 0)
        return neither[self.observed].sum(axis=0)


def overlap(
    reference: NDArray[np.uint8], other: NDArray[np.uint8], observed: NDArray[np.bool_] | None = None
) -> Overlap:
    """Count common voxels per structure and frame.

    Args:
        reference: [T, Z, Y, X] canonical labels.
        other: [T, Z, Y, X] canonical labels.
        observed: [T, Z] bool, the planes that count; all where it is left out.

    Raises:
        InputError: shapes that do not agree.
    """
    observed = check_pair(reference, other, observed)
    counts = np.zeros((3, len(reference), len(STRUCTURES)), np.int64)
    # frame by frame: a frame and its comparisons stay in the processor's cache
    for t in np.flatnonzero(np.any(observed, axis=1)):
        planes = slice(None) if observed[t].all() else observed[t]
        counts[:, t] = _count(reference[t, planes], other[t, planes])
    return Overlap(both=counts[0], reference=counts[1], other=counts[2], observed=np.any(observed, axis=1))


def dice(
    reference: NDArray[np.uint8], other: NDArray[np.uint8], observed: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Dice per frame and structure, [T, 3]; see :func:`overlap` and :attr:`Overlap.dice`.

    >>> one, two = (np.array(row, np.uint8).reshape(1, 1, 1, 4) for row in ([1, 1, 2, 0], [1, 2, 2, 0]))
    >>> dice(one, two).round(3)  # LV cavity, myocardium, RV cavity, which neither has
    array([[0.667, 0.667,   nan]])
    """
    return overlap(reference, other, observed).dice


def _count(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Voxels of each structure in both, in the one and in the two, [3, 3]."""
    counts = np.zeros((3, len(STRUCTURES)), np.int64)
    for i, number in enumerate(STRUCTURES.values()):
        first, second = one == number, two == number
        counts[1:, i] = np.count_nonzero(first), np.count_nonzero(second)
        counts[0, i] = np.count_nonzero(np.logical_and(first, second, out=first))
    return counts


def check_pair(
    reference: NDArray[np.uint8], other: NDArray[np.uint8], observed: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """The mask of observed planes [T, Z] for two hearts that are to be compared.

    Raises:
        InputError: shapes that do not agree.
    """
    if reference.ndim != 4 or reference.shape != other.shape:
        raise InputError(
            f"cannot compare label maps {reference.shape} and {other.shape}: expected one shape [T, Z, Y, X] for both"
        )
    if observed is None:
        return np.ones(reference.shape[:2], bool)
    if observed.shape != reference.shape[:2] or observed.dtype != np.bool_:
        raise InputError(f"observed {observed.shape} {observed.dtype}: expected [T, Z] bool, {reference.shape[:2]}")
    return observed


@dataclass(frozen=True)
class Seam:
    """The step from the last frame to the first, beside the cycle's other steps.

    Attributes:
        dice: [3] between the last frame and the first.
        ml: [3] volume of the first frame less that of the last, mL.
        largest_ml: [3] the largest absolute volume step between successive frames, mL. A seam beyond it is a jump
            that no other moment of this beat has.
    """

    dice: NDArray[np.float64]
    ml: NDArray[np.float64]
    largest_ml: NDArray[np.float64]


def seam(labels: NDArray[np.uint8], grid: Grid) -> Seam:
    """Compare the step from the last frame to the first with the steps within the cycle.

    Args:
        labels: [T, Z, Y, X] canonical labels, two frames or more, every plane observed.
        grid: the voxel grid.

    Raises:
        InputError: labels that are not on the grid.
    """
    curves = volume_curves(labels, grid)
    return Seam(
        dice=dice(labels[-1:], labels[:1])[0],
        ml=curves[0] - curves[-1],
        largest_ml=np.abs(np.diff(curves, axis=0)).max(axis=0),
    )
