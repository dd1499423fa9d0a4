from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cheart.grid import Grid
from cheart.labels import BACKGROUND, LV, MYO, RV


def by_sign(frames: Iterable[tuple[NDArray[np.float32], tuple[slice, ...]]], grid: Grid, **_: Any) -> NDArray[np.uint8]:
    """What fields say voxel by voxel, be it a heart or not."""
    out = []
    for (lv, epi, rv), box in frames:
        labels = np.zeros(grid.shape, np.uint8)
        labels[box] = np.select([(lv < 0) & (epi < 0), epi < 0, rv < 0], [LV, MYO, RV], BACKGROUND)
        out.append(labels)
    return np.stack(out)


@pytest.fixture
def read_by_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """For networks of random weights, whose labels are noise: voxels as the logits have them."""
    monkeypatch.setattr("cheart.models.voxel.read_out", by_sign)
