"""One page of a whole cohort for a cardiologist to go through: every heart at ED and ES, the most doubtful first.

    OUT/index.html    a row a heart; accept or reject, and save the verdicts from the page
    OUT/review.csv    the same to fill in by hand: participant_id, decision, reason, concerns

``cheart import … --review OUT/review.csv`` leaves out who was rejected.
"""

from __future__ import annotations

import csv
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.cohort import Cohort, read_table
from cheart.datasets.participants import read_people
from cheart.datasets.plausibility import DOUBTS
from cheart.datasets.posing import MIRRORED_DEG, MOVED_MM, RESTLESS_MM
from cheart.files import new_folder, refuse_existing
from cheart.heart import Heart
from cheart.plot.views import cut_image, long_axis_yx, short_axis_planes, window_around
from cheart.progress import Jobs, collect

REVIEW = "review.csv"

_PX_PER_MM = 0.8
_FAR = 3.5
"""Median absolute deviations (as standard deviations) beyond which a figure is far from the cohort's."""

_FIGURES = {
    "lvedv": "LVEDV {:.0f} mL", "lvef": "LVEF {:.0f} %", "lvm": "LV mass {:.0f} g", "rvedv": "RVEDV {:.0f} mL",
    "rvef": "RVEF {:.0f} %",
}  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """A heart as the page shows it."""

    who: str
    picture: bytes
    figures: Mapping[str, float]
    faults: Mapping[str, str]
    concerns: tuple[str, ...] = ()


def review(cohort: Cohort | Path | str, out: Path | str, *, jobs: Jobs = -1, overwrite: bool = False) -> list[str]:
    """Write one page with every heart at ED and ES, the most doubtful first, and a table for verdicts.

    ``review.csv``, filled in, goes to ``cheart.import_cohort(…, review="OUT/review.csv")``, which leaves out who was
    rejected. Verdicts of a table that is replaced are kept.

    Concerns are what :class:`cheart.validity.Validity` finds, a pose that looks wrong (``quality.tsv``), and figures
    far from the cohort's own. A fault that most hearts of the cohort have (thick slices have open walls) is said once
    and of nobody. Hearts with the most concerns come first, of equals the one furthest off.

    Args:
        cohort: whose hearts, or its folder.
        out: the folder to write.
        jobs: processes (−1: one a core) or a Dask scheduler.
        overwrite: replace what is there.

    Returns:
        The participants in the page's order.

    Raises:
        InputError: ``out`` exists and is not to be replaced.
    """
    out, cohort = Path(out), cohort if isinstance(cohort, Cohort) else Cohort.open(cohort)
    refuse_existing(out, overwrite=overwrite)
    before = _verdicts(out / REVIEW)
    rows = collect(_look, [(cohort, i) for i in range(len(cohort))], jobs=jobs, title="Drawing hearts")
    far, usual = _far_off(rows), _usual(rows)
    quality = read_table(cohort.path / "quality.tsv") if (cohort.path / "quality.tsv").is_file() else None
    doubts = [] if quality is None else [_pose_concerns(row) for row in quality.to_dict("records")]
    full = [
        replace(r, concerns=(*_own(r, usual), *(doubts[i] if doubts else ()), *far[i][0])) for i, r in enumerate(rows)
    ]
    order = sorted(range(len(full)), key=lambda i: (-len(full[i].concerns), -far[i][1], full[i].who))
    worst_first = [full[i] for i in order]
    with new_folder(out, overwrite=overwrite) as folder:
        _write_table(folder / REVIEW, worst_first, before)
        (folder / "index.html").write_text(_page(cohort, worst_first, before, usual), encoding="utf-8")
    return [row.who for row in worst_first]


def _look(task: tuple[Cohort, int]) -> _Row:
    cohort, index = task
    heart = cohort.heart(index)
    found = heart.validity
    said = str(found).partition("not valid: ")[2].partition(" (stroke volumes")[0]
    faults = dict(zip(found.failed, re.split(r"; (?![^(]*\))", said), strict=bool(found.failed)))
    who = str(cohort.table["participant_id"].iloc[index])
    return _Row(who, _strip(heart), {name: heart.phenotypes.row()[name] for name in _FIGURES}, faults)


def _strip(heart: Heart) -> bytes:
    """PNG: ED and ES beside each other, each cut at base, middle and apex and along the four-chamber plane."""
    from PIL import Image

    (window,) = window_around([heart])
    cuts = [("short", z) for z in short_axis_planes(heart).values()] + [("four_chamber", long_axis_yx(heart)[0])]
    images = []
    for frame in (0, heart.phenotypes.es_frame):
        if frame is not None:
            images += [cut_image(heart, frame, cut, at, window, _PX_PER_MM) for cut, at in cuts]  # type: ignore[arg-type]
    tall = max(len(image) for image in images)
    strip = np.concatenate(
        [np.pad(i, ((0, tall - len(i)), (0, 4), (0, 0)), constant_values=255) for i in images], axis=1
    )
    packed = BytesIO()
    Image.fromarray(strip).quantize(32).save(packed, "png", optimize=True)
    return packed.getvalue()


def _usual(rows: Sequence[_Row]) -> dict[str, str]:
    """Faults that more than half of the hearts have, by name, and one heart's words for each."""
    counts = Counter(name for row in rows for name in row.faults)
    words = {name: text for row in rows for name, text in row.faults.items()}
    return {name: words[name] for name, count in counts.items() if count > len(rows) / 2}


def _own(row: _Row, usual: Mapping[str, str]) -> list[str]:
    return [text for name, text in row.faults.items() if name not in usual]


def _far_off(rows: Sequence[_Row]) -> list[tuple[tuple[str, ...], float]]:
    """Of each heart, which figures are far from the others', and the largest distance in robust standard deviations."""
    values = np.array([[row.figures[name] for name in _FIGURES] for row in rows], float)
    known = np.isfinite(values).any(axis=0)
    middle = np.full(len(_FIGURES), np.nan)
    spread = np.full(len(_FIGURES), np.inf)
    middle[known] = np.nanmedian(values[:, known], axis=0)
    spread[known] = 1.4826 * np.nanmedian(np.abs(values - middle)[:, known], axis=0) + 1e-9
    z: NDArray[np.float64] = np.nan_to_num(np.abs(values - middle) / spread)
    texts = [
        tuple(
            f"{form.format(row.figures[name])}, the cohort's median being {middle[k]:.0f}"
            for k, (name, form) in enumerate(_FIGURES.items())
            if z[i, k] > _FAR
        )
        for i, row in enumerate(rows)
    ]
    return [(text, float(z[i].max())) for i, text in enumerate(texts)]


def _pose_concerns(row: Mapping[Any, Any]) -> tuple[str, ...]:
    found = []
    if float(row["outflow_turn_deg"]) < MIRRORED_DEG:
        found.append("it may be a mirror image")
    moved = float(row.get("slice_shift_mm", 0.0))  # cohorts of before slices were aligned do not say
    if moved > MOVED_MM:
        found.append(f"its slices were moved to fit one another ({moved:.1f} mm in the mean)")
    elif not moved and float(row["slice_jitter_mm"]) > RESTLESS_MM:
        found.append(f"the slices do not fit one another ({float(row['slice_jitter_mm']):.1f} mm)")
    if float(row["share_cut"]) > 0:
        found.append(f"{float(row['share_cut']):.1%} of it lies outside the grid")
    doubts = str(row.get("doubts", "")).split(",")
    return (*found, *(f"it is of those that {words}" for name, words in DOUBTS.items() if name in doubts))


def _verdicts(path: Path) -> dict[str, tuple[str, str]]:
    """Decision and reason by participant, of a table that is there already."""
    if not path.is_file():
        return {}
    rows = read_people(path).to_dict("records")
    return {str(r["participant_id"]): (str(r.get("decision", "")), str(r.get("reason", ""))) for r in rows}


def _write_table(path: Path, rows: Sequence[_Row], before: Mapping[str, tuple[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["participant_id", "decision", "reason", "concerns"])
        table.writerows([row.who, *before.get(row.who, ("", "")), "; ".join(row.concerns)] for row in rows)


def _page(cohort: Cohort, rows: Sequence[_Row], before: Mapping[str, tuple[str, str]], usual: Mapping[str, str]) -> str:
    doubtful = sum(bool(row.concerns) for row in rows)
    title = escape(f"{cohort.info['title']}: {len(rows)} {cohort.info['kind']} hearts")
    body = "".join(_row(row, *before.get(row.who, ("", ""))) for row in rows)
    lead = (
        f"{doubtful} of {len(rows)} have concerns; they come first. End-diastole on the left, end-systole on the "
        "right: base, middle, apex, and the four-chamber plane; what was not imaged is faded. Nothing said accepts."
    )
    if usual:
        lead += (
            f" Most of them have this, which is not said of each: {escape('; '.join(usual.values()))} (one heart's)."
        )
    return _HTML.replace("TITLE", title).replace("LEAD", lead).replace("ROWS", body)


def _row(row: _Row, decision: str, reason: str) -> str:
    figures = " · ".join(
        form.format(row.figures[name]) for name, form in _FIGURES.items() if np.isfinite(row.figures[name])
    )
    concerns = "".join(f"<li>{escape(text)}</li>" for text in row.concerns)
    choices = "".join(
        f"<option{' selected' if choice == decision.lower() else ''}>{choice}</option>"
        for choice in ("", "accept", "reject")
    )
    said = escape("; ".join(row.concerns))
    return (
        f'<tr data-who="{escape(row.who)}" data-concerns="{said}"><td><b>{escape(row.who)}</b>'
        f"<br>{figures}<ul>{concerns}</ul><select>{choices}</select> "
        f'<input placeholder="reason" value="{escape(reason)}"></td>'
        f'<td><img loading="lazy" alt="{escape(row.who)} at ED and ES" '
        f'src="data:image/png;base64,{b64encode(row.picture).decode()}"></td></tr>\n'
    )


_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>TITLE</title><style>
body{font:14px/1.4 sans-serif;margin:1.5em;color:#26262a}td{vertical-align:top;border-top:1px solid #ddd;padding:.5em}
td:first-child{width:22em}ul{margin:.3em 0 .5em 1.2em;padding:0;color:#a3260f}img{max-width:100%}
button{position:fixed;top:1em;right:1em;padding:.6em 1em}</style></head><body><h1>TITLE</h1><p>LEAD</p>
<button>Save review.csv</button><table>
ROWS</table><script>
const quoted = text => '"' + text.replaceAll('"', '""') + '"';
document.querySelector("button").onclick = () => {
  const lines = [...document.querySelectorAll("tr")].map(row => [row.dataset.who, row.querySelector("select").value,
    row.querySelector("input").value, row.dataset.concerns].map(quoted).join(","));
  const link = document.createElement("a");
  const text = ["participant_id,decision,reason,concerns", ...lines].join("\\n") + "\\n";
  link.href = URL.createObjectURL(new Blob([text]));
  link.download = "review.csv";
  link.click();
};
</script></body></html>
"""
