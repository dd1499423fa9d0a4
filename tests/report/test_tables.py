import math

import pandas as pd

from cheart.report.tables import Table, completion_tables, generation_tables, response_table
from cheart.tasks.judge_generation import Generation


def test_a_table_as_text_and_as_markdown() -> None:
    table = Table("T", ("", "a"), (("one", "1"), ("three", "22")))
    assert table.text().splitlines() == ["T", "        a", "one     1", "three  22"]
    assert table.markdown().splitlines() == ["**T**", "", "|  | a |", "| --- | ---: |", "| one | 1 |", "| three | 22 |"]


def test_completion_has_a_row_a_model_and_says_what_is_missing() -> None:
    models = {"pca": {"dice_lv": {"mean": 0.9123, "sd": 0.02}, "hd_lv": {"mean": math.nan, "sd": math.nan}}, "cvae": {}}
    dice, hd, *_ = completion_tables(models)
    assert [row[0] for row in dice.rows] == ["pca", "cvae"]
    assert dice.rows[0][1] == "0.912±0.020"
    assert hd.rows[0][1] == dice.rows[1][1] == "n/a"


def test_generation_has_the_real_hearts_seam_beside_the_models() -> None:
    empty = {"likeness": {}, "distributions": {}, "seam": {"generated": {}, "real": {"jump": {"mean": 0.5, "sd": 0.1}}}}
    *_, seam = generation_tables({"cgan": empty})
    assert [row[0] for row in seam.rows] == ["cgan", "real hearts"]
    assert seam.rows[1][-1] == "0.50±0.10"


def test_nothing_real_to_compare_with_is_told_as_such() -> None:
    rows = pd.DataFrame(
        {"subject": [1], "sample": [1], **{n: [1.0] for n in ("lvm", "lvedv", "lvesv", "rvedv", "rvesv")}}
    )
    people = pd.DataFrame({"subject": [1], "decade": ["20-30"], **{f"real_{n}": [1.0] for n in rows.columns[2:]}})
    assert Generation(people, rows, pd.DataFrame(), 0).distributions() == {}


def test_the_response_has_a_row_a_condition() -> None:
    entry = {"ratio": 0.1, "verdict": "ignored"}
    assert response_table({"age": {"lvedv": entry}}).rows == (("age", "0.10 ignored", "n/a", "n/a", "n/a", "n/a"),)
