"""A whole simulated cohort on disk, with the truth about each of its hearts beside it."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cheart.cohort import Cohort, CohortWriter, split_subjects, write_table
from cheart.conditions import PAPER_SCHEMA
from cheart.errors import InputError
from cheart.export.bids import write_in_template
from cheart.export.itksnap import write_label_file
from cheart.files import new_folder, refuse_existing
from cheart.grid import Grid
from cheart.heart import Heart
from cheart.progress import Jobs, parallel, track
from cheart.simulation.acquisition import Acquisition, acquire
from cheart.simulation.demographics import HEART_RATE_SCHEMA, draw_person
from cheart.simulation.heart import Truth, simulate_heart

PAPER_SUBJECTS = 1383
"""Subjects in the paper's cohort (section III-A)."""

TRUTH = "truth.tsv"
"""Beside the cohort's tables: exact phenotypes and generating parameters, one row a subject."""

NIFTI = "nifti"


@dataclass(frozen=True)
class _Task:
    """All that a worker needs to make one subject."""

    seed: int
    grid: Grid
    frames: int
    heart_rate: bool
    acquisition: Acquisition | None
    writer: CohortWriter
    nifti: Path | None


def simulate(
    out: Path | str,
    *,
    n: int = PAPER_SUBJECTS,
    seed: int = 0,
    grid: Grid | str = "paper",
    frames: int = 20,
    heart_rate: bool = False,
    acquisition: Acquisition | None = None,
    nifti: bool = False,
    jobs: Jobs = -1,
    overwrite: bool = False,
) -> Cohort:
    """Simulate a cohort of healthy beating hearts and write it.

    The same seed gives the same bytes on any number of workers, and a subject does not depend on how many others
    there are (its split does).

    Args:
        out: the new cohort folder; ``truth.tsv`` in it holds the generating parameters and exact phenotypes.
        n: subjects.
        seed: of everything.
        grid: the voxel grid.
        frames: T, frames a cycle.
        heart_rate: draw the heart rate as a sixth condition; else every cycle lasts 0.96 s.
        acquisition: image the hearts as a clinic would; None keeps every plane of every frame.
        nifti: also write ``nifti/``, a folder of ``sub-*_dseg.nii.gz`` with the table of participants.
        jobs: worker processes, −1 for one a core.
        overwrite: replace what is at ``out``.

    Raises:
        InputError: ``out`` holds something, or n or frames is below 1.
    """
    if n < 1:
        raise InputError(f"-n {n}: a cohort needs at least one subject")
    if frames < 2:
        raise InputError(f"--frames {frames}: a beating heart needs at least two frames")
    grid = Grid.parse(grid)
    refuse_existing(Path(out), overwrite=overwrite)
    schema = HEART_RATE_SCHEMA if heart_rate else PAPER_SCHEMA
    with new_folder(Path(out), overwrite=overwrite) as folder:
        writer = CohortWriter(folder, subjects=n, frames=frames, grid=grid)
        make = partial(
            _make_subject,
            _Task(seed, grid, frames, heart_rate, acquisition, writer, folder.absolute() / NIFTI if nifti else None),
        )
        rows = list(track(parallel(make, range(n), jobs=jobs), total=n, title="Simulating"))
        table = pd.DataFrame([row["participant"] for row in rows])
        table.insert(1, "split", split_subjects(n, seed=seed))
        truth = pd.DataFrame([row["truth"] for row in rows])
        write_table(folder / TRUTH, truth)
        writer.finish(
            table,
            schema,
            [row["fingerprint"] for row in rows],
            kind="simulated",
            title=_title(n, acquisition),
            seed=seed,
            acquisition=None if acquisition is None else asdict(acquisition),
        )
        if nifti:
            for name in ("participants.tsv", "participants.json"):
                shutil.copyfile(folder / name, folder / NIFTI / name)
            write_label_file(folder / NIFTI)
    return Cohort.open(out)


def subject_seed(seed: int, index: int) -> np.random.SeedSequence:
    """The seed of one subject of a cohort: ``simulate_heart`` with it and the subject's conditions gives its heart."""
    return np.random.SeedSequence([seed, index])


def simulate_subject(
    index: int, *, seed: int, grid: Grid, frames: int = 20, heart_rate: bool = False
) -> tuple[Heart, Truth]:
    """One subject of a cohort, without the cohort: its beating heart as label maps, and the truth about it."""
    person = draw_person(np.random.default_rng([seed, index]), heart_rate=heart_rate)
    return simulate_heart(person, seed=subject_seed(seed, index), grid=grid, frames=frames)


def _make_subject(task: _Task, index: int) -> dict[str, Any]:
    heart, truth = simulate_subject(
        index, seed=task.seed, grid=task.grid, frames=task.frames, heart_rate=task.heart_rate
    )
    if task.acquisition is not None:
        heart = acquire(heart, task.acquisition, rng=np.random.default_rng([task.seed, index, 0xACC]))
    name = f"sub-sim{index + 1:04d}"
    if task.nifti is not None:
        write_in_template(task.nifti / f"{name}_dseg.nii.gz", heart, Made="simulated by cheart")
    return {
        "participant": {"participant_id": name, "cycle_s": heart.cycle_s, **truth.conditions},
        "truth": {"participant_id": name, **truth.to_row()},
        "fingerprint": task.writer.write(index, heart),
    }


def _title(n: int, acquisition: Acquisition | None) -> str:
    how = "" if acquisition is None else f", imaged as in a clinic ({acquisition})"
    return f"{n} simulated healthy hearts{how}"
