"""A clinical cohort against published figures of disease, and its gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.cohort import Cohort
from cheart.conditions import PAPER_SCHEMA, Schema
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.labels import check_topology
from cheart.phenotypes import voxel_volumes
from cheart.progress import Jobs, collect
from cheart.simulation.audit.gate import Studied, gate, gate_rows, study
from cheart.simulation.audit.measure import frame_faults
from cheart.simulation.audit.verdict import Row, stroke_row, within
from cheart.simulation.clinical.heart import ClinicalTruth
from cheart.simulation.clinical.people import GROUP_OF, GROUPS, prevalence
from cheart.simulation.cohort import refuse_another_truth, truth_maker

ACDC = "ACDC (Bernard 2018), measured"

# EF in %: mean, SD and half of the band around the mean
_EF = {
    "healthy": (60, 5, 3, ACDC),
    "hcm": (67, 9, 3, ACDC),
    "dcm": (18, 7, 3, ACDC),
    "infarct": (31, 8, 3, ACDC),
    "rv": (55, 6, 3, ACDC),
    "athlete": (60.5, 5, 3, "Utomi 2013"),
    "hypertensive": (61, 6, 4, "Naderi 2026, near normal"),
}
# ratios to the healthy group of LVEDV, RVEDV and mass, each by body surface area
_RATIOS = {
    "dcm": (2.26, 1.18, 1.73), "hcm": (0.99, 0.77, 1.73), "infarct": (1.36, 0.80, 1.24), "rv": (0.89, 1.41, 0.82),
}  # fmt: skip
_VOXELS = 60
_defined = partial(Row, source="by definition")


def check_clinical(cohort: Cohort, *, jobs: Jobs = -1) -> list[Row]:
    """Compare a clinical cohort with what is published of its diseases, and put it through the gate.

    Sizes and function are taken from the truth; labels of up to 60 hearts are measured where every plane was imaged.

    Raises:
        InputError: the truth beside the cohort is not what this program makes from its seed.
    """
    one = partial(_study, truth_maker(cohort), cohort.schema)
    hearts = collect(one, range(len(cohort)), jobs=jobs, title="Truth")
    table = pd.DataFrame([heart.row for heart in hearts])
    refuse_another_truth(cohort, table["lvesv"].tolist(), range(len(table)))
    rows = _people(table) + _function(table) + _sizes(table) + _real(table) + _curves(hearts)
    if bool(cohort.observed.all()):
        rows += _voxels(cohort, hearts, jobs)
    return rows + gate_rows(gate(hearts))


def _study(make: Callable[[int], ClinicalTruth], schema: Schema, index: int) -> Studied:
    return study(make(index), schema, seed=index)


def _people(table: pd.DataFrame) -> list[Row]:
    people = zip(*(table[name] for name in PAPER_SCHEMA.names), strict=True)
    by_kind = np.array([prevalence(dict(zip(PAPER_SCHEMA.names, person, strict=True))) for person in people])
    rows = []
    for i, group in enumerate(GROUPS):
        p = by_kind[:, i == GROUP_OF].sum(1)
        have, error = float((table["group"] == group).mean()), float(np.sqrt((p * (1 - p)).sum()) / len(p))
        # hearts too large for the template's box are drawn again: the largest diseases lose up to a tenth
        inside = within(have, 0.85 * p.mean(), 1.1 * p.mean(), error=error)
        rows.append(_defined("people", str(group), f"{p.mean():.1%} of these people", f"{have:.1%}", inside))
    return rows


def _function(table: pd.DataFrame) -> list[Row]:
    rows = []
    for group, (mean, sd, off, source) in _EF.items():
        ef = table.loc[table["group"] == group, "lvef"]
        if len(ef) < 5:
            continue
        inside = within(ef.mean(), mean - off, mean + off, error=ef.std() / len(ef) ** 0.5)
        inside &= within(ef.std(), 0.65 * sd, 1.45 * sd, error=ef.std() / (2 * len(ef)) ** 0.5)
        ours = f"{ef.mean():.1f} ± {ef.std():.1f}"
        rows.append(Row("function", f"LVEF, {group}, %", f"{mean:g} ± {sd:g}", ours, inside, source))
    return [*rows, stroke_row(table, "function")]


def _sizes(table: pd.DataFrame) -> list[Row]:
    area = np.sqrt(table.weight * table.height / 3600)
    indexed = {name: np.log(table[name] / area) for name in ("lvedv", "rvedv", "lvm")}
    rows = []
    for group, published in _RATIOS.items():
        for (name, values), ratio in zip(indexed.items(), published, strict=True):
            here, healthy = values[table["group"] == group], values[table["group"] == "healthy"]
            if min(len(here), len(healthy)) < 5:
                continue
            off = here.mean() - healthy.mean()
            error = float(np.sqrt(here.var() / len(here) + healthy.var() / len(healthy)))
            inside = within(off, np.log(ratio / 1.25), np.log(ratio * 1.25), error=error)
            quantity, band = f"{name.upper()} index, {group} over healthy", f"{ratio:.2f} (× or ÷ 1.25)"
            rows.append(Row("size", quantity, band, f"{np.exp(off):.2f}", inside, ACDC))
    return rows


def _real(table: pd.DataFrame) -> list[Row]:
    """How well EF follows from sizes, in people mixed as ACDC has them: as many of each of its five groups."""
    groups = ("healthy", "hcm", "dcm", "infarct", "rv")
    count = min(int((table["group"] == g).sum()) for g in groups)
    if count < 20:
        return []
    mixed = pd.concat([table[table["group"] == g].iloc[:count] for g in groups])
    sizes = mixed[["lvedv", "rvedv", "height", "weight"]].to_numpy(float)
    diagnosis = np.stack([(mixed["group"] == g).to_numpy(float) for g in groups[1:]], axis=1)
    ef = mixed["lvef"].to_numpy(float)
    rows = []
    for name, x, real in (("without", sizes, 0.61), ("with", np.column_stack([sizes, diagnosis]), 0.85)):
        design = np.column_stack([np.ones(len(x)), x])
        left = ef - design @ np.linalg.lstsq(design, ef, rcond=None)[0]
        r2 = 1 - float(left @ left / ((ef - ef.mean()) ** 2).sum())
        quantity = f"R² of EF on end-diastolic volumes and body size, {name} the diagnosis"
        inside = within(r2, real - 0.08, real + 0.08, error=0.015)
        rows.append(Row("function", quantity, f"{real} (± 0.08)", f"{r2:.2f}", inside, ACDC))
    return rows


def _curves(hearts: Sequence[Studied]) -> list[Row]:
    """How many components the volume curves need."""
    rows = []
    for i, name in enumerate(("lv", "rv")):
        shape = np.array([heart.emptied[i] for heart in hearts])
        share = np.linalg.svd(shape - shape.mean(0), compute_uv=False) ** 2
        needed = int((share.cumsum() / share.sum() < 0.95).sum()) + 1
        inside = needed > 3 if len(hearts) > 50 else None
        rows.append(
            _defined("motion", f"{name.upper()} volume curves, components for 95 %", "> 3", f"{needed}", inside)
        )
    return rows


def _voxels(cohort: Cohort, hearts: Sequence[Studied], jobs: Jobs) -> list[Row]:
    index = np.unique(np.linspace(0, len(cohort) - 1, min(len(cohort), _VOXELS)).round().astype(int))
    work = partial(_measure, cohort, [heart.lv_ml for heart in hearts])
    found = collect(work, index, jobs=jobs, title="Measuring")
    wall, lv, faults = (np.array([f[i] for f in found]) for i in range(3))
    bad = int((faults > 0).sum())
    fine = max(cohort.grid.spacing[1:]) <= 1.5 and cohort.grid.spacing[0] <= 2.5
    verdicts = (
        ("wall volume over the cycle, largest change", "≤ 5 %", f"{wall.max():.1%}", wall.max() <= 0.05),
        ("LV volume against the truth, largest departure", "≤ 3 mL", f"{lv.max():.1f} mL", lv.max() <= 3),
    )
    rows = [
        _defined("voxels", what, band, said, bool(inside) if fine else None) for what, band, said, inside in verdicts
    ]
    return [*rows, _defined("voxels", "hearts with a fault of topology", "none", f"{bad} of {len(found)}", bad == 0)]


def _measure(cohort: Cohort, lv_ml: Sequence[NDArray[np.float64]], index: int) -> tuple[float, float, int]:
    labels = cohort.labels(index)
    lv, wall, _ = voxel_volumes(labels, cohort.grid.voxel_ml).T
    return (
        float(np.abs(wall / wall[0] - 1).max()),
        float(np.abs(lv - lv_ml[index]).max()),
        len(clinical_faults(labels, cohort.grid)),
    )


def clinical_faults(labels: NDArray[np.uint8], grid: Grid) -> list[str]:
    """What is wrong with the label maps [T, Z, Y, X] of a heart whose base is tilted: the cavity may be open beside the
    valve's plane, but nowhere below it."""
    faults = set()
    for frame in labels:
        try:
            check_topology(frame)
        except InputError as error:
            faults.add(str(error))
        faults |= {
            f
            for f in frame_faults(frame)
            if f in ("LV touches RV", *(f"{s} not in one piece" for s in ("lv", "myo", "rv")))
        }
        where = np.flatnonzero((frame == 1).any(axis=(1, 2)))
        lower = frame[: where[0] + max(int(0.6 * where.size), 1)]  # a tilted base reaches no further down
        if "LV open elsewhere than at the base" in frame_faults(np.pad(lower, ((1, 0), (1, 1), (1, 1)))):
            faults.add("LV open below the base")
    return sorted(faults)
