"""Does a model hand out its training hearts?

A generated heart's distance to the nearest training heart is set against the same distance of real hearts that the
model has never seen. A model that generalises makes hearts as far from the training set as held-out hearts are; one
that memorises makes them nearer.

Distance: 1 − Dice of the occupancy of coarse cells (the share of a cell, at most 8 mm wide, that each structure fills),
over the three structures at end-diastole and end-systole together. With shares f and g in place of yes and no, Dice is
2Σfg / (Σf² + Σg²): it is 1 only for equal hearts, a surface that moves by a part of a cell still moves it, the noise of
single voxels does not, and the Σfg of all pairs is one matrix product. Signed distances say the same at fifty times the
cost, since each heart would need a distance transform per structure; phenotypes alone would take two people of one size
for one heart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import STRUCTURES

CELL_MM = 8.0
_BLOCK = 128  # training hearts turned to floats at a time: 50 MB on the paper's grid
_FULL = 255


def occupancy(labels: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    """A heart's descriptor: what share of each coarse cell each structure fills, [D] with 255 for all of it.

    Args:
        labels: [F, Z, Y, X] canonical labels of end-diastole and end-systole, every plane observed.
        grid: the voxel grid.

    Raises:
        InputError: labels that are not on the grid.
    """
    if labels.ndim != 4 or labels.shape[1:] != grid.shape:
        raise InputError(f"labels {labels.shape}: expected [F, Z, Y, X] on the grid {grid.shape}")
    factors = [max(1, int(CELL_MM / spacing + 1e-9)) for spacing in grid.spacing]
    short = [(0, -n % f) for n, f in zip(grid.shape, factors, strict=True)]
    padded = np.pad(labels, [(0, 0), *short])
    split = [n for size, f in zip(padded.shape[1:], factors, strict=True) for n in (size // f, f)]
    cells = padded.reshape(len(labels), *split)
    full = float(np.prod(factors))
    shares = [(cells == k).sum(axis=(2, 4, 6), dtype=np.float32) / full for k in STRUCTURES.values()]
    return np.rint(np.stack(shares, axis=1) * _FULL).astype(np.uint8).ravel()


def nearest(hearts: NDArray[np.uint8], training: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distance to the nearest training heart, and which one it is.

    Args:
        hearts: [Q, D] descriptors.
        training: [N, D] descriptors.

    Returns:
        Distances [Q] from 0 (a copy) to 1, and row numbers of ``training`` [Q].
    """
    used = training.any(axis=0)
    queries = _floats(hearts[:, used])
    own = np.array([_squares(heart) for heart in hearts])
    best, which = np.full(len(hearts), -np.inf), np.zeros(len(hearts), np.intp)
    for start in range(0, len(training), _BLOCK):
        block = _floats(training[start : start + _BLOCK][:, used])
        overlap = 2 * (queries @ block.T) / (own[:, None] + np.square(block).sum(axis=1))
        winner = overlap.argmax(axis=1)
        value = overlap[np.arange(len(hearts)), winner]
        better = value > best
        best[better], which[better] = value[better], start + winner[better]
    return np.clip(1 - best, 0, 1), which


def _floats(descriptors: NDArray[np.uint8]) -> NDArray[np.float32]:
    return descriptors.astype(np.float32) / np.float32(_FULL)


def _squares(descriptor: NDArray[np.uint8]) -> float:
    return float(np.square(_floats(descriptor)).sum())


@dataclass(frozen=True)
class Memorisation:
    """Distances to the nearest training heart.

    Attributes:
        generated: [G] of generated hearts, 0 (a copy) to 1.
        held_out: [H] of real hearts that were not trained on.
    """

    generated: NDArray[np.float64]
    held_out: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """Median distance of generated hearts over that of held-out hearts: 1 is as new as real people are."""
        return float(np.median(self.generated) / np.median(self.held_out))

    @property
    def suspects(self) -> float:
        """Share of generated hearts nearer to a training heart than all but 5 % of held-out hearts are.

        About 0.05 for hearts as new as real ones, near 1 for copies.
        """
        return float((self.generated < np.quantile(self.held_out, 0.05)).mean())
