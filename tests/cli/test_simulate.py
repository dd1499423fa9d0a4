import json


def test_a_simulated_cohort_says_that_it_is_one(cheart, tmp_path):
    grid = "32x32x32@5x5x4"
    made = cheart("simulate", tmp_path / "c", "-n", 6, "--grid", grid, "--frames", 4, "--jobs", 1, "--json")
    assert made.code == 0, made
    told = cheart("info", tmp_path / "c", "--json")
    value = json.loads(told.out)
    assert (value["kind"], value["subjects"], value["frames"], value["grid"]) == ("simulated", 6, 4, grid)
    assert [c["name"] for c in value["conditions"]] == ["age", "sex", "weight", "height", "sbp"]
    assert value["fingerprint"] == json.loads(made.out)["fingerprint"]
    assert "simulated" in cheart("info", tmp_path / "c").out.splitlines()[0]


def test_nothing_is_left_of_what_is_refused(refused, tmp_path):
    assert "grid 'big'" in refused("simulate", tmp_path / "c", "--grid", "big")
    assert "--check" in refused("simulate")
    (tmp_path / "mine").write_text("mine")
    assert "--overwrite" in refused("simulate", tmp_path / "mine", "-n", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
