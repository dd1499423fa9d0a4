import pytest
from typer.testing import CliRunner

from cheart.cli.main import app
from cheart.errors import InputError


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "either --by"),
        (["--by", "sex", "--at", "age=30"], "either --by"),
        (["--at", "age"], "age=30,50,70"),
        (["--by", "shoe"], "unknown condition"),
    ],
)
def test_what_is_refused(cohort, tmp_path, words, why):
    error = CliRunner().invoke(app, ["cohort-atlas", str(cohort.path), "-o", str(tmp_path / "out"), *words]).exception
    assert isinstance(error, InputError)
    assert why in str(error)
