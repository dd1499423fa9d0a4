"""Does the beat come back to where it began?

**The seam**, the step from the last frame to the first, is compared with the steps between successive frames. Unlike
the distance between the first frame and the frame after the last, it applies to every model and to real hearts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.grid import Grid
from cheart.metrics.overlap import dice
from cheart.phenotypes import volume_curves


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
