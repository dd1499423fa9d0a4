"""The model that comes with cheart: that it is the one that was judged, and that it makes the hearts that it made."""

import hashlib
import json

import pytest
from safetensors.torch import load_file

from cheart.model import Model, load
from cheart.models.find import BUNDLED_FOLDER

WEIGHTS = "f33f894d21b98f4e384bcdc853a359b3c74da07de809830c85b4a7a30936c2e5"
"""Of the values of all tensors, whatever their names."""

PERSON = {"age": 63, "sex": "F", "height": 165, "weight": 70, "sbp": 135}
HEARTS = (
    {"lvedv": 121.24, "lvesv": 60.3, "rvedv": 130.52, "rvesv": 65.16, "lvm": 64.03},
    {"lvedv": 122.67, "lvesv": 42.76, "rvedv": 135.38, "rvesv": 45.73, "lvm": 80.46},
)
"""Of PERSON with seed 0, in mL and g."""


@pytest.fixture(scope="module")
def bundled() -> Model:
    """``cheart.load()``."""
    return load()


def test_its_weights_are_those_that_were_judged():
    tensors = load_file(BUNDLED_FOLDER / "model.safetensors").values()
    values = sorted(hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for tensor in tensors)
    assert hashlib.sha256("".join(values).encode()).hexdigest() == WEIGHTS


def test_it_makes_the_hearts_that_it_made(bundled):
    for known, heart in zip(HEARTS, bundled.generate(PERSON, n=2), strict=True):
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
