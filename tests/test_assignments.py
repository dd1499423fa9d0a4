import pytest

from cheart import InputError
from cheart.assignments import read_assignments


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lvef"], r"--given 'lvef': expected name=value"),
        (["=55"], r"--given '=55': expected name=value"),
        (["lvef="], r"--given 'lvef=': expected name=value"),
        (["lvef=55", "lvef=60"], "--given lvef=55 and lvef=60: give lvef once"),
    ],
)
def test_a_word_without_its_parts_or_a_name_twice_is_refused(words, message):
    with pytest.raises(InputError, match=message):
        read_assignments(words, "--given", "name=value")


def test_capitals_mean_nothing_where_they_should():
    assert read_assignments(["LVEF=55"], "--given", "name=value", lower=True) == {"lvef": "55"}
    with pytest.raises(InputError, match="give lvef once"):
        read_assignments(["LVEF=55", "lvef=55"], "--given", "name=value", lower=True)
    assert read_assignments(["A=1", "a=2"], "--set", "key=value") == {"A": "1", "a": "2"}


def test_a_value_may_hold_the_sign():
    assert read_assignments(["es=a=b.nii.gz"], "--given", "name=value") == {"es": "a=b.nii.gz"}
