"""The parts of the report: groups of tables with their definitions, tests, gaps, and the paper's numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.evaluation import completion as judge_completion
from cheart.evaluation import generation as judge_generation
from cheart.evaluation import memorisation as judge_memorisation
from cheart.evaluation import response as judge_response
from cheart.evaluation import truth as judge_truth
from cheart.evaluation.completion import COPIED
from cheart.evaluation.generation import Generation
from cheart.evaluation.tables import (
    Cell,
    Estimate,
    Marks,
    Table,
    completion_tables,
    generation_tables,
    memorisation_table,
    response_table,
    systole_tables,
    truth_table,
)
from cheart.metrics.statistics import Better, PairedTest, summary
from cheart.paper import comparison as statistics
from cheart.paper.published import CAPTION, paper_tables
from cheart.paper.results import Results

FOLDS = (
    "Cross-validated: subjects of each kind are spread evenly over the folds; whoever is judged was held out of the "
    "training, and of all choices that training makes. Rows and tests take the subjects of all folds together. "
)


@dataclass(frozen=True)
class Section:
    """One part.

    Attributes:
        name: the stem of its files and of its place in the page.
        title: its heading.
        tables: of this experiment.
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
        """All its tables as they go into files, notes beneath each: its own, the tests, the paper's."""
        notes = " ".join([self.definitions, *self.gaps])
        out = [replace(table, notes=notes) for table in self.tables]
        if self.tests:
            notes = statistics.definitions(self.tests[0].first)
            out.append(replace(statistics.table_of_tests(self.tests, self.name), notes=notes))
        return out + [replace(table, notes=f"{CAPTION}.") for table in self.paper]


@dataclass(frozen=True)
class Outcome:
    """What an experiment came to.

    Attributes:
        results: by row of the tables, all of the same subjects.
        tasks: of every model that was asked for.
        reference: the row that the others are tested against.
        kinds: cross-validated, each subject's kind in the tables' order; None with one fold.
        why_no_truth: why nothing could be compared with the true distribution; "" where it was.
    """

    results: Mapping[str, Results]
    tasks: Mapping[str, Sequence[str]]
    reference: str
    kinds: NDArray[np.object_] | None = None
    why_no_truth: str = ""

    def of(self, part: str) -> dict[str, Any]:
        """One part of the results, of the rows that have it."""
        found = {row: getattr(one, part) for row, one in self.results.items()}
        return {row: one for row, one in found.items() if one is not None}

    def cannot(self, task: str) -> list[str]:
        """Said of the models that a table cannot have."""
        names = [name for name, tasks in self.tasks.items() if task not in tasks]
        return [f"Not here, because this kind of model cannot {task}: {', '.join(names)}."] if names else []

    def tested(
        self,
        part: Section,
        rows: Mapping[str, pd.DataFrame],
        measures: Mapping[str, Better],
        draw: Callable[[Marks], list[Table]],
        which: slice = slice(None),
    ) -> Section:
        """A part with its tests, and with those tables whose cells carry their marks."""
        tests = statistics.family(rows, measures, self.reference)
        definitions = f"{part.definitions} {statistics.definitions(self.reference)}" if tests else part.definitions
        tables = tuple(draw(statistics.marks(tests))[which])
        gaps = (*part.gaps, *statistics.too_few(tests))
        return replace(part, tables=tables, tests=tuple(tests), definitions=definitions, gaps=gaps)


def sections(outcome: Outcome) -> list[Section]:
    """All parts: the paper's in its order and then what it does not have; cross-validated, end-systole comes first."""
    parts: list[Section] = []
    if outcome.of("completion"):
        parts += _completion(outcome)
    generations = outcome.of("generation")
    if generations and outcome.kinds is not None:
        parts += [_ejection(name, one, outcome.kinds) for name, one in generations.items()]
    elif generations:
        parts += [*_generation(outcome, generations), _response(outcome), _memorisation(outcome), _truth(outcome)]
    return parts


def _completion(outcome: Outcome) -> list[Section]:
    completions, folded = outcome.of("completion"), outcome.kinds is not None
    rows = {row: one.subjects for row, one in completions.items()}
    summaries = {row: one.summary() for row, one in completions.items()}
    draw = partial(completion_tables, summaries)
    gaps = (*outcome.cannot("complete"), *count_empty(completions))
    part = partial(Section, tables=(), definitions=(FOLDS if folded else "") + judge_completion.DEFINITIONS)
    all_frames = part(
        "table-1",
        "Completion: all observed frames" if folded else "Table I: completion",
        paper=() if folded else tuple(paper_tables("I")),
        gaps=gaps,
    )
    given = f"{COPIED.capitalize()}: exact at end-diastole, which is what was given."
    phenotypes = part("completed-phenotypes", "Completion: volumes and mass", gaps=gaps if folded else (*gaps, given))
    parts = [
        outcome.tested(all_frames, rows, statistics.COMPLETION, draw, slice(0, 3)),
        outcome.tested(phenotypes, rows, statistics.COMPLETED_PHENOTYPES, draw, slice(3, 4)),
    ]
    if outcome.kinds is None:
        return parts
    first = part("end-systole", "End-systole of held-out subjects, from end-diastole", gaps=gaps)
    systole = outcome.tested(first, rows, statistics.SYSTOLE, partial(systole_tables, summaries))
    if len(set(outcome.kinds)) == 1:
        return [systole, *parts]
    return [systole, _by_kind(outcome, part("by-kind", "By kind of subject", gaps=gaps), rows, outcome.kinds), *parts]


def _by_kind(outcome: Outcome, part: Section, rows: Mapping[str, pd.DataFrame], kinds: NDArray[np.object_]) -> Section:
    """Dice at end-systole by kind of subject."""
    names = sorted(set(kinds))
    apart = {row: pd.DataFrame({n: t["dice_es"].where(kinds == n) for n in names}) for row, t in rows.items()}

    def draw(marks: Marks) -> list[Table]:
        lines: list[tuple[Cell, ...]] = []
        for row, table in apart.items():
            means = {name: summary(table[name]) for name in names}
            lines.append((row, *(Estimate(s.mean, s.sd, 3, marks.get((n, row), "")) for n, s in means.items())))
        heads = ("", *(f"{name} ({int((kinds == name).sum())})" for name in names))
        return [Table("Completion, end-systole: average Dice", heads, tuple(lines), "by-kind")]

    return outcome.tested(part, apart, dict.fromkeys(names, "max"), draw)


def _ejection(model: str, generation: Generation, kinds: NDArray[np.object_]) -> Section:
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
        f"{FOLDS}Hearts generated by {model} from conditions alone, for the held-out people's. Ejection fraction from "
        "the voxels of observed planes, of end-diastole and end-systole (frame 0, and the frame of the least LV cavity "
        "of those that were observed). Mean ± SD over hearts."
    )
    return Section("ejection", "Generation: ejection fraction by kind of subject", (table,), text)


def _generation(outcome: Outcome, generations: Mapping[str, Generation]) -> list[Section]:
    rows = {name: g.people for name, g in generations.items()}
    summaries = {name: g.summary() for name, g in generations.items()}
    some, draw = next(iter(generations.values())), partial(generation_tables, summaries)
    cannot = tuple(outcome.cannot("generate"))
    gaps = (*cannot, *count_empty(generations))
    likeness = f"{judge_generation.LIKENESS} Here: {int(some.samples['sample'].max())} samples a person."
    paper = {number: tuple(paper_tables(number)) for number in ("II", "III", "IV")}
    second = Section("table-2", "Table II: generation, likeness", (), likeness, (), paper["II"], gaps)
    third = Section("table-3", "Table III: generation, volumes and mass", (), likeness, (), paper["III"], gaps)
    fourth = Section(
        "table-4", "Table IV: distributions", tuple(t for t in draw()[2:6] if t.known), judge_generation.DISTRIBUTIONS,
        paper=paper["IV"], gaps=(*cannot, *_decades(some, summaries)),
    )  # fmt: skip
    real = () if len(some.real_seams) else ("The real hearts' seam: no heart of these was observed whole.",)
    return [
        outcome.tested(second, rows, statistics.LIKENESS, draw, slice(0, 1)),
        outcome.tested(third, rows, statistics.GENERATED_PHENOTYPES, draw, slice(1, 2)),
        fourth,
        Section("seam", "Does the beat close?", tuple(draw()[6:]), judge_generation.SEAM, gaps=(*cannot, *real)),
    ]


def _response(outcome: Outcome) -> Section:
    responses = outcome.of("response")
    silent = [name for name, one in responses.items() if not one]
    heard = {name: one for name, one in responses.items() if one}
    gaps = [f"{', '.join(silent)}: too few people, or conditions that do not vary, for the cohort's own slopes."]
    return Section(
        "response",
        "Do the models listen to the conditions?",
        (response_table(heard),) if heard else (),
        judge_response.DEFINITIONS,
        gaps=tuple(gaps if silent else []),
    )


def _memorisation(outcome: Outcome) -> Section:
    judged = outcome.of("memorisation")
    return Section(
        "memorisation",
        "Do the models hand out training hearts?",
        (memorisation_table(judged),) if judged else (),
        judge_memorisation.DEFINITIONS,
        gaps=() if judged else (judge_memorisation.WHY_NOT,),
    )


def _truth(outcome: Outcome) -> Section:
    part = Section("truth", "Are they the right hearts in the right people?", (), judge_truth.DEFINITIONS)
    if outcome.why_no_truth:
        return replace(part, gaps=(f"Not judged: {outcome.why_no_truth}.",))
    truths = outcome.of("truth")
    summaries = {name: one.summary() for name, one in truths.items()}
    people = {name: one.people for name, one in truths.items()}
    return outcome.tested(part, people, statistics.TRUTH, lambda marks: [truth_table(summaries, marks)])


def count_empty(judged: Mapping[str, Any]) -> list[str]:
    """Said of structures that hearts lacked."""
    lacking = [f"{name} {one.structures_empty}" for name, one in judged.items() if one.structures_empty]
    return [f"Structure-frames without a structure: {', '.join(lacking) or 'none'}."]


def _decades(some: Generation, summaries: Mapping[str, Any]) -> list[str]:
    """What Table IV stands on, or why parts of it are missing."""
    distributions = next(iter(summaries.values()))["distributions"]
    if not distributions:
        return ["Not computed: the real hearts are too few, or all alike."]
    entry = next(iter(distributions.values()))
    if entry["decades"]:
        out = f"; left out as too small: {', '.join(entry['decades_left_out'])}" if entry["decades_left_out"] else ""
        return [f"Age decades: {', '.join(entry['decades'])}{out}."]
    ages = ", ".join(sorted(set(map(str, some.people["decade"]))))
    return [f"By age decade: not computed, no decade has 5 people or more (here: {ages})."]
