"""Whether z-scores of healthy people are N(0, 1), and whether sick hearts come out as abnormal.

    python -m benchmarks.normal [--people 400] [--acdc COHORT] [--json]

By the norms of the bundled model. Simulated people have never been seen by it; their measures are exact, of continuous
surfaces. Of the clinical population, z of patients by norms of other patients, and the area under the ROC curve of each
group against the healthy of the same population, by |z| of each measure and by the joint distance. Of ACDC (``cheart
import acdc``), each group against NOR; age, sex and pressure are not known. About two minutes, and five with ACDC.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cheart.cohort import Cohort
from cheart.conditions import PAPER_SCHEMA, Conditions, Encoding
from cheart.model import load
from cheart.normal.findings import JOINT
from cheart.normal.made import norms_of
from cheart.normal.measures import measure
from cheart.normal.norms import Norms
from cheart.normal.report import quality_of
from cheart.population import Population
from cheart.progress import collect, track
from cheart.simulation import draw_person, true_distribution
from cheart.simulation.cohort import clinical_subject

SHOWN = ("lvedv", "lvesv", "lvef", "lvm", "mass_volume", "rvedv", "rvef", "wall_max", "joint")


def with_derived(row: Mapping[str, float]) -> dict[str, float]:
    """Exact phenotypes with the measures that follow from them."""
    strokes = {f"{side}sv": row[f"{side}edv"] - row[f"{side}esv"] for side in ("lv", "rv")}
    return {**row, **strokes, "mass_volume": row["lvm"] / row["lvedv"]}


def z_scores(
    norms: Norms, conditions: Conditions, row: Mapping[str, float], slices_mm: float | None
) -> dict[str, float]:
    """z of every measure that a row has, and the joint distance as ``joint``, per degree of freedom."""
    normal = norms.given({n: v for n, v in conditions.items() if v is not None and n in norms.encoding.schema.names},
                         slices_mm=slices_mm)  # fmt: skip
    z = {
        n: normal.z(n, row[n])[0] for n in norms.names if np.isfinite(row.get(n, np.nan)) and not n.startswith("curve")
    }
    squared, freedom = normal.distance({n: z[n] for n in JOINT if n in z})
    return {**z, "joint": squared / max(freedom, 1)}


def calibration(rows: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float, float]]:
    """Mean and SD of z, and the share within ±1.96, by measure."""
    names = [n for n in SHOWN if n in rows[0] and n != "joint"]
    table = {n: np.array([row[n] for row in rows]) for n in names}
    return {n: (z.mean(), z.std(), (np.abs(z) < 1.96).mean()) for n, z in table.items()}


def area(sick: np.ndarray, well: np.ndarray) -> float:
    """Area under the ROC curve: how often a sick one has more than a healthy one."""
    return float((sick[:, None] > well[None]).mean() + (sick[:, None] == well[None]).mean() / 2)


def areas(rows: Sequence[Mapping[str, float]], groups: Sequence[str], healthy: str) -> dict[str, dict[str, float]]:
    """By group and measure, area under the ROC curve of |z| against the healthy."""
    kind = np.array(groups)
    score = {n: np.abs([row.get(n, np.nan) for row in rows]) for n in SHOWN if n in rows[0]}
    known = {n: np.isfinite(s) for n, s in score.items()}
    found: dict[str, dict[str, float]] = {}
    for group in dict.fromkeys(g for g in groups if g != healthy):
        found[f"{group} ({(kind == group).sum()})"] = {
            n: area(s[(kind == group) & known[n]], s[(kind == healthy) & known[n]]) for n, s in score.items()
        }
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--acdc", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    norms = norms_of(load())
    found: dict[str, Any] = {}

    people = [draw_person(np.random.default_rng([77, i])) for i in range(asked.people)]
    people = [p for p in people if not norms.outside(p)]
    exact = [with_derived(true_distribution(p, n=1, seed=5000 + i).iloc[0].to_dict()) for i, p in enumerate(people)]
    healthy = [z_scores(norms, p, row, None) for p, row in zip(people, exact, strict=True)]
    found["healthy people by the bundled norms"] = calibration(healthy)

    patients = collect(_patient, range(2 * asked.people), jobs=1, title="Patients")
    encoding = Encoding.fit(PAPER_SCHEMA, [p for p, _, _ in patients])
    population = Population.fit(encoding, [p for p, _, _ in patients])
    known = patients[: asked.people]
    theirs = Norms.fit(encoding, population, [p for p, _, _ in known], [row for _, row, _ in known], source="patients")
    found["patients by norms of other patients"] = calibration(
        [z_scores(theirs, p, r, None) for p, r, _ in patients[asked.people :]]
    )
    judged = [(z_scores(norms, p, r, None), group) for p, r, group in patients if not norms.outside(p)]
    found["clinical population, area under ROC"] = areas(*zip(*judged, strict=True), healthy="healthy")  # type: ignore[arg-type]

    if asked.acdc:
        cohort = Cohort.open(asked.acdc)
        rows = []
        for i in track(range(len(cohort)), total=len(cohort), title="ACDC"):
            heart = cohort.heart(i)
            rows.append(z_scores(norms, cohort.conditions(i), measure(heart), quality_of(heart)["slices_mm"]))
        groups = [str(cohort.conditions(i)["group"]) for i in range(len(cohort))]
        found["ACDC's healthy group (NOR) by the bundled norms"] = calibration(
            [row for row, g in zip(rows, groups, strict=True) if g == "NOR"]
        )
        found["ACDC, area under ROC"] = areas(rows, groups, healthy="NOR")
    print(
        json.dumps(found, indent=2)
        if asked.json
        else "\n\n".join(_text(title, table) for title, table in found.items())
    )


def _patient(index: int) -> tuple[Conditions, dict[str, float], str]:
    truth = clinical_subject(index, seed=11, frames=20)
    return truth.conditions, with_derived(truth.phenotypes.to_row()), truth.group


def _text(title: str, table: Mapping[str, Any]) -> str:
    first = next(iter(table.values()))
    heads = [*first] if isinstance(first, Mapping) else ["mean of z", "SD of z", "within ±1.96"]
    rows = [f"| {name} | " + " | ".join(f"{v:.2f}" for v in _values(row)) + " |" for name, row in table.items()]
    return "\n".join([f"**{title}**", "", "| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|", *rows])


def _values(row: Any) -> Sequence[float]:
    return list(row.values()) if isinstance(row, Mapping) else list(row)


if __name__ == "__main__":
    main()
