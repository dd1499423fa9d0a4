"""A cardiologist's verdict on the hearts of a cohort: ``review.csv``, which :func:`cheart.review` writes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from cheart.datasets.participants import read_people
from cheart.datasets.recording import LeftOut
from cheart.errors import InputError, show_warnings

DECISIONS = ("accept", "reject")


def read_rejected(path: Path, subjects: Collection[str]) -> list[LeftOut]:
    """Those whom a review rejects; an empty decision is none, and accepts.

    Args:
        path: a table with the columns ``participant_id``, ``decision`` and perhaps ``reason``.
        subjects: who is in the source.

    Raises:
        InputError: no such table or columns, a participant twice, or a decision that is none.
    """
    table = read_people(path)
    for column in ("participant_id", "decision"):
        if column not in table.columns:
            raise InputError(f"{path}: no column {column} (has {', '.join(table.columns)}); give a review.csv of --qc")
    twice = table["participant_id"][table["participant_id"].duplicated()]
    if len(twice):
        raise InputError(f"{path}: {twice.iloc[0]} stands twice; leave one row a participant")
    rejected, unknown = [], []
    for row in table.to_dict("records"):
        who, decision = str(row["participant_id"]), str(row["decision"]).lower()
        if decision and decision not in DECISIONS:
            raise InputError(f"{path}: decision {row['decision']!r} on {who}: expected accept, reject or nothing")
        if who not in subjects:
            unknown.append(who)
        elif decision == "reject":
            reason = str(row.get("reason", "")).strip()
            rejected.append(LeftOut(who, f"rejected in {path.name}" + (f": {reason}" if reason else "")))
    if unknown:
        show_warnings([f"{path.name} names {len(unknown)} who are not in the source, such as {unknown[0]}"])
    return rejected
