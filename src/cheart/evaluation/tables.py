"""The paper's tables: rows are models, every cell a mean ± SD; and as Markdown, CSV, LaTeX and HTML."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cheart.labels import STRUCTURES
from cheart.phenotypes import PAPER_FIVE, UNITS

Summary = Mapping[str, Any]
"""What the judges summarise; a cell's entry has a mean and an SD."""

Marks = Mapping[tuple[str, str], str]
"""By measure and row: the sign behind a cell, such as ``*`` for a difference that a test found. Before the sign may
stand :data:`BEST`, for a cell that tests say is better than every other model's."""

BEST = "best "

PHENOTYPES = ("lvedv", "lvesv", "rvedv", "rvesv", "lvm")
"""In the order of the paper's tables."""

assert set(PHENOTYPES) == set(PAPER_FIVE)


LIKENESS = (("dice", "Dice", 3), ("hd", "HD, mm", 2), ("assd", "ASSD, mm", 2))
"""Measure, title, digits."""

UNKNOWN = "n/a"
"""A cell that could not be computed."""


@dataclass(frozen=True)
class Estimate:
    """A mean ± SD in a cell.

    Attributes:
        mean, sd: nan for what could not be computed.
        digits: shown after the point.
        mark: behind it; never the word :data:`BEST`, which :func:`estimate` reads.
        best: whether tests say that it is the best of its column, which is then bold.
    """

    mean: float
    sd: float
    digits: int
    mark: str = ""
    best: bool = False

    def __str__(self) -> str:
        if self.mean != self.mean:
            return UNKNOWN
        sd = "n/a" if self.sd != self.sd else f"{self.sd:.{self.digits}f}"
        return f"{self.mean:.{self.digits}f}±{sd}{self.mark}"


class Best(str):
    """A cell of text that tests say is the best of its column, and that is bold where letters can be."""

    __slots__ = ()
    best = True


Cell = str | Estimate


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: what it shows.
        columns: heads, the first of the row names.
        rows: cells, as many a row as columns.
        name: the stem of its files.
        notes: what stands beneath it: definitions, and what the marks mean.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    name: str = ""
    notes: str = ""

    @property
    def known(self) -> bool:
        """Whether anything in it could be computed."""
        cells = [cell for row in self.rows for cell in row[1:]]
        return any(str(cell) != UNKNOWN for cell in cells)

    def frame(self) -> pd.DataFrame:
        """As numbers: a column of mean ± SD becomes two; the rows' names are the index."""
        columns: dict[str, list[Any]] = {}
        for k, head in enumerate(self.columns[1:], start=1):
            cells = [row[k] for row in self.rows]
            columns[head] = [cell.mean if isinstance(cell, Estimate) else cell for cell in cells]
            if any(isinstance(cell, Estimate) for cell in cells):
                columns[f"{head} SD"] = [cell.sd if isinstance(cell, Estimate) else float("nan") for cell in cells]
        return pd.DataFrame(columns, index=[str(row[0]) for row in self.rows])

    def text(self) -> str:
        """Aligned for a terminal."""
        lines = [self.columns, *(tuple(map(str, row)) for row in self.rows)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(self.columns))]
        shown = [
            "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
            for line in lines
        ]
        return "\n".join([self.title, *shown])


def completion_tables(models: Mapping[str, Summary], marks: Marks | None = None) -> list[Table]:
    """Table I, and the phenotypes of completed hearts.

    Args:
        models: each model's ``Completion.summary()``.
        marks: of cells.
    """
    tables = []
    for measure, title, digits in LIKENESS:
        keys = [*(f"{measure}_{s}" for s in STRUCTURES), measure]
        heads = ["LV", "Myo", "RV", "Average"]
        keys, heads = [*keys, f"{measure}_es", f"{measure}_given"], [*heads, "Average at ES", "Given frame"]
        tables.append(_table(f"table-1-{measure}", f"Completion: {title}", heads, keys, models, digits, marks))
    heads, keys = [f"{n.upper()}, {UNITS[n]}" for n in PHENOTYPES], [f"d_{n}" for n in PHENOTYPES]
    name = "completed-phenotypes"
    return [*tables, _table(name, "Completion: |d| of phenotypes", heads, keys, models, 1, marks)]


def systole_tables(models: Mapping[str, Summary], marks: Marks | None = None) -> list[Table]:
    """Completion at end-systole alone, where only it and end-diastole were observed.

    Args:
        models: each model's ``Completion.summary()``.
        marks: of cells.
    """
    tables, heads = [], ["LV", "Myo", "RV", "Average"]
    for measure, title, digits in LIKENESS:
        keys, name = [*(f"{measure}_es_{s}" for s in STRUCTURES), f"{measure}_es"], f"end-systole-{measure}"
        tables.append(_table(name, f"Completion, end-systole: {title}", heads, keys, models, digits, marks))
    return tables


def generation_tables(models: Mapping[str, Summary], marks: Marks | None = None) -> list[Table]:
    """Tables II, III and IV, and the seam of the beat.

    Args:
        models: each model's ``Generation.summary()``.
        marks: of the cells of Tables II and III.
    """
    likeness = {name: value["likeness"] for name, value in models.items()}
    both, title = ("mean", "best"), "Generation: likeness to the real heart of the same conditions"
    heads = [f"{head} {which}" for head in ("Dice", "HD mm", "ASSD mm") for which in both]
    keys = [f"{key}_{which}" for key in ("dice", "hd", "assd") for which in both]
    second = _table("table-2", title, heads, keys, likeness, 2, marks)
    heads = [f"{n.upper()} {UNITS[n]} {which}" for n in PHENOTYPES for which in both]
    keys = [f"d_{n}_{which}" for n in PHENOTYPES for which in both]
    third = _table("table-3", "Generation: |d| of phenotypes", heads, keys, likeness, 1, marks)
    return [second, third, *distribution_tables(models), _seam_table(models)]


def distribution_tables(models: Mapping[str, Summary]) -> list[Table]:
    """Table IV, of rows that have ``distributions``; what these lack is not known."""
    titles = {
        "w1": "W1, pooled",
        "w1_by_decade": "W1, by age decade",
        "kl": "KL, pooled",
        "kl_by_decade": "KL, by decade",
    }
    tables = []
    for key, title in titles.items():
        cells = {
            name: {n: entry.get(key) for n, entry in value["distributions"].items()} for name, value in models.items()
        }
        unit, digits = ("nats", 3) if key.startswith("kl") else ("mL, LVM g", 2)
        heads, name = [n.upper() for n in PHENOTYPES], f"table-4-{key.replace('_', '-')}"
        tables.append(_table(name, f"Distributions: {title} ({unit})", heads, PHENOTYPES, cells, digits))
    return tables


def _seam_table(models: Mapping[str, Summary]) -> Table:
    seams = {name: value["seam"]["generated"] for name, value in models.items()}
    seams["real hearts"] = next(iter(models.values()))["seam"]["real"]
    keys = [*(f"seam_ml_{s}" for s in STRUCTURES), *(f"seam_dice_{s}" for s in STRUCTURES), "jump"]
    heads = [*(f"{s.upper()} mL" for s in STRUCTURES), *(f"{s.upper()} Dice" for s in STRUCTURES), "jumps"]
    return _table("seam", "Seam: from the last frame to the first", heads, keys, seams, 2)


def response_table(models: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    """Each model's slope over the cohort's, with the verdict.

    Args:
        models: by model, of :func:`cheart.evaluation.response.evaluate_response`.
    """
    rows = []
    for model, found in models.items():
        for condition, by_phenotype in found.items():
            entries = [by_phenotype.get(n) for n in PHENOTYPES]
            rows.append((model, condition, *(UNKNOWN if e is None else _response_cell(e) for e in entries)))
    heads = ("", "condition", *(n.upper() for n in PHENOTYPES))
    return Table("Condition response: the model's slope over the cohort's", heads, tuple(rows), "response")


def _response_cell(entry: Mapping[str, Any]) -> str:
    """The ratio and the verdict; without the ratio where the cohort's slope may as well be 0."""
    text = f"{entry['ratio']:.2f} {entry['verdict']}"
    return text if clear_in_cohort(entry) else f"({entry['verdict']})"


def clear_in_cohort(entry: Mapping[str, Any]) -> bool:
    """Whether the interval of the cohort's own slope excludes 0."""
    cohort = entry["cohort"]
    return cohort["low"] is not None and bool(cohort["low"] > 0 or cohort["high"] < 0)


def memorisation_table(models: Mapping[str, Mapping[str, Any]]) -> Table:
    """How near generated hearts come to training hearts.

    Args:
        models: by model, of :func:`cheart.evaluation.memorisation.evaluate_memorisation`.
    """
    heads = ("", "ratio", "suspects", "median, generated", "median, held out", "training hearts")
    rows = []
    for name, one in models.items():
        medians = (f"{one['median'][whose]:.3f}" for whose in ("generated", "held_out"))
        rows.append((name, f"{one['ratio']:.2f}", f"{one['suspects']:.2f}", *medians, str(one["training_hearts"])))
    return Table("Memorisation: distance to the nearest training heart", heads, tuple(rows), "memorisation")


def truth_table(models: Mapping[str, Mapping[str, Mapping[str, float]]], marks: Marks | None = None) -> Table:
    """Each model against the true conditional distribution.

    Args:
        models: by model, ``Truthfulness.summary()``.
        marks: of the cells of W1.
    """
    heads = ("", "phenotype", "W1", "floor", "spread", "bias, 95 % interval", "voxels", "coverage", "follow")
    rows: list[tuple[Cell, ...]] = []
    for name, by_phenotype in models.items():
        for n, t in ((n, by_phenotype[n]) for n in PHENOTYPES):
            w1 = marked(f"{t['w1']:.2f}", (marks or {}).get((f"w1_{n}", name), ""))
            bias = f"{t['bias']:.1f} ({t['bias_low']:.1f} to {t['bias_high']:.1f})"
            floor, spread, coverage, follow = (f"{t[key]:.2f}" for key in ("floor", "spread", "coverage", "follow"))
            head = f"{n.upper()}, {UNITS[n]}"
            rows.append((name, head, w1, floor, spread, bias, f"{t['voxels']:.1f}", coverage, follow))
        mark, e = (marks or {}).get(("energy", name), ""), by_phenotype["energy"]
        energy = marked(f"{e['value']:.3f} ({e['low']:.3f} to {e['high']:.3f})", mark)
        rows.append((name, "all five, energy", energy, "0", *[""] * 5))
    return Table("Generated hearts against the true distribution of each person", heads, tuple(rows), "truth")


def marked(text: str, mark: str) -> str:
    """A cell of text with its mark, bold where that says so."""
    return Best(text + mark.removeprefix(BEST)) if mark.startswith(BEST) else text + mark


def _table(
    name: str, title: str, heads: Any, keys: Any, models: Mapping[str, Summary], digits: int, marks: Marks | None = None
) -> Table:
    marks = marks or {}
    rows: list[tuple[Cell, ...]] = [
        (row, *(estimate(summary.get(key), digits, marks.get((key, row), "")) for key in keys))
        for row, summary in models.items()
    ]
    return Table(title, ("", *heads), tuple(rows), name)


def estimate(entry: Any, digits: int, mark: str = "") -> Estimate:
    """A mean ± SD; nan for what could not be computed."""
    mean, sd = (None, None) if entry is None else (entry["mean"], entry["sd"])
    nan = float("nan")
    best = mark.startswith(BEST)
    return Estimate(nan if mean is None else mean, nan if sd is None else sd, digits, mark.removeprefix(BEST), best)


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$", "|": r"$|$", "±": r"$\pm$",
    "−": r"$-$", "×": r"$\times$", "‖": r"$\Vert$", "Δ": r"$\Delta$", "≥": r"$\geq$", "…": r"\dots{}", "–": "--",
    "†": r"$^\dagger$", "*": r"$^\ast$",
}  # fmt: skip


def markdown(table: Table) -> str:
    """With its title above and its notes beneath."""
    rule = ["---", *["---:"] * (len(table.columns) - 1)]
    body = [
        [_bold(cell, str(cell).replace("|", r"\|").replace("*", r"\*"), "**", "**") for cell in row]
        for row in table.rows
    ]
    lines = [f"| {' | '.join(line)} |" for line in ([c.replace("|", r"\|") for c in table.columns], rule, *body)]
    return "\n".join([f"**{table.title}**", "", *lines, *(["", table.notes] if table.notes else [])])


def _bold(cell: Cell, text: str, before: str, after: str) -> str:
    return f"{before}{text}{after}" if getattr(cell, "best", False) else text


def comma_separated(table: Table) -> str:
    """For machines: a mean ± SD becomes two columns of plain numbers, and a third for marks where there are any."""
    kinds = [_parts(table, k) for k in range(len(table.columns))]
    heads = [
        " ".join(filter(None, (column or "model", part)))
        for column, parts in zip(table.columns, kinds, strict=True)
        for part in parts
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    for row in table.rows:
        writer.writerow([_part(cell, part) for cell, parts in zip(row, kinds, strict=True) for part in parts])
    return out.getvalue()


def _parts(table: Table, column: int) -> tuple[str, ...]:
    """What a column of cells is taken apart into."""
    cells = [row[column] for row in table.rows if isinstance(row[column], Estimate)]
    if not cells:
        return ("",)
    return ("mean", "SD", "mark") if any(isinstance(c, Estimate) and c.mark for c in cells) else ("mean", "SD")


def _part(cell: Cell, part: str) -> str:
    if isinstance(cell, str):
        return cell if part in ("", "mean") else ""
    if part == "mark":
        return cell.mark
    value = cell.mean if part == "mean" else cell.sd
    return "" if value != value else f"{value:.6g}"


def latex(table: Table) -> str:
    r"""A ``table`` of the booktabs package, to ``\input``."""
    rows = [[_bold(cell, _tex(str(cell)), r"\textbf{", "}") for cell in row] for row in table.rows]
    lines = [" & ".join(line) + r" \\" for line in (map(_tex, table.columns), *rows)]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering\small",
            rf"\caption{{{_tex(table.title)}}}",
            *([rf"\label{{tab:{table.name}}}"] if table.name else []),
            rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            *([rf"\par\medskip\footnotesize {_tex(table.notes)}"] if table.notes else []),
            r"\end{table}",
        ]
    )


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in text)


def hypertext(table: Table) -> str:
    """A ``<table>`` with its title as the caption; the notes are left to the page, which may share them."""
    escape = html.escape
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(str(row[0]))}</th>{"".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])}</tr>\n'
        for row in table.rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(table.title)}</caption>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>"
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, str) or cell.mean != cell.mean:
        return _bold(cell, html.escape(str(cell)), "<strong>", "</strong>")
    number, _, sd = str(Estimate(cell.mean, cell.sd, cell.digits)).partition("±")
    mark = f"<sup>{html.escape(cell.mark)}</sup>" if cell.mark else ""
    return f'{_bold(cell, number, "<strong>", "</strong>")}<span class="sd">±{sd}</span>{mark}'


FORMATS: dict[str, Callable[[Table], str]] = {".csv": comma_separated, ".md": markdown, ".tex": latex}
"""How a table is written, by its file's suffix."""
