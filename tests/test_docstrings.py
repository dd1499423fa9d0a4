"""The examples in docstrings are true. They are small: a heart is a handful of voxels."""

import doctest
from importlib import import_module

import pytest

MODULES = (
    "grid", "labels", "conditions", "phenotypes", "cohort", "metrics.overlap", "metrics.distributions",
    "metrics.statistics",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    done = doctest.testmod(import_module(f"cheart.{name}"), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.attempted
    assert not done.failed
