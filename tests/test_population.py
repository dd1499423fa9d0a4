import numpy as np

from cheart.conditions import PAPER_SCHEMA, Encoding
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
