"""A tiny trained model and the cohort behind it, for tests of what is done with a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from cheart.cohort import Cohort
from cheart.model import Model, load
from cheart.training.train import train
from cohorts import tiny_cohort

SETTINGS = ("epochs=30", "modes=5", "hidden=16", "latent=4", "embedding=4", "rate=0.005")
"""Enough to beat and to follow age; a second of training."""

PERSON = {"age": 45.0, "sex": "F", "weight": 70.0, "height": 170.0, "sbp": 120.0}
"""Within the range of training."""


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """14 beating ellipsoids."""
    return tiny_cohort(tmp_path_factory.mktemp("tiny") / "cohort")


@pytest.fixture(scope="session")
def run(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training on them."""
    path = tmp_path_factory.mktemp("tiny") / "run"
    train(cohort, path, preset="quick", settings=SETTINGS, jobs=1)
    return path


@pytest.fixture(scope="session")
def model(run: Path) -> Model:
    """The model that came of it."""
    return load(run)
