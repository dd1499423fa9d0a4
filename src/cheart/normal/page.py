"""A report as one HTML page that needs nothing else, for a screen and for A4; as PDF by a browser that is at hand."""

from __future__ import annotations

import base64
import math
import shutil
import subprocess
from collections.abc import Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cheart._version import __version__
from cheart.errors import InputError
from cheart.files import new_file
from cheart.normal import pictures
from cheart.normal.findings import RESEARCH, Finding, Published
from cheart.normal.published import SOURCES

if TYPE_CHECKING:
    from cheart.normal.report import Report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
"""Programs that print a page to PDF, in the order in which they are looked for."""

_SECONDS = 120
_NAMED = 6


def write_page(path: Path, made: Report) -> None:
    """Write a report as ``.html`` or ``.pdf``.

    Raises:
        InputError: another suffix, or no browser for a PDF.
    """
    refuse_suffix(path)
    wanted = path.suffix.lower() == ".pdf"
    browser = find_browser() if wanted else None
    if wanted and browser is None:
        raise InputError(
            f"{path.name}: a PDF needs a browser ({', '.join(BROWSERS[:3])}), and none was found; write .html"
        )
    text = page(made)
    with new_file(path) as partial:
        if browser is None:
            partial.write_text(text, encoding="utf-8")
        else:
            _print(browser, text, partial)


def refuse_suffix(path: Path) -> None:
    """
    Raises:
        InputError: neither ``.html`` nor ``.pdf``.
    """
    if path.suffix.lower() not in (".html", ".pdf"):
        raise InputError(f"report {path.name!r}: expected a name that ends in .html or .pdf")


def find_browser() -> str | None:
    """A browser that can print, None where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def _print(browser: str, text: str, path: Path) -> None:
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "page.html", Path(folder) / "page.pdf"
        source.write_text(text, encoding="utf-8")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", f"--print-to-pdf={target}",
                   source.as_uri()]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        if not target.is_file():
            raise InputError(f"{browser} printed no PDF (exit code {done.returncode}); write .html and print that")
        shutil.copyfile(target, path)


def page(made: Report) -> str:
    """The page as text."""
    wall = [made.values[f"wall_{i}"] for i in range(1, 18)]
    by_name = {f.measure.name: f for f in made.findings}
    z = [by_name[f"wall_{i}"].z if f"wall_{i}" in by_name else math.nan for i in range(1, 18)]
    known = {n: v for n, v in made.conditions.items() if v is not None}
    main = [f for f in made.findings if not f.measure.name[5:].isdigit()]
    parts = [
        f"<header><h1>One heart beside what is normal</h1><p class='who'>{escape(made.who)}</p>"
        f"<p class='research'>{escape(RESEARCH)}</p>{_trained(made)}</header>",
        _summary(made, main),
        "<section><h2>Where this heart lies</h2>"
        + _svg(pictures.z_scores(main), "z-scores of every measure")
        + "</section>",
        "<section><h2>Figures</h2>" + _table(main) + "</section>",
        "<section class='two'><div><h2>Wall at end-diastole (mm)</h2>"
        + _svg(pictures.bulls_eye(wall, z), "wall thickness of the 17 segments")
        + "</div><div><h2>Volume over the cycle</h2>"
        + _svg(pictures.volume_curve(made.values, made.heart, made.normal), "LV volume over the cycle, % of EDV")
        + "</div></section>",
    ]
    if not made.refused:
        curves = pictures.over_age(made.norms, dict(known), made.findings, made.quality["slices_mm"])
        parts.append("<section><h2>Over age</h2>" + _svg(curves, "measures against age") + "</section>")
    parts += [_heart(made), _input(made), _sources(made)]
    said = f"{RESEARCH} cheart {__version__}, trained on {made.model.trained_on}."
    title = "cheart: one heart beside what is normal"
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        f"<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{_STYLE}{_every_page(said)}</style></head>"
        f"<body><main>{''.join(parts)}</main><footer>{escape(said)}</footer></body></html>"
    )


def _every_page(words: str) -> str:
    """What is printed at the foot of every sheet."""
    quoted = words.replace("\\", " ").replace('"', "'").replace("<", " ")
    return f'@page {{ @bottom-left {{ content: "{quoted}"; font: 7pt sans-serif; color: #7a3b00; }} }}'


def _trained(made: Report) -> str:
    kind = made.model.config["trained_on"]["kind"]
    simulated = " <b>Simulated hearts: they stand for published figures, not for people who were seen.</b>" * (
        kind == "simulated"
    )
    return f"<p>Normal here is what a model expects: {escape(made.norms.source)}.{simulated}</p>"


def _summary(made: Report, main: Sequence[Finding]) -> str:
    if made.refused:
        why = _list(made.refused)
        return (
            f"<section class='refused'><h2>Not judged</h2><p>The model says nothing of this heart:</p>{why}</section>"
        )
    unusual = sorted((f for f in main if f.unusual), key=lambda f: -abs(f.z))
    judged = [f for f in main if math.isfinite(f.z)]
    words = (
        f"{len(unusual)} of {len(judged)} measures lie outside the central 95 % of such people; "
        "one in twenty does by chance."
    )
    listed = "".join(
        f"<li><b>{escape(f.measure.title)} {_figure(f.value)} {f.measure.unit}</b>, expected {_expected(f)}: "
        f"z {f.z:+.1f} ± {f.error:.1f}</li>"
        for f in unusual[:_NAMED]
    )
    whole = differ = ""
    if math.isfinite(made.joint):
        whole = f"<p>Taken together, the heart is more unusual than those of {_percent(made.joint)} of such people.</p>"
    elsewhere = [f.measure.title for f in main if f.verdicts_differ]
    if elsewhere:
        titles = escape(", ".join(elsewhere))
        differ = f"<p class='differ'>Publications put it on the other side of 95 % for: {titles} (see the table).</p>"
    return f"<section><h2>In short</h2><p>{words}</p><ul>{listed}</ul>{whole}{differ}</section>"


def _percent(share: float) -> str:
    return "over 99.9 %" if share > 99.9 else f"{share:.0f} %" if share < 99 else f"{share:.1f} %"


_HEADS = ("", "this heart", "expected (central 95 %)", "z ± error", "centile", "published: mean (95 %)")
_TABLE_NOTE = (
    "z ± error: by the model's conditional distribution for this person; the error holds what the imaging adds, what "
    "conditions that are not known leave open, and the finite number of hearts. ≠: the model expects a mean one "
    "published standard deviation or more away: the two do not speak of the same people or contours."
)


def _table(main: Sequence[Finding]) -> str:
    head = "".join(f"<th>{text}</th>" for text in _HEADS)
    rows = "".join(map(_row, main))
    note = f"<p class='note'>{_TABLE_NOTE}</p>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}"


def _row(f: Finding) -> str:
    judged = math.isfinite(f.z)
    cells = (
        f"{_figure(f.value)} {f.measure.unit}",
        _expected(f) if judged else "",
        f"{f.z:+.2f} ± {f.error:.2f}" if judged else "not judged",
        _centile(f.centile) if judged else "",
        "<br>".join(map(_published, f.published)),
    )
    kind = " class='unusual'" if f.unusual else ""
    return f"<tr{kind}><th>{escape(f.measure.title)}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _published(p: Published) -> str:
    span = f"{_figure(p.range.mean)} ({_figure(p.range.low)} to {_figure(p.range.high)})"
    per = " per m²" if p.range.per_surface else ""
    apart = " <b>≠</b>" if p.disagrees else ""
    return f"{span}{per}, z {p.z:+.1f}{apart} <small>{escape(p.range.source)}</small>"


def _expected(f: Finding) -> str:
    return f"{_figure(f.expected)} ({_figure(f.low)} to {_figure(f.high)})"


def _centile(share: float) -> str:
    return "&lt; 0.1" if share < 0.1 else "&gt; 99.9" if share > 99.9 else f"{share:.1f}"


def _list(sentences: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in sentences) + "</ul>" if sentences else ""


_COMPLETED = "Completed by the model from end-diastole, for looking at: nothing above was measured on it."


def _heart(made: Report) -> str:
    image = base64.b64encode(pictures.still(made.heart, "as imaged")).decode()
    still = f"<img class='wide' alt='the heart at end-diastole and end-systole' src='data:image/png;base64,{image}'>"
    moving = ""
    if made.beat is not None:
        gif = base64.b64encode(pictures.beating(made.beat, "for looking at")).decode()
        note = "" if made.beat is made.heart else f"<p class='note'>{_COMPLETED}</p>"
        moving = f"<div class='beat'><img alt='the heart as it beats' src='data:image/gif;base64,{gif}'>{note}</div>"
    return f"<section><h2>The heart</h2>{still}{moving}</section>"


def _input(made: Report) -> str:
    q = made.quality
    cut = f"{q['slices']} slices with LV cavity, {q['slices_mm'] or 0:g} mm apart"
    facts = ["seen whole" if q["slices_mm"] is None else cut, f"{q['frames']} of {made.heart.frames} frames"]
    if q["cycle_s"]:
        facts.append(f"cycle {q['cycle_s']:.2f} s ({60 / q['cycle_s']:.0f} beats a minute)")
    if q["slice_shift_mm"]:
        facts.append(f"slices moved in plane by {q['slice_shift_mm']:.1f} mm in the mean, against breath-holds")
    words = escape("; ".join(facts))
    remarks = _list([*q["remarks"], *made.heart.warnings, *made.missing])
    return f"<section><h2>The input, and what was missing</h2><p>{words}.</p>{remarks}</section>"


_LIMITS = (
    "Volumes count voxels (papillary muscles in the cavity); wall is measured in short-axis planes, by segment. "
    "The model knows age, sex, weight, height and blood pressure as far as they were given; not ancestry, training or "
    "drugs. Contours of other hands or programs differ by more than many of the differences above."
)


def _sources(made: Report) -> str:
    used = dict.fromkeys(p.range.source for f in made.findings for p in f.published)
    words = [f"{name}: {SOURCES[name]}" for name in used] or ["No published range was used: it takes sex and age."]
    return f"<section><h2>Sources and limits</h2>{_list(words)}<p>{_LIMITS}</p></section>"


def _svg(text: str, alt: str) -> str:
    data = base64.b64encode(text.encode()).decode()
    return f"<img class='wide' alt='{escape(alt)}' src='data:image/svg+xml;base64,{data}'>"


def _figure(value: float) -> str:
    return (
        "–"
        if math.isnan(value)
        else f"{value:.2f}"
        if abs(value) < 3
        else f"{value:.1f}"
        if abs(value) < 20
        else f"{value:.0f}"
    )


_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #2a2a33; background: #f4f4f2; margin: 0; }
main { max-width: 52rem; margin: 0 auto; padding: 1rem; }
header, section { background: #fff; border: 1px solid #ddd; border-radius: 6px; }
header, section { padding: .8rem 1.1rem; margin: 0 0 .9rem; }
h1 { font-size: 1.5rem; margin: .1rem 0; } h2 { font-size: 1.05rem; margin: .1rem 0 .4rem; }
.who { font-size: 1.1rem; margin: .2rem 0; } .note, small { color: #5c5c66; font-size: .82rem; }
.research, footer { color: #7a3b00; font-weight: 600; }
.refused { border: 2px solid #7a3b00; } .differ { color: #7a3b00; }
img.wide { width: 100%; height: auto; display: block; } .beat img { max-width: 100%; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .82rem; }
th, td { text-align: left; padding: .2rem .45rem; border-bottom: 1px solid #e4e4e4; vertical-align: top; }
tr.unusual { background: #fbf1e4; }
tbody th { font-weight: 500; } tr.unusual th, tr.unusual td:nth-child(4) { font-weight: 700; }
td:nth-child(2), td:nth-child(4), td:nth-child(5) { white-space: nowrap; }
footer { max-width: 52rem; margin: 0 auto 1rem; padding: 0 1rem; font-size: .8rem; }
@media (max-width: 40rem) { .two { grid-template-columns: 1fr; } table { display: block; overflow-x: auto; } }
@page { size: A4; margin: 14mm 13mm 17mm; }
@media print {
  body { background: #fff; font-size: 9.5pt; } main { max-width: none; padding: 0; }
  header, section { border: 0; padding: 0; margin: 0 0 4mm; break-inside: avoid; }
  section:has(table) { break-inside: auto; } tr { break-inside: avoid; } h2 { break-after: avoid; }
  table { font-size: 8pt; } th, td { padding: .1rem .3rem; } .beat img { max-height: 110mm; }
  footer { display: none; }
}
"""
