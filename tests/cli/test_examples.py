"""The model of examples/mine.py goes the way of the built-in ones, by the command line, from its own file."""

import json
from pathlib import Path

import pytest

from cheart.errors import InputError
from cheart.model import load
from cheart.models import registry
from cohorts import tiny_cohort

MINE = Path(__file__).parents[2] / "examples" / "mine.py"


@pytest.fixture
def forgotten(monkeypatch):
    """What was registered is forgotten, as in another process."""

    def forget():
        monkeypatch.setattr(registry, "_registered", {n: k for n, k in registry._registered.items() if n != "mine"})

    yield forget
    forget()


@pytest.mark.slow
def test_a_model_from_a_file_is_trained_judged_and_used(cheart, tmp_path, forgotten):
    model, run = f"{MINE}:Mine", tmp_path / "run"
    cohort = tiny_cohort(tmp_path / "cohort", n=20)
    cheart("train", cohort.path, "-o", run, "--model", model, "--preset", "quick", "--set", "modes=5", "--jobs", 1)
    assert json.loads((run / "config.json").read_text())["source"] == model
    forgotten()
    with pytest.raises(InputError, match="runs no file that you have not named"):
        load(run)
    told = json.loads(cheart("evaluate", run, cohort.path, "--model", model, "--jobs", 1, "--json").out)
    assert told["completion"]["dice_es"]["mean"] > told["first_frame_copied"]["dice_es"]["mean"] + 0.03
    person = {"age": 45, "sex": "F", "weight": 70, "height": 170, "sbp": 120}
    mine = load(run, model=model)
    (heart,) = mine.generate(person)
    assert heart.labels.max() == 3
    assert len(MINE.read_text().splitlines()) < 60


def test_it_is_read_again_in_another_process(tmp_path):
    """A worker, which has imported nothing, finds the class by its file."""
    kind = registry.model_class(f"{MINE}:Mine")
    assert registry.passport(kind) == f"{MINE}:Mine"
