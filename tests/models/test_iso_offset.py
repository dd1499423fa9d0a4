from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.grid import GRIDS
from cheart.models.fields import BODIES, fields
from cheart.models.shape_basis import fit_basis
from cheart.simulation.cohort import simulate


def volumes(labels: np.ndarray) -> np.ndarray:
    """Voxels of each body, [T, 3]."""
    return np.stack([np.isin(labels, body).sum(axis=(1, 2, 3)) for body in BODIES], axis=1).astype(float)


@pytest.mark.slow
def test_bodies_made_of_modes_are_as_large_as_the_hearts_own(tmp_path: Path) -> None:
    simulate(tmp_path / "cohort", n=6, seed=0, grid=GRIDS["half"], frames=6, jobs=1)
    cohort, everyone = Cohort.open(tmp_path / "cohort"), np.arange(6)
    fitted = fit_basis(cohort, everyone, modes=12, jobs=1)
    at_zero = replace(fitted, iso_offset=(0.0, 0.0, 0.0))
    beats = [cohort.labels(int(i)) for i in everyone]
    error, before = (
        np.concatenate([volumes(basis.labels(fitted.project(fields(b, fitted.where)))) / volumes(b) - 1 for b in beats])
        for basis in (fitted, at_zero)
    )
    error, before = error.mean(axis=0), before.mean(axis=0)
    assert np.abs(error).max() < 0.01
    assert before[2] < -0.005  # the RV, whose edges are sharpest
