import numpy as np
import pandas as pd
import pytest

from cheart.evaluation.tables import BEST
from cheart.metrics.statistics import holm
from cheart.paper.comparison import ALPHA, best, family, marks, table_of_tests


def rows(n: int = 30) -> dict[str, pd.DataFrame]:
    """Ours clearly better than one, clearly worse than another, and like a third."""
    rng = np.random.default_rng(0)
    base = rng.normal(0.8, 0.05, n)
    noise = {name: rng.normal(0, 0.005, n) for name in ("bad", "good", "like")}
    values = {"cheart": base, "bad": base - 0.05, "good": base + 0.05, "like": base}
    return {name: pd.DataFrame({"dice": v + noise.get(name, 0)}) for name, v in values.items()}


def test_marks_stand_only_where_a_corrected_test_is_clear() -> None:
    tests = family(rows(), {"dice": "max"}, "cheart")
    np.testing.assert_allclose([t.p_holm for t in tests], holm([t.p for t in tests]))
    assert next(t.p_holm for t in tests if t.second == "like") > ALPHA
    assert marks(tests) == {("dice", "bad"): "*", ("dice", "good"): "†"}


def test_the_table_of_tests_names_nobody_better_without_a_clear_test() -> None:
    table = table_of_tests(family(rows(), {"dice": "max"}, "cheart"), "x")
    assert {row[1]: row[4] for row in table.rows} == {"bad": "cheart", "good": "good", "like": "not told apart"}


def test_without_the_reference_there_is_nothing_to_test() -> None:
    assert family(rows(), {"dice": "max"}, "another") == []


def test_bold_is_only_what_is_better_than_every_other_row() -> None:
    assert best(rows(), {"dice": "max"}) == {("dice", "good")}
    assert best({name: t for name, t in rows().items() if name != "good"}, {"dice": "max"}) == set(), "two are alike"
    assert best(rows(5), {"dice": "max"}) == set(), "too few people for any test"


@pytest.mark.parametrize("name", ["oracle", "group mean EF", "good with group"])
def test_the_oracle_and_who_is_told_the_diagnosis_are_no_contestants(name: str) -> None:
    perfect = {name: pd.DataFrame({"dice": np.ones(30)})}
    assert best({**rows(), **perfect}, {"dice": "max"}) == {("dice", "good")}


def test_a_bold_cell_keeps_its_mark() -> None:
    tests = family(rows(), {"dice": "max"}, "cheart")
    assert marks(tests, {("dice", "good")})["dice", "good"] == f"{BEST}†"
