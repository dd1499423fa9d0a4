import numpy as np
import pandas as pd
import pytest

from cheart.simulation import draw_person, draw_phenotypes
from cheart.simulation.audit.check_people import demographics, dependence, sizes


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(2023)
    rows = []
    for _ in range(12_000):
        person = draw_person(rng)
        rows.append({**person, **draw_phenotypes(person, rng).to_row()})
    return pd.DataFrame(rows)


def outside(rows):
    return [f"{row.quantity}: {row.ours}, published {row.published}" for row in rows if row.inside is False]


def test_who_they_are(people):
    assert outside(demographics(people)) == []


def test_means_and_spreads_by_sex_and_decade(people):
    rows = sizes(people)
    assert sum(row.inside is not None for row in rows) >= 2 * 2 * 7
    assert outside(rows) == []


def test_what_the_conditions_explain_and_the_slopes_on_them(people):
    rows = dependence(people)
    assert len(rows) >= 5 + 4 + 4
    assert outside(rows) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"lvedv": 1.08}, "LVEDV F, mean"),
        ({"lvm": 1 / 1.15}, "LV mass, mean of all"),
        ({"rvesv": 0.9}, "RVESV M, mean"),
    ],
)
def test_a_wrong_cohort_is_caught(people, wrong, named):
    changed = people.assign(**{name: people[name] * factor for name, factor in wrong.items()})
    assert any(line.startswith(named) for line in outside(sizes(changed)))


def test_noise_too_small_is_caught(people):
    means = people.groupby(["sex", people.age // 5]).lvedv.transform("mean")
    calm = people.assign(lvedv=means + 0.7 * (people.lvedv - means))
    assert any("LVEDV F, SD" in line for line in outside(sizes(calm)))


def test_a_few_people_decide_nothing(people):
    few = people.head(40)
    assert dependence(few) == []
    assert all(row.inside for row in demographics(few))


def test_mass_that_does_not_grow_with_height_is_caught(people):
    level = people.groupby("sex").height.transform("mean")
    short = people.assign(lvm=people.lvm * (people.height / level) ** -0.9)
    assert any(line.startswith("LVM by height") for line in outside(dependence(short)))
