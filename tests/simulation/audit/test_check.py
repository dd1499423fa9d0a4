import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cheart.cli.main import app
from cheart.cohort import Cohort
from cheart.grid import Grid
from cheart.simulation.audit import check
from cheart.simulation.audit.check import broken, check_cohort
from cheart.simulation.audit.verdict import Row
from cheart.simulation.cohort import TRUTH, simulate

COARSE = Grid((22, 40, 40), (6.0, 4.0, 4.0))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("check") / "c", n=24, seed=1, grid=COARSE, frames=10, jobs=1)


@pytest.fixture
def cohort(simulated, tmp_path):
    """A copy to be spoilt."""
    return Cohort.open(shutil.copytree(simulated.path, tmp_path / "c"))


@pytest.fixture(autouse=True)
def few_measured(monkeypatch):
    """Sizes are of all people; of shapes and motion, which take the time, some hearts are enough here."""
    monkeypatch.setattr(check, "MEASURED", 8)


def mislead(cohort, column, factor):
    path = cohort.path / TRUTH
    truth = pd.read_csv(path, sep="\t")
    truth[column] *= factor
    truth.to_csv(path, sep="\t", index=False)


def test_a_simulated_cohort_is_judged_and_passes(cohort):
    rows = check_cohort(cohort, jobs=1)
    assert broken(rows) == []
    assert sum(row.inside is True for row in rows) >= 8
    assert {"people", "size", "anatomy", "motion", "voxels"} <= {row.group for row in rows}


def test_every_verdict_is_plain():
    row = Row("motion", "E/A", "2", "2", np.float64(1) < 2, "")
    assert row.inside is True


def test_a_broken_band_is_found_and_the_verb_exits_with_one(cohort):
    mislead(cohort, "lvm", 1.5)
    result = CliRunner().invoke(app, ["simulate", "--check", str(cohort.path), "--jobs", "1", "--json"])
    assert result.exit_code == 1
    rows = json.loads(result.stdout)["rows"]
    assert "LV mass, mean of all, g" in [row["quantity"] for row in rows if row["inside"] is False]


@pytest.mark.slow
def test_an_imported_cohort_is_described_not_judged(cohort):
    mislead(cohort, "lvm", 1.5)
    info = json.loads((cohort.path / "cohort.json").read_text())
    (cohort.path / "cohort.json").write_text(json.dumps({**info, "kind": "imported"}))
    (cohort.path / TRUTH).unlink()
    rows = check_cohort(Cohort.open(cohort.path), jobs=1)
    assert all(row.inside is None for row in rows)
    assert any(row.quantity.startswith("LVEDV, all") for row in rows)


def test_the_verb_simulates_and_answers_in_json(tmp_path):
    arguments = [
        "simulate",
        str(tmp_path / "c"),
        "-n",
        "2",
        "--grid",
        "quarter",
        "--frames",
        "4",
        "--jobs",
        "1",
        "--json",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert answer["subjects"] == 2
    assert answer["kind"] == "simulated"


def test_heart_rate_as_a_sixth_condition(tmp_path):
    made = simulate(tmp_path / "c", n=3, seed=0, grid=COARSE, frames=3, heart_rate=True, jobs=1)
    assert made.schema.names[-1] == "heart_rate"
    for i in range(3):
        rate = made.conditions(i)["heart_rate"]
        assert made.heart(i).cycle_s == pytest.approx(60 / rate, rel=1e-4)


@pytest.mark.parametrize("arguments", [["simulate"], ["simulate", "OUT", "--check", "COHORT"]])
def test_the_verb_wants_either_a_place_or_a_cohort(arguments):
    result = CliRunner().invoke(app, arguments)
    assert "--check COHORT" in str(result.exception)
