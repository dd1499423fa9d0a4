"""Packing a model, to pass it on: a few megabytes with a card; and what that costs, by hearts that both complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import pandas as pd

from cheart.cohort import Cohort
from cheart.evaluation.completion import chosen_subjects, encoded_conditions
from cheart.evaluation.model_card import card
from cheart.files import new_folder, read_json, write_json
from cheart.heart import Heart
from cheart.labels import STRUCTURES
from cheart.metrics.overlap import dice
from cheart.metrics.statistics import mean_over_frames, summaries
from cheart.model import Model, load
from cheart.models.find import find_model
from cheart.models.store import WEIGHTS, read_model, write_packed
from cheart.phenotypes import PAPER_FIVE
from cheart.progress import track
from cheart.provenance import without_places

DEFINITIONS = (
    "Each heart is completed from frame 0 and its conditions by the whole model and by the packed one. Dice per "
    "structure and frame, mean over frames, then mean ± SD over subjects; d = |packed − whole| of a phenotype."
)


def pack(
    model: Path | str,
    out: Path | str,
    *,
    cohort: Cohort | Path | str | None = None,
    subjects: int = 20,
    evaluations: Sequence[Path | str] = (),
    overwrite: bool = False,
) -> dict[str, Any]:
    """Pack a model to pass it on: a few MB in place of many, a model card, and the log of its training.

    Args:
        model: a folder that ``cheart train`` wrote, or what else :func:`cheart.load` takes.
        out: the folder to write.
        cohort: on whose validation hearts to measure what packing costs.
        subjects: on how many of them.
        evaluations: folders of scores (``scores.save``), for the card.
        overwrite: replace what is there.

    Returns:
        ``megabytes``, ``megabytes_whole``; with a cohort also ``subjects``, ``summary`` and ``definitions``.

    Raises:
        InputError: no model, ``out`` exists, or a cohort that the model cannot complete.
    """
    source = find_model(model)
    stored = read_model(source)
    if cohort is not None and not isinstance(cohort, Cohort):
        cohort = Cohort.open(cohort)
    tables = [read_json(Path(folder) / "result.json") for folder in evaluations]
    with new_folder(Path(out), overwrite=overwrite) as folder:
        write_packed(folder, stored)
        run = _copy_log(source, folder)
        size, before = ((place / WEIGHTS).stat().st_size / 1e6 for place in (folder, source))
        value: dict[str, Any] = {"model": str(out), "megabytes": size, "megabytes_whole": before}
        packing, command = None, None
        if cohort is not None:
            found = evaluate_packing(load(source), load(folder), cohort, subjects=subjects)
            value |= {"subjects": len(found.subjects), "summary": found.summary(), "definitions": DEFINITIONS}
            packing, command = value, _command(cohort, stored.config)
        text = card(stored.config, run, cohort=command, packing=packing, evaluations=tables)
        (folder / "card.md").write_text(text, encoding="utf-8")
    return value


def _copy_log(source: Path, folder: Path) -> dict[str, Any]:
    """Copy the training's log, as far as there is one, without the places on its machine; returns its run.json."""
    if (source / "metrics.csv").is_file():
        copyfile(source / "metrics.csv", folder / "metrics.csv")
    if not (source / "run.json").is_file():
        return {}
    run: dict[str, Any] = read_json(source / "run.json")
    run["command"] = without_places(run["command"])
    write_json(folder / "run.json", run)
    return run


def _command(cohort: Cohort, config: Mapping[str, Any]) -> str | None:
    """The command that made the training cohort, if that is the one at hand."""
    if cohort.fingerprint != config["trained_on"]["fingerprint"]:
        return None
    return without_places(cohort.info["provenance"]["command"])


@dataclass(frozen=True)
class Packing:
    """What packing a model costs.

    Attributes:
        subjects: one row a subject, numbered: Dice between the two completions (between_lv …), of each with the real
            heart (whole_lv …, packed_lv …), and d_… of each phenotype (mL, LVM g).
    """

    subjects: pd.DataFrame

    def summary(self) -> dict[str, dict[str, float]]:
        """Mean and SD over subjects of every column."""
        return summaries({str(c): self.subjects[c] for c in self.subjects.columns if c != "subject"})


def evaluate_packing(whole: Model, packed: Model, cohort: Cohort, *, subjects: int) -> Packing:
    """Complete a cohort's first validation subjects by both models.

    Raises:
        InputError: the models cannot complete; another grid or frame count; no validation subjects.
    """
    whole.network.require("complete")
    rows = []
    indices = chosen_subjects(whole, cohort, "val", subjects)
    for number, index in enumerate(track(indices, total=len(indices), title="Comparing"), start=1):
        real, conditions = cohort.heart(index), encoded_conditions(whole, cohort, index)
        made = [m.heart(m.network.complete(real.labels[0], real.observed[0], conditions)) for m in (whole, packed)]
        rows.append({"subject": number, **_row(real, *made)})
    return Packing(pd.DataFrame(rows))


def _row(real: Heart, whole: Heart, packed: Heart) -> dict[str, float]:
    row: dict[str, float] = {}
    pairs = {"between": (whole, packed, None), "whole": (real, whole, real), "packed": (real, packed, real)}
    for name, (one, two, seen) in pairs.items():
        observed = None if seen is None else seen.observed
        by_frame = dice(one.labels, two.labels, observed)
        mean = mean_over_frames(by_frame, np.ones(len(by_frame), bool) if seen is None else seen.observed_frames)
        row |= {f"{name}_{s}": float(v) for s, v in zip(STRUCTURES, mean, strict=True)}
    before, after = whole.phenotypes.row(), packed.phenotypes.row()
    return row | {f"d_{n}": abs(after[n] - before[n]) for n in PAPER_FIVE}
