"""A table for documents: Markdown, CSV, LaTeX and HTML."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable

from cheart.evaluation.tables import Cell, Estimate, Table

_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$", "|": r"$|$", "±": r"$\pm$",
    "−": r"$-$", "×": r"$\times$", "‖": r"$\Vert$", "Δ": r"$\Delta$", "≥": r"$\geq$", "…": r"\dots{}", "–": "--",
    "†": r"$^\dagger$", "*": r"$^\ast$",
}  # fmt: skip


def markdown(table: Table) -> str:
    """With its title above and its notes beneath."""
    rule = ["---", *["---:"] * (len(table.columns) - 1)]
    body = [[str(cell).replace("|", r"\|").replace("*", r"\*") for cell in row] for row in table.rows]
    lines = [f"| {' | '.join(line)} |" for line in ([c.replace("|", r"\|") for c in table.columns], rule, *body)]
    return "\n".join([f"**{table.title}**", "", *lines, *(["", table.notes] if table.notes else [])])


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
    lines = [" & ".join(map(_tex, line)) + r" \\" for line in (table.columns, *(map(str, row) for row in table.rows))]
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
        return html.escape(str(cell))
    number, _, sd = str(Estimate(cell.mean, cell.sd, cell.digits)).partition("±")
    mark = f"<sup>{html.escape(cell.mark)}</sup>" if cell.mark else ""
    return f'{number}<span class="sd">±{sd}</span>{mark}'


FORMATS: dict[str, Callable[[Table], str]] = {".csv": comma_separated, ".md": markdown, ".tex": latex}
"""How a table is written, by its file's suffix."""
