"""The paper's tables as text: rows are models, every cell a mean ± SD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cheart.evaluation.phenotypes import PAPER_FIVE, UNITS
from cheart.labels import STRUCTURES

Summary = Mapping[str, Any]
"""What the judges of :mod:`cheart.tasks` summarise; a cell's entry has a mean and an SD."""

PHENOTYPES = ("lvedv", "lvesv", "rvedv", "rvesv", "lvm")
"""In the order of the paper's tables."""

assert set(PHENOTYPES) == set(PAPER_FIVE)


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        title: what it shows.
        columns: heads, the first of the row names.
        rows: cells, as many a row as columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Aligned for a terminal."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[k]) for line in lines) for k in range(len(self.columns))]
        shown = [
            "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
            for line in lines
        ]
        return "\n".join([self.title, *shown])

    def markdown(self) -> str:
        """For a document."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = [f"| {' | '.join(line)} |" for line in (self.columns, rule, *self.rows)]
        return "\n".join([f"**{self.title}**", "", *lines])


def completion_tables(models: Mapping[str, Summary]) -> list[Table]:
    """Table I, and the phenotypes of completed hearts.

    Args:
        models: each model's ``Completion.summary()``.
    """
    tables = []
    for measure, title, digits in (("dice", "Dice", 3), ("hd", "HD, mm", 2), ("assd", "ASSD, mm", 2)):
        keys = [*(f"{measure}_{s}" for s in STRUCTURES), measure]
        heads = ["LV", "Myo", "RV", "Average"]
        if measure == "dice":
            keys, heads = [*keys, "dice_es"], [*heads, "Average at ES"]
        tables.append(_table(f"Completion: {title}", heads, keys, models, digits))
    heads, keys = [f"{n.upper()}, {UNITS[n]}" for n in PHENOTYPES], [f"d_{n}" for n in PHENOTYPES]
    return [*tables, _table("Completion: |d| of phenotypes", heads, keys, models, 1)]


def generation_tables(models: Mapping[str, Summary]) -> list[Table]:
    """Tables II, III and IV, and the seam of the beat.

    Args:
        models: each model's ``Generation.summary()``.
    """
    likeness = {name: value["likeness"] for name, value in models.items()}
    both = ("mean", "best")
    tables = [
        _table(
            "Generation: likeness to the real heart of the same conditions",
            [f"{head} {which}" for head in ("Dice", "HD mm", "ASSD mm") for which in both],
            [f"{key}_{which}" for key in ("dice", "hd", "assd") for which in both],
            likeness,
            2,
        ),
        _table(
            "Generation: |d| of phenotypes",
            [f"{n.upper()} {UNITS[n]} {which}" for n in PHENOTYPES for which in both],
            [f"d_{n}_{which}" for n in PHENOTYPES for which in both],
            likeness,
            1,
        ),
    ]
    titles = {
        "w1": "W1, pooled",
        "w1_by_decade": "W1, by age decade",
        "kl": "KL, pooled",
        "kl_by_decade": "KL, by decade",
    }
    for key, title in titles.items():
        cells = {name: {n: entry[key] for n, entry in value["distributions"].items()} for name, value in models.items()}
        unit = "nats" if key.startswith("kl") else "mL, LVM g"
        heads = [n.upper() for n in PHENOTYPES]
        tables.append(_table(f"Distributions: {title} ({unit})", heads, PHENOTYPES, cells, 2))
    seams = {name: value["seam"]["generated"] for name, value in models.items()}
    seams["real hearts"] = next(iter(models.values()))["seam"]["real"]
    keys = [*(f"seam_ml_{s}" for s in STRUCTURES), *(f"seam_dice_{s}" for s in STRUCTURES), "jump"]
    heads = [*(f"{s.upper()} mL" for s in STRUCTURES), *(f"{s.upper()} Dice" for s in STRUCTURES), "jumps"]
    return [*tables, _table("Seam: from the last frame to the first", heads, keys, seams, 2)]


def response_table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """A model's slope over the cohort's, with the verdict.

    Args:
        found: of :func:`cheart.tasks.judge_response.evaluate_response`.
    """
    rows = []
    for condition, by_phenotype in found.items():
        entries = [by_phenotype.get(n) for n in PHENOTYPES]
        cells = ["n/a" if e is None else f"{e['ratio']:.2f} {e['verdict']}" for e in entries]
        rows.append((condition, *cells))
    heads = ("condition", *(n.upper() for n in PHENOTYPES))
    return Table("Condition response: the model's slope over the cohort's", heads, tuple(rows))


def _table(title: str, heads: Any, keys: Any, models: Mapping[str, Summary], digits: int) -> Table:
    rows = [(name, *(mean_sd(summary.get(key), digits) for key in keys)) for name, summary in models.items()]
    return Table(title, ("", *heads), tuple(rows))


def mean_sd(entry: Any, digits: int) -> str:
    """Mean ± SD; ``n/a`` for what could not be computed."""
    if entry is None or entry["mean"] is None or entry["mean"] != entry["mean"]:
        return "n/a"
    return f"{entry['mean']:.{digits}f}±{entry['sd']:.{digits}f}"
