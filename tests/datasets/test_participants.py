import json

import pytest

from cheart.conditions import PAPER_SCHEMA
from cheart.datasets.participants import read_conditions, read_described, read_dictionary, read_people, schema_of
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


@pytest.mark.parametrize(
    ("column", "name"),
    [("weight_kg", "weight"), ("wieght", "weight"), ("gender", "sex"), ("Height (cm)", "height"),
     ("age_at_scan", "age"), ("systolic_bp", "sbp"), ("Body_Weight", "weight"), ("sex.1", "sex")],
)  # fmt: skip
def test_a_column_that_nearly_has_a_conditions_name_is_refused_with_the_mend(tmp_path, column, name):
    path = table(tmp_path, f"participant_id\t{column}\n1\t2\n")
    with pytest.raises(InputError, match=f"looks like {name}.*--column {name}="):
        read_described(path)


@pytest.mark.parametrize(
    "column", ["heart_rate", "image", "group", "sex_partner_id_of_mother", "page", "stage", "wall"]
)
def test_other_columns_are_not_taken_for_conditions(tmp_path, column):
    everything = "participant_id\tage\tsex\tweight\theight\tsbp"
    path = table(tmp_path, f"{everything}\t{column}\n1\t63\tF\t70\t170\t120\t2\n")
    assert read_described(path).warnings == (f"participants.tsv: not used as conditions: {column}",)


def test_a_column_of_another_name_is_mapped(tmp_path):
    path = table(tmp_path, "participant_id\tWeight_kg\tgender\n1\t70\tF\n")
    described = read_described(path, column=["weight=weight_kg", "sex=Gender"])
    assert described.table.to_dict("records") == [{"participant_id": "1", "weight": "70", "sex": "F"}]
    assert described.warnings == ()


@pytest.mark.parametrize(
    ("column", "message"),
    [("weight", "expected condition=column"), ("weight=kg", "no such column"), ("age=years", "a column age too")],
)
def test_a_mapping_that_cannot_be_is_refused(tmp_path, column, message):
    with pytest.raises(InputError, match=message):
        read_described(table(tmp_path, "participant_id\tage\tyears\n1\t2\t3\n"), column=[column])


@pytest.mark.parametrize(
    ("name", "unit", "cell", "value"),
    [("weight", "lb", "154.3", 70.0), ("height", "inch", "67", 170.2), ("height", "m", "1.7", 170.0),
     ("age", "months", "756", 63.0), ("sbp", "kPa", "16", 120.0), ("weight", "kg", "70", 70.0)],
)  # fmt: skip
def test_units_of_the_dictionary_are_converted_with_a_word(tmp_path, name, unit, cell, value):
    path = table(tmp_path, f"participant_id\t{name}\n1\t{cell}\n2\tn/a\n")
    (tmp_path / "participants.json").write_text(json.dumps({name: {"Units": unit}}))
    described = read_described(path)
    read = [read_conditions(row, described.schema)[name] for row in described.table.to_dict("records")]
    assert read == [pytest.approx(value, rel=1e-3), None]
    assert len(described.warnings) == (unit != "kg")


def test_a_unit_that_is_not_known_is_refused(tmp_path):
    path = table(tmp_path, "participant_id\tweight\n1\t11\n")
    (tmp_path / "participants.json").write_text('{"weight": {"Units": "stone"}}')
    with pytest.raises(InputError, match="'stone' is not understood; expected kg"):
        read_described(path)


def test_a_column_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="stands twice"):
        read_people(table(tmp_path, "participant_id\tage\tage\n1\t2\t3\n"))


@pytest.mark.parametrize(("weight", "height"), [(250.0, 100.0), (25.0, 200.0), (170.0, 100.0)])
def test_a_body_that_nobody_has_is_refused(weight, height):
    with pytest.raises(InputError, match="body mass index"):
        PAPER_SCHEMA.read({"weight": weight, "height": height})
