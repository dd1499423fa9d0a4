"""Several processes train one process's model, and any number goes on with what another made."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.torch import load_file

from cheart.cohort import Cohort
from cheart.simulate.cohort import simulate_cohort
from cheart.training.train import train
from cohorts import TINY
from together import train_together

SMALL = ("modes=5", "hidden=16", "latent=4", "code=4", "harmonics=2", "clip=1", "forget=0.3")
RECIPES: dict[str, dict[str, Any]] = {
    "laptop": {"preset": "laptop", "settings": ("batch=4", "epochs=2", *SMALL)},
    "cvae-gan": {"model": "cvae-gan", "preset": "paper", "settings": ("batch=4", "epochs=2", "width=2", "latent=4")},
}
"""11 training subjects in batches of 4: the last, of 3, is split unevenly; 2 validation subjects."""

ROUNDING = re.compile(r"encoder\.(first|rest\.\d)\.bias|decoder\.convs\.[012]\.bias|norms\.\d\.mean")
"""Biases before a batch normalisation, which takes them away again: their gradient is rounding alone, and Adam makes
steps of full length of it. The running means follow them."""


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    found = simulate_cohort(tmp_path_factory.mktemp("cohort") / "c", n=16, grid=TINY, frames=6, jobs=1)
    assert [len(found.indices(split)) for split in ("train", "val")] == [11, 2]
    return found


def differences(one: Path, two: Path) -> dict[str, float]:
    """By weight, the largest difference between two runs' models."""
    a, b = (load_file(run / "model.safetensors") for run in (one, two))
    assert a.keys() == b.keys()
    found = {name: float((a[name].float() - b[name].float()).abs().max()) for name in a}
    return {name: value for name, value in found.items() if not ROUNDING.search(name)}


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_train_the_model_of_one(cohort: Cohort, tmp_path: Path, name: str) -> None:
    train(cohort, tmp_path / "one", jobs=1, device="cpu", **RECIPES[name])
    train_together(cohort, tmp_path / "two", jobs=1, device="cpu", **RECIPES[name])
    # a GAN's steps after one another let rounding grow
    limit = 1e-4 if name == "cvae-gan" else 1e-5
    assert not {n: d for n, d in differences(tmp_path / "one", tmp_path / "two").items() if d > limit}
    files = [sorted(p.name for p in (tmp_path / run).iterdir()) for run in ("one", "two")]
    assert files[0] == files[1], "nothing is left of what was handed out, and only one process wrote"
    figures = [pd.read_csv(tmp_path / run / "metrics.csv").drop(columns="seconds") for run in ("one", "two")]
    pd.testing.assert_frame_equal(*figures, rtol=1e-4)


def test_two_processes_take_the_gradient_of_one_through_batch_statistics(cohort: Cohort, tmp_path: Path) -> None:
    """After one step of Adam, its first moment is a tenth of the gradient.

    Weights are no measure here: kernels round batch statistics differently, and where a gradient is hardly more than
    rounding, Adam's first steps are of full length in whatever direction rounding has.
    """
    recipe: dict[str, Any] = {"preset": "paper", "settings": ("batch=11", "epochs=1"), "jobs": 1, "device": "cpu"}
    train(cohort, tmp_path / "one", **recipe)
    train_together(cohort, tmp_path / "two", **recipe)
    one, two = (load_file(tmp_path / run / "checkpoint.safetensors") for run in ("one", "two"))
    moments = [name for name in one if "exp_avg" in name and "exp_avg_sq" not in name]
    assert len(moments) > 20
    largest = max(float(one[name].abs().max()) for name in moments)
    for name in moments:
        limit = 1e-4 * float(one[name].abs().max()) + 1e-6 * largest
        assert float((one[name] - two[name]).abs().max()) < limit, name


@pytest.mark.parametrize("first", [1, 2])
def test_any_number_of_processes_goes_on_with_what_another_made(cohort: Cohort, tmp_path: Path, first: int) -> None:
    ways = {1: train, 2: train_together}
    start = {**RECIPES["laptop"], "settings": (*RECIPES["laptop"]["settings"], "schedule=constant")}
    train(cohort, tmp_path / "unbroken", jobs=1, device="cpu", **start)
    half = {**start, "settings": (*start["settings"], "epochs=1")}
    ways[first](cohort, tmp_path / "broken", jobs=1, device="cpu", **half)
    ways[3 - first](cohort, tmp_path / "broken", jobs=1, device="cpu", resume=True, settings=("epochs=2",))
    assert not {n: d for n, d in differences(tmp_path / "unbroken", tmp_path / "broken").items() if d > 1e-5}
    assert len(pd.read_csv(tmp_path / "broken" / "metrics.csv")) == 2
