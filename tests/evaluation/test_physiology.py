from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cheart.evaluation.physiology import COMPLETED, GENERATED, REAL, audit, evaluate_physiology, physiology


def test_a_heart_of_the_simulator_has_nothing_wrong(cohort):
    found = physiology(cohort.heart(0))
    assert found["islands"] == found["rising"] == 0
    assert found["lvef"] > 0


def test_faults_are_found(cohort):
    heart = cohort.heart(0)
    labels = heart.labels.copy()
    labels[1, 1, 1, 1] = 3
    assert physiology(replace(heart, labels=labels))["islands"] == 1
    rising = np.stack([heart.labels[i] for i in (1, 0, 2, 3)])
    found = physiology(replace(heart, labels=rising))
    assert found["later"] == found["rising"] == 1


def test_the_correlation_comes_with_its_interval():
    rng = np.random.default_rng(0)
    left = rng.normal(60, 6, 200)
    rows = pd.DataFrame({"wall": 0.02, "lvef": left, "rvef": left + rng.normal(0, 4, 200)})
    found = audit(rows)
    assert found["wall"] == pytest.approx(0.02)
    assert 0 < found["r_low"] < found["r"] == pytest.approx(0.83, abs=0.06)
    assert np.isnan(audit(rows.iloc[:2])["r"])


def test_a_models_hearts_stand_beside_the_real_ones(model, cohort):
    found = evaluate_physiology(model, cohort, split="all", subjects=4)
    assert list(found) == [REAL, COMPLETED, GENERATED]
    assert {"islands", "holes", "open", "wall", "later", "rising", "seam", "stroke", "r"} <= set(found[REAL])
