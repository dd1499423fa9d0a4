"""Several processes train one process's model, and any number goes on with what another made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.torch import load_file

from cheart.cohort import Cohort
from cheart.simulation.cohort import simulate
from cheart.training.train import train
from cohorts import TINY
from together import Together, together

__all__ = ["together"]

SMALL = ("schedule=constant", "modes=5", "hidden=16", "latent=4", "embedding=4", "harmonics=2", "clip=1", "forget=0.3")
RECIPES: dict[str, dict[str, Any]] = {
    "laptop": {"preset": "laptop", "settings": ("batch=4", "epochs=2", *SMALL)},
    "paper": {"preset": "paper", "settings": ("batch=4", "epochs=2", "norm=batch"), "double": True},
    "cvae-gan": {
        "model": "cvae-gan", "preset": "paper", "settings": ("batch=4", "epochs=2", "width=2", "latent=4"),
        "double": True,
    },
}  # fmt: skip
"""11 training subjects in batches of 4: the last, of 3, is split unevenly; 2 validation subjects.

Networks with batch statistics are trained in float64: the gradient of a bias before a batch normalisation is rounding
alone, and Adam makes steps of full length of it, whatever its direction. In float64 rounding is below Adam's ε.
"""


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    found = simulate(tmp_path_factory.mktemp("cohort") / "c", n=16, grid=TINY, frames=6, jobs=1)
    assert [len(found.indices(split)) for split in ("train", "val")] == [11, 2]
    return found


@pytest.fixture(scope="module")
def alone(cohort: Cohort, together: Together, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The run that one process made of a recipe."""
    made: dict[str, Path] = {}

    def run(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("alone") / name
            together.train(cohort, made[name], processes=1, **RECIPES[name])
        return made[name]

    return run


def differences(one: Path, two: Path) -> dict[str, float]:
    """By weight, the largest difference between two runs' models."""
    a, b = (load_file(run / "model.safetensors") for run in (one, two))
    assert a.keys() == b.keys()
    return {name: float((a[name].double() - b[name].double()).abs().max()) for name in a}


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_train_the_model_of_one(
    cohort: Cohort, together: Together, alone: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    one, two = alone(name), tmp_path / "two"
    together.train(cohort, two, **RECIPES[name])
    limit = 1e-8 if "double" in RECIPES[name] else 1e-5
    assert not {n: d for n, d in differences(one, two).items() if d > limit}
    files = [sorted(p.name for p in run.iterdir()) for run in (one, two)]
    assert files[0] == files[1], "nothing is left of what was handed out, and only one process wrote"
    figures = [pd.read_csv(run / "metrics.csv").drop(columns="seconds") for run in (one, two)]
    pd.testing.assert_frame_equal(*figures, rtol=1e-4)


@pytest.mark.slow
def test_two_processes_take_the_gradient_of_one_through_batch_statistics(
    cohort: Cohort, together: Together, tmp_path: Path
) -> None:
    """After one step of Adam, its first moment is a tenth of the gradient.

    In float32, where weights are no measure (see above).
    """
    settings = ("batch=11", "epochs=1", "norm=batch", "warmup=0", "frames=0")
    recipe: dict[str, Any] = {"preset": "paper", "settings": settings}
    train(cohort, tmp_path / "one", jobs=1, device="cpu", **recipe)
    together.train(cohort, tmp_path / "two", **recipe)
    one, two = (load_file(tmp_path / run / "checkpoint.safetensors") for run in ("one", "two"))
    moments = [name for name in one if "exp_avg" in name and "exp_avg_sq" not in name]
    assert len(moments) > 20
    largest = max(float(one[name].abs().max()) for name in moments)
    for name in moments:
        limit = 1e-4 * float(one[name].abs().max()) + 3e-6 * largest
        assert float((one[name] - two[name]).abs().max()) < limit, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "first"),
    [("laptop", 1), *(pytest.param(*more, marks=pytest.mark.faults) for more in (("laptop", 2), ("paper", 2)))],
)
def test_any_number_of_processes_goes_on_with_what_another_made(
    cohort: Cohort, together: Together, alone: Callable[[str], Path], tmp_path: Path, name: str, first: int
) -> None:
    recipe, broken = RECIPES[name], tmp_path / "broken"
    half = {**recipe, "settings": (*recipe["settings"], "epochs=1")}
    together.train(cohort, broken, processes=first, **half)
    more = {**recipe, "settings": ("epochs=2",), "resume": True}
    together.train(cohort, broken, processes=3 - first, **more)
    assert not {n: d for n, d in differences(alone(name), broken).items() if d > 1e-5}
    assert len(pd.read_csv(broken / "metrics.csv")) == 2
