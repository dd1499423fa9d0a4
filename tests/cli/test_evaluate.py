import json

import pytest


@pytest.mark.slow
def test_figures_for_machines_and_for_people(cheart, run, cohort, tmp_path):
    few = ["--subjects", 2, "--samples", 2]
    answer = cheart("evaluate", run, cohort.path, *few, "--task", "all", "-o", tmp_path / "out", "--json")
    assert answer.code == 0, answer
    value = json.loads(answer.out)
    assert value["completion"]["dice"]["mean"] > 0.7
    assert (tmp_path / "out" / "result.json").is_file()
    assert "sub-0" not in "".join(p.read_text() for p in (tmp_path / "out").glob("*.[cjt]s*")), "no names"
    assert "simulated" in cheart("evaluate", run, cohort.path, *few).out


def test_strict_fails_where_a_heart_that_was_made_is_not_valid(cheart, run, cohort, monkeypatch):
    few = ["evaluate", run, cohort.path, "--subjects", 2, "--jobs", 1, "--json"]
    monkeypatch.setattr("cheart.validity.Validity.failed", ())
    assert cheart(*few, "--strict").code == 0
    monkeypatch.setattr("cheart.validity.Validity.failed", ("holes",))
    answer = cheart(*few, "--strict")
    assert answer.code == 1
    assert json.loads(answer.out)["valid"] == {"completion": 0.0}, "all is said all the same"
    assert cheart(*few).code == 0


def test_nothing_is_left_of_what_is_refused(refused, run, cohort, tmp_path):
    assert "is no cohort" in refused("evaluate", run, tmp_path, "-o", tmp_path / "out")
    assert "is no model" in refused("evaluate", tmp_path, cohort.path, "-o", tmp_path / "out")
    assert not list(tmp_path.iterdir())
