"""The report as one HTML file that needs nothing else: inline style, pictures as data URIs, no scripts."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from cheart.evaluation.formats import hypertext
from cheart.evaluation.tables import Table
from cheart.paper import comparison as statistics
from cheart.paper import published as paper
from cheart.paper.figures import FigureFile
from cheart.paper.recommendations import Remark
from cheart.paper.sections import Section

STYLE = """
:root { --ink: #26262a; --grey: #63636a; --line: #d9d9de; --soft: #f5f5f7; --blue: #1468b0; --sand: #fbf6ee; }
* { box-sizing: border-box; }
body { font: 16px/1.55 "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: var(--ink);
  background: white; margin: 0 auto; max-width: 66rem; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.35rem; margin: 2.8rem 0 .6rem; padding-top: .6rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.02rem; margin: 1.4rem 0 .3rem; }
p { margin: .5rem 0; }
.lead { font-size: 1.1rem; color: var(--grey); margin: 0 0 1rem; }
.banner { background: var(--sand); border-left: 5px solid #cc8a24; padding: .35rem 1rem; margin: 1rem 0; }
.banner p { margin: .3rem 0; }
nav { font-size: .92rem; line-height: 1.9; }
nav a { color: var(--blue); margin-right: 1.1rem; white-space: nowrap; text-decoration: none; }
.remark { margin: .9rem 0; padding: .1rem 0 .1rem .9rem; border-left: 3px solid var(--line); }
.remark p { margin: .2rem 0; }
.verdict { display: inline-block; font-size: .78rem; font-weight: 600; letter-spacing: .03em; padding: .05rem .5rem;
  border-radius: 1rem; margin-left: .5rem; border: 1px solid currentColor; vertical-align: .1em; white-space: nowrap; }
.met { color: #1a6b3c; } .not-met { color: #a83216; } .not-checked { color: var(--grey); }
.rule, .notes, .gaps { font-size: .88rem; color: var(--grey); }
.gaps { margin: .3rem 0 .3rem 1.1rem; padding: 0; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; min-width: 50%; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .26rem .75rem .26rem 0; text-align: right; white-space: nowrap; vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
thead th { white-space: normal; vertical-align: bottom; border-bottom: 1.5px solid var(--ink); font-weight: 600; }
tbody tr { border-bottom: 1px solid var(--line); }
tbody th { font-weight: 500; }
.sd { color: var(--grey); font-size: .88em; }
sup { font-weight: 700; line-height: 0; }
.text td { text-align: left; white-space: normal; }
.text th { text-align: left; }
.paper { background: var(--soft); padding: .6rem 1rem .4rem; margin: 1.2rem 0; border-radius: 4px; }
.paper > p { font-size: .88rem; margin: 0; font-weight: 600; }
.paper table { font-size: .82rem; }
details { margin: .8rem 0; } summary { cursor: pointer; font-size: .92rem; color: var(--blue); }
figure { margin: 1.6rem 0; } figure img { max-width: 100%; height: auto; border: 1px solid var(--line); }
figcaption { font-size: .92rem; color: var(--grey); }
code { font: .86em/1.4 "SF Mono", Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
@page { size: A4; margin: 15mm; }
@media print {
  body { font-size: 9.5pt; max-width: none; padding: 0; }
  nav, summary { display: none; }
  h2 { break-after: avoid; } .wide, figure, .remark { break-inside: avoid; overflow: visible; }
  table { font-size: 7pt; min-width: 0; } th, td { padding-right: .45rem; } .paper table { font-size: 6.5pt; }
  a { color: inherit; }
}
"""


@dataclass(frozen=True)
class Page:
    """All that stands on the page.

    Attributes:
        title, lead: what this is, and of what.
        warnings: what a reader must not miss, such as that hearts are simulated.
        claims, recommendations: the short version.
        sections: the tables.
        figures: with those that could not be drawn.
        made: tables of how it was made: what was asked, models, steps.
        facts: seeds, versions, fingerprints, by name.
    """

    title: str
    lead: str
    warnings: Sequence[str]
    claims: Sequence[Remark]
    recommendations: Sequence[Remark]
    sections: Sequence[Section]
    figures: Sequence[FigureFile]
    made: Sequence[Table]
    facts: Mapping[str, str]


def render(page: Page) -> str:
    """The whole file."""
    places = [("short", "In short"), *((s.name, s.title) for s in page.sections)]
    drawn = [("figures", "Figures")] if page.figures else []
    places += [*drawn, ("made", "How this was made")]
    body = [
        f"<h1>{escape(page.title)}</h1>",
        f'<p class="lead">{escape(page.lead)}</p>',
        '<div class="banner">' + "".join(f"<p>{escape(text)}</p>" for text in page.warnings) + "</div>",
        "<nav>" + "".join(f'<a href="#{escape(n)}">{escape(t)}</a> ' for n, t in places) + "</nav>",
        _short(page),
        *map(_section, page.sections),
        *(_heading(*place) for place in drawn),
        *(_figure(figure) for figure in page.figures if not figure.skipped),
        _list(figure.reason for figure in page.figures if figure.skipped),
        _made(page),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(page.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _heading(name: str, title: str) -> str:
    return f'<h2 id="{escape(name)}">{escape(title)}</h2>'


def _short(page: Page) -> str:
    return "\n".join(
        [
            _heading("short", "In short"),
            *(["<h3>Which model for what</h3>"] if page.recommendations else []),
            *map(_remark, page.recommendations),
            *(["<h3>Claims, checked</h3>"] if page.claims else []),
            *map(_remark, page.claims),
        ]
    )


def _remark(remark: Remark) -> str:
    badge = ""
    if remark.verdict:
        badge = f'<span class="verdict {remark.verdict.replace(" ", "-")}">{escape(remark.verdict)}</span>'
    return (
        f'<div class="remark"><p><strong>{escape(remark.title)}</strong>{badge}</p>\n<p>{escape(remark.text)}</p>\n'
        f'<p class="rule">{escape(remark.rule)}</p></div>'
    )


def _section(section: Section) -> str:
    parts = [_heading(section.name, section.title), *map(hypertext, section.tables)]
    parts.append(f'<p class="notes">{escape(section.definitions)}</p>')
    parts.append(_list(section.gaps))
    if section.tests:
        table = hypertext(statistics.table_of_tests(section.tests, section.name))
        parts.append(f"<details><summary>All {len(section.tests)} tests</summary>\n{table}</details>")
    if section.paper:
        tables = "\n".join(map(hypertext, section.paper))
        parts.append(f'<div class="paper"><p>{escape(paper.CAPTION)}</p>\n{tables}</div>')
    return "\n".join(parts)


def _list(items: Iterable[str]) -> str:
    lines = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f'<ul class="gaps">{lines}</ul>' if lines else ""


def _figure(figure: FigureFile) -> str:
    data, title = base64.b64encode(figure.png.read_bytes()).decode("ascii"), escape(f"{figure.number}: {figure.title}")
    return (
        f'<figure id="{escape(figure.name)}"><img src="data:image/png;base64,{data}" alt="{title}">\n'
        f"<figcaption><strong>{title}.</strong> {escape(figure.caption)}</figcaption></figure>"
    )


def _made(page: Page) -> str:
    facts = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td><code>{escape(value)}</code></td></tr>\n'
        for name, value in page.facts.items()
    )
    return "\n".join(
        [
            _heading("made", "How this was made"),
            *map(hypertext, page.made),
            '<div class="wide"><table class="text"><caption>Seeds, versions, fingerprints</caption>',
            f"{facts}</table></div>",
        ]
    )
