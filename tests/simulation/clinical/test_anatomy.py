import numpy as np
import pytest

from cheart.align.pose import TEMPLATE_CENTRE
from cheart.simulation.clinical.anatomy import draw_detail, kept, solve_scale
from cheart.simulation.clinical.people import KIND_NAMES
from cheart.simulation.clinical.segments import means_of
from cheart.simulation.surfaces import THETA


@pytest.mark.slow
def test_volumes_and_mass_are_exact_under_a_tilted_base(hearts):
    for name, (truth, _) in hearts.items():
        a, size = truth.anatomy, truth.phenotypes
        outer = a.cavity + a.wall
        assert a.frame.volume(0.0, a.cavity) == pytest.approx(size.lvedv, rel=1e-6), name
        assert 1.05 * a.frame.volume(a.cavity, outer) == pytest.approx(size.lvm, rel=1e-6)
        free = outer + kept(a.frame, outer, a.rv, a.rv_drop)
        assert a.frame.volume(outer, free) == pytest.approx(size.rvedv, rel=1e-6)


def test_hearts_stand_in_the_template_pose(hearts):
    for truth, _ in hearts.values():
        a = truth.anatomy
        outer = a.cavity + a.wall
        assert np.allclose(a.frame.centroid(0.0, outer), TEMPLATE_CENTRE, atol=0.2)
        towards = a.frame.centroid(outer, outer + kept(a.frame, outer, a.rv, a.rv_drop)) - a.frame.centroid(
            0.0, a.cavity
        )
        assert abs(np.degrees(np.arctan2(towards[1], towards[0]))) < 1
        assert a.fits()


def wall_mm(truth):
    a = truth.anatomy
    return means_of(np.sqrt(a.cavity + a.wall) - np.sqrt(a.cavity))


def test_diseases_look_like_themselves(hearts):
    def of(name):
        return wall_mm(hearts[name][0])

    assert of("hcm_septal")[[1, 7]].mean() > 1.25 * of("hcm_septal")[[4, 5, 10, 11]].mean()
    assert of("hcm_apical")[12:16].mean() > 1.2 * of("healthy")[12:16].mean()
    assert of("infarct_rca")[[3, 9]].mean() < 0.8 * of("infarct_rca")[[0, 5, 6, 11]].mean()
    rv, healthy = hearts["rv"][0].anatomy, hearts["healthy"][0].anatomy
    septum = np.abs(np.angle(np.exp(1j * THETA))) < 0.3

    def flat(a):  # radius towards the RV against all around, at mid-height
        return np.sqrt(a.cavity[45][septum]).mean() / np.sqrt(a.cavity[45]).mean()

    assert flat(rv) < flat(healthy)
    assert len(hearts) == len(KIND_NAMES)


def test_detail_is_beyond_the_fourth_order():
    cavity, wall = draw_detail(np.random.default_rng(0))
    for field in (cavity, wall):
        along = np.cos(np.pi * np.arange(5)[:, None] * np.linspace(0, 1, field.shape[0]))
        low = along @ np.fft.rfft(field, axis=1)[:, :5]
        high = np.abs(np.fft.rfft(field, axis=1)).sum()
        assert np.abs(low).sum() < 0.2 * high * len(along)


def test_a_scale_is_found():
    assert solve_scale(lambda f: 2 * f + 0.3 * f**1.5, 5.0) == pytest.approx(
        next(f for f in np.linspace(1.5, 2.5, 100001) if 2 * f + 0.3 * f**1.5 >= 5.0), abs=1e-4
    )
