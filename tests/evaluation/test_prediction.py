"""Predictions whose quality is known, and the rows that every model is to be read against."""

import numpy as np
import pandas as pd
import pytest

from cheart.evaluation.completion import COPIED
from cheart.evaluation.prediction import QUANTITIES, Prediction, evaluate_prediction
from cheart.evaluation.references import (
    GROUP_EF,
    MEAN_EF,
    ORACLE,
    TRAINING,
    VOLUMES,
    reference_generations,
    reference_predictions,
)
from cheart.simulation.cohort import simulate
from stubs import Oracle, stub

N = 400


def predicted(*, spread: float = 1.0, shift: float = 0.0, samples: int = 40) -> Prediction:
    """People whose values are drawn from what is predicted, but for its spread and a shift."""
    rng = np.random.default_rng(0)
    centre = rng.normal(60, 20, (N, len(QUANTITIES)))
    real = centre + 5 * rng.normal(size=centre.shape)
    drawn = centre[:, None] + 5 * spread * rng.normal(size=(N, samples, len(QUANTITIES))) + shift
    number = np.arange(1, N + 1)
    people = pd.DataFrame(real, columns=[f"real_{n}" for n in QUANTITIES]).assign(subject=number)
    rows = pd.DataFrame(drawn.reshape(-1, len(QUANTITIES)), columns=list(QUANTITIES))
    return Prediction(people, rows.assign(subject=number.repeat(samples)))


@pytest.mark.slow
def test_the_truth_is_calibrated_and_scores_best():
    right = predicted().summary()
    assert right["calibration"]["inside_50"] == pytest.approx(0.50, abs=0.04)
    assert right["calibration"]["inside_90"] == pytest.approx(0.90, abs=0.02)
    assert right["calibration"]["width_90"] == pytest.approx(2 * 1.645 * 5, rel=0.1)
    assert right["calibration"]["ratio"] == pytest.approx(1, abs=0.12)
    assert right["calibration"]["pit"] == pytest.approx(0.5, abs=0.04)
    assert right["scores"]["crps_lvef"]["low"] < right["scores"]["crps_lvef"]["value"]
    for wrong in (predicted(spread=0.3), predicted(spread=3), predicted(shift=5)):
        assert wrong.summary()["scores"]["energy"]["value"] > right["scores"]["energy"]["value"]


def test_a_model_too_sure_of_itself_is_found_out():
    narrow = predicted(spread=0.5).summary()["calibration"]
    assert narrow["inside_90"] < 0.7
    assert narrow["ratio"] == pytest.approx(0.5, abs=0.07)


def test_one_sample_scores_its_error_and_has_no_calibration():
    one = predicted(samples=1)
    assert one.summary()["calibration"] == {}
    assert one.spread(np.repeat("all", N)) == {}
    off = np.abs(one.drawn("lvef")[:, 0] - one.people["real_lvef"])
    assert one.scores["crps_lvef"].to_numpy() == pytest.approx(off.to_numpy())


def test_a_model_that_knows_the_heart_has_no_error(cohort):
    found = evaluate_prediction(stub(Oracle, cohort), cohort, samples=3)
    assert found.scores.drop(columns="subject").to_numpy().max() == pytest.approx(0, abs=1e-9)
    assert not {"participant_id", "age", "sex"} & {*found.people.columns, *found.samples.columns}


def test_samples_of_a_model_differ_and_are_the_same_again(model, cohort):
    first, again = (evaluate_prediction(model, cohort, samples=3, subjects=2) for _ in range(2))
    assert first.samples.equals(again.samples)
    assert first.drawn("lvesv").std(axis=1).max() > 0


@pytest.mark.slow
@pytest.mark.parametrize("population", ["healthy", "clinical"])
def test_the_oracle_is_the_ceiling_and_the_copy_is_below_all(tmp_path, population):
    people = simulate(
        tmp_path / "c", population=population, n=150, seed=3, grid="quarter", frames=4, acquisition="exact", jobs=1
    )
    indices = [int(i) for split in ("val", "test") for i in people.indices(split)]
    rows = reference_predictions(people, indices, people, samples=60)
    assert set(rows) == {COPIED, MEAN_EF, VOLUMES, ORACLE} | ({GROUP_EF} if population == "clinical" else set())
    score = {name: one.scores["crps_lvef"].mean() for name, one in rows.items()}
    assert score[ORACLE] < 1.05 * min(score.values())
    assert population == "healthy" or score[ORACLE] < 0.9 * min(v for k, v in score.items() if k != ORACLE)
    assert max(score, key=score.get) == COPIED
    inside = rows[ORACLE].summary()["calibration"]
    assert inside["inside_90"] == pytest.approx(0.9, abs=0.11)
    if population == "clinical":
        assert score[GROUP_EF] < score[MEAN_EF]
    drawn = reference_generations(people, indices, people, samples=4)
    assert set(drawn) == {TRAINING, ORACLE}
    w1 = {name: one.distributions()["lvedv"]["w1"]["mean"] for name, one in drawn.items()}
    assert max(w1.values()) < 25


def test_a_cohort_without_truth_or_diagnosis_has_fewer_rows(cohort):
    rows = reference_predictions(cohort, [0, 1, 2], cohort, samples=5)
    assert set(rows) == {COPIED, MEAN_EF, VOLUMES}
    assert rows[COPIED].drawn("lvef").max() == 0
