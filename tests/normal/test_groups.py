import json

import numpy as np
import pytest
from typer.testing import CliRunner

import cheart
from cheart.cli.main import app
from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.normal.groups import FIELDS, _compare, cohort_atlas, discovery_rates
from cheart.simulation.cohort import simulate
from cheart.verify import verify

VERTICES = np.arange(400)


def compared(shift, *, n=30, seed=0, covariate=None):
    """Noise of 1 mm, to which the second group's vertices have ``shift`` [400] added."""
    rng = np.random.default_rng(seed)
    member = np.arange(2 * n) >= n
    numbers = np.zeros((2 * n, 0)) if covariate is None else covariate(rng, member)[:, None]
    values = rng.normal(size=(2 * n, 400)) + member[:, None] * shift
    if covariate is not None:
        values = values + numbers
    return _compare("form", VERTICES, values, member, numbers)


def test_a_planted_difference_is_found_where_it_is():
    shift = np.where(VERTICES < 100, 1.5, 0.0)
    found = compared(shift)
    assert (found.q[:100] <= 0.05).mean() > 0.95
    assert (found.q[100:] <= 0.05).mean() < 0.05
    np.testing.assert_allclose(found.difference, shift, atol=1.0)
    assert found.difference[:100].mean() == pytest.approx(1.5, abs=0.1)


def test_nothing_is_called_where_nothing_differs():
    called = [(compared(np.zeros(400), seed=seed).q <= 0.05).any() for seed in range(40)]
    assert np.mean(called) <= 0.15


def test_a_covariate_explains_what_is_not_the_groups():
    def age(rng, member):
        return rng.normal(size=len(member)) + 1.5 * member  # the second group is older, and age alone makes the field

    assert (compared(np.zeros(400), covariate=age).q <= 0.05).mean() < 0.02


def test_discovery_rates_are_those_of_the_definition():
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205])
    q = discovery_rates(p)
    assert (q <= 0.05).sum() == 2  # as in Benjamini and Hochberg: the largest k with p_k <= k/8 * 0.05
    assert np.all(np.diff(q) >= 0)
    np.testing.assert_allclose(discovery_rates(p[::-1]), q[::-1])


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Cohort:
    return simulate(tmp_path_factory.mktemp("atlas") / "cohort", n=20, seed=3, grid="half", frames=4, jobs=1)


@pytest.mark.slow
def test_mens_hearts_are_larger_on_one_mesh(people, tmp_path):
    found = cohort_atlas(people, "sex", covariates=["age"], out=tmp_path / "atlas", jobs=1)
    table = found.table().set_index(["field", "part"])
    assert found.groups == ("F", "M")
    assert table.loc[("form", "lv_epicardium"), "mean_mm"] > 1
    assert {field.name for field in found.fields} == set(FIELDS)
    names = {path.name for path in (tmp_path / "atlas").iterdir()}
    assert {"differences.tsv", "picture.png", "result.json", "lv_epicardium-F.vtp", "rv_endocardium-M.vtp"} <= names
    assert json.loads((tmp_path / "atlas" / "result.json").read_text())["covariates"] == ["age"]
    assert verify(tmp_path / "atlas")[0].whole
    assert CliRunner().invoke(app, ["info", str(tmp_path / "atlas")]).exit_code == 0
    assert "form_t" in (tmp_path / "atlas" / "lv_epicardium-M.vtp").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("by", "more", "why"),
    [
        ("age", {}, "is a number"),
        ("sex", {"groups": ["F", "F"]}, "name two"),
        ("sex", {"covariates": ["sex"]}, "expected a number"),
        ("shoe", {}, "unknown condition"),
    ],
)
def test_what_is_refused(people, by, more, why):
    with pytest.raises(InputError, match=why):
        cheart.cohort_atlas(people, by, **more)
