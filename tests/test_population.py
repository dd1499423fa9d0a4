import numpy as np
import pytest

from cheart.conditions import PAPER_SCHEMA, Encoding, Factor, Schema
from cheart.population import Population


def people(n: int = 2000) -> list[dict]:
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(n):
        male = rng.random() < 0.4
        height = rng.normal(176 if male else 163, 6)
        weight = 70 + 0.9 * (height - 170) + rng.normal(0, 5)
        rows.append({"age": rng.uniform(20, 70), "sex": "M" if male else "F", "weight": weight, "height": height})
    return rows


PEOPLE = people()
ENCODING = Encoding.fit(PAPER_SCHEMA, PEOPLE)
POPULATION = Population.fit(ENCODING, PEOPLE)


def draws(known: dict, n: int = 400) -> list[dict]:
    rng = np.random.default_rng(1)
    return [POPULATION.draw(known, rng) for _ in range(n)]


def test_what_is_known_stays_as_it_is() -> None:
    for person in draws({"age": 63.0, "sex": "F"}, 20):
        assert person["age"] == 63.0
        assert person["sex"] == "F"


def test_someone_of_whom_everything_is_known_stays_whole() -> None:
    whole = {"age": 30.0, "sex": "M", "weight": 70.0, "height": 170.0, "sbp": 120.0}
    assert POPULATION.draw(whole, np.random.default_rng(0)) == whole


def test_draws_follow_the_regression_on_what_is_known() -> None:
    weights = np.array([p["weight"] for p in draws({"height": 185.0, "sex": "M"})])
    assert abs(weights.mean() - (70 + 0.9 * 15)) < 6 * 5 / 20  # six standard errors
    assert 0.75 < weights.std() / 5 < 1.25


def test_a_tall_person_is_more_likely_a_man() -> None:
    share = np.mean([p["sex"] == "M" for p in draws({"height": 185.0})])
    assert share > 0.9


def test_a_factor_nobody_has_known_stays_missing() -> None:
    assert all(p["sbp"] is None for p in draws({}, 5))


def test_draws_stay_within_the_trained_range() -> None:
    low, high = ENCODING.trained["weight"]
    assert all(low <= p["weight"] <= high for p in draws({}, 300))


def test_it_is_read_back_from_json() -> None:
    again = Population.from_json(POPULATION.to_json(), ENCODING)
    rng = [np.random.default_rng(3) for _ in range(2)]
    assert again.draw({"age": 40.0}, rng[0]) == POPULATION.draw({"age": 40.0}, rng[1])


def small_cohort(seed: int, n: int) -> list[dict]:
    """A cohort in which some combinations of levels are one person."""
    schema_people = people(n)
    rng = np.random.default_rng(seed)
    for person in schema_people:
        person["sbp"] = rng.normal(125, 15)
        person["group"] = "NOR"
    for person, group in zip(schema_people, ("DCM", "HCM", "RV"), strict=False):
        person["group"] = group
    return schema_people


GROUPS = Schema((*PAPER_SCHEMA.factors, Factor("group", "level", levels=("NOR", "DCM", "HCM", "RV"))))


@pytest.mark.parametrize("n", [3, 12, 40, 138])
@pytest.mark.parametrize("seed", [0, 1])
def test_nobodys_values_can_be_had_from_what_a_model_says_of_its_cohort(n: int, seed: int) -> None:
    """Whoever knows all sums and how many belong to a group must not find the member of a group of one."""
    cohort = small_cohort(seed, n)
    encoding = Encoding.fit(GROUPS, cohort)
    told = Population.fit(encoding, cohort).to_json()
    sizes = [round(share * n) for share in told["fraction"]]
    guesses = [np.asarray(told["mean"]), 2 * np.asarray(told["mean"]) - np.array([*encoding.centre.values()])]
    # what is left of the sum over all when the sums of the others are taken away
    sums = np.asarray(told["mean"]) * np.array(sizes)[:, None]
    total = np.array([*encoding.centre.values()]) * n
    guesses += [(total - sums.sum(axis=0) + own)[None] for own, size in zip(sums, sizes, strict=True) if size == 1]
    guesses.append(np.array([*encoding.trained.values()]).T)
    names = [f.name for f in GROUPS.factors if f.kind == "number"]
    sd = np.array([np.std([p[name] for p in cohort]) for name in names])
    for person in cohort:
        own = np.array([person[name] for name in names])
        for guess in guesses:
            found = (np.abs(guess - own) < 0.02 * sd).sum(axis=1)
            assert found.max() < 3, "three of four values to a fiftieth of a standard deviation"


def test_a_small_group_is_as_the_whole_cohort_is() -> None:
    cohort = small_cohort(0, 40)
    told = Population.fit(Encoding.fit(GROUPS, cohort), cohort)
    alone = [i for i, share in enumerate(told.fraction) if round(share * 40) == 1]
    assert len(alone) == 3
    assert np.ptp(told.mean[alone], axis=0).max() == 0


@pytest.mark.parametrize("n", range(2, 9))
@pytest.mark.parametrize("seed", range(5))
def test_of_few_people_it_is_read_back_though_their_covariance_has_no_full_rank(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    few = [PEOPLE[i] | {"sbp": 100 + PEOPLE[i]["age"]} for i in rng.integers(len(PEOPLE), size=n)]
    encoding = Encoding.fit(PAPER_SCHEMA, few)
    made = Population.fit(encoding, few)
    back = Population.from_json(made.to_json(), encoding)
    np.testing.assert_array_equal(back.covariance, made.covariance)
