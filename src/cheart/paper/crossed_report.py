"""From a cross-validation to files: tables over all subjects and by kind, tests, ``result.json`` and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.evaluation import completion as evaluate
from cheart.evaluation.generation import Generation
from cheart.evaluation.tables import Cell, Estimate, Marks, Table, completion_tables, systole_tables
from cheart.files import write_json
from cheart.metrics.statistics import PairedTest, summary
from cheart.paper import comparison as statistics
from cheart.paper import html
from cheart.paper.crossed import BEFORE, Crossed, held_out, weights_of
from cheart.paper.folds import kinds_of
from cheart.paper.plan import OURS
from cheart.paper.recommendations import Remark
from cheart.paper.report import FORMAT, times_table, write_tables, write_text
from cheart.paper.results import Found
from cheart.paper.sections import Section, count_empty, left_out, tested
from cheart.provenance import provenance

FOLDS = (
    "Cross-validated: subjects of each kind are spread evenly over the folds; whoever is judged was held out of the "
    "training, and of all choices that training makes. Rows and tests take the subjects of all folds together."
)


def write_crossed(crossed: Crossed, found: Mapping[str, Found], steps: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``tables/``, ``result.json`` and ``report.html``; what ``result.json`` says."""
    plan, cohort = crossed.plan, crossed.cohort
    kinds = kinds_of(cohort)[held_out(crossed)]
    parts = crossed_sections(found, kinds, left_out("complete", plan.models))
    write_tables(plan.out / "tables", parts)
    advice = [_which(found, parts[0].tests)]
    about = {name: cohort.info[name] for name in ("kind", "title", "fingerprint")}
    result: dict[str, Any] = {
        "format": FORMAT,
        "kind": "cross-validation",
        "plan": plan.lasting(cohort.fingerprint) | {"models": crossed.models},
        "cohort": about | {"grid": cohort.grid.name, "frames": cohort.frames, "subjects": len(kinds)},
        "claims": [],
        "advice": [asdict(remark) for remark in advice],
        "found": {row: one.completion.summary() for row, one in found.items() if one.completion is not None},
        "tables": {table.name: table.text() for part in parts for table in part.tables},
        "tests": {part.name: [asdict(test) for test in part.tests] for part in parts if part.tests},
        "definitions": {part.name: part.definitions for part in parts},
        "weights": weights_of(crossed),
        "steps": steps,
        "provenance": provenance(seed=plan.seed),
    }
    write_text(plan.out / "report.html", html.render(_page(crossed, parts, result)))
    write_json(plan.out / "result.json", result)
    return result


def _page(crossed: Crossed, parts: list[Section], result: Mapping[str, Any]) -> html.Page:
    plan, made = crossed.plan, result["provenance"]
    return html.Page(
        title=f"Cross-validation: {', '.join(crossed.models)}",
        lead=f"{result['cohort']['title']}: {result['cohort']['subjects']} subjects in {plan.folds} folds; "
        f"preset {plan.preset}, seed {plan.seed}.",
        warnings=_warnings(crossed),
        claims=[],
        advice=[Remark(**remark) for remark in result["advice"]],
        sections=parts,
        pictures=[],
        undrawn=[],
        made=[times_table(result["steps"])],
        facts={
            "command": made["command"],
            "made": made["made"],
            "cohort, SHA-256": result["cohort"]["fingerprint"],
            **{f"{name}, weights, SHA-256": digest for name, digest in result["weights"].items()},
            "cheart": made["cheart"],
        },
    )


def crossed_sections(found: Mapping[str, Found], kinds: NDArray[np.object_], gaps: list[str]) -> list[Section]:
    """Completion over all subjects and by kind, and the ejection fraction of what ours generates.

    Args:
        found: by row of the tables, all of the same subjects.
        kinds: each subject's, in the tables' order.
        gaps: which models are not here, and why.
    """
    completions = {row: one.completion for row, one in found.items() if one.completion is not None}
    rows = {row: c.subjects for row, c in completions.items()}
    summaries = {row: c.summary() for row, c in completions.items()}
    draw = partial(completion_tables, summaries)
    told = (*gaps, *count_empty({row: c.structures_empty for row, c in completions.items()}))
    part = partial(Section, tables=(), definitions=f"{FOLDS} {evaluate.DEFINITIONS}", gaps=told)
    systole = part("end-systole", "End-systole of held-out subjects, from end-diastole")
    parts = [tested(systole, rows, statistics.SYSTOLE, partial(systole_tables, summaries), slice(None))]
    if len(set(kinds)) > 1:
        parts.append(_by_kind(part("by-kind", "By kind of subject"), rows, kinds))
    parts += [
        tested(part("table-1", "Completion: all observed frames"), rows, statistics.COMPLETION, draw, slice(0, 3)),
        tested(
            part("completed-phenotypes", "Completion: volumes and mass"),
            rows, statistics.COMPLETED_PHENOTYPES, draw, slice(3, 4),
        ),
    ]  # fmt: skip
    generation = found[OURS].generation if OURS in found else None
    return parts if generation is None else [*parts, _ejection(generation, kinds)]


def _by_kind(part: Section, rows: Mapping[str, pd.DataFrame], kinds: NDArray[np.object_]) -> Section:
    """Dice at end-systole by kind of subject."""
    names = sorted(set(kinds))
    apart = {row: pd.DataFrame({n: t["dice_es"].where(kinds == n) for n in names}) for row, t in rows.items()}

    def draw(marks: Marks) -> list[Table]:
        lines: list[tuple[Cell, ...]] = []
        for row, table in apart.items():
            found = {name: summary(table[name]) for name in names}
            lines.append((row, *(Estimate(s.mean, s.sd, 3, marks.get((n, row), "")) for n, s in found.items())))
        heads = ("", *(f"{name} ({int((kinds == name).sum())})" for name in names))
        return [Table("Completion, end-systole: average Dice", heads, tuple(lines), "by-kind")]

    return tested(part, apart, dict.fromkeys(names, "max"), draw, slice(None))


def _ejection(generation: Generation, kinds: NDArray[np.object_]) -> Section:
    """The ejection fraction of real hearts, and of those generated from the same people's conditions."""
    people, samples = generation.people, generation.samples
    real = 100 * (1 - people["real_lvesv"] / people["real_lvedv"]).to_numpy(float)
    made = 100 * (1 - samples["lvesv"] / samples["lvedv"]).to_numpy(float)
    of = kinds[samples["subject"].to_numpy(int) - 1]
    groups = [*sorted(set(kinds)), "all"] if len(set(kinds)) > 1 else ["all"]
    lines: list[tuple[Cell, ...]] = []
    for name in groups:
        one, other = (v[(k == name) | (name == "all")] for v, k in ((real, kinds), (made, of)))
        lines.append((name, *(Estimate(s.mean, s.sd, 1) for s in (summary(one), summary(other))), str(len(other))))
    heads = ("", "real, %", "generated, %", "hearts generated")
    table = Table("LV ejection fraction", heads, tuple(lines), "ejection")
    text = (
        f"{FOLDS} Hearts generated by {OURS} from conditions alone, for the held-out people's. Ejection fraction from "
        "the voxels of observed planes, of end-diastole and end-systole (frame 0, and the frame of the least LV cavity "
        "of those that were observed). Mean ± SD over hearts."
    )
    return Section("ejection", "Generation: ejection fraction by kind of subject", (table,), text)


def _which(found: Mapping[str, Found], tests: tuple[PairedTest, ...]) -> Remark:
    """The row with the highest Dice at end-systole, and who is not told apart from it."""
    means = {row: one.completion.summary()["dice_es"]["mean"] for row, one in found.items() if one.completion}
    order = sorted(means, key=lambda row: -means[row])
    text = "Average Dice at end-systole: " + ", ".join(f"{row} {means[row]:.3f}" for row in order) + "."
    for test in tests:
        if test.measure == "dice_es":
            clear = test.p_holm < statistics.ALPHA and test.better
            verdict = f"{test.better} is better" if clear else "not told apart"
            text += f" {OURS} against {test.second}: {verdict} (corrected p {test.p_holm:.2g})."
    return Remark("To complete a heart of such a subject from its first frame", "", text, "By the paired tests.")


def _warnings(crossed: Crossed) -> list[str]:
    said = []
    if crossed.cohort.info["kind"] == "simulated":
        said.append("These hearts are simulated: the figures say nothing about patients.")
    if crossed.start_from is not None:
        said.append(f"{OURS} went on from {crossed.plan.start_from} in each fold; {BEFORE} is that model by itself.")
    return [*said, "A research tool; not a medical device."]
