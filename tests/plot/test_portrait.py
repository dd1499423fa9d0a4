import math

import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import LV
from cheart.plot.portrait import Portrait

HEART = beating_ellipsoids()


def test_a_title_says_what_is_shown():
    assert Portrait(HEART, "simulated", "age 63 years").title == "Simulated: age 63 years"
    with pytest.raises(InputError, match=r"'genuine'.*simulated"):
        Portrait(HEART, "genuine")  # type: ignore[arg-type]


def test_levels_run_from_base_to_apex_and_cut_the_lv_all_the_time():
    planes = Portrait(HEART, "simulated").planes
    assert planes["base"] > planes["mid"] > planes["apex"]
    assert all((HEART.labels[:, z] == LV).any(axis=(1, 2)).all() for z in planes.values())


def test_only_imaged_planes_are_cut():
    observed = np.zeros_like(HEART.observed)
    observed[:, 2::3] = True
    planes = Portrait(Heart(HEART.labels, observed, HEART.grid), "imported").planes
    assert all(z % 3 == 2 for z in planes.values())


def test_a_frame_that_was_not_observed_has_no_volume():
    observed = HEART.observed.copy()
    observed[1:3] = False
    portrait = Portrait(Heart(HEART.labels, observed, HEART.grid), "imported")
    assert np.isnan(portrait.curves["lv"][1:3]).all()
    assert portrait.curves["lv"][0] == pytest.approx(2 / 3 * math.pi * 24**2 * 80 / 1000, rel=0.05)
    assert portrait.phenotypes.es_frame == 3
