"""Tiny cohorts of analytic hearts, for tests of training and of what follows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bodies import ellipsoid_heart
from cheart.cohort import Cohort, CohortWriter, split_subjects
from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.files import new_folder
from cheart.grid import Grid
from cheart.heart import Heart
from cheart.models.cheart import CHeartOptions
from cheart.models.shape import ShapeData, ShapeRepresentation, read_normal_forms
from cheart.models.shape_basis import fit_basis

TINY = Grid((32, 32, 32), (4.0, 5.0, 5.0))
"""The smallest grid that the paper's network takes."""


SMALL_CHEART = CHeartOptions(
    representation="shape",
    motion="harmonic",
    prior="learned",
    latent=3,
    embedding=8,
    modes=6,
    harmonics=2,
    hidden=8,
    residual=4,
)
"""CHeart on a shape basis, as small as shows what it does."""


def tiny_cohort(
    path: Path,
    *,
    n: int = 14,
    frames: int = 4,
    grid: Grid = TINY,
    planes: slice = slice(None),
    pair: bool = False,
    shrink: float = 0.0,
) -> Cohort:
    """Beating ellipsoids of five sizes whose contraction grows with age; optionally thick slices, or ED and ES alone.

    Args:
        path: to write.
        n: subjects.
        frames: of a cycle; end-systole is the middle one.
        grid: the voxels.
        planes: the planes that were imaged.
        pair: whether only ED and ES were.
        shrink: how much smaller all hearts are.
    """
    ages = np.linspace(20, 70, n)
    rows = pd.DataFrame(
        {
            "participant_id": [f"sub-{i:03}" for i in range(n)],
            "split": split_subjects(n, seed=0),
            "cycle_s": 0.9,
            "age": ages,
            "sex": ["F", "M"] * (n // 2) + ["F"] * (n % 2),
            "weight": 60 + np.arange(n) % 5 * 5.0,
            "height": 160 + np.arange(n) % 7 * 3.0,
            "sbp": 110 + np.arange(n) % 4 * 8.0,
        }
    )
    beat = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / frames)
    with new_folder(path) as folder:
        writer = CohortWriter(folder, subjects=n, frames=frames, grid=grid)
        fingerprints = []
        for i, age in enumerate(ages):
            contraction = 0.15 + 0.2 * (age - 20) / 50
            smaller = 0.03 * (i % 5)
            labels = np.stack(
                [ellipsoid_heart(grid=grid, shrink=float(shrink + smaller + contraction * b)) for b in beat]
            )
            observed = np.zeros(labels.shape[:2], bool)
            observed[:: frames // 2 if pair else 1, planes] = True
            labels[~observed.any(axis=1)] = 0
            fingerprints.append(writer.write(i, Heart(labels, observed, grid, 0.9)))
        writer.finish(rows, PAPER_SCHEMA, fingerprints, kind="simulated", title=f"{n} beating ellipsoids")
    return Cohort.open(path)


def on_shapes(
    cohort: Cohort, indices: NDArray[np.intp], encoding: Encoding, *, modes: int
) -> tuple[ShapeRepresentation, ShapeData]:
    """A shape basis of some subjects, and the subjects on it."""
    basis = fit_basis(cohort, indices, modes=modes, jobs=1)
    forms = read_normal_forms(cohort, indices, basis, "some", jobs=1)
    return ShapeRepresentation(basis, cohort.frames), ShapeData.of(forms, cohort, indices, encoding)
