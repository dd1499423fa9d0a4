import json

import pytest

from cheart.conditions import PAPER_SCHEMA
from cheart.datasets.participants import read_conditions, read_dictionary, read_people, schema_of
from cheart.errors import InputError


def table(tmp_path, text, name="participants.tsv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_tabs_in_tsv_and_commas_in_csv(tmp_path):
    tsv = read_people(table(tmp_path, "participant_id\tAge\n001\t63\n"))
    csv = read_people(table(tmp_path, "participant_id, Age\n001,63\n", "people.csv"))
    assert tsv.to_dict("records") == csv.to_dict("records") == [{"participant_id": "001", "age": "63"}]


@pytest.mark.parametrize(
    ("name", "text"), [("a.tsv", "participant_id,age\n1,2\n"), ("a.csv", "participant_id\tage\n1\t2\n"),
                       ("a.csv", "participant_id;age\n1;2\n")],
)  # fmt: skip
def test_refuses_the_wrong_separator(tmp_path, name, text):
    with pytest.raises(InputError, match=r"separate a \.tsv with tabs"):
        read_people(table(tmp_path, text, name))


def test_refuses_no_table_and_a_column_twice(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        read_people(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="cannot be read"):
        read_people(table(tmp_path, ""))
    with pytest.raises(InputError, match="stands twice"):
        read_people(table(tmp_path, "age\tAge\n1\t2\n"))


def test_conditions_are_checked_and_missing_stays_missing():
    row = {"age": "63", "sex": "Female", "weight": "n/a", "height": "", "other": "x"}
    assert read_conditions(row, PAPER_SCHEMA) == {"age": 63, "sex": "F", "weight": None, "height": None, "sbp": None}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"age": "630"}, "age 630 is outside"),
        ({"height": "1.75"}, "in m"),
        ({"sex": "divers"}, "not a known level"),
        ({"weight": "heavy"}, "not a number"),
    ],
)
def test_refuses_values_with_the_mend(row, message):
    with pytest.raises(InputError, match=message) as error:
        read_conditions(row, PAPER_SCHEMA)
    assert "--skip-bad" in str(error.value)


@pytest.mark.parametrize(("text", "sex"), [("male", "M"), ("FEMALE", "F"), ("m", "M"), ("woman", "F")])
def test_sex_may_be_spelled_out(text, sex):
    assert read_conditions({"sex": text}, PAPER_SCHEMA)["sex"] == sex


def test_coded_sex_needs_a_key(tmp_path):
    with pytest.raises(InputError, match=r"participants\.json"):
        read_conditions({"sex": "0"}, PAPER_SCHEMA)
    (tmp_path / "participants.json").write_text('{"Sex": {"Levels": {"0": "Female", "1": "male"}}}')
    key = read_dictionary(tmp_path / "participants.tsv")
    assert [read_conditions({"sex": code}, PAPER_SCHEMA, key)["sex"] for code in "01"] == ["F", "M"]


def test_further_conditions_come_from_the_dictionary(tmp_path):
    people = read_people(table(tmp_path, "participant_id\tage\tgroup\trate\tnote\tsplit\n1\t2\tNOR\t60\tx\ttrain\n"))
    key = {
        "group": {"Levels": {"NOR": "normal", "DCM": "dilated"}},
        "rate": {"Minimum": 30, "Maximum": 200, "Units": "bpm"},
        "note": {"Description": "free text"},
        "split": {"Levels": {"train": "", "test": ""}},
    }
    (tmp_path / "participants.json").write_text(json.dumps(key))
    schema = schema_of(people, read_dictionary(tmp_path / "participants.tsv"))
    assert schema.names == ("age", "sex", "weight", "height", "sbp", "group", "rate")
    assert schema["rate"].expected == "30 to 200 bpm"
    assert read_conditions({"group": "dcm", "rate": "61"}, schema)["group"] == "DCM"


def test_no_dictionary_is_no_harm(tmp_path):
    assert read_dictionary(tmp_path / "participants.tsv") == {}
