import numpy as np
import pandas as pd
import pytest

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.simulation.audit.check import broken, check_cohort
from cheart.simulation.audit.check_clinical import clinical_faults
from cheart.simulation.cohort import TRUTH, simulate

COARSE = Grid((32, 64, 64), (4.0, 2.5, 2.5))


@pytest.mark.slow
def test_a_clinical_cohort_is_checked_and_its_gate_printed(tmp_path):
    cohort = simulate(
        tmp_path / "c", population="clinical", acquisition="exact", n=30, seed=1, grid=COARSE, frames=4, jobs=1
    )
    rows = check_cohort(cohort, jobs=1)
    assert broken(rows) == []
    names = [row.quantity for row in rows if row.group == "gate"]
    assert [name.split(":")[0] for name in names[:4]] == ["oracle", "ridge", "kernel ridge", "boosting"]
    assert all(row.inside is None for row in rows if row.group == "gate")  # too few people
    truth = pd.read_csv(cohort.path / TRUTH, sep="\t")
    assert {"group", "kind", "severity", "lvef", "amplitude_17"} <= set(truth)
    truth["lvesv"] *= 1.1
    truth.to_csv(cohort.path / TRUTH, sep="\t", index=False)
    with pytest.raises(InputError, match="simulate it again"):
        check_cohort(cohort, jobs=1)


def test_faults_are_found():
    labels = np.zeros((1, 12, 20, 20), np.uint8)
    labels[0, 1:10, 4:12, 4:12] = 2
    labels[0, 2:10, 6:10, 6:10] = 1
    labels[0, 2:9, 5:11, 12:17] = 3
    grid = Grid((12, 20, 20), (2.0, 2.0, 2.0))
    assert clinical_faults(labels, grid) == []
    island = labels.copy()
    island[0, 11, 18, 18] = 3
    assert clinical_faults(island, grid) == ["rv not in one piece"]
    hole = labels.copy()
    hole[0, 4, 4:6, 7] = 1
    assert clinical_faults(hole, grid)
