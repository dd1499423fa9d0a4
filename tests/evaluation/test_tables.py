import csv
import io
import math
from html.parser import HTMLParser

import pandas as pd

from cheart.evaluation.generation import Generation
from cheart.evaluation.tables import (
    BEST,
    Estimate,
    Table,
    comma_separated,
    completion_tables,
    generation_tables,
    hypertext,
    latex,
    markdown,
    marked,
    memorisation_table,
    response_table,
)


def test_a_table_as_text() -> None:
    table = Table("T", ("", "a"), (("one", "1"), ("three", "22")))
    assert table.text().splitlines() == ["T", "        a", "one     1", "three  22"]


def test_an_estimate_says_what_is_not_known() -> None:
    assert str(Estimate(0.9123, 0.02, 3, "*")) == "0.912±0.020*"
    assert str(Estimate(1.0, math.nan, 1)) == "1.0±n/a"
    assert str(Estimate(math.nan, math.nan, 1)) == "n/a"


def test_completion_has_a_row_a_model_and_says_what_is_missing() -> None:
    models = {"pca": {"dice_lv": {"mean": 0.9123, "sd": 0.02}, "hd_lv": {"mean": math.nan, "sd": math.nan}}, "cvae": {}}
    dice, hd, *_ = completion_tables(models, {("dice_lv", "pca"): "†"})
    assert [row[0] for row in dice.rows] == ["pca", "cvae"]
    assert str(dice.rows[0][1]) == "0.912±0.020†"
    assert str(hd.rows[0][1]) == str(dice.rows[1][1]) == "n/a"


def test_generation_has_the_real_hearts_seam_beside_the_models() -> None:
    empty = {"likeness": {}, "distributions": {}, "seam": {"generated": {}, "real": {"jump": {"mean": 0.5, "sd": 0.1}}}}
    *_, seam = generation_tables({"cgan": empty})
    assert [row[0] for row in seam.rows] == ["cgan", "real hearts"]
    assert str(seam.rows[1][-1]) == "0.50±0.10"


def test_nothing_real_to_compare_with_is_said_as_such() -> None:
    rows = pd.DataFrame(
        {"subject": [1], "sample": [1], **{n: [1.0] for n in ("lvm", "lvedv", "lvesv", "rvedv", "rvesv")}}
    )
    people = pd.DataFrame({"subject": [1], "decade": ["20-30"], **{f"real_{n}": [1.0] for n in rows.columns[2:]}})
    assert Generation(people, rows, pd.DataFrame(), 0).distributions() == {}


def test_the_response_has_a_row_a_model_and_condition() -> None:
    entry = {"ratio": 0.1, "verdict": "ignored", "cohort": {"low": 0.5, "high": 1.5}}
    unclear = {"ratio": -90.0, "verdict": "agrees", "cohort": {"low": -1.0, "high": 1.5}}
    table = response_table({"cvae": {"age": {"lvedv": entry, "lvm": unclear}}})
    assert table.rows == (("cvae", "age", "0.10 ignored", "n/a", "n/a", "n/a", "(agrees)"),)


def test_memorisation_has_a_row_a_model() -> None:
    measured = {"ratio": 0.987, "suspects": 0.1, "median": {"generated": 0.05, "held_out": 0.06}, "training_hearts": 84}
    assert memorisation_table({"cgan": measured}).rows == (("cgan", "0.99", "0.10", "0.050", "0.060", "84"),)


TABLE = Table(
    "Dice & <HD>, |d| 95 %",
    ("", "LV", "verdict"),
    (("a_b", Estimate(0.91234567, 0.02, 3, "*"), "strong"), ("<c>", Estimate(math.nan, math.nan, 3), "")),
    "dice",
    "Notes & such.",
)


def test_markdown() -> None:
    assert markdown(TABLE).splitlines()[2:5] == [
        "|  | LV | verdict |", "| --- | ---: | ---: |", r"| a_b | 0.912±0.020\* | strong |",
    ]  # fmt: skip
    assert markdown(TABLE).endswith("\n\nNotes & such.")


def test_comma_separated_holds_plain_numbers() -> None:
    head, first, second = csv.reader(io.StringIO(comma_separated(TABLE)))
    assert head == ["model", "LV mean", "LV SD", "LV mark", "verdict"]
    assert first == ["a_b", "0.912346", "0.02", "*", "strong"]
    assert second == ["<c>", "", "", "", ""]


def test_latex_escapes_and_has_as_many_cells_a_row_as_columns() -> None:
    text = latex(TABLE)
    assert r"\caption{Dice \& $<$HD$>$, $|$d$|$ 95 \%}" in text
    assert r"a\_b & 0.912$\pm$0.020$^\ast$ & strong \\" in text
    assert r"\begin{tabular}{lrr}" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert all(row.replace(r"\&", "").count("&") == 2 for row in rows)
    assert text.isascii(), "any LaTeX reads it"


def test_hypertext_is_escaped_and_closed() -> None:
    text = hypertext(TABLE)
    assert "Dice &amp; &lt;HD&gt;" in text
    assert "<c>" not in text
    open_tags: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Checker().feed(text)
    assert not open_tags


def test_the_best_of_a_column_is_bold_wherever_letters_can_be():
    entry = {"mean": 0.9, "sd": 0.01}
    (dice, *_) = completion_tables({"a": {"dice_lv": entry}, "b": {"dice_lv": entry}}, {("dice_lv", "a"): f"{BEST}†"})
    assert "**0.900±0.010†**" in markdown(dice)
    assert r"\textbf{0.900$\pm$0.010$^\dagger$}" in latex(dice)
    assert '<strong>0.900</strong><span class="sd">±0.010</span><sup>†</sup>' in hypertext(dice)
    assert "best" not in comma_separated(dice) + dice.text()
    text = Table("t", ("", "x"), (("a", marked("1.0", BEST)), ("b", marked("2.0", "*"))))
    assert "**1.0**" in markdown(text)
    assert "<strong>1.0</strong>" in hypertext(text)
