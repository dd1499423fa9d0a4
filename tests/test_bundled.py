"""The model that comes with cheart: that it is the one that was judged, and that it makes the hearts that it made."""

import hashlib
import json

import pytest

from cheart.models.find import BUNDLED_FOLDER
from cheart.tasks.trained import TrainedModel, load

WEIGHTS = "45f86303ab8a19b7c286151fa933b3e062f67c872b86a100eb619efddc12ed86"
PERSON = {"age": 63, "sex": "F", "height": 165, "weight": 70, "sbp": 135}
HEARTS = (
    {"lvedv": 117.72, "lvesv": 58.42, "rvedv": 124.81, "rvesv": 61.44, "lvm": 63.95},
    {"lvedv": 118.15, "lvesv": 40.88, "rvedv": 129.92, "rvesv": 42.68, "lvm": 79.64},
)
"""Of PERSON with seed 0, in mL and g."""


@pytest.fixture(scope="module")
def bundled() -> TrainedModel:
    """``cheart.load()``."""
    return load()


def test_its_weights_are_those_that_were_judged():
    assert hashlib.sha256((BUNDLED_FOLDER / "model.safetensors").read_bytes()).hexdigest() == WEIGHTS


def test_it_makes_the_hearts_that_it_made(bundled):
    for known, heart in zip(HEARTS, bundled.generate(2, conditions=PERSON), strict=True):
        found = heart.phenotypes.row()
        assert {n: found[n] for n in known} == pytest.approx(known, abs=0.5)  # platforms round differently


def test_it_is_the_default_recipe_on_simulated_hearts_and_says_so(bundled):
    assert (bundled.config["preset"], bundled.config["trained_on"]["kind"]) == ("laptop", "simulated")
    assert (bundled.grid.name, bundled.frames) == ("paper", 20)
    card = (BUNDLED_FOLDER / "card.md").read_text()
    assert all(words in card for words in ("**simulated**", "Not a medical device", "cheart train cohort -o model"))


def test_it_is_small_and_carries_no_places_of_a_machine():
    files = {path.name: path.read_bytes() for path in BUNDLED_FOLDER.iterdir()}
    assert set(files) == {"model.safetensors", "config.json", "card.md", "run.json", "metrics.csv"}
    assert sum(map(len, files.values())) < 5e6
    assert json.loads(files["run.json"])["finished"]
    text = b"".join(content for name, content in files.items() if name != "model.safetensors")
    assert b"/home" not in text
    assert b" /" not in text
