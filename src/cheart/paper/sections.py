"""The parts of the report: groups of tables with their definitions, tests, gaps, and the paper's numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from cheart.evaluation import completion as evaluate
from cheart.evaluation import generation as judge_generation
from cheart.evaluation import memorisation as judge_memorisation
from cheart.evaluation import response as judge_response
from cheart.evaluation import truth as judge_truth
from cheart.evaluation.completion import Completion
from cheart.evaluation.generation import Generation
from cheart.evaluation.tables import (
    Marks,
    Table,
    completion_tables,
    generation_tables,
    memorisation_table,
    response_table,
    truth_table,
)
from cheart.evaluation.truth import Truthfulness
from cheart.metrics.statistics import Better, PairedTest
from cheart.models.registry import model_class
from cheart.paper import comparison as statistics
from cheart.paper.plan import COPIED
from cheart.paper.published import CAPTION, paper_tables
from cheart.paper.results import Found


@dataclass(frozen=True)
class Section:
    """One part.

    Attributes:
        name: the stem of its files and of its place in the page.
        title: its heading.
        tables: ours.
        definitions: what stands beneath them.
        tests: of the family of all its tables.
        paper: the paper's own tables.
        gaps: what could not be computed, and why.
    """

    name: str
    title: str
    tables: tuple[Table, ...]
    definitions: str
    tests: tuple[PairedTest, ...] = ()
    paper: tuple[Table, ...] = ()
    gaps: tuple[str, ...] = ()

    def files(self) -> list[Table]:
        """All its tables as they go into files, notes beneath each: ours, the tests, the paper's."""
        notes = " ".join([self.definitions, *self.gaps])
        out = [replace(table, notes=notes) for table in self.tables]
        if self.tests:
            out.append(replace(statistics.table_of_tests(self.tests, self.name), notes=statistics.DEFINITIONS))
        return out + [replace(table, notes=f"{CAPTION}.") for table in self.paper]


def sections(found: Mapping[str, Found], copied: Completion | None, why_no_truth: str = "") -> list[Section]:
    """All parts, in the order of the paper and then what it does not have.

    Args:
        found: by model.
        copied: the first frame copied; None where no model can complete.
        why_no_truth: why nothing could be held against the true distribution.
    """
    completions = {name: f.completion for name, f in found.items() if f.completion is not None}
    generations = {name: f.generation for name, f in found.items() if f.generation is not None}
    parts: list[Section] = []
    if completions:
        parts += _of_completion(completions | ({COPIED: copied} if copied is not None else {}), list(found))
    if generations:
        parts += _of_generation(generations, list(found))
        parts += [_response(found), _memorisation(found)]
        parts.append(_truth({n: f.truth for n, f in found.items() if f.truth is not None}, why_no_truth))
    return parts


def _of_completion(completions: Mapping[str, Completion], models: list[str]) -> list[Section]:
    rows = {name: c.subjects for name, c in completions.items()}
    draw = partial(completion_tables, {name: c.summary() for name, c in completions.items()})
    lacking = count_empty({name: c.structures_empty for name, c in completions.items()})
    gaps = (*left_out("complete", models), *lacking)
    first = Section("table-1", "Table I: completion", (), evaluate.DEFINITIONS, (), tuple(paper_tables("I")), gaps)
    given = f"{COPIED.capitalize()}: exact at end-diastole, which is what was given."
    title = "Completion: volumes and mass"
    second = Section("completed-phenotypes", title, (), evaluate.DEFINITIONS, gaps=(*gaps, given))
    return [
        tested(first, rows, statistics.COMPLETION, draw, slice(0, 3)),
        tested(second, rows, statistics.COMPLETED_PHENOTYPES, draw, slice(3, 4)),
    ]


def _of_generation(generations: Mapping[str, Generation], models: list[str]) -> list[Section]:
    rows = {name: g.people for name, g in generations.items()}
    summaries = {name: g.summary() for name, g in generations.items()}
    some, draw = next(iter(generations.values())), partial(generation_tables, summaries)
    cannot = tuple(left_out("generate", models))
    gaps = (*cannot, *count_empty({name: g.structures_empty for name, g in generations.items()}))
    samples = int(some.samples["sample"].max())
    likeness = f"{judge_generation.LIKENESS} Here: {samples} samples a person."
    paper = {number: tuple(paper_tables(number)) for number in ("II", "III", "IV")}
    second = Section("table-2", "Table II: generation, likeness", (), likeness, (), paper["II"], gaps)
    third = Section("table-3", "Table III: generation, volumes and mass", (), likeness, (), paper["III"], gaps)
    fourth = Section(
        "table-4", "Table IV: distributions", tuple(t for t in draw()[2:6] if t.known), judge_generation.DISTRIBUTIONS,
        paper=paper["IV"], gaps=(*cannot, *_decades(some, summaries)),
    )  # fmt: skip
    real = () if len(some.real_seams) else ("The real hearts' seam: no heart of these was observed whole.",)
    return [
        tested(second, rows, statistics.LIKENESS, draw, slice(0, 1)),
        tested(third, rows, statistics.GENERATED_PHENOTYPES, draw, slice(1, 2)),
        fourth,
        Section("seam", "Does the beat close?", tuple(draw()[6:]), judge_generation.SEAM, gaps=(*cannot, *real)),
    ]


def tested(
    part: Section,
    rows: Mapping[str, pd.DataFrame],
    measures: Mapping[str, Better],
    draw: Callable[[Marks], list[Table]],
    which: slice,
) -> Section:
    """A part with its tests, and with those tables whose cells carry their marks."""
    tests = statistics.family(rows, measures)
    definitions = f"{part.definitions} {statistics.DEFINITIONS}" if tests else part.definitions
    tables = tuple(draw(statistics.marks(tests))[which])
    gaps = (*part.gaps, *statistics.too_few(tests))
    return replace(part, tables=tables, tests=tuple(tests), definitions=definitions, gaps=gaps)


def _response(found: Mapping[str, Found]) -> Section:
    responses = {name: f.response for name, f in found.items() if f.response}
    silent = [name for name, f in found.items() if f.response is not None and not f.response]
    gaps = [f"{', '.join(silent)}: too few people, or conditions that do not vary, for the cohort's own slopes."]
    return Section(
        "response",
        "Do the models listen to the conditions?",
        (response_table(responses),) if responses else (),
        judge_response.DEFINITIONS,
        gaps=tuple(gaps if silent else []),
    )


def _memorisation(found: Mapping[str, Found]) -> Section:
    judged = {name: f.memorisation for name, f in found.items() if f.memorisation is not None}
    return Section(
        "memorisation",
        "Do the models hand out training hearts?",
        (memorisation_table(judged),) if judged else (),
        judge_memorisation.DEFINITIONS,
        gaps=() if judged else (judge_memorisation.WHY_NOT,),
    )


def _truth(truths: Mapping[str, Truthfulness], why_not: str) -> Section:
    part = Section("truth", "Are they the right hearts in the right people?", (), judge_truth.DEFINITIONS)
    if why_not:
        return replace(part, gaps=(f"Not judged: {why_not}.",))
    summaries = {name: truth.summary() for name, truth in truths.items()}
    people = {name: truth.people for name, truth in truths.items()}
    return tested(part, people, statistics.TRUTH, lambda marks: [truth_table(summaries, marks)], slice(None))


def left_out(task: Any, models: Sequence[str]) -> list[str]:
    """Said of the models that a table cannot have."""
    names = [name for name in models if task not in model_class(name).tasks]
    return [f"Not here, because this kind of model cannot {task}: {', '.join(names)}."] if names else []


def count_empty(counts: Mapping[str, int]) -> list[str]:
    """Said of structures that hearts lacked."""
    lacking = [f"{name} {count}" for name, count in counts.items() if count]
    return [f"Structure-frames without a structure: {', '.join(lacking) or 'none'}."]


def _decades(some: Generation, summaries: Mapping[str, Any]) -> list[str]:
    """What Table IV stands on, or why parts of it are missing."""
    told = next(iter(summaries.values()))["distributions"]
    if not told:
        return ["Not computed: the real hearts are too few, or all alike."]
    entry = next(iter(told.values()))
    if entry["decades"]:
        out = f"; left out as too small: {', '.join(entry['decades_left_out'])}" if entry["decades_left_out"] else ""
        return [f"Age decades: {', '.join(entry['decades'])}{out}."]
    ages = ", ".join(sorted(set(map(str, some.people["decade"]))))
    return [f"By age decade: not computed, no decade has 5 people or more (here: {ages})."]
