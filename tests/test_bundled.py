"""The model that comes with cheart: that it is the one that was judged, and that it makes the hearts that it made."""

import hashlib
import json

import numpy as np
import pytest
from safetensors.torch import load_file

from cheart.metrics.overlap import dice
from cheart.model import Model, load
from cheart.models.find import BUNDLED_FOLDER, CLINICAL_FOLDER, PAPER_FOLDER
from cheart.simulation import draw_person, simulate_heart

WEIGHTS = "f33f894d21b98f4e384bcdc853a359b3c74da07de809830c85b4a7a30936c2e5"
"""Of the values of all tensors, whatever their names."""

PERSON = {"age": 63, "sex": "F", "height": 165, "weight": 70, "sbp": 135}
HEARTS = (
    {"lvedv": 120.03, "lvesv": 61.12, "rvedv": 130.9, "rvesv": 69.3, "lvm": 63.93},
    {"lvedv": 123.41, "lvesv": 44.12, "rvedv": 135.73, "rvesv": 52.8, "lvm": 80.83},
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


def test_the_papers_network_comes_too_and_completes_a_heart_that_it_never_saw():
    model = load("paper")
    assert (model.network.options.representation, model.network.options.motion) == ("voxel", "lstm")
    assert model.config["trained_on"]["kind"] == "simulated"
    person = draw_person(np.random.default_rng(123))
    real, _ = simulate_heart(person, seed=123, grid=model.grid)
    made = model.complete(real, {name: person[name] for name in model.encoding.schema.names})
    found = dice(real.labels, made.labels)  # [T, 3]
    assert found.mean() > 0.85
    assert found[0].mean() > found.mean() - 0.02, "end-diastole is no worse than the others"


@pytest.mark.slow
def test_the_clinical_model_comes_too_and_moves_the_heart_that_it_was_given():
    model = load("clinical")
    assert (model.network.name, model.grid.name, model.config["trained_on"]["kind"]) == ("motion", "paper", "simulated")
    person = draw_person(np.random.default_rng(123))
    real, _ = simulate_heart(person, seed=123, grid=model.grid)
    made = model.complete(real, {name: person[name] for name in model.encoding.schema.names})
    np.testing.assert_array_equal(made.labels[0], real.labels[0])
    assert made.validity.valid, str(made.validity)
    end = real.phenotypes.es_frame
    still = dice(real.labels[end : end + 1], real.labels[:1]).mean()
    assert dice(real.labels[end : end + 1], made.labels[end : end + 1]).mean() > still + 0.2


LOOKS = {"mesh.safetensors", "norms.json"}
"""What the pages and the report show of the bundled model beside its weights."""


@pytest.mark.parametrize(
    ("folder", "beside", "most"),
    [(BUNDLED_FOLDER, LOOKS, 6.5e6), (CLINICAL_FOLDER, set(), 7e6), (PAPER_FOLDER, set(), 2e6)],
)
def test_it_is_small_and_carries_no_places_of_a_machine(folder, beside, most):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {"model.safetensors", "config.json", "card.md", "run.json", "metrics.csv"} | beside
    assert sum(map(len, files.values())) < most
    assert json.loads(files["run.json"])["finished"]
    text = b"".join(content for name, content in files.items() if not name.endswith(".safetensors"))
    assert b"/home" not in text
    assert b" /" not in text
