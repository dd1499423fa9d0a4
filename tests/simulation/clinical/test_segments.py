import numpy as np
import pytest

from cheart.simulation.clinical.segments import PARTITION, TERRITORIES, field_of, means_of
from cheart.simulation.surfaces import THETA, S


def test_segments_share_out_the_ventricle():
    assert np.allclose(PARTITION.sum(0), 1)
    assert PARTITION.min() >= 0


def test_a_field_takes_the_values_of_its_segments():
    values = np.arange(17.0)
    inside = field_of(values)
    assert inside[0].mean() == pytest.approx(16, abs=0.5)  # the apex
    at = int(np.abs(S - 0.9).argmin()), int(np.abs(np.degrees(THETA) - 90).argmin())
    assert inside[at] == pytest.approx(0, abs=0.1)  # basal anterior
    assert np.corrcoef(means_of(inside), values)[0, 1] > 0.95


def test_territories_are_where_the_vessels_run():
    assert TERRITORIES["infarct_lad"][[6, 12, 13, 16]].min() == 1
    assert TERRITORIES["infarct_rca"][[3, 9]].min() == 1
    assert TERRITORIES["infarct_lcx"][[4, 10]].min() == 1
