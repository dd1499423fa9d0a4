import json

import numpy as np
import pytest

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.errors import InputError
from cheart.normal.norms import Norms
from cheart.population import Population
from cheart.simulation import draw_person, true_distribution
from cheart.simulation.cohort import clinical_subject


def people(n, seed):
    return [draw_person(np.random.default_rng([seed, i])) for i in range(n)]


def truths(persons, seed):
    """Exact phenotypes of one heart a person, with the measures that follow from them."""
    rows = [true_distribution(p, n=1, seed=seed + i).iloc[0].to_dict() for i, p in enumerate(persons)]
    return [row | {"mass_volume": row["lvm"] / row["lvedv"]} for row in rows]


@pytest.fixture(scope="module")
def norms():
    known = people(1500, 1)
    encoding = Encoding.fit(PAPER_SCHEMA, known)
    return Norms.fit(encoding, Population.fit(encoding, known), known, truths(known, 1000), source="the simulator")


def z_of(norms, persons, measured, name):
    return np.array([norms.given(p).z(name, row[name])[0] for p, row in zip(persons, measured, strict=True)])


@pytest.mark.parametrize("name", ["lvedv", "lvesv", "lvm", "lvef", "rvedv", "rvef", "mass_volume"])
def test_z_scores_of_held_out_people_are_standard_normal(norms, name):
    others = people(500, 2)
    z = z_of(norms, others, truths(others, 90_000), name)
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert 0.9 < z.std() < 1.1
    assert 0.92 < (np.abs(z) < 1.96).mean() < 0.98
    ages = np.array([p["age"] for p in others])
    assert abs(np.corrcoef(z, ages)[0, 1]) < 0.15  # nothing of age is left in them


@pytest.mark.slow
def test_z_scores_of_held_out_patients_are_standard_normal_by_norms_of_patients():
    made = [clinical_subject(i, seed=11, frames=8) for i in range(750)]
    known, measured = [t.conditions for t in made], [t.phenotypes.to_row() for t in made]
    encoding = Encoding.fit(PAPER_SCHEMA, known[:500])
    patients = Norms.fit(encoding, Population.fit(encoding, known), known[:500], measured[:500], source="the simulator")
    for name in ("lvedv", "lvef", "lvm", "rvedv", "rvef"):
        z = z_of(patients, known[500:], measured[500:], name)
        assert abs(z.mean()) < 4 / np.sqrt(len(z))
        assert abs(z.std() - 1) < 3 / np.sqrt(2 * len(z))
        assert 0.92 < (np.abs(z) < 1.96).mean() < 0.98


@pytest.mark.slow
def test_z_scores_stay_standard_normal_where_conditions_are_not_known(norms):
    others = people(90, 3)
    measured = truths(others, 50_000)
    known = [{n: p[n] for n in ("age", "sex")} for p in others]
    z = z_of(norms, known, measured, "lvedv")
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert abs(z.std() - 1) < 3 / np.sqrt(2 * len(z))
    full, part = (norms.given(p) for p in (others[0], known[0]))
    assert part.z("lvedv", 200.0)[1] > full.z("lvedv", 200.0)[1]
    assert part.quantile("lvedv", 0.975) - part.quantile("lvedv", 0.025) > full.quantile(
        "lvedv", 0.975
    ) - full.quantile("lvedv", 0.025)


def test_quantiles_are_where_z_is(norms):
    normal = norms.given({"age": 50, "sex": "F"})
    for share, z in ((0.025, -1.96), (0.5, 0.0), (0.975, 1.96)):
        assert normal.z("lvm", normal.quantile("lvm", share))[0] == pytest.approx(z, abs=0.02)
        assert normal.z("lvef", normal.quantile("lvef", share))[0] == pytest.approx(z, abs=0.02)


def test_published_slopes_come_out(norms):
    person = {"sex": "F", "weight": 70, "height": 165, "sbp": 125}
    young, old = (norms.given({**person, "age": age}).quantile("lvedv", 0.5) for age in (30, 65))
    assert old < young - 10  # 6 mL a decade
    heavy = norms.given({**person, "age": 45, "weight": 95}).quantile("lvm", 0.5)
    assert heavy > norms.given({**person, "age": 45}).quantile("lvm", 0.5) + 5


def test_slices_widen_the_distribution_by_their_errors(norms):
    known = people(120, 4)
    measured = truths(known, 7_000)
    rng = np.random.default_rng(0)
    pairs = [({n: v * np.exp(-0.05 + 0.03 * rng.normal()) for n, v in row.items()}, row) for row in measured]
    encoding = norms.encoding
    with_errors = Norms.fit(encoding, norms.population, known, measured, errors={10.0: pairs}, source="x")
    whole, sliced = (with_errors.given(known[0], slices_mm=mm) for mm in (None, 10.0))
    assert sliced.quantile("lvedv", 0.5) == pytest.approx(whole.quantile("lvedv", 0.5) * np.exp(-0.05), rel=0.01)
    assert sliced.z("lvedv", 140.0)[1] > whole.z("lvedv", 140.0)[1]
    half_way = with_errors.given(known[0], slices_mm=5.0).quantile("lvedv", 0.5)
    assert half_way == pytest.approx(whole.quantile("lvedv", 0.5) * np.exp(-0.025), rel=0.01)


def test_round_trip_and_refusals(norms):
    again = Norms.from_json(json.loads(json.dumps(norms.to_json())), norms.encoding, norms.population)
    person = {"age": 40, "sex": "M", "weight": 80}
    assert again.given(person).z("lvef", 50.0) == pytest.approx(norms.given(person).z("lvef", 50.0), abs=1e-6)
    assert "beyond" in norms.outside({"age": 104})[0]
    with pytest.raises(InputError, match="at least 100"):
        Norms.fit(norms.encoding, norms.population, [], [], source="")


def test_unusual_together_is_more_than_unusual_alone(norms):
    normal = norms.given({"age": 50, "sex": "M"})
    usual, freedom = normal.distance({"lvedv": 0.5, "rvedv": 0.5, "lvef": 0.0})
    odd, _ = normal.distance({"lvedv": 1.8, "rvedv": -1.8, "lvef": 0.0})  # the two go together in people
    assert freedom == 3
    assert odd > 9 > usual
