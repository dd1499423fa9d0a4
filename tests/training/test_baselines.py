from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from cheart.evaluation.completion import evaluate_completion
from cheart.model import load
from cheart.training.options import PRESETS, resolve
from cheart.training.train import train
from cohorts import tiny_cohort

NETWORK = ("epochs=2", "batch=4", "latent=4", "embedding=4")
NAMES = ("cvae", "cvae-gan", "cgan")


@pytest.mark.slow
@pytest.mark.parametrize(("preset", "size"), [("paper", "width=2"), ("quick", "modes=5")])
@pytest.mark.parametrize("name", NAMES)
def test_a_trained_baseline_is_read_back_and_used(tmp_path: Path, name: str, preset: str, size: str) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=8)
    train(cohort, tmp_path / "run", model=name, preset=preset, settings=(*NETWORK, size), jobs=1)
    model = load(tmp_path / "run")
    assert model.name == name
    (heart,) = model.generate(seed=0)
    assert heart.frames == cohort.frames
    train(cohort, tmp_path / "run", settings=("epochs=3",), resume=True, jobs=1)


@pytest.mark.parametrize("name", NAMES)
def test_presets_put_the_paper_on_voxels_and_the_laptop_on_shapes(name: str) -> None:
    spaces = {preset: resolve(name, preset, ())[1].representation for preset in PRESETS}
    assert spaces == {"quick": "shape", "laptop": "shape", "paper": "voxel"}


def test_a_preset_sets_the_training_of_one_model_and_settings_change_it() -> None:
    assert resolve("cgan", "laptop", ())[0].momentum < resolve("cvae", "laptop", ())[0].momentum
    assert resolve("cgan", "laptop", ("momentum=0.7",))[0].momentum == 0.7


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cvae", "cvae-gan"])
def test_a_baseline_on_shapes_completes_better_than_standing_still(tmp_path: Path, name: str) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=20)
    settings = ("epochs=2", "modes=6", "latent=4", "embedding=12")
    train(cohort, tmp_path / "run", model=name, preset="quick", settings=settings, jobs=1)
    ours = evaluate_completion(load(tmp_path / "run"), cohort).summary()
    copied = evaluate_completion(load(tmp_path / "run"), cohort, copy_first=True).summary()
    assert ours["dice_es"]["mean"] > copied["dice_es"]["mean"] + 0.03


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_baselines_on_shapes_take_thick_slices_of_two_frames(tmp_path: Path, name: str) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=20, planes=slice(4, None, 3), pair=True)
    settings = ("epochs=2", "modes=6", "latent=4", "embedding=12")
    train(cohort, tmp_path / "run", model=name, preset="quick", settings=settings, jobs=1)
    (heart,) = load(tmp_path / "run").generate(seed=0)
    assert {1, 2, 3} <= set(np.unique(heart.labels))


@pytest.mark.slow
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


@pytest.mark.slow
def test_pca_takes_thick_slices_of_two_frames(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=20, planes=slice(4, None, 3), pair=True)
    train(cohort, tmp_path / "run", model="pca", settings=("modes=6", "components=8"), jobs=1)
    ours = evaluate_completion(load(tmp_path / "run"), cohort).summary()
    copied = evaluate_completion(load(tmp_path / "run"), cohort, copy_first=True).summary()
    assert ours["dice_es"]["mean"] > copied["dice_es"]["mean"] + 0.03
