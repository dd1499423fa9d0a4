import numpy as np
import pytest

from cheart.grid import GRIDS
from cheart.labels import LV, MYO, RV
from cheart.mesh.surface import PARTS
from cheart.mesh.template import load_template
from cheart.normal.shape_images import likely_labels, mean_labels

GRID = GRIDS["half"]


@pytest.fixture(scope="module")
def placed():
    template = load_template()
    return template.vertices - template.vertices.mean(0)


def test_the_labels_have_the_volumes_of_the_mesh(placed):
    labels, ml = mean_labels(placed, GRID), load_template().volumes_ml(placed)
    inner, outer, right = (ml[part] for part in PARTS)
    found = [(labels == label).sum() * GRID.voxel_ml for label in (LV, MYO, RV)]
    np.testing.assert_allclose(found, [inner, outer - inner, right], rtol=0.03)


def test_probabilities_are_labels_where_nothing_varies_and_keep_the_mean_volume_where_it_does(placed):
    labels = mean_labels(placed, GRID)
    sure = likely_labels(placed, np.full(len(placed), 1e-3), GRID)
    for p, label in zip(sure, (LV, MYO, RV), strict=True):
        assert np.abs(p - (labels == label)).mean() < 1e-3
    vague = likely_labels(placed, np.full(len(placed), 3.0), GRID)
    assert vague.min() >= 0
    assert vague.sum(axis=0).max() <= 1 + 1e-6
    assert ((vague > 0.02) & (vague < 0.98)).sum() > 5 * ((sure > 0.02) & (sure < 0.98)).sum()
    body, there = vague[:2].sum(axis=0), np.isin(labels, (LV, MYO))
    assert ((body > 0.5) == there).mean() > 0.999  # half of the hearts reach as far as the mean one


def test_one_standard_deviation_outside_the_surface_one_in_six_hearts_is_there(placed):
    """Of a long enough straight way out of the LV's side."""
    template, sd = load_template(), 4.0
    likely = likely_labels(placed, np.full(len(placed), sd), GRID)[:2].sum(axis=0)
    outer = template.surface(placed, "lv_epicardium")
    z, y, x = GRID.axes()
    middle = outer.vertices.mean(0)
    side = outer.vertices[:, 1][np.abs(outer.vertices[:, 2] - middle[2]) < 6].min()  # the LV's wall towards −y
    plane, column = (
        np.abs(z - middle[2]).argmin(),
        np.abs(x - outer.vertices[outer.vertices[:, 1].argmin(), 0]).argmin(),
    )
    away = side - y
    profile = likely[plane, :, column]
    assert np.interp(sd, away[::-1], profile[::-1]) == pytest.approx(0.16, abs=0.06)
    assert np.interp(-sd, away[::-1], profile[::-1]) == pytest.approx(0.84, abs=0.06)
