"""From results to files: tables, ``result.json``, and the report, one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from cheart.cohort import SPLITS
from cheart.conditions import DIAGNOSIS
from cheart.errors import InputError
from cheart.evaluation.references import diagnoses
from cheart.evaluation.tables import FORMATS, Table, hypertext
from cheart.files import new_file, read_json, sha256_of, write_json
from cheart.models.registry import PAPER_MODELS
from cheart.paper import comparison as statistics
from cheart.paper.experiment import Experiment
from cheart.paper.figures import FigureFile
from cheart.paper.folds import kinds_of
from cheart.paper.recommendations import Remark, claims, recommendations
from cheart.paper.results import Results
from cheart.paper.run import Run
from cheart.paper.score_sections import score_sections
from cheart.paper.sections import CAPTION, Outcome, Section, sections
from cheart.paper.step_cache import in_words
from cheart.provenance import provenance
from cheart.schemas import ModelJson, RunJson, VerdictJson, check_fields, read_checked

FORMAT = 2

Entries = Mapping[str, Mapping[str, Any]]
"""What ``steps.json`` says."""


def write_report(experiment: Experiment, results: Mapping[str, Results], steps: Entries) -> dict[str, Any]:
    """Write ``tables/``, ``result.json`` and ``report.html``.

    Returns:
        What ``result.json`` says.
    """
    out, cohort = experiment.out, experiment.people
    outcome = _outcome(experiment, results)
    parts = [*sections(outcome), *score_sections(outcome)]
    _write_tables(out / "tables", parts)
    listed = out / "figures" / "figures.json"
    figures = _figures(listed) if listed.is_file() else []
    checked = claims(outcome, parts) if experiment.folds == 1 else []
    advised = recommendations(outcome, parts)
    runs = {f"{run.label}{run.row}": _training(run) for run in experiment.runs()}
    about = {name: cohort.info[name] for name in ("kind", "title", "fingerprint")}
    other = experiment.judged
    counts = {split: len(cohort.indices(split)) for split in SPLITS} if experiment.folds == 1 else len(cohort)
    result = {
        "format": FORMAT,
        "kind": "reproduction" if experiment.folds == 1 else "cross-validation",
        "plan": experiment.lasting() | {"models": experiment.names},
        "cohort": {**about, "grid": cohort.grid.name, "frames": cohort.frames, "subjects": counts},
        "judged": None if other is None else {name: other.info[name] for name in about},
        "models": runs,
        "claims": [asdict(remark) for remark in checked],
        "recommendations": [asdict(remark) for remark in advised],
        "results": {row: one.summary() for row, one in results.items()},
        "tests": {part.name: [asdict(test) for test in part.tests] for part in parts if part.tests},
        "definitions": {part.name: part.definitions for part in parts},
        "gaps": {part.name: list(part.gaps) for part in parts if part.gaps},
        "figures_not_drawn": [figure.reason for figure in figures if figure.skipped],
        "steps": steps,
        "provenance": provenance(seed=experiment.seed),
    }
    page = Page(
        title=_title(experiment),
        lead=_lead(experiment),
        warnings=_warnings(experiment),
        claims=checked,
        recommendations=advised,
        sections=parts,
        figures=figures,
        made=[_trainings(runs), _times(steps)],
        facts=_facts(result),
    )
    _write_text(out / "report.html", render(page))
    write_json(out / "result.json", result)
    return result


def _figures(listed: Path) -> list[FigureFile]:
    """What figures.json lists."""
    found = read_json(listed)
    if not isinstance(found, list):
        raise InputError(f"{listed}: expected a list of figures; delete it, and they are drawn anew")
    return [FigureFile(**check_fields({**figure, "folder": listed.parent}, FigureFile, listed)) for figure in found]


def _outcome(experiment: Experiment, results: Mapping[str, Results]) -> Outcome:
    kinds, firsts = None, [experiment.models_of(fold)[0] for fold in range(experiment.folds)]
    judged = [(run.cohort, run.cohort.indices(run.split)[: experiment.subjects].tolist()) for run in firsts]
    groups = np.concatenate([diagnoses(cohort, indices) for cohort, indices in judged])
    if experiment.folds > 1:
        held_out = [int(i) for part in experiment.splits for i in part.indices("test")[: experiment.subjects]]
        kinds = kinds_of(experiment.people)[held_out]
    verdict = experiment.out / "evaluation" / "truth.json"
    why = read_checked(verdict, VerdictJson)["not_judged"] if verdict.is_file() else ""
    tasks = {name: model.tasks for name, model in experiment.classes.items()}
    return Outcome(results, tasks, experiment.reference, kinds, groups, why)


def _write_tables(folder: Path, parts: Sequence[Section]) -> None:
    """Every table in every format, and the parts as they stand in the report: ``table-1.md`` is all of Table I."""
    for part in parts:
        for table in part.files():
            for suffix, form in FORMATS.items():
                _write_text(folder / f"{table.name}{suffix}", form(table) + "\n")


def _write_text(path: Path, text: str) -> None:
    with new_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _training(run: Run) -> dict[str, Any]:
    """What is known of a training."""
    about = read_checked(run.folder / "run.json", RunJson)
    trained = ("preset", "seed", "epochs", "best_epoch", "best_validation_loss", "training_seconds")
    names = (*trained, "device", "threads", "choices")
    known = {name: about.get(name) for name in names}
    return {**known, "trained_here": run.taken is None, "weights": sha256_of(run.weights)}


def _title(experiment: Experiment) -> str:
    names = experiment.names
    if experiment.folds > 1:
        return f"Cross-validation: {', '.join(names)}"
    return "Models of the beating heart" if set(names) == set(PAPER_MODELS) else f"Models: {', '.join(names)}"


def _lead(experiment: Experiment) -> str:
    cohort = experiment.people
    networks = "" if experiment.networks == "preset" else "the paper's networks, "
    end = f"Preset {experiment.preset}, {networks}seed {experiment.seed}."
    what = f"{cohort.info['title']}, {cohort.frames} frames on the {cohort.grid.name} grid:"
    each = f"{experiment.hearts} hearts generated for each"
    if experiment.folds > 1:
        whom = f"by {experiment.reference}" if experiment.generating() else "by no model"
        return f"{what} {len(cohort)} subjects in {experiment.folds} folds; {each} {whom}. {end}"
    train, val, test = (len(cohort.indices(split)) for split in SPLITS)
    if experiment.judged is not None:
        count = len(experiment.judged) if experiment.subjects is None else experiment.subjects
        whom = f"judged on another cohort, of which training saw nobody: {count} of {experiment.judged.info['title']}"
        return f"{what} {train} for training, {val} for validation; {whom}; {each}. {end}"
    judged = test if experiment.subjects is None else min(experiment.subjects, test)
    return (
        f"{what} {train} for training, {val} for validation, {test} held out, of whom {judged} are judged here; "
        f"{each}. {end}"
    )


def _warnings(experiment: Experiment) -> list[str]:
    out = []
    if experiment.people.info["kind"] == "simulated":
        out.append(
            "These hearts are simulated. The figures say how well a model learns a known distribution, "
            "and nothing about patients."
        )
    for name, folder in experiment.taken.items():
        trained_on = read_checked(folder / "config.json", ModelJson)["trained_on"]
        if trained_on["fingerprint"] != experiment.people.fingerprint:
            out.append(f"{name} was trained on another cohort ({trained_on['title']}) than it is judged on.")
    if experiment.training_preset == "quick":
        out.append("A quick look: small networks, short trainings, few subjects. Not for comparison with the paper.")
    if DIAGNOSIS in experiment.people.schema.names:
        rows = f"; rows “… with {DIAGNOSIS}” are given it, to see what it is worth" if experiment.with_diagnosis else ""
        out.append(f"No model is given the diagnosis ({DIAGNOSIS}), which is defined by function in good part{rows}.")
    before = experiment.before(0)
    if before is not None:
        out.append(f"{before.name} went on from {experiment.start_from}; {before.row} is that model by itself.")
    return [*out, "A research tool; not a medical device."]


def _trainings(runs: Entries) -> Table:
    heads = ("model", "epochs", "best epoch", "validation loss", "time of the epochs", "device", "threads", "chosen on")
    rows = [
        (
            name, str(m["epochs"]), str(m["best_epoch"]), f"{m['best_validation_loss']:.4g}",
            in_words(m["training_seconds"]), str(m["device"]), str(m["threads"]),
            "; ".join(f"{what}: {where}" for what, where in (m["choices"] or {}).items()),
        )
        if m["epochs"]
        else (name, *["still in training"] * 4, str(m["device"]), str(m["threads"]))
        for name, m in runs.items()
    ]  # fmt: skip
    return Table("Trainings (validation losses of different models are not comparable)", heads, tuple(rows))


def _times(steps: Entries) -> Table:
    """How long each step took, and all together."""
    times = [(name, in_words(entry["seconds"]), entry["cheart"]) for name, entry in steps.items()]
    times.append(("all", in_words(sum(entry["seconds"] for entry in steps.values())), ""))
    return Table("Steps, and the time that each took", ("step", "time", "cheart"), tuple(times))


def _facts(result: Mapping[str, Any]) -> dict[str, str]:
    made = result["provenance"]
    return {
        "command": made["command"],
        "made": made["made"],
        "seed": str(made["seed"]),
        "cohort, SHA-256": result["cohort"]["fingerprint"],
        **{f"weights of {name}, SHA-256": about["weights"] for name, about in result["models"].items()},
        "cheart": made["cheart"],
        "Python": f"{made['python']} on {made['machine']}",
        **made["packages"],
    }


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
        parts.append(f'<div class="paper"><p>{escape(CAPTION)}</p>\n{tables}</div>')
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
