"""A whole simulated cohort on disk, with the truth about each of its hearts beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cheart._version import __version__
from cheart.cohort import Cohort, CohortWriter, is_made_with, read_table, split_subjects, write_table
from cheart.conditions import PAPER_SCHEMA, Conditions
from cheart.errors import InputError, check_seed
from cheart.export.bids import write_in_template, write_label_file
from cheart.files import new_folder, refuse_existing, sha256_of_json
from cheart.grid import Grid, check_size
from cheart.heart import Heart
from cheart.progress import Jobs, begin_records, collect, collect_kept
from cheart.simulation.acquisition import CLINICAL, EXACT, Acquisition, acquire
from cheart.simulation.clinical.heart import ClinicalTruth, to_labels
from cheart.simulation.clinical.heart import draw_heart as draw_clinical_heart
from cheart.simulation.clinical.heart import true_distribution as true_patients
from cheart.simulation.clinical.people import clinical_schema, draw_patient
from cheart.simulation.demographics import HEART_RATE_SCHEMA, draw_person
from cheart.simulation.heart import Truth, simulate_heart
from cheart.simulation.phenotypes import true_distribution

PAPER_SUBJECTS = 1383
"""Subjects in the paper's cohort (section III-A)."""

TRUTH = "truth.tsv"
"""Beside the cohort's tables: exact phenotypes and generating parameters, one row a subject."""

POPULATIONS = ("healthy", "clinical")
"""Healthy volunteers, and the patients of a clinic (:mod:`cheart.simulation.clinical`)."""

NIFTI = "nifti"


@dataclass(frozen=True)
class _Task:
    """All that a worker needs to make one subject."""

    seed: int
    grid: Grid
    frames: int
    population: str
    heart_rate: bool
    group: bool
    acquisition: Acquisition | None
    writer: CohortWriter
    nifti: Path | None


def simulate(
    out: Path | str,
    *,
    population: str = "healthy",
    n: int = PAPER_SUBJECTS,
    seed: int = 0,
    grid: Grid | str = "paper",
    frames: int = 20,
    heart_rate: bool = False,
    group: bool = False,
    acquisition: Acquisition | str | None = None,
    nifti: bool = False,
    jobs: Jobs = -1,
    overwrite: bool = False,
    resume: bool = False,
) -> Cohort:
    """Simulate a cohort of beating hearts and write it.

    The same seed gives the same bytes on any number of workers, and a subject does not depend on how many others
    there are (its split does).

    Args:
        out: the new cohort folder; ``truth.tsv`` in it holds the generating parameters and exact phenotypes.
        population: ``healthy`` volunteers, or ``clinical``: patients with hidden diseases.
        n: subjects.
        seed: of everything.
        grid: the voxel grid.
        frames: T, frames a cycle.
        heart_rate: the heart rate as a further condition. Without, every healthy cycle lasts 0.96 s.
        group: of a clinical population, the diagnosis as a further condition (it is in ``truth.tsv`` anyway).
        acquisition: how the hearts are imaged: ``exact`` (every plane of every frame), ``clinical``, or one of
            your own; None is exact for a healthy population and clinical for a clinical one.
        nifti: also write ``nifti/``, a folder of ``sub-*_dseg.nii.gz`` with the table of participants.
        jobs: worker processes, −1 for one a core.
        overwrite: replace what is at ``out``.
        resume: go on with what a run with the same options left that was stopped or killed.

    Raises:
        InputError: ``out`` holds something, n or frames is below 1, or no such population or acquisition is known;
            there is nothing to ``resume``, or it was begun with other options.
    """
    if population not in POPULATIONS:
        raise InputError(f"--population {population!r}: expected {' or '.join(POPULATIONS)}")
    if group and population != "clinical":
        raise InputError("--with group: only a clinical population has diagnoses; add --population clinical")
    if n < 1:
        raise InputError(f"-n {n}: a cohort needs at least one subject")
    if frames < 2:
        raise InputError(f"--frames {frames}: a beating heart needs at least two frames")
    grid, seed = Grid.parse(grid), check_seed(seed)
    check_size(grid, frames)
    if not resume:
        refuse_existing(Path(out), overwrite=overwrite)
    how = population_acquisition(acquisition, population)
    imaged = None if how == EXACT else how
    schema = HEART_RATE_SCHEMA if heart_rate else PAPER_SCHEMA
    more: dict[str, Any] = {}  # the provenance of a healthy cohort stays what it was
    if population == "clinical":
        schema, more = clinical_schema(heart_rate=heart_rate, group=group), {"population": population}
    settings = {
        "seed": seed, "n": n, "grid": grid.to_json(), "frames": frames, "population": population, "nifti": nifti,
        "heart_rate": heart_rate, "group": group, "acquisition": asdict(how), "cheart": __version__,
    }  # fmt: skip
    if resume and is_made_with(Path(out), settings):
        return Cohort.open(out)
    with new_folder(Path(out), overwrite=overwrite, keep=True, resume=resume) as folder:
        records = begin_records(folder, settings)
        writer = CohortWriter(folder, subjects=n, frames=frames, grid=grid)
        target = folder.absolute() / NIFTI if nifti else None
        make = partial(_make_subject, _Task(seed, grid, frames, population, heart_rate, group, imaged, writer, target))
        rows = collect_kept(
            make, range(n), records=records / "subjects", jobs=jobs, title="Simulating", holds=partial(_holds, writer)
        )
        table = pd.DataFrame([row["participant"] for row in rows])
        table.insert(1, "split", split_subjects(n, seed=seed))
        truth = pd.DataFrame([row["truth"] for row in rows])
        write_table(folder / TRUTH, truth)
        prints, title = [row["fingerprint"] for row in rows], _title(n, population, imaged)
        imaging = None if imaged is None else asdict(imaged)
        shutil.rmtree(records)
        more["settings"] = sha256_of_json(settings)
        writer.finish(table, schema, prints, kind="simulated", title=title, seed=seed, acquisition=imaging, **more)
        if nifti:
            for name in ("participants.tsv", "participants.json"):
                shutil.copyfile(folder / name, folder / NIFTI / name)
            write_label_file(folder / NIFTI)
    return Cohort.open(out)


def _holds(writer: CohortWriter, index: int, row: dict[str, Any]) -> bool:
    """Whether a subject that was made is still in the store."""
    return writer.holds(index, row["fingerprint"])


def subject_seed(seed: int, index: int) -> np.random.SeedSequence:
    """The seed of one subject of a cohort: ``simulate_heart`` with it and the subject's conditions gives its heart."""
    return np.random.SeedSequence([seed, index])


def simulate_subject(
    index: int,
    *,
    seed: int,
    grid: Grid,
    frames: int = 20,
    population: str = "healthy",
    heart_rate: bool = False,
    group: bool = False,
) -> tuple[Heart, Truth | ClinicalTruth]:
    """One subject of a cohort, without the cohort: its beating heart as label maps, and the truth about it."""
    if population == "clinical":
        clinical = clinical_subject(index, seed=seed, frames=frames, heart_rate=heart_rate, group=group)
        return to_labels(clinical, grid), clinical
    person = draw_person(np.random.default_rng([seed, index]), heart_rate=heart_rate)
    return simulate_heart(person, seed=subject_seed(seed, index), grid=grid, frames=frames)


def clinical_subject(
    index: int, *, seed: int, frames: int = 20, heart_rate: bool = False, group: bool = False
) -> ClinicalTruth:
    """The truth about one subject of a clinical cohort, again from its seed, without label maps.

    The heart is that of the five conditions; heart rate and diagnosis are read off it where they are conditions.
    """
    person = draw_patient(np.random.default_rng([seed, index]))
    truth = draw_clinical_heart(person, seed=subject_seed(seed, index), frames=frames)
    if heart_rate:
        person["heart_rate"] = truth.beat["heart_rate"]
    if group:
        person["group"] = truth.group
    return replace(truth, conditions=person)


def true_hearts(cohort: Cohort, conditions: Conditions, *, n: int, seed: int) -> pd.DataFrame:
    """Draws of the truth, p(beat | conditions), in the population that a simulated cohort is of.

    Returns:
        n rows: lvedv, lvesv, rvedv, rvesv (mL), lvm (g), lvef, rvef (%), and more of a clinical population.
    """
    if population_of(cohort) == "clinical":
        return true_patients(conditions, n=n, seed=seed)
    return true_distribution({name: conditions[name] for name in PAPER_SCHEMA.names}, n=n, seed=seed)


def clinical_truths(
    cohort: Cohort, indices: Iterable[int] | None = None, *, frames: int | None = None, jobs: Jobs = 1
) -> list[ClinicalTruth]:
    """What is exactly known of the hearts of a clinical cohort, made again from its seed.

    ``cheart.simulation.clinical.heart.true_completions`` of each is the truth that a completion is judged by.

    Args:
        cohort: a simulated clinical one.
        indices: which subjects; all where None.
        frames: T of the volume curves; the cohort's where None.
        jobs: worker processes, −1 for one a core.

    Raises:
        InputError: another cohort, or one that another version of this program made.
    """
    chosen = list(range(len(cohort)) if indices is None else indices)
    truths = collect(truth_maker(cohort, frames=frames), chosen, jobs=jobs, title="Truth")
    refuse_another_truth(cohort, [truth.phenotypes.lvesv for truth in truths], chosen)
    return truths


def truth_maker(cohort: Cohort, *, frames: int | None = None) -> Callable[[int], ClinicalTruth]:
    """The function that makes the truth about subject i of a clinical cohort again.

    Raises:
        InputError: another cohort.
    """
    if population_of(cohort) != "clinical":
        raise InputError(f"{cohort.path}: no simulated clinical cohort, so that nothing is hidden in it")
    return partial(
        clinical_subject,
        seed=int(cohort.info["provenance"]["seed"]),
        frames=frames or cohort.frames,
        heart_rate="heart_rate" in cohort.schema.names,
        group="group" in cohort.schema.names,
    )


def refuse_another_truth(cohort: Cohort, lvesv: Sequence[float], indices: Sequence[int]) -> None:
    """Refuse a cohort that another version of this program made: its hearts cannot be made again.

    Raises:
        InputError: the volumes [n] in mL of these subjects are not those of ``truth.tsv``.
    """
    written = read_table(cohort.path / TRUTH)["lvesv"].to_numpy(float)[list(indices)]
    if not np.allclose(lvesv, written, rtol=1e-4):
        raise InputError(f"{cohort.path / TRUTH} is not what this version makes of its seed; simulate it again")


def population_of(cohort: Cohort) -> str:
    """``healthy`` or ``clinical``."""
    return str(cohort.info["provenance"].get("population", POPULATIONS[0]))


def _make_subject(task: _Task, index: int) -> dict[str, Any]:
    which = ("seed", "grid", "frames", "population", "heart_rate", "group")
    heart, truth = simulate_subject(index, **{name: getattr(task, name) for name in which})
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


def population_acquisition(asked: Acquisition | str | None, population: str) -> Acquisition:
    """How hearts are imaged: ``exact``, ``clinical``, or as their population usually is where None.

    Raises:
        InputError: another word.
    """
    if isinstance(asked, Acquisition):
        return asked
    asked = asked or ("clinical" if population == "clinical" else "exact")
    presets = {"exact": EXACT, "clinical": CLINICAL}
    if asked not in presets:
        raise InputError(f"--acquisition {asked!r}: expected {' or '.join(presets)}")
    return presets[asked]


def _title(n: int, population: str, acquisition: Acquisition | None) -> str:
    how = "" if acquisition is None else f", imaged as in a clinic ({acquisition})"
    return f"{n} simulated {population} hearts{how}"
