"""The 17 segments of the left ventricle as smooth fields over height and angle, and the coronary territories."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.simulation import surfaces
from cheart.simulation.surfaces import CAVITY_APEX, THETA, Field, S

N_SEGMENTS = 17
_LEVELS = (0.83, 0.5, 0.2, 0.02)
"""Middles of base, mid, apical third and apex: heights above the cavity's apex, as shares of its length."""
_SIX = np.radians([90, 30, 330, 270, 210, 150])  # segments 1 to 6: anterior, anteroseptal, inferoseptal, …
_FOUR = np.radians([90, 0, 270, 180])  # 13 to 16: anterior, septal, inferior, lateral

# shares of each segment that an occlusion takes (Cerqueira et al., Circulation 105:539, 2002: the AHA's assignment)
TERRITORIES: dict[str, NDArray[np.float64]] = {}
for _name, _shares in {
    "infarct_lad": {1: 0.8, 2: 0.8, 7: 1.0, 8: 1.0, 13: 1.0, 14: 1.0, 15: 0.4, 16: 0.3, 17: 1.0},
    "infarct_lad_distal": {7: 0.5, 8: 0.6, 13: 1.0, 14: 1.0, 15: 0.7, 16: 0.5, 17: 1.0},
    "infarct_rca": {3: 0.7, 4: 1.0, 5: 0.4, 9: 0.6, 10: 1.0, 11: 0.3, 15: 0.9},
    "infarct_lcx": {5: 1.0, 6: 0.7, 10: 0.2, 11: 1.0, 12: 0.9, 16: 0.9},
}.items():
    TERRITORIES[_name] = np.array([_shares.get(i + 1, 0.0) for i in range(N_SEGMENTS)])


def _smooth(x: NDArray[np.floating]) -> NDArray[np.floating]:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _partition() -> NDArray[np.float64]:
    height = surfaces.relative_height(CAVITY_APEX)[:, None]
    level = []
    for i, middle in enumerate(_LEVELS):
        up = _smooth((_LEVELS[i - 1] - height) / (_LEVELS[i - 1] - middle)) if i else np.ones_like(height)
        down = _smooth((height - _LEVELS[i + 1]) / (middle - _LEVELS[i + 1])) if i < 3 else np.ones_like(height)
        level.append(np.where(height > middle, up, down))

    def around(middles: NDArray[np.float64], width: float) -> list[NDArray[np.floating]]:
        return [_smooth(1 - np.abs(np.angle(np.exp(1j * (THETA - m)))) / width)[None] for m in middles]

    six, four = around(_SIX, np.pi / 3), around(_FOUR, np.pi / 2)
    parts = [level[0] * a for a in six] + [level[1] * a for a in six] + [level[2] * a for a in four]
    return np.stack([*parts, level[3] * np.ones_like(THETA)[None]])


PARTITION: NDArray[np.float64] = _partition()
"""[17, HEIGHTS, ANGLES]: how much each node belongs to each segment; they add up to 1."""


def field_of(values: NDArray[np.float64]) -> Field:
    """A smooth field that takes the values [17] in the middles of the segments."""
    return np.asarray(np.tensordot(values, PARTITION, 1))


def means_of(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means [..., 17] over the segments of a field [..., HEIGHTS, ANGLES]."""
    return np.asarray(np.einsum("...ht,kht->...k", field, PARTITION) / PARTITION.sum((1, 2)))


assert S.size == PARTITION.shape[1]
