"""What a plane's motion is predicted from: the plane, its neighbours, the whole heart, and its owner.

u     = [own anatomy, anatomy 10 mm above and below, the heart's anatomy at ten heights, size, height, conditions]
x     = (u − mean) @ into        blocks weighted against each other; of the ten heights, their principal components
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.models.heart_frame import interpolation
from cheart.models.planes import PlaneData, PlaneSubject

Wide = NDArray[np.float64]

HEIGHTS = np.linspace(0, 1.1, 10)
"""Relative heights at which a whole heart is described."""

NEIGHBOUR_MM = 10.0
NEIGHBOUR_MODES, WHOLE_MODES, WHOLE_COMPONENTS = 8, 20, 20

OWN, NEIGHBOUR, WHOLE, SIZE, RELATIVE, BELOW = 2.0, 0.7, 0.6, 0.5, 4.5, 0.06
"""Weights of the blocks: multiples of a standard deviation, of the relative height, and of a mm. Within half and twice
of these values, completion of real hearts hardly depends on them."""


def raw(subject: PlaneSubject, conditions: NDArray[np.float32]) -> Wide:
    """u of a subject's planes, [P, U]."""
    own, planes = subject.anatomy.astype(np.float64), len(subject.anatomy)
    near = [
        interpolation(subject.below_base + mm, subject.below_base) @ own[:, :NEIGHBOUR_MODES]
        for mm in (NEIGHBOUR_MM, -NEIGHBOUR_MM)
    ]
    whole = (interpolation(HEIGHTS, subject.relative) @ own[:, :WHOLE_MODES]).reshape(1, -1)
    rest = np.concatenate([whole, subject.size[None], conditions[None]], axis=1)
    place = np.stack([subject.relative, subject.below_base], axis=1)
    return np.concatenate([own, *near, place, np.repeat(rest, planes, axis=0)], axis=1)


def fit_features(data: PlaneData, *, trust: float) -> tuple[Wide, Wide]:
    """The mean [U] and the map ``into`` [U, F].

    Args:
        data: training subjects.
        trust: weight of each condition, in standard deviations.
    """
    rows = [raw(s, c) for s, c in zip(data.subjects, data.conditions, strict=True)]
    every = np.concatenate(rows)
    mean, modes, conditions = every.mean(axis=0), data.subjects[0].anatomy.shape[1], data.conditions.shape[1]
    unit = float(every[:, 0].std()) or 1.0
    neighbour, compared = min(NEIGHBOUR_MODES, modes), min(WHOLE_MODES, modes)
    place = modes + 2 * neighbour
    whole = slice(place + 2, place + 2 + len(HEIGHTS) * compared)
    people = np.stack([r[0] for r in rows])
    spread = people.std(axis=0)
    spread[spread < 1e-9] = np.inf  # what is the same in all says nothing
    _, lengths, axes = np.linalg.svd(people[:, whole] - people[:, whole].mean(axis=0), full_matrices=False)
    axes = axes[:WHOLE_COMPONENTS]
    axes = np.pad(axes, ((0, WHOLE_COMPONENTS - len(axes)), (0, 0)))
    longest = float(lengths[0]) / np.sqrt(max(len(people) - 1, 1)) or 1.0
    after = whole.stop
    into = np.zeros((every.shape[1], place + 2 + WHOLE_COMPONENTS + 4 + conditions))
    scale = np.concatenate([np.full(modes, OWN / unit), np.full(2 * neighbour, NEIGHBOUR / unit), [RELATIVE, BELOW]])
    into[: len(scale), : len(scale)] = np.diag(scale)
    into[whole, place + 2 : place + 2 + WHOLE_COMPONENTS] = axes.T * (WHOLE / longest)
    weights = np.concatenate([np.full(4, SIZE), np.full(conditions, trust)]) / spread[after:]
    into[after:, place + 2 + WHOLE_COMPONENTS :] = np.diag(weights)
    return mean, into


def features_size(anatomy: int, conditions: int) -> tuple[int, int]:
    """U and F."""
    near = anatomy + 2 * min(NEIGHBOUR_MODES, anatomy) + 2
    own = 4 + conditions
    return near + len(HEIGHTS) * min(WHOLE_MODES, anatomy) + own, near + WHOLE_COMPONENTS + own
