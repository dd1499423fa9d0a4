"""Tables of people: BIDS-like ``participants.tsv`` (or CSV) in, checked against a schema of conditions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cheart.conditions import PAPER_SCHEMA, Factor, Schema, Value
from cheart.errors import InputError
from cheart.files import read_json

NOT_CONDITIONS = ("participant_id", "split", "cycle_s", "ed", "es")
"""Columns with a meaning of their own."""

_SEX = {"f": "F", "female": "F", "woman": "F", "m": "M", "male": "M", "man": "M"}


def read_people(path: Path | str) -> pd.DataFrame:
    """Read a table of people as text: tab-separated, or comma-separated if the name ends with ``.csv``.

    Column names are taken without regard to case and outer blanks. Missing values stay as they are written; the
    conditions' schema knows them.

    Raises:
        InputError: not there, not readable, or separated otherwise than the name says.
    """
    path = Path(path)
    separator, other = (",", "\t") if path.suffix.lower() == ".csv" else ("\t", ",")
    try:
        table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path} is not there") from None
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a table: {error}") from None
    names = {"\t": "tabs", ",": "commas"}
    if len(table.columns) == 1 and (other in table.columns[0] or ";" in table.columns[0]):
        raise InputError(
            f"{path}: the header {table.columns[0]!r} has no {names[separator]}; separate a .tsv with tabs and a "
            ".csv with commas, or name the file by what it is"
        )
    table.columns = pd.Index([str(column).strip().lower() for column in table.columns])
    if table.columns.duplicated().any():
        twice = table.columns[table.columns.duplicated()][0]
        raise InputError(f"{path}: the column {twice!r} stands twice; leave one")
    return table.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)


def read_dictionary(path: Path | str) -> dict[str, Any]:
    """Read the BIDS data dictionary beside a table (``participants.json``); empty where there is none."""
    path = Path(path).with_suffix(".json")
    dictionary = read_json(path) if path.is_file() else {}
    if not isinstance(dictionary, dict):
        raise InputError(f"{path}: expected an object from column names to their descriptions, as BIDS has it")
    return {str(name).lower(): entry for name, entry in dictionary.items() if isinstance(entry, dict)}


def schema_of(table: pd.DataFrame, dictionary: Mapping[str, Any]) -> Schema:
    """The conditions of a table: the paper's five, and each further column that the dictionary describes.

    A column is a condition if its entry in ``participants.json`` has ``Levels``, or ``Minimum`` and ``Maximum``.
    The paper's five keep their own units and ranges, so that cohorts can be put together.
    """
    factors = list(PAPER_SCHEMA.factors)
    for name in table.columns:
        entry = dictionary.get(name, {})
        if name in NOT_CONDITIONS or name in PAPER_SCHEMA.names:
            continue
        text = str(entry.get("Description", ""))
        if isinstance(entry.get("Levels"), dict):
            factors.append(Factor(name, "level", levels=tuple(entry["Levels"]), description=text))
        elif "Minimum" in entry and "Maximum" in entry:
            unit, low, high = str(entry.get("Units", "")), float(entry["Minimum"]), float(entry["Maximum"])
            factors.append(Factor(name, "number", unit, low, high, description=text))
    return Schema(tuple(factors))


def read_conditions(
    row: Mapping[str, object], schema: Schema, dictionary: Mapping[str, Any] | None = None
) -> dict[str, Value]:
    """Check one person's conditions. Sex may be spelled out; codes need a key in ``participants.json``.

    Raises:
        InputError: a value that its factor refuses; says how to mend it.
    """
    row = dict(row)
    if "sex" in schema.names and row.get("sex") is not None:
        row["sex"] = _read_sex(str(row["sex"]), (dictionary or {}).get("sex", {}))
    try:
        return schema.read(row)
    except InputError as error:
        raise InputError(f"{error}. Mend the cell, write n/a, or leave the subject out with --skip-bad") from None


def _read_sex(text: str, entry: Mapping[str, Any]) -> str:
    levels = entry.get("Levels")
    spelled = str(levels[text]) if isinstance(levels, dict) and text in levels else text
    sex = _SEX.get(spelled.lower(), spelled)
    if sex.replace(".", "", 1).isdigit():
        raise InputError(
            f"sex {text!r} is a code without a key: write F or M, or say what it means beside the table, in "
            'participants.json: {"sex": {"Levels": {"0": "F", "1": "M"}}}'
        )
    return sex
