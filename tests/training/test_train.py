import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from benchmarks.validity import by_sign
from safetensors.torch import load_file

from cheart.cohort import Cohort
from cheart.conditions import PAPER_SCHEMA, Factor, Schema
from cheart.errors import InputError
from cheart.evaluation.completion import evaluate_completion
from cheart.evidence import Evidence
from cheart.metrics.overlap import dice
from cheart.model import load
from cheart.models.store import read_model
from cheart.training.train import train
from cohorts import tiny_cohort

QUICK = {"preset": "quick", "settings": ("epochs=6", "modes=5", "hidden=16", "latent=4", "embedding=4"), "jobs": 1}
PLAIN = ("norm=batch", "box=false", "frames=0", "warmup=0", "schedule=constant", "average=0", "rate=5e-4")
PAPER = {"preset": "paper", "settings": ("epochs=2", "batch=4", *PLAIN), "jobs": 1}
CHEAP = {"preset": "paper", "settings": ("epochs=2", "batch=4", "frames=2", "warmup=1"), "jobs": 1}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return tiny_cohort(tmp_path_factory.mktemp("cohort") / "c")


def same(one: Path, two: Path) -> bool:
    a, b = (load_file(p / "model.safetensors") for p in (one, two))
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [QUICK, PAPER, CHEAP], ids=["quick", "plain", "paper"])
def test_a_killed_training_goes_on_to_the_weights_of_an_unbroken_one(
    cohort: Cohort, tmp_path: Path, recipe: dict
) -> None:
    train(cohort, tmp_path / "unbroken", **recipe)

    def kill(row: dict[str, float]) -> None:
        if row["epoch"] == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(cohort, tmp_path / "broken", log=kill, **recipe)
    assert not json.loads((tmp_path / "broken" / "run.json").read_text())["finished"]
    train(cohort, tmp_path / "broken", resume=True, jobs=1)
    assert same(tmp_path / "unbroken", tmp_path / "broken")
    unbroken, broken = ((tmp_path / n / "metrics.csv").read_text().splitlines() for n in ("unbroken", "broken"))
    assert [line.rsplit(",", 1)[0] for line in unbroken] == [line.rsplit(",", 1)[0] for line in broken]


@pytest.mark.slow
def test_a_run_says_how_it_was_made(cohort: Cohort, tmp_path: Path) -> None:
    train(cohort, tmp_path / "run", seed=3, **QUICK)
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["finished"]
    assert run["seed"] == 3
    assert run["cohort"]["fingerprint"] == cohort.fingerprint
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["options"]["modes"] == 5
    assert config["training"]["epochs"] == 6
    assert config["trained_on"]["kind"] == "simulated"
    losses = pd.read_csv(tmp_path / "run" / "metrics.csv")["validation"]
    assert run["best_validation_loss"] == pytest.approx(losses.min(), rel=1e-5)
    assert run["best_epoch"] == losses.argmin() + 1
    assert "sub-0" not in json.dumps([run, config])


@pytest.mark.slow
def test_training_learns_how_hearts_beat(cohort: Cohort, tmp_path: Path) -> None:
    settings = ("epochs=60", "modes=6", "hidden=32", "latent=4", "embedding=8", "rate=0.005")
    train(cohort, tmp_path / "run", preset="quick", settings=settings, jobs=1)
    model = load(tmp_path / "run")
    ours = evaluate_completion(model, cohort).summary()
    copied = evaluate_completion(model, cohort, copy_first=True).summary()
    assert ours["dice_es"]["mean"] > copied["dice_es"]["mean"] + 0.03


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["group", pytest.param("batch", marks=pytest.mark.faults)])
def test_use_is_what_training_was(cohort: Cohort, tmp_path: Path, norm: str) -> None:
    """Every frame of a trained network is as good in evaluation mode as in training mode."""
    settings = (*PLAIN, "epochs=60", "batch=5", "rate=0.01", "patience=60", f"norm={norm}")
    train(cohort, tmp_path / "run", preset="paper", settings=settings, jobs=1)
    network = read_model(tmp_path / "run").network
    data = network.representation.data(cohort, "train", network.setting.encoding, prepared=None, jobs=1)
    batch = data.batch(np.arange(10), network.device)
    with torch.no_grad():
        mean, _, embedding = network.posterior(network.representation.first(batch), batch.conditions)
        latents, frames = network.latents(mean, embedding), torch.arange(cohort.frames)
        hearts = [network.train(mode).decoder(latents, frames).argmax(dim=2) for mode in (False, True)]

    def by_frame(made: torch.Tensor) -> np.ndarray:
        both = zip(batch.labels.numpy(), made.numpy().astype(np.uint8), strict=True)
        return np.mean([dice(real, other).mean(axis=1) for real, other in both], axis=0)

    used, trained = map(by_frame, hearts)
    assert used.min() > 0.6
    assert np.abs(used - trained).max() < 0.03


def test_only_observed_planes_and_frames_reach_the_loss(tmp_path: Path) -> None:
    thick = tiny_cohort(tmp_path / "c", planes=slice(4, None, 3), pair=True)
    train(thick, tmp_path / "run", **QUICK)
    model = load(tmp_path / "run")
    made = evaluate_completion(model, thick).summary()
    assert 0.5 < made["dice"]["mean"] <= 1


@pytest.mark.slow
def test_going_on_from_a_model_makes_room_for_a_new_condition(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cheart.models.shape_basis.read_out", by_sign)  # what the network says, before it is made valid
    train(cohort, tmp_path / "base", **QUICK)
    group = Factor("group", "level", levels=("NOR", "DCM"))
    wider = Cohort(cohort.path, cohort.info, Schema((*PAPER_SCHEMA.factors, group)), cohort.table.assign(group="DCM"))
    train(wider, tmp_path / "more", start_from=tmp_path / "base", settings=("epochs=1", "rate=1e-12"), jobs=1)
    base, more = read_model(tmp_path / "base").network, read_model(tmp_path / "more").network
    assert more.setting.encoding.schema.names == (*PAPER_SCHEMA.names, "group")
    person = {"age": 40.0, "sex": "F", "weight": 70.0, "height": 170.0, "sbp": 120.0}
    heart, seen = cohort.labels(0)[0], cohort.observed[0, 0]
    before = base.complete(Evidence.of_frame(heart, seen, cohort.frames), base.setting.encoding.encode([person])[0])
    after = more.complete(
        Evidence.of_frame(heart, seen, cohort.frames), more.setting.encoding.encode([{**person, "group": "NOR"}])[0]
    )
    # the basis has gained modes and has levels of its own, so it differs a little; what follows moves as it did
    assert dice(before, after).min() > 0.93
    assert dice(cohort.labels(0)[:1], after[:1]).mean() >= dice(cohort.labels(0)[:1], before[:1]).mean()


def test_a_folder_that_was_killed_before_it_held_anything_can_be_started_again(cohort: Cohort, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".partial-123-run.json").write_text("{")
    train(cohort, tmp_path / "run", **QUICK)
    assert (tmp_path / "run" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "unet"}, "model 'unet': expected one of cheart"),
        ({"preset": "huge"}, "preset 'huge': expected one of quick, laptop, paper"),
        ({"settings": ("lr=3",)}, "expected key=value with a key of batch, rate"),
        ({"settings": ("batch=many",)}, "expected a whole number"),
        ({"device": "warp"}, "--device 'warp'"),
        ({"resume": True}, "holds no run"),
    ],
)
def test_what_does_not_go_together_is_refused_before_any_work(
    cohort: Cohort, tmp_path: Path, options: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train(cohort, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_written_over_nor_continued_with_another_cohort(cohort: Cohort, tmp_path: Path) -> None:
    train(cohort, tmp_path / "run", **QUICK)
    with pytest.raises(InputError, match="--resume"):
        train(cohort, tmp_path / "run", **QUICK)
    other = tiny_cohort(tmp_path / "other", n=8)
    with pytest.raises(InputError, match="another cohort"):
        train(other, tmp_path / "run", resume=True)
