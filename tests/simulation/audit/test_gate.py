import numpy as np
import pytest

from cheart.simulation.audit.gate import Judged, gate, gate_rows, study
from cheart.simulation.clinical.people import clinical_schema
from cheart.simulation.cohort import clinical_subject


def judged(name, error, crps, n=1000):
    rng = np.random.default_rng(len(name))
    own = error * rng.uniform(0.9, 1.1, n)
    return Judged(name, own, np.full(n, crps), 1 - float(own.mean()), 0.5)


def test_a_cohort_passes_only_if_there_is_something_to_win():
    def verdicts(oracle, ridge, other, n=1000):
        rows = [judged("oracle", *oracle, n), judged("ridge", *ridge, n), judged("boosting", *other, n)]
        return [row.inside for row in gate_rows(rows)[3:]]

    assert verdicts((0.3, 2.0), (0.5, 3.0), (0.4, 2.5)) == [True, True, True]
    assert verdicts((0.45, 2.0), (0.5, 3.0), (0.4, 2.5)) == [False, True, True]
    assert verdicts((0.3, 2.9), (0.5, 3.0), (0.4, 2.5)) == [True, False, True]
    assert verdicts((0.3, 2.0), (0.5, 3.0), (0.5, 2.5))[2] is False
    assert verdicts((0.3, 2.0), (0.5, 3.0), (0.4, 2.5), n=100) == [None, None, None]


@pytest.mark.slow
def test_the_oracle_is_above_all_on_real_draws():
    schema = clinical_schema()
    hearts = [study(clinical_subject(i, seed=3, frames=2), schema, seed=i) for i in range(80)]
    found = {j.name: j for j in gate(hearts)}
    assert found["oracle"].motion_r2 > found["ridge"].motion_r2 + 0.08
    assert found["oracle"].crps.mean() < 0.88 * found["ridge"].crps.mean()
