import csv
import io
import math
from html.parser import HTMLParser

from cheart.evaluation.formats import comma_separated, hypertext, latex, markdown
from cheart.evaluation.tables import Estimate, Table

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
