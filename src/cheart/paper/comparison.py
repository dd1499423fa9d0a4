"""Which differences between models are more than chance: paired tests over subjects, one family a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from cheart.conditions import DIAGNOSIS
from cheart.evaluation.generation import BETTER
from cheart.evaluation.prediction import QUANTITIES
from cheart.evaluation.references import GROUP_EF, ORACLE
from cheart.evaluation.tables import BEST, PHENOTYPES, Table
from cheart.labels import STRUCTURES
from cheart.metrics.statistics import Better, PairedTest, paired_tests

ALPHA = 0.05


COMPLETION: dict[str, Better] = {
    **{f"dice{s}": "max" for s in (*(f"_{name}" for name in STRUCTURES), "", "_es")},
    **{f"{m}{s}": "min" for m in ("hd", "assd") for s in (*(f"_{name}" for name in STRUCTURES), "")},
}
SYSTOLE: dict[str, Better] = {
    f"{m}_es{s}": "max" if m == "dice" else "min"
    for m in ("dice", "hd", "assd")
    for s in (*(f"_{name}" for name in STRUCTURES), "")
}
COMPLETED_PHENOTYPES: dict[str, Better] = {f"d_{name}": "min" for name in PHENOTYPES}
LIKENESS: dict[str, Better] = {f"{m}_{k}": BETTER[m] for m in ("dice", "hd", "assd") for k in ("mean", "best")}
TRUTH: dict[str, Better] = {**{f"w1_{name}": "min" for name in PHENOTYPES}, "energy": "min"}
PREDICTION: dict[str, Better] = {**{f"crps_{name}": "min" for name in QUANTITIES}, "energy": "min"}
GENERATED_PHENOTYPES: dict[str, Better] = {f"d_{n}_{k}": "min" for n in PHENOTYPES for k in ("mean", "best")}


def family(rows: Mapping[str, pd.DataFrame], measures: Mapping[str, Better], reference: str) -> list[PairedTest]:
    """All tests of one table; none where the reference is not among the rows.

    Args:
        rows: by the table's row, one line a subject, in the same order of subjects.
        measures: the table's columns, and which way is better.
        reference: the row that the others are tested against.
    """
    scores = {m: {name: table[m].to_numpy(float) for name, table in rows.items()} for m in measures}
    return paired_tests(scores, measures, reference=reference)


def best(rows: Mapping[str, pd.DataFrame], measures: Mapping[str, Better]) -> set[tuple[str, str]]:
    """The cells, by measure and row, that are better than every other row's: two-sided tests of every two rows, Holm-
    corrected over all of them and all measures. The oracle, which no model can be, and rows that are given the
    diagnosis, which models are not, stand aside.
    """
    aside = {name for name in rows if name in (ORACLE, GROUP_EF) or name.endswith(f" with {DIAGNOSIS}")}
    apart = {name: table for name, table in rows.items() if name not in aside}
    scores = {m: {name: table[m].to_numpy(float) for name, table in apart.items()} for m in measures}
    found = paired_tests(scores, measures, reference=None)
    won = Counter((t.measure, t.better) for t in found if t.p_holm < ALPHA and t.better)
    against = Counter((t.measure, name) for t in found for name in (t.first, t.second))
    return {cell for cell, count in won.items() if count == against[cell]}


def definitions(reference: str) -> str:
    """What stands beneath a table with tests."""
    return (
        f"Tests: {reference} against each other row, two-sided Wilcoxon signed-rank tests of the differences within "
        "subjects, Holm-corrected over all tests of the table. * behind a value: "
        f"{reference} is better than that row (corrected p < {ALPHA}); † behind a value: that row is better than "
        f"{reference}. No mark: not told apart. Better goes by the sign of the median difference. Bold: better than "
        "every other row but the oracle and those given the diagnosis, by tests of every two rows, Holm-corrected over "
        "all of them."
    )


def marks(tests: Sequence[PairedTest], bold: Collection[tuple[str, str]] = ()) -> dict[tuple[str, str], str]:
    """The signs behind the cells of the other rows, by measure and row; before those of bold cells BEST."""
    clear = [test for test in tests if test.p_holm < ALPHA and test.better]
    signs = {(t.measure, t.second): "*" if t.better == t.first else "†" for t in clear}
    return signs | {cell: BEST + signs.get(cell, "") for cell in bold}


def too_few(tests: Sequence[PairedTest]) -> list[str]:
    """Said where so few subjects were judged that no difference, however large, could pass."""
    if not tests:
        return []
    subjects = max(test.n for test in tests)
    least = len(tests) * 2.0 ** (1 - subjects)
    if least < ALPHA:
        return []
    return [f"{subjects} subjects are too few for these {len(tests)} tests: no difference, however large, can pass."]


def table_of_tests(tests: Sequence[PairedTest], name: str) -> Table:
    """All tests of a family, a row each."""
    first = tests[0].first
    heads = ("measure", "against", "subjects", f"median of {first} − other", "better", "p", "p, Holm")
    rows = []
    for t in tests:
        better = t.better if t.p_holm < ALPHA and t.better else "not told apart"
        rows.append((t.measure, t.second, str(t.n), f"{t.difference:.3g}", better, f"{t.p:.2g}", f"{t.p_holm:.2g}"))
    title = f"Paired tests: {first} against each other row ({len(tests)} tests, one family)"
    return Table(title, heads, tuple(rows), f"{name}-tests")
