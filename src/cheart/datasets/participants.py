"""Tables of people: BIDS-like ``participants.tsv`` (or CSV) in, checked against a schema of conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pandas as pd

from cheart.assignments import read_assignments
from cheart.conditions import PAPER_SCHEMA, Factor, Schema, Value
from cheart.errors import InputError
from cheart.files import read_json
from cheart.schemas import ColumnJson, check_each

NOT_CONDITIONS = ("participant_id", "person", "split", "cycle_s", "ed", "es", "drawn", "latent_seed")
"""Columns with a meaning of their own."""

_OTHER_NAMES = {
    "age": ("age_years", "age_at_scan", "years"),
    "sex": ("gender",),
    "weight": ("wt", "body_weight", "bodyweight", "mass"),
    "height": ("ht", "body_height", "stature", "length"),
    "sbp": ("systolic", "sys_bp", "systolic_bp", "systolic_blood_pressure", "blood_pressure", "bp"),
}
"""What tables call the paper's five conditions elsewhere."""

_ALIKE = 0.8  # of difflib's ratio: wieght, hieght

_UNITS: dict[str, dict[str, tuple[float, str]]] = {
    "age": {"years": (1, ""), "year": (1, ""), "y": (1, ""), "a": (1, ""), "months": (1 / 12, "months"),
            "month": (1 / 12, "months")},
    "weight": {"kg": (1, ""), "lb": (0.45359237, "lb"), "lbs": (0.45359237, "lb"), "pounds": (0.45359237, "lb"),
               "g": (0.001, "g")},
    "height": {"cm": (1, ""), "m": (100, "m"), "mm": (0.1, "mm"), "in": (2.54, "inches"), "inch": (2.54, "inches"),
               "inches": (2.54, "inches")},
    "sbp": {"mmhg": (1, ""), "kpa": (7.50062, "kPa")},
}  # fmt: skip
"""Units that participants.json may give the paper's five, in lower case: the factor to cheart's, and their name."""

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
        # the header is read as a row: pandas would rename a column that stands twice before anybody could see it
        rows = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig", header=None)
        table = rows.iloc[1:].reset_index(drop=True).set_axis(rows.iloc[0], axis=1)
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
    described = {str(name).lower(): entry for name, entry in dictionary.items() if isinstance(entry, dict)}
    return check_each(described, ColumnJson, path, mend="mend it, as BIDS has it")


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
        if entry.get("Levels") is not None:
            factors.append(Factor(name, "level", levels=tuple(entry["Levels"]), description=text))
        elif entry.get("Minimum") is not None and entry.get("Maximum") is not None:
            unit, low, high = str(entry.get("Units", "")), float(entry["Minimum"]), float(entry["Maximum"])
            factors.append(Factor(name, "number", unit, low, high, description=text))
    return Schema(tuple(factors))


def read_conditions(
    row: Mapping[str, object],
    schema: Schema,
    dictionary: Mapping[str, Any] | None = None,
    *,
    mend: str = "Mend the cell, write n/a, or leave the subject out with --skip-bad",
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
        raise InputError(f"{error}. {mend}") from None


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


def rename_columns(
    table: pd.DataFrame, columns: Mapping[str, str], *, path: Path | str, names: Sequence[str] = PAPER_SCHEMA.names
) -> pd.DataFrame:
    """A table whose columns have cheart's names, and in which no condition stands under another name.

    Args:
        table: what :func:`read_people` read.
        columns: what the user says: from a condition's name to the column that holds it (``weight=weight_kg``).
        path: of the table, for messages.
        names: of the conditions that are looked for.

    Raises:
        InputError: a column that is not there, two columns for one condition, or a column that looks like one of the
            conditions, which no column is named.
    """
    for name, column in columns.items():
        if column.lower() not in table.columns:
            raise InputError(f"--column {name}={column}: {path} has no such column; it has {', '.join(table.columns)}")
        if name in table.columns and column.lower() != name:
            raise InputError(f"--column {name}={column}: {path} has a column {name} too; take one of the two out")
    table = table.rename(columns={column.lower(): name for name, column in columns.items()})
    for name in names:
        others = [str(c) for c in table.columns if c not in NOT_CONDITIONS and c not in names]
        near = [] if name in table.columns else [column for column in others if _looks_like(column, name)]
        if near:
            raise InputError(
                f"{path}: the column {near[0]!r} looks like {name}, and no column is named so: map it with "
                f"--column {name}={near[0]}, rename it, or take it out if it is something else"
            )
    return table


def _looks_like(column: str, name: str) -> bool:
    """Whether a column that is no condition is probably a misspelt or decorated one."""
    words = column.replace("-", "_").replace(" ", "_").replace("(", "_").replace(")", "").replace(".", "_")
    alike = SequenceMatcher(None, words, name).ratio() >= _ALIKE + 0.05 * (len(name) <= 3)
    return alike or words in _OTHER_NAMES.get(name, ()) or words.split("_")[0] == name


def to_own_units(table: pd.DataFrame, dictionary: Mapping[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """The paper's five in cheart's units, as the data dictionary says what theirs are; and a sentence a conversion.

    Raises:
        InputError: a unit that is not known for its condition.
    """
    said = []
    for name, units in _UNITS.items():
        given = str(dictionary.get(name, {}).get("Units", "")).strip()
        if name not in table.columns or not given:
            continue
        own = PAPER_SCHEMA[name].unit
        if given.lower() not in units:
            raise InputError(
                f"participants.json: {name} in {given!r} is not understood; expected {own}, or one of "
                f"{', '.join(units)}: convert the column, or mend Units"
            )
        factor, called = units[given.lower()]
        if called:
            table = table.assign(**{name: [_times(cell, factor) for cell in table[name]]})
            said.append(f"{name} is in {called} (participants.json) and was converted to {own}")
    return table, said


def _times(cell: str, factor: float) -> str:
    try:
        return f"{float(cell) * factor:.6g}"
    except ValueError:  # n/a, or what the schema will refuse
        return cell


@dataclass(frozen=True)
class People:
    """A table of people with all that its columns mean.

    Attributes:
        table: text, a row a person; columns have cheart's names, and the paper's five are in its units.
        schema: the conditions.
        dictionary: what ``participants.json`` says of the columns.
        warnings: what was converted, and which columns were not used.
    """

    table: pd.DataFrame
    schema: Schema
    dictionary: Mapping[str, Any]
    warnings: tuple[str, ...]


def read_described(path: Path | str, *, column: Sequence[str] = (), schema: Schema | None = None) -> People:
    """A table of people and the data dictionary beside it, with every column accounted for.

    Args:
        path: as :func:`read_people` takes it.
        column: conditions that stand in a column of another name, such as ``weight=weight_kg``.
        schema: the conditions that are looked for, such as a model's; None: those that the table has.

    Raises:
        InputError: a condition in another unit than the schema's; whatever :func:`read_people`,
            :func:`rename_columns` and :func:`to_own_units` refuse.
    """
    named = read_assignments(column, "--column", "condition=column, such as weight=weight_kg", lower=True)
    dictionary = read_dictionary(path)
    described = {name: dictionary[held.lower()] for name, held in named.items() if held.lower() in dictionary}
    dictionary = {**dictionary, **described}
    looked_for = PAPER_SCHEMA if schema is None else schema
    table = rename_columns(read_people(path), named, path=path, names=looked_for.names)
    table, converted = to_own_units(table, dictionary)
    for factor in looked_for.factors:
        unit = str(dictionary.get(factor.name, {}).get("Units", "")) if factor.name not in PAPER_SCHEMA.names else ""
        if factor.kind == "number" and unit not in ("", factor.unit):
            raise InputError(f"participants.json: {factor.name} is in {unit!r}, expected {factor.unit!r}: convert it")
    schema = schema_of(table, dictionary) if schema is None else schema
    ignored = [str(c) for c in table.columns if c not in NOT_CONDITIONS and c not in schema.names]
    unused = [f"{Path(path).name}: not used as conditions: {', '.join(ignored)}"] if ignored else []
    return People(table, schema, dictionary, (*converted, *unused))


def read_by_person(path: Path | str) -> tuple[People, dict[str, dict[str, object]]]:
    """A table as :func:`read_described` reads it, and its rows by ``participant_id``.

    Raises:
        InputError: no column ``participant_id``, or somebody stands twice.
    """
    people = read_described(path)
    if "participant_id" not in people.table.columns:
        raise InputError(f"{path}: no column participant_id (columns: {', '.join(map(str, people.table.columns))})")
    who = people.table["participant_id"]
    if who.duplicated().any():
        raise InputError(f"{path}: {who[who.duplicated()].iloc[0]} stands twice; leave one row a subject")
    rows = {str(row["participant_id"]): {str(k): v for k, v in row.items()} for row in people.table.to_dict("records")}
    return people, rows
