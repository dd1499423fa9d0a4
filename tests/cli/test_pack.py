import json

import pytest

from cheart.files import read_json

pytestmark = pytest.mark.usefixtures("undrawn")


def test_a_packed_model_is_small_tells_what_it_cost_and_is_used_as_any_other(cheart, run, cohort, tmp_path):
    out, tables = tmp_path / "packed", tmp_path / "tables"
    assert cheart("evaluate", run, cohort.path, "--subjects", 2, "-o", tables).code == 0
    arguments = ["--cohort", cohort.path, "--subjects", 2, "--evaluation", tables]
    answer = cheart("pack", run, "-o", out, *arguments, "--json")
    value = json.loads(answer.out)
    assert value["megabytes"] < value["megabytes_whole"] / 2
    assert value["summary"]["between_lv"]["mean"] > 0.98
    assert value["summary"]["d_lvedv"]["mean"] < 1
    names = {path.name for path in out.iterdir()}
    assert names == {"model.safetensors", "config.json", "card.md", "metrics.csv", "run.json"}
    assert cheart("generate", out, "--age", 60, "--sex", "F", "-o", tmp_path / "made").code == 0
    assert str(out / "card.md") in cheart("info", out).out


def test_the_card_says_what_a_reader_must_know(cheart, run, cohort, tmp_path):
    assert cheart("pack", run, "-o", tmp_path / "packed", "--cohort", cohort.path, "--subjects", 2).code == 0
    text = (tmp_path / "packed" / "card.md").read_text()
    for words in (
        "simulated", "Not a medical device", "about a real person", "| age | 20 to 70 years |", "| sex | F, M |",
        "cheart train cohort -o model --model cheart --preset quick --set epochs=30", "--seed 0", cohort.fingerprint,
        "whole model and packed one", "Apache-2.0",
    ):  # fmt: skip
        assert words in text


def test_places_on_the_machine_stay_there(cheart, run, tmp_path, monkeypatch):
    told = read_json(run / "run.json")
    odd = tmp_path / "odd"
    odd.mkdir()
    for name in ("model.safetensors", "config.json", "metrics.csv"):
        (odd / name).write_bytes((run / name).read_bytes())
    command = f"cheart train {tmp_path}/cohort -o {odd}"
    (odd / "run.json").write_text(json.dumps({**told, "command": command}))
    assert cheart("pack", odd, "-o", tmp_path / "packed").code == 0
    assert read_json(tmp_path / "packed" / "run.json")["command"] == "cheart train cohort -o odd"
    assert all(
        str(tmp_path) not in p.read_text() for p in (tmp_path / "packed").iterdir() if p.suffix != ".safetensors"
    )


def test_nothing_is_left_of_what_is_refused(refused, run, tmp_path):
    assert "is no model" in refused("pack", tmp_path, "-o", tmp_path / "out")
    assert "is not there" in refused("pack", run, "-o", tmp_path / "out", "--evaluation", tmp_path / "no")
    assert not list(tmp_path.iterdir())
