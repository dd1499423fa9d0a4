"""The parts of the report: groups of tables with their definitions, tests, gaps, and the paper's numbers.

Those that the paper prints (Qiao et al., IEEE TMI 2023, Tables I to IV) stand here as printed. They are of another
cohort than any of ours, with label maps of another make: they say what to expect, no more. In Table I the averages of
ASSD are not all the mean of the three structures; they stand as in the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.evaluation import completion as judge_completion
from cheart.evaluation import generation as judge_generation
from cheart.evaluation import latent as judge_latent
from cheart.evaluation import memorisation as judge_memorisation
from cheart.evaluation import references as judge_references
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
    distribution_tables,
    estimate,
    generation_tables,
    memorisation_table,
    response_table,
    systole_tables,
    truth_table,
)
from cheart.metrics.statistics import Better, PairedTest, summary
from cheart.paper import comparison as statistics
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
        groups: each subject's diagnosis in that order, "" where none is known.
        why_no_truth: why nothing could be compared with the true distribution; "" where it was.
    """

    results: Mapping[str, Results]
    tasks: Mapping[str, Sequence[str]]
    reference: str
    kinds: NDArray[np.object_] | None = None
    groups: NDArray[np.object_] | None = None
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
        tests, bold = statistics.family(rows, measures, self.reference), statistics.best(rows, measures)
        definitions = f"{part.definitions} {statistics.definitions(self.reference)}" if tests else part.definitions
        tables = tuple(draw(statistics.marks(tests, bold))[which])
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
        parts += _latent(outcome)
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
            means = {name: asdict(summary(table[name])) for name in names}
            lines.append((row, *(estimate(s, 3, marks.get((n, row), "")) for n, s in means.items())))
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
    pooled: dict[str, Any] = {**summaries, **judge_references.beside(outcome.of("reference"), some)}
    cannot = tuple(outcome.cannot("generate"))
    gaps = (*cannot, *count_empty(generations))
    likeness = f"{judge_generation.LIKENESS} Here: {int(some.samples['sample'].max())} samples a person."
    paper = {number: tuple(paper_tables(number)) for number in ("II", "III", "IV")}
    second = Section("table-2", "Table II: generation, likeness", (), likeness, (), paper["II"], gaps)
    third = Section("table-3", "Table III: generation, volumes and mass", (), likeness, (), paper["III"], gaps)
    fourth = Section(
        "table-4",
        "Table IV: distributions",
        tuple(t for t in distribution_tables(pooled) if t.known),
        f"{judge_generation.DISTRIBUTIONS} {judge_references.POPULATIONS}",
        paper=paper["IV"],
        gaps=(*cannot, *_decades(some, summaries)),
    )
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


def _latent(outcome: Outcome) -> list[Section]:
    judged = outcome.of("latent")
    table = judge_latent.latent_table(judged)
    return [Section("latent", "What do the latents do?", (table,), judge_latent.DEFINITIONS)] if judged else []


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


CAPTION = "CHeart 2023, another cohort: 277 UK Digital Heart Project volunteers; not comparable number by number"

_STRUCTURES = ("LV", "Myo", "RV", "Average")
_PHENOTYPES = ("LVEDV", "LVESV", "RVEDV", "RVESV", "LVM")
_BOTH = ("mean", "best")

_PRINTED: dict[str, list[tuple[str, str, int, tuple[str, ...], str]]] = {
    "I": [
        (
            "table-1-dice", "Dice", 3, _STRUCTURES,
            """cvae-gan 0.845±0.028 0.697±0.054 0.832±0.028 0.791±0.032
               cvae     0.900±0.023 0.800±0.040 0.894±0.023 0.864±0.026
               pca      0.906±0.022 0.810±0.038 0.901±0.023 0.872±0.025
               cheart   0.908±0.023 0.814±0.037 0.902±0.021 0.874±0.024""",
        ),
        (
            "table-1-hd", "HD, mm", 3, _STRUCTURES,
            """cvae-gan 10.361±1.475 9.571±1.379 14.070±3.736 11.334±1.849
               cvae     5.920±1.335  5.891±1.055 6.525±1.076  6.112±1.049
               pca      5.517±1.029  5.710±1.125 6.165±1.072  5.797±0.978
               cheart   5.535±1.180  5.576±0.955 6.445±1.067  5.842±1.017""",
        ),
        (
            "table-1-assd", "ASSD, mm", 3, _STRUCTURES,
            """cvae-gan 2.120±0.390 1.670±0.236 2.244±0.399 1.983±0.306
               cvae     1.657±0.348 1.376±0.212 1.622±0.305 1.461±0.280
               pca      1.565±0.324 1.319±0.221 1.519±0.301 1.490±0.305
               cheart   1.535±0.330 1.298±0.208 1.620±0.323 1.462±0.266""",
        ),
    ],
    "II": [
        (
            "table-2", "Likeness, mean and best of 20", 3,
            tuple(f"{m} {b}" for m in ("Dice", "HD mm", "ASSD mm") for b in _BOTH),
            """cgan     0.713±0.061 0.717±0.061 15.533±2.258 13.956±2.326 3.004±0.714 2.862±0.712
               cvae     0.694±0.056 0.789±0.049 11.461±1.809 8.321±1.536  3.380±0.710 2.317±0.540
               cvae-gan 0.645±0.052 0.774±0.039 16.844±2.008 12.105±1.815 3.693±0.709 2.185±0.394
               cheart   0.713±0.058 0.793±0.052 10.940±2.343 8.166±1.621  3.023±0.757 2.049±0.521""",
        )
    ],
    "III": [
        (
            "table-3", "|d| of phenotypes (mL; LVM g), mean and best of 20", 2,
            tuple(f"{p} {b}" for p in _PHENOTYPES for b in _BOTH),
            """cgan     35.58±20.33 15.66±16.67 20.06±9.71 19.74±9.72 51.47±25.25 14.71±17.12 17.57±12.19 17.04±12.18
                        38.26±19.15 10.40±11.23
               cvae     35.74±16.99 4.91±9.84 13.92±6.06 1.87±3.46 44.97±21.58 6.46±12.92 19.49±9.21 2.86±5.74
                        23.07±9.96 2.70±4.33
               cvae-gan 51.32±20.40 6.33±11.96 19.80±6.53 1.69±2.57 48.94±28.66 8.28±17.52 25.26±10.99 2.57±4.11
                        51.03±11.40 8.29±7.91
               cheart   25.93±17.47 6.87±12.09 11.74±8.41 3.54±6.25 34.63±21.31 6.88±12.87 15.54±11.33 5.12±9.19
                        17.34±9.89 2.95±5.62""",
        )
    ],
    "IV": [
        (
            "table-4-kl", "KL divergence", 3, _PHENOTYPES,
            """cgan     0.023±0.001 0.019±0.001 0.036±0.004 0.022±0.001 0.050±0.006
               cvae     0.039±0.005 0.041±0.004 0.042±0.004 0.034±0.003 0.030±0.003
               cvae-gan 0.153±0.025 0.023±0.003 0.046±0.006 0.064±0.008 0.098±0.019
               cheart   0.034±0.002 0.043±0.002 0.034±0.002 0.039±0.002 0.031±0.002""",
        ),
        (
            "table-4-wd", "Wasserstein distance", 3, _PHENOTYPES,
            """cgan     33.687±1.173 19.982±0.025 41.643±4.161 17.434±0.036 35.395±2.933
               cvae     11.929±2.116 7.017±0.964  14.680±2.869 9.665±1.051  10.365±1.703
               cvae-gan 27.001±2.809 8.425±1.771  24.614±3.202 9.748±2.675  43.251±4.566
               cheart   15.053±3.597 5.773±1.358  12.214±2.408 9.182±2.145  9.215±1.713""",
        ),
    ],
}  # fmt: skip


def paper_tables(number: str) -> list[Table]:
    """The paper's own table of a number (``I`` to ``IV``); none of another."""
    return [
        Table(f"{title} (paper, Table {number})", ("", *columns), _rows(text, digits, len(columns)), f"paper-{name}")
        for name, title, digits, columns, text in _PRINTED.get(number, [])
    ]


def _rows(text: str, digits: int, columns: int) -> tuple[tuple[str | Estimate, ...], ...]:
    words = text.split()
    rows: list[tuple[str | Estimate, ...]] = []
    for k in range(0, len(words), columns + 1):
        pairs = (word.split("±") for word in words[k + 1 : k + 1 + columns])
        rows.append((words[k], *(Estimate(float(mean), float(sd), digits) for mean, sd in pairs)))
    return tuple(rows)
