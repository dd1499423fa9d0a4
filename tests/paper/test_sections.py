"""Tables of a cross-validation, from results that are known."""

import numpy as np
import pytest

from cheart.evaluation.tables import Estimate
from cheart.paper.results import Results
from cheart.paper.sections import Outcome, Section, paper_tables, sections
from known_results import generated, judged

KINDS = np.array(["sick", "well"] * 8, object)


def parts_of(results: dict[str, Results], kinds: np.ndarray = KINDS, **tasks: tuple[str, ...]) -> list[Section]:
    return sections(Outcome(results, dict.fromkeys(results, ("complete",)) | tasks, next(iter(results)), kinds))


def test_dice_by_kind_and_the_tests_within_a_kind() -> None:
    rng = np.random.default_rng(0)
    ours = rng.normal(0.8, 0.01, 16)
    worse = ours - np.where(KINDS == "sick", 0.2, 0.0)
    parts = {p.name: p for p in parts_of({"mine": Results(judged(ours)), "pca": Results(judged(worse))})}
    by_kind = parts["by-kind"]
    (table,) = by_kind.tables
    assert table.columns == ("", "sick (8)", "well (8)")
    assert table.rows[1][1].mean == pytest.approx(worse[KINDS == "sick"].mean())
    assert [cell.mark for cell in table.rows[1][1:]] == ["*", ""], "only where it is so"
    assert [(cell.mark, cell.best) for cell in table.rows[0][1:]] == [("", True), ("", False)], "bold, not in words"
    assert {test.n for test in by_kind.tests} == {8}
    whole = next(t for t in parts["end-systole"].tests if t.measure == "dice_es")
    assert (whole.n, whole.first, whole.better) == (16, "mine", "mine"), "against the first model that was named"


def test_ejection_fraction_by_kind_is_of_the_persons_own_samples() -> None:
    ejection = np.where(KINDS == "sick", 30.0, 60.0)
    last = parts_of({"cheart": Results(judged(np.ones(16)), generated(ejection, off=5.0))})[-1]
    means = {row[0]: (row[1].mean, row[2].mean, row[3]) for row in last.tables[0].rows}
    assert means == {
        "sick": (pytest.approx(30), pytest.approx(35), "16"),
        "well": (pytest.approx(60), pytest.approx(65), "16"),
        "all": (pytest.approx(45), pytest.approx(50), "32"),
    }


def test_cohorts_of_one_kind_have_no_table_by_kind() -> None:
    parts = parts_of({"pca": Results(judged(np.ones(16)))}, np.full(16, "", object), cgan=("generate",))
    assert [part.name for part in parts] == ["end-systole", "table-1", "completed-phenotypes"]
    assert any("cgan" in gap for gap in parts[0].gaps)


@pytest.mark.parametrize(("number", "shape"), [("I", (4, 4)), ("II", (4, 6)), ("III", (4, 10)), ("IV", (4, 5))])
def test_every_table_is_whole(number: str, shape: tuple[int, int]) -> None:
    for table in paper_tables(number):
        assert (len(table.rows), len(table.columns) - 1) == shape
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_numbers_as_printed() -> None:
    dice = paper_tables("I")[0]
    assert dice.rows[-1][-1] == Estimate(0.874, 0.024, 3)
    (third,) = paper_tables("III")
    assert third.rows[0][-1] == Estimate(10.40, 11.23, 2)
    assert paper_tables("") == []
