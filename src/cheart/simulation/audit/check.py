"""Is this cohort like healthy volunteers? Each published figure beside the cohort's own.

A simulated cohort is judged; an imported one is described.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from cheart.cohort import Cohort, read_table
from cheart.errors import InputError
from cheart.labels import MYOCARDIUM_G_PER_ML
from cheart.phenotypes import voxel_volumes
from cheart.progress import Jobs, collect
from cheart.simulation.audit.check_clinical import check_clinical
from cheart.simulation.audit.check_hearts import anatomy, motion
from cheart.simulation.audit.check_people import demographics, dependence, sizes
from cheart.simulation.audit.measure import Measures, measure
from cheart.simulation.audit.verdict import Row
from cheart.simulation.cohort import TRUTH, population_of

MEASURED = 400
"""Hearts whose voxels are measured, spread evenly over a larger cohort: enough to decide each band."""

FINE_MM = (2.5, 1.5)
"""Planes and pixels up to which voxels can decide on shapes and motion; on coarser grids these are described only."""


def check_cohort(cohort: Cohort, *, jobs: Jobs = -1) -> list[Row]:
    """Compare a cohort with what is published of healthy volunteers.

    Sizes are taken from the truth where the cohort is simulated, else from voxels; everything else from voxels.
    """
    if population_of(cohort) == "clinical":
        return check_clinical(cohort, jobs=jobs)
    table = _people(cohort, jobs)
    rows = demographics(table) + sizes(table) + dependence(table)
    if cohort.observed[:, 0].all():
        cycle = bool(cohort.observed.all()) and cohort.frames >= 10
        index = np.unique(np.linspace(0, len(cohort) - 1, min(len(cohort), MEASURED)).round().astype(int))
        one = partial(_measure, cohort, cycle)
        measured = collect(one, index, jobs=jobs, title="Measuring")
        rows += anatomy(measured, cohort.grid)
        if cycle:
            rows += motion(measured, table.iloc[index], cohort.frames)
    described = set() if cohort.info["kind"] == "simulated" else {row.group for row in rows}
    if max(cohort.grid.spacing[1:]) > FINE_MM[1] or cohort.grid.spacing[0] > FINE_MM[0]:
        described |= {"anatomy", "motion"}
    return [replace(row, inside=None) if row.group in described else row for row in rows]


def _measure(cohort: Cohort, cycle: bool, index: int) -> Measures:
    return measure(cohort.labels(index, None if cycle else [0]), cohort.grid, cycle=cycle)


def _people(cohort: Cohort, jobs: Jobs) -> pd.DataFrame:
    """Conditions and sizes, one row a person."""
    table = cohort.table.copy()
    if (cohort.path / TRUTH).is_file():
        truth = read_table(cohort.path / TRUTH)
        if list(truth["participant_id"]) != list(table["participant_id"]):
            raise InputError(
                f"{cohort.path / TRUTH} lists other people than participants.tsv; simulate the cohort again"
            )
        return table.join(truth.drop(columns=[c for c in truth if c in table]))
    sizes_of = partial(_voxel_sizes, cohort)
    return table.join(pd.DataFrame(collect(sizes_of, range(len(cohort)), jobs=jobs, title="Sizes")))


def _voxel_sizes(cohort: Cohort, index: int) -> dict[str, float]:
    frames = np.flatnonzero(cohort.observed_of(index).any(axis=1))
    lv, wall, rv = voxel_volumes(cohort.labels(index, frames.tolist()), cohort.grid.voxel_ml).T
    es = int(lv.argmin())
    found = {"lvedv": lv[0], "lvesv": lv[es], "rvedv": rv[0], "rvesv": rv[es], "lvm": wall[0] * MYOCARDIUM_G_PER_ML}
    return {**found, "lvef": 100 * (1 - lv[es] / lv[0]), "rvef": 100 * (1 - rv[es] / rv[0])}


def broken(rows: list[Row]) -> list[Row]:
    """The rows whose band the cohort breaks."""
    return [row for row in rows if row.inside is False]
