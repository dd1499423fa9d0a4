"""The report of one person's heart: what was measured, what is normal for them, and what of it may be judged."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cheart.conditions import Conditions, Person, Value, describe
from cheart.errors import InputError, show_warnings
from cheart.files import refuse_existing
from cheart.heart import Heart
from cheart.labels import LV
from cheart.model import Model, load
from cheart.normal.findings import RESEARCH, Finding, find, together
from cheart.normal.made import norms_of
from cheart.normal.measures import PHASES, measure
from cheart.normal.norms import Normal, Norms
from cheart.normal.published import SOURCES
from cheart.provenance import provenance

MIN_SLICES = 5
"""Slices with LV cavity at end-diastole, below which nothing is judged."""

MAX_SLICES_MM = 12.0
"""Distance of slices beyond which their errors are not known."""

_STROKES_APART = 0.15
_APEX_CUT = 0.35  # of the largest slice's cavity


@dataclass(frozen=True, eq=False)
class Report:
    """One person beside what is normal for them.

    Attributes:
        heart: that was measured.
        conditions: of its owner, as far as the model knows such; None is not known.
        values: what was measured, by name.
        findings: each measure beside the model's and the published ranges.
        refused: why nothing is judged by the model, a sentence each; empty where it is.
        missing: what could not be measured or was not known, a sentence each.
        quality: of the input: slices, frames, what was moved.
        norms: what is normal.
        normal: what is normal for this person; None where nothing is judged.
        beat: the heart over its whole cycle, to look at: its own frames, or completed by the model; None where neither.
        model: about the model.
    """

    heart: Heart
    conditions: dict[str, Value]
    values: dict[str, float]
    findings: tuple[Finding, ...]
    refused: tuple[str, ...]
    missing: tuple[str, ...]
    quality: dict[str, Any]
    norms: Norms
    normal: Normal | None
    beat: Heart | None
    model: Model

    @cached_property
    def joint(self) -> float:
        """Of normal people, how many in a hundred are less unusual as a whole; nan where nothing is judged."""
        return math.nan if self.normal is None else together(list(self.findings), self.normal)

    @property
    def who(self) -> str:
        """The person in words."""
        return describe(self.conditions, self.model.encoding.schema)

    def __getitem__(self, name: str) -> Finding:
        for finding in self.findings:
            if finding.measure.name == name:
                return finding
        raise InputError(f"{name!r} was not measured; there are {', '.join(f.measure.name for f in self.findings)}")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "format": 1, "kind": "report", "research_only": RESEARCH, "conditions": self.conditions,
            "trained_on": self.model.trained_on, "norms": self.norms.source, "refused": list(self.refused),
            "missing": list(self.missing), "quality": self.quality, "warnings": list(self.heart.warnings),
            "joint_percentile": None if math.isnan(self.joint) else round(self.joint, 2),
            "findings": [finding.to_json() for finding in self.findings],
            "sources": {s: SOURCES[s] for f in self.findings for p in f.published for s in [p.range.source]},
            "provenance": provenance(),
        }  # fmt: skip

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write the page: ``.html``, which needs nothing else, or ``.pdf``, where a Chromium browser is at hand.

        Raises:
            InputError: another suffix, ``path`` exists and ``overwrite`` is false, or no browser for a PDF.
        """
        from cheart.normal.page import write_page

        refuse_existing(Path(path), overwrite=overwrite, file=True)
        write_page(Path(path), self)

    def __repr__(self) -> str:
        unusual = [f"{f.measure.title} z {f.z:+.1f}" for f in self.findings if f.unusual]
        verdict = "; ".join(self.refused) if self.refused else f"{len(unusual)} of {len(self.findings)} unusual"
        return f"<Report: {self.who}; {verdict}" + (f": {', '.join(unusual)}>" if unusual and not self.refused else ">")


def report(
    heart: Heart | Path | str,
    conditions: Person | None = None,
    *,
    out: Path | str | None = None,
    model: Model | None = None,
    norms: Norms | None = None,
    overwrite: bool = False,
) -> Report:
    """One person's heart beside what is normal for their age, sex, size and blood pressure.

    Args:
        heart: in the template pose, or a NIfTI file that needs no more words than its name (:func:`cheart.read_heart`).
        conditions: what is known of the owner, such as ``{"age": 63, "sex": "F"}``; the heart's own without them.
        out: an ``.html`` or ``.pdf`` to write.
        model: whose hearts are normal, and which completes what was not seen, to be looked at; the bundled one
            without it.
        norms: in place of the model's own (:func:`cheart.normal.made.norms_of`).
        overwrite: replace what is at ``out``.

    Raises:
        InputError: a condition or the file is not understood, or ``out`` exists.
    """
    if out is not None:
        from cheart.normal.page import refuse_suffix

        refuse_suffix(Path(out))
        refuse_existing(Path(out), overwrite=overwrite, file=True)
    model = model or load()
    if not isinstance(heart, Heart):
        from cheart.datasets.posing import read_heart

        heart = read_heart(heart, grid=model.grid, frames=model.frames)
    schema = model.encoding.schema
    given = dict(conditions if conditions is not None else heart.conditions)
    for name in given if conditions is not None else ():
        schema[name]  # refuses what the model does not know
    person = schema.read(given)
    norms = norms or norms_of(model)
    quality = quality_of(heart)
    refused = (*norms.outside(person), *_too_little(quality))
    known = {n: v for n, v in person.items() if v is not None}
    normal = None if refused else norms.given(known, slices_mm=quality["slices_mm"])
    values = measure(heart)
    findings = tuple(find(values, person, normal))
    show_warnings([f"nothing is judged by the model: {why}" for why in refused])
    made = Report(
        heart, person, values, findings, refused, tuple(_missing(heart, person, values)), quality, norms, normal,
        _beat(heart, known, model), model,
    )  # fmt: skip
    if out is not None:
        made.save(out, overwrite=overwrite)
    return made


def quality_of(heart: Heart) -> dict[str, Any]:
    """What was imaged, and what looks wrong with it.

    Returns:
        ``slices``: planes with LV cavity at end-diastole; ``slices_mm``: their distance, None of a heart seen whole;
        ``frames``: observed; ``cycle_s``; ``slice_shift_mm``: how far slices were moved in plane, mean;
        ``strokes_apart``: difference of the stroke volumes of the two ventricles over their mean; ``remarks``: a
        sentence each.
    """
    seen = np.flatnonzero(heart.observed[0])
    cavity = np.array([(heart.labels[0, z] == LV).sum() for z in seen])
    held = np.flatnonzero(cavity)
    gap = float(np.median(np.diff(seen))) * heart.grid.spacing[0] if seen.size > 1 else math.nan
    shifts = None if heart.origin is None else heart.origin.shifts
    p = heart.phenotypes
    strokes = 2 * abs(p.lvsv - p.rvsv) / (p.lvsv + p.rvsv) if p.es_frame is not None else math.nan
    remarks = []
    if held.size and held[0] == 0 and cavity[held[0]] > _APEX_CUT * cavity.max():
        remarks.append(
            "The lowest slice still holds much cavity: the apex was not imaged, and volumes and mass are too low."
        )
    if strokes > _STROKES_APART:
        remarks.append(
            f"The stroke volumes of the two ventricles differ by {strokes:.0%}: a leaking valve, a shunt, or contours "
            "that err, most often of the RV or in the basal slice."
        )
    return {
        "slices": int(held.size), "slices_mm": None if heart.observed[0].all() else gap,
        "frames": int(heart.observed_frames.size), "cycle_s": heart.cycle_s if math.isfinite(heart.cycle_s) else None,
        "slice_shift_mm": 0.0 if shifts is None else float(np.hypot(*np.array(shifts).T).mean()),
        "strokes_apart": strokes if math.isfinite(strokes) else None, "remarks": remarks,
    }  # fmt: skip


def _too_little(quality: dict[str, Any]) -> list[str]:
    """Why so little was imaged that nothing may be judged."""
    if quality["slices"] < MIN_SLICES:
        return [f"{quality['slices']} slices hold LV cavity at end-diastole: at least {MIN_SLICES} are needed"]
    if (quality["slices_mm"] or 0) > MAX_SLICES_MM:
        return [f"slices are {quality['slices_mm']:g} mm apart: at most {MAX_SLICES_MM:g} mm can be judged"]
    return []


def _missing(heart: Heart, person: dict[str, Value], values: dict[str, float]) -> list[str]:
    words = []
    if unknown := [name for name, value in person.items() if value is None]:
        words.append(f"Not known: {', '.join(unknown)}; what people like this one have of it widens every range.")
    if heart.phenotypes.es_frame is None:
        words.append("Only end-diastole was imaged: nothing is known of end-systole, function or timing.")
    elif math.isnan(values["es_time"]):
        words.append(f"{heart.observed_frames.size} frames were imaged: too few to tell the timing of the beat.")
    if not math.isfinite(heart.cycle_s):
        words.append("The duration of the cycle is not known: no heart rate, no cardiac output.")
    gone = [i for i in range(1, 18) if math.isnan(values[f"wall_{i}"])]
    if gone:
        words.append(f"Wall segments that were not seen: {', '.join(map(str, gone))}.")
    return words


def _beat(heart: Heart, known: Conditions, model: Model) -> Heart | None:
    """A heart that can be shown beating."""
    if heart.observed_frames.size >= PHASES // 2:
        return heart
    if "complete" not in model.network.tasks or heart.grid != model.grid:
        return None
    return replace(model.complete(replace(heart, warnings=()), known), warnings=heart.warnings)
