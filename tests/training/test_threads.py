from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_info

from cheart.cohort import Cohort
from cheart.files import read_json
from cheart.model import load
from cheart.training.threads import threads
from cheart.training.train import train
from tiny import SETTINGS


def used() -> set[int]:
    """Threads of PyTorch and of numpy's libraries."""
    return {torch.get_num_threads(), *(library["num_threads"] for library in threadpool_info())}


@pytest.fixture
def two() -> object:
    """As on a computer with two cores, whatever this one has."""
    with threads(2):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_one_seed_gives_one_model_on_a_shape_basis_with_any_number_of_threads(
    cohort: Cohort, run: Path, tmp_path: Path
) -> None:
    """``run`` was trained with one."""
    train(cohort, tmp_path / "run", preset="quick", settings=SETTINGS, jobs=1)
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()
    assert read_json(tmp_path / "run" / "run.json")["threads"] == 1
    assert torch.get_num_threads() == 2, "as before"


def test_one_seed_gives_one_heart_with_any_number_of_threads(run: Path) -> None:
    made = []
    for count in (1, 2):
        with threads(count):
            made.append([heart.labels.tobytes() for heart in load(run).generate({"age": 40}, n=3)])
    assert made[0] == made[1]


def test_threads_are_limited_and_given_back() -> None:
    before = used()
    with threads(1):
        assert used() == {1}
        with threads(None):
            assert used() == {1}
    assert used() == before


@pytest.mark.slow
@pytest.mark.usefixtures("two")
def test_a_run_on_voxels_says_with_how_many_threads_it_was_made(cohort: Cohort, tmp_path: Path) -> None:
    small = ["epochs=1", "frames=1", "batch=16"]
    train(cohort, tmp_path / "run", preset="paper", settings=small, jobs=1)
    assert read_json(tmp_path / "run" / "run.json")["threads"] == 2
    with threads(1):
        train(cohort, tmp_path / "run", settings=["epochs=2"], jobs=1, resume=True)
    assert read_json(tmp_path / "run" / "run.json")["threads"] == 2, "a training goes on as it was begun"
