import json

import pytest

pytestmark = pytest.mark.usefixtures("undrawn")


def test_a_model(cheart, run):
    value = json.loads(cheart("info", run, "--json").out)
    assert (value["kind"], value["model"], value["tasks"]) == ("model", "cheart", ["complete", "generate"])
    assert value["conditions"]["age"] == [20, 70]
    text = cheart("info", run).out
    assert "age: trained on 20 to 70" in text
    assert "simulated" in text


@pytest.mark.usefixtures("tiny_bundled")
def test_the_bundled_model(cheart, run):
    bundled, named = (json.loads(cheart("info", source, "--json").out) for source in ("bundled", run))
    assert bundled == named


def test_what_is_fitted_at_once_has_numbers_too(cheart):
    assert " numbers, fitted at once; 20 frames" in cheart("info", "clinical").out
    assert " parameters; 20 frames" in cheart("info", "paper").out


def test_a_result(cheart, run, tmp_path):
    cheart("generate", run, "-n", 2, "-o", tmp_path / "made")
    assert json.loads(cheart("info", tmp_path / "made", "--json").out)["hearts"] == 2
    assert "cheart generate" in cheart("info", tmp_path / "made").out


def test_anything_else_is_refused(refused, tmp_path):
    assert "holds none of cohort.json, config.json, result.json" in refused("info", tmp_path)
    assert "is not there" in refused("info", tmp_path / "nowhere")
