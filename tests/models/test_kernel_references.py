"""The models that benchmarks/kernel_references.py holds motion against stand on its inner functions: they must go."""

from pathlib import Path

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.model import load
from cheart.training.train import train

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "kernel_references.py"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["Whole", "Slices"])
def test_it_is_trained_and_completes(cohort: Cohort, tmp_path: Path, name: str) -> None:
    code = f"{FILE}:{name}"
    train(cohort, tmp_path / "run", model=code, jobs=1)
    real = cohort.heart(int(cohort.indices("test")[0]))
    made = load(tmp_path / "run", model=code).complete(real, {})
    assert made.labels.shape == real.labels.shape
    assert (np.unique(made.labels) == np.unique(real.labels)).all()
