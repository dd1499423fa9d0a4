import numpy as np
import pytest

from cheart.simulation.clinical.people import GROUP_OF, GROUPS, KIND_NAMES, clinical_schema, draw_patient, prevalence

PERSON = {"age": 55, "sex": "M", "weight": 80, "height": 176, "sbp": 130}


def of_group(person, group):
    return prevalence(person)[GROUPS.index(group) == GROUP_OF].sum()


def test_each_disease_occurs_where_it_should():
    assert of_group({**PERSON, "age": 70}, "infarct") > 1.5 * of_group({**PERSON, "age": 40}, "infarct")
    assert of_group(PERSON, "infarct") > 1.5 * of_group({**PERSON, "sex": "F"}, "infarct")
    assert of_group({**PERSON, "sbp": 165}, "hypertensive") > 3 * of_group({**PERSON, "sbp": 115}, "hypertensive")
    assert of_group({**PERSON, "age": 22}, "athlete") > 3 * of_group({**PERSON, "age": 65}, "athlete")
    assert of_group({**PERSON, "weight": 110}, "athlete") < 0.6 * of_group(PERSON, "athlete")


def test_prevalences_are_probabilities_and_what_is_known_counts():
    assert prevalence(PERSON).sum() == pytest.approx(1)
    dcm = prevalence({**PERSON, "group": "dcm"})
    assert dcm.sum() == pytest.approx(1)
    assert set(np.flatnonzero(dcm)) == {KIND_NAMES.index("dcm"), KIND_NAMES.index("dcm_lbbb")}
    assert of_group({**PERSON, "heart_rate": 45}, "athlete") > 3 * of_group({**PERSON, "heart_rate": 75}, "athlete")


def test_kinds_come_as_often_as_they_should(population):
    expected = np.mean([prevalence(person) for person in population.people], axis=0)
    drawn = np.bincount(population.kind, minlength=expected.size) / population.kind.size
    error = np.sqrt(expected * (1 - expected) / population.kind.size)
    assert np.all(np.abs(drawn - expected) < 4 * error)
    assert np.all(np.bincount(GROUP_OF, weights=expected) > 0.05)  # enough of each to be learnt


def test_patients_are_older_than_volunteers_and_within_the_papers_range():
    rng = np.random.default_rng(0)
    ages = [draw_patient(rng)["age"] for _ in range(1000)]
    assert 45 < np.mean(ages) < 52
    assert min(ages) >= 18
    assert max(ages) <= 73


def test_the_diagnosis_is_a_condition_only_where_asked_for():
    assert "group" not in clinical_schema().names
    assert clinical_schema(group=True)["group"].levels == GROUPS
    assert clinical_schema(heart_rate=True).names[-1] == "heart_rate"
