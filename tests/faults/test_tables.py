"""Tables of people with whatever tables may have: refused by line or column, or read as they mean it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cheart.datasets.participants import read_conditions, read_described
from faulty import outcome_of

GOOD = {"participant_id": "a", "age": "63", "sex": "F", "weight": "70", "height": "165", "sbp": "130"}
READ = {"age": 63.0, "sex": "F", "weight": 70.0, "height": 165.0, "sbp": 130.0}
KNOWN = {**READ, "weight": 80.0}


def people_of(path: Path) -> list[dict[str, Any]]:
    """The conditions of everybody in a table."""
    described = read_described(path)
    return [
        read_conditions({str(k): v for k, v in row.items()}, described.schema, described.dictionary)
        for row in described.table.to_dict("records")
    ]


def table(folder: Path, row: dict[str, str], *, separator: str = "\t", name: str = "people.tsv") -> Path:
    path = folder / name
    path.write_text(f"{separator.join(row)}\n{separator.join(row.values())}\n", encoding="utf-8")
    return path


WRONG = [
    (column, value)
    for column, values in {
        "age": ("630", "-1", "111", "abc", "63y", "6 3", "1e400", "inf", "-inf", "63,5", "0x3f", "63-64", "²", "True"),
        "sex": ("2", "0", "1", "X", "femal", "FM", "m/f", "-", "1.0", "other", "unknown", "?"),
        "weight": ("7", "700", "kg70", "70kg", "1e3", "-70", "inf", "250.1", "19.9", "70;1", "70 kg"),
        "height": ("1.65", "16.5", "1650", "5'5", "165cm", "-165", "99", "231", "inf", "165,0"),
        "sbp": ("13", "1300", "130/80", "-130", "mmHg", "59", "261", "inf", "13.0"),
    }.items()
    for value in values
]

MISSING = [(column, value) for column in READ for value in ("", "n/a", "N/A", "na", "NaN", "none", " ")]

SAME = [
    ("age", "63.0"), ("age", " 63"), ("age", "6.3e1"), ("age", "+63"), ("sex", "f"), ("sex", "Female"),
    ("sex", "woman"), ("weight", "70.0"), ("weight", "7e1"), ("height", "165.00"), ("sbp", "130.0"), ("sbp", "1.3e2"),
]  # fmt: skip

MISNAMED = [
    "wieght", "weigth", "weight_kg", "weight (kg)", "Weight-kg", "body_weight", "hieght", "height_cm", "heigth",
    "gender", "Gender", "age_years", "age at scan", "sex_code", "sbp_mmhg", "systolic", "blood_pressure", "agee",
    "sbp.1", "wt", "ht",
]  # fmt: skip
UNITS = [
    ("weight", "lb", "154", 69.85), ("weight", "g", "70000", 70), ("weight", "stone", "11", None),
    ("weight", "kilo", "70", None), ("height", "m", "1.65", 165), ("height", "inches", "65", 165.1),
    ("height", "feet", "5.4", None), ("height", "mm", "1650", 165), ("age", "months", "756", 63),
    ("age", "days", "23011", None), ("age", "weeks", "3276", None), ("sbp", "kPa", "17.332", 130),
    ("sbp", "bar", "0.17", None), ("sbp", "cmH2O", "176", None), ("weight", "KG", "70", 70), ("height", "", "165", 165),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), WRONG)
def test_a_value_that_nobody_has(tmp_path: Path, column: str, value: str) -> None:
    assert outcome_of(lambda: people_of(table(tmp_path, {**GOOD, column: value}))) is None


@pytest.mark.parametrize(("column", "value"), MISSING)
def test_a_value_that_is_missing_stays_missing(tmp_path: Path, column: str, value: str) -> None:
    assert people_of(table(tmp_path, {**GOOD, column: value})) == [{**READ, column: None}]


@pytest.mark.parametrize(("column", "value"), SAME)
def test_a_value_that_is_written_otherwise(tmp_path: Path, column: str, value: str) -> None:
    assert people_of(table(tmp_path, {**GOOD, column: value})) == [READ]


@pytest.mark.parametrize("name", MISNAMED)
def test_a_column_that_is_nearly_a_condition(tmp_path: Path, name: str) -> None:
    near = {"w": "weight", "b": "weight", "h": "height", "g": "sex", "a": "age", "s": "sbp"}[name[0].lower()]
    near = {"sex_code": "sex", "blood_pressure": "sbp"}.get(name, near)
    row = {(name if column == near else column): value for column, value in GOOD.items()}
    assert outcome_of(lambda: people_of(table(tmp_path, row))) is None


@pytest.mark.parametrize(("column", "unit", "value", "read"), UNITS)
def test_a_unit(tmp_path: Path, column: str, unit: str, value: str, read: float | None) -> None:
    (tmp_path / "people.json").write_text(f'{{"{column}": {{"Units": "{unit}"}}}}')
    found = outcome_of(lambda: people_of(table(tmp_path, {**GOOD, column: value})))
    if read is None:
        assert found is None
    else:
        assert found[0][column] == pytest.approx(read, rel=1e-3)


@pytest.mark.parametrize(
    ("weight", "height"), [("165", "70"), ("165", "120"), ("25", "200"), ("240", "120"), ("20", "180")]
)
def test_bodies_that_nobody_has(tmp_path: Path, weight: str, height: str) -> None:
    assert outcome_of(lambda: people_of(table(tmp_path, {**GOOD, "weight": weight, "height": height}))) is None


@pytest.mark.parametrize("name", [*READ, "participant_id"])
@pytest.mark.parametrize("twin", [str.upper, str.title, lambda name: f" {name} "])
def test_a_column_that_stands_twice(tmp_path: Path, name: str, twin: Callable[[str], str]) -> None:
    assert outcome_of(lambda: people_of(table(tmp_path, {**GOOD, twin(name): "1"}))) is None


CONTENTS = {
    "empty": b"", "a line end": b"\n", "zeros": bytes(200), "noise": bytes(range(256)), "a header alone": b"age\tsex\n",
    "latin 1": "participant_id\tage\tsex\na\u00e9\t63\tF\n".encode("latin-1"),
    "utf-16": "participant_id\tage\tsex\na\t63\tF\n".encode("utf-16"), "json": b'{"age": 63}',
    "commas": b"participant_id,age,sex\na,63,F\n", "semicolons": b"participant_id;age;sex\na;63;F\n",
    "a cell too many": b"participant_id\tage\na\t63\tF\n", "quotes left open": b'participant_id\tage\n"a\t63\n',
    "a long line": b"participant_id\tage\na\t" + b"6" * 100_000 + b"\n", "gzip": b"\x1f\x8b\x08\x00" + bytes(30),
    "spaces": b"participant_id age sex\na 63 F\n",
}  # fmt: skip


@pytest.mark.parametrize("what", CONTENTS)
@pytest.mark.parametrize("name", ["people.tsv", "people.csv"])
def test_a_file_that_is_no_table_of_people(tmp_path: Path, what: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(CONTENTS[what])
    found = outcome_of(lambda: people_of(path))
    assert not found or all(set(person.values()) <= {None, 63.0, "F"} for person in found)


def test_a_byte_order_mark_a_windows_line_end_and_a_blank_line(tmp_path: Path) -> None:
    path = tmp_path / "people.tsv"
    rows = "\r\n".join(["\t".join(GOOD), "\t".join(GOOD.values()), "", ""])
    path.write_bytes(b"\xef\xbb\xbf" + rows.encode())
    assert people_of(path) == [READ]


@pytest.mark.parametrize(
    ("cell", "said"), [("63y", "not a number"), ("630", "outside"), ("", None)], ids=["words", "outside", "missing"]
)
def test_generate_says_which_line(
    attempt: Callable[..., Any], own_run: Path, tmp_path: Path, cell: str, said: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("cheart.plot.picture.save_picture", lambda path, *_, **__: path.touch())
    path = tmp_path / "people.tsv"
    path.write_text(f"participant_id\tage\na\t40\nb\t{cell}\n")
    answer = attempt("generate", own_run, "--participants", path, "-o", tmp_path / "out", "--jobs", 1)
    if said is None:
        assert answer.code == 0
    else:
        assert answer.code == 2
        assert "line 3" in answer.err
        assert said in answer.err
        assert not (tmp_path / "out").exists()
