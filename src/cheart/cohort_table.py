"""The table of a cohort's people: participants.tsv, and what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cheart.conditions import Schema
from cheart.errors import InputError
from cheart.files import new_file
from cheart.labels import STRUCTURES, TITLES
from cheart.schemas import MEND

Split = Literal["train", "val", "test", "all"]
"""Which subjects; all: whatever their split, as of a cohort that training never saw."""
SPLITS: tuple[Split, ...] = ("train", "val", "test")


def read_table(path: Path) -> pd.DataFrame:
    """Read a tab-separated table with ``n/a`` for what is missing; participant_id stays text.

    Raises:
        InputError: not there, not readable, or without a column participant_id.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype={"participant_id": str}, na_values=["n/a"], keep_default_na=True)
    except FileNotFoundError:
        raise InputError(f"{path} is not there") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a tab-separated table: {error}") from None
    if "participant_id" not in table.columns:
        raise InputError(
            f"{path}: no column participant_id (columns: {', '.join(map(str, table.columns))}); "
            "the table must be tab-separated with a header line"
        )
    return table


def refuse_table(table: pd.DataFrame, subjects: int, schema: Schema, path: Path) -> None:
    """Refuse a cohort's table that lacks rows, columns or sense; conditions are checked where they are read.

    Raises:
        InputError: it says what of it is wrong.
    """
    lacking = [name for name in ("split", "cycle_s", *schema.names) if name not in table.columns]
    if lacking or len(table) != subjects:
        what = f"no column {', '.join(lacking)}" if lacking else f"{len(table)} rows, and cohort.json says {subjects}"
        raise InputError(f"{path} has {what}: {MEND}")
    who = table["participant_id"]
    if who.isna().any() or who.duplicated().any():
        raise InputError(f"{path}: every row needs a participant_id of its own; {MEND}")
    other = [use for use in table["split"] if use not in SPLITS]
    if other:
        raise InputError(f"{path}: split {other[0]!r}: expected one of {', '.join(SPLITS)}")
    cycles = pd.to_numeric(table["cycle_s"], errors="coerce")
    if (cycles.isna() & table["cycle_s"].notna()).any():
        raise InputError(f"{path}: cycle_s must be numbers (seconds) or n/a")


def refuse_partial(info: Mapping[str, Any], path: Path, *, to: str) -> None:
    """Refuse a cohort of whose hearts not all structures were traced, for what needs them all.

    Args:
        info: what its cohort.json says.
        path: its folder.
        to: what it was meant for, such as "to train a model".

    Raises:
        InputError: the RV, say, was not traced.
    """
    lacking = [TITLES[name] for name in STRUCTURES if name not in info["provenance"].get("traced", STRUCTURES)]
    if lacking:
        raise InputError(
            f"{path}: {' and '.join(lacking)} was not traced in these hearts, and {to} all structures are needed; "
            "take another cohort"
        )


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a tab-separated table with ``n/a`` for what is missing, whole or not at all."""
    with new_file(path) as partial:
        table.to_csv(partial, sep="\t", index=False, na_rep="n/a", float_format="%.6g")


def dictionary(schema: Schema) -> dict[str, Any]:
    """What the columns of participants.tsv mean, as BIDS has it in participants.json."""
    columns: dict[str, Any] = {
        "participant_id": {"Description": "Subject"},
        "split": {"Description": "Use", "Levels": {s: s for s in SPLITS}},
        "cycle_s": {"Description": "Duration of the cardiac cycle", "Units": "s"},
    }
    for factor in schema.factors:
        entry: dict[str, Any] = {"Description": factor.description}
        if factor.kind == "number":
            entry |= {"Units": factor.unit, "Minimum": factor.low, "Maximum": factor.high}
        else:
            entry |= {"Levels": {level: level for level in factor.levels}}
        columns[factor.name] = entry
    return columns
