import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheart.conditions import PAPER_SCHEMA, Encoding, Factor, Schema, decade
from cheart.errors import InputError

PEOPLE = [
    {"age": 30.0, "sex": "F", "weight": 60.0, "height": 165.0, "sbp": 110.0},
    {"age": 50.0, "sex": "M", "weight": 80.0, "height": 175.0, "sbp": None},
]


def test_text_becomes_values_and_na_is_missing() -> None:
    row = {"age": "63", "sex": "f", "weight": "n/a", "height": 170, "other": "x"}
    assert PAPER_SCHEMA.read(row) == {"age": 63.0, "sex": "F", "weight": None, "height": 170.0, "sbp": None}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"age": "old"}, "age 'old' is not a number"),
        ({"weight": 700}, "weight 700 is outside the range: expected 20 to 250 kg"),
        ({"height": 1.75}, r"in m\? then write 175"),
        ({"sex": "X"}, "expected one of F, M"),
    ],
)
def test_bad_values_are_quoted_with_what_was_expected(row: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PAPER_SCHEMA.read(row)


def test_schema_and_encoding_are_read_back_from_json() -> None:
    assert Schema.from_json(PAPER_SCHEMA.to_json()) == PAPER_SCHEMA
    encoding = Encoding.fit(PAPER_SCHEMA, PEOPLE)
    assert Encoding.from_json(encoding.to_json()) == encoding


def test_a_missing_value_is_told_and_not_imputed() -> None:
    encoding = Encoding.fit(PAPER_SCHEMA, PEOPLE)
    row = dict(zip(encoding.columns, encoding.encode(PEOPLE)[1], strict=True))
    assert row["sbp"] == 0
    assert row["sbp:missing"] == 1
    assert row["age"] == pytest.approx(1.0)
    assert (row["sex:F"], row["sex:M"], row["sex:missing"]) == (0, 1, 0)


@given(age=st.floats(10, 79.999))
def test_the_papers_decades_are_one_hot(age: float) -> None:
    encoding = Encoding.fit(PAPER_SCHEMA, PEOPLE, age_decades=True)
    row = encoding.encode([{"age": age}])[0]
    decades = [i for i, c in enumerate(encoding.columns) if c.startswith("age:") and c != "age:missing"]
    assert len(decades) == 7
    assert row[decades].sum() == 1
    assert row[encoding.columns.index(f"age:{decade(age)}")] == 1


def test_ages_beyond_the_papers_decades_name_the_mend() -> None:
    with pytest.raises(InputError, match="--set age=number"):
        decade(80)


def test_values_beyond_training_are_warned_of_with_the_range() -> None:
    encoding = Encoding.fit(PAPER_SCHEMA, PEOPLE)
    assert encoding.outside({"age": 40, "weight": None}) == []
    (warning,) = encoding.outside({"age": 70.0})
    assert "30 to 50" in warning


def test_going_on_with_a_new_factor_keeps_the_old_columns() -> None:
    encoding = Encoding.fit(PAPER_SCHEMA, PEOPLE)
    group = Factor("group", "level", levels=("NOR", "DCM"))
    new = Schema((*PAPER_SCHEMA.factors, group))
    wider = encoding.extended(new, [{"age": 70.0, "group": "DCM"}])
    assert wider.trained["age"] == (min(60.0, encoding.trained["age"][0]), 80.0)
    assert wider.trained["weight"] == encoding.trained["weight"]
    old, now = encoding.encode(PEOPLE), wider.encode(PEOPLE)
    for column in encoding.columns:
        np.testing.assert_array_equal(now[:, wider.columns.index(column)], old[:, encoding.columns.index(column)])


def test_a_factor_of_another_kind_cannot_be_merged() -> None:
    encoding = Encoding.fit(PAPER_SCHEMA, PEOPLE)
    sex = Factor("sex", "level", levels=("male", "female"))
    with pytest.raises(InputError, match="rename the cohort's factor"):
        encoding.extended(Schema((sex,)), [])
