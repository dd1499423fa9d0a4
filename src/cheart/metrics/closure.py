"""Does the beat come back to where it began?

Two measures. **Closure** needs the frame after the last, which a model that runs on in time can make: it is compared
with the first. **The seam** needs no further frame and so applies to every model and to real hearts: the step from the
last frame to the first is compared with the steps between successive frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.grid import Grid
from cheart.metrics.overlap import dice
from cheart.phenotypes import volume_curves


@dataclass(frozen=True)
class Closure:
    """The frame after the last against the first; a perfect cycle has Dice 1 and 0 mL.

    Attributes:
        dice: [3] between the two frames, structures as in ``labels.STRUCTURES``; nan where both are empty.
        ml: [3] volume of the frame after the last less that of the first, mL.
    """

    dice: NDArray[np.float64]
    ml: NDArray[np.float64]


@dataclass(frozen=True)
class Seam:
    """The step from the last frame to the first, beside the cycle's other steps.

    Attributes:
        dice: [3] between the last frame and the first.
        ml: [3] volume of the first frame less that of the last, mL.
        largest_ml: [3] the largest absolute volume step between successive frames, mL. A seam beyond it is a jump
            that no other moment of this beat has.
        smallest_dice: [3] the smallest Dice between successive frames.
    """

    dice: NDArray[np.float64]
    ml: NDArray[np.float64]
    largest_ml: NDArray[np.float64]
    smallest_dice: NDArray[np.float64]


def closure(first: NDArray[np.uint8], after_last: NDArray[np.uint8], grid: Grid) -> Closure:
    """Compare the frame after the last with the first.

    Args:
        first: [Z, Y, X] canonical labels of frame 0.
        after_last: [Z, Y, X] canonical labels of frame T, one whole cycle later.
        grid: the voxel grid.

    Raises:
        InputError: shapes that do not agree.
    """
    ml = volume_curves(np.stack([first, after_last]), grid)
    return Closure(dice=dice(first[None], after_last[None])[0], ml=ml[1] - ml[0])


def seam(labels: NDArray[np.uint8], grid: Grid) -> Seam:
    """Compare the step from the last frame to the first with the steps within the cycle.

    Args:
        labels: [T, Z, Y, X] canonical labels, two frames or more, every plane observed.
        grid: the voxel grid.

    Raises:
        InputError: labels that are not on the grid.
    """
    steps = dice(labels, np.roll(labels, -1, axis=0))
    curves = volume_curves(labels, grid)
    return Seam(
        dice=steps[-1],
        ml=curves[0] - curves[-1],
        largest_ml=np.abs(np.diff(curves, axis=0)).max(axis=0),
        smallest_dice=steps[:-1].min(axis=0),
    )
