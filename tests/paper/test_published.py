import pytest

from cheart.evaluation.tables import Estimate
from cheart.paper.published import paper_tables


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
