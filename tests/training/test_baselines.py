from pathlib import Path

import pytest
from safetensors.torch import load_file

from cheart.tasks.evaluate import evaluate_completion
from cheart.tasks.trained import load
from cheart.training.train import train
from cohorts import tiny_cohort

NETWORK = ("epochs=2", "batch=4", "width=2", "latent=4", "code=4")


@pytest.mark.parametrize("name", ["cvae", "cvae-gan", "cgan"])
def test_a_trained_baseline_is_read_back_and_used(tmp_path: Path, name: str) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=8)
    train(cohort, tmp_path / "run", model=name, preset="paper", settings=NETWORK, jobs=1)
    model = load(tmp_path / "run")
    assert model.name == name
    (heart,) = model.generate(1, seed=0)
    assert heart.sequence.frames == cohort.frames
    train(cohort, tmp_path / "run", settings=("epochs=3",), resume=True, jobs=1)


def test_pca_completes_better_than_standing_still(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=20)
    train(cohort, tmp_path / "run", model="pca", settings=("modes=6", "components=8"), jobs=1)
    model = load(tmp_path / "run")
    ours = evaluate_completion(model, cohort).summary()
    copied = evaluate_completion(model, cohort, copy_first=True).summary()
    assert ours["dice_es"]["mean"] > copied["dice_es"]["mean"] + 0.03
    before = load_file(tmp_path / "run" / "model.safetensors")
    train(cohort, tmp_path / "run", resume=True, jobs=1)
    after = load_file(tmp_path / "run" / "model.safetensors")
    assert all((before[k] == after[k]).all() for k in before)


def test_pca_takes_thick_slices_of_two_frames(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=20, planes=slice(4, None, 3), pair=True)
    train(cohort, tmp_path / "run", model="pca", settings=("modes=6", "components=8"), jobs=1)
    ours = evaluate_completion(load(tmp_path / "run"), cohort).summary()
    copied = evaluate_completion(load(tmp_path / "run"), cohort, copy_first=True).summary()
    assert ours["dice_es"]["mean"] > copied["dice_es"]["mean"] + 0.03
