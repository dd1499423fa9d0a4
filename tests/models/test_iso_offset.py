from dataclasses import replace
from pathlib import Path

import numpy as np

from cheart.cohort import Cohort
from cheart.grid import GRIDS
from cheart.models.fields import BODIES, fields
from cheart.models.shape_basis import fit_basis
from cheart.simulation.cohort import simulate


def volumes(labels: np.ndarray) -> np.ndarray:
    """Voxels of each body, [T, 3]."""
    return np.stack([np.isin(labels, body).sum(axis=(1, 2, 3)) for body in BODIES], axis=1).astype(float)


def test_bodies_made_of_modes_are_as_large_as_the_hearts_own(tmp_path: Path) -> None:
    simulate(tmp_path / "cohort", n=6, seed=0, grid=GRIDS["half"], frames=6, jobs=1)
    cohort, everyone = Cohort.open(tmp_path / "cohort"), np.arange(6)
    fitted = fit_basis(cohort, everyone, modes=12, jobs=1)
    at_zero = replace(fitted, iso_offset=(0.0, 0.0, 0.0))
    hearts = np.concatenate([cohort.labels(int(i)) for i in everyone])
    coefficients = fitted.project(fields(hearts, fitted.where))
    error, before = (
        (volumes(basis.labels(coefficients)) / volumes(hearts) - 1).mean(axis=0) for basis in (fitted, at_zero)
    )
    assert np.abs(error).max() < 0.003
    assert before[2] < -0.01  # the RV, whose edges are sharpest
