import numpy as np
import pytest

from cheart.simulation.clinical.beat import timings
from cheart.simulation.clinical.heart import surfaces_of
from cheart.simulation.clinical.segments import means_of
from cheart.simulation.surfaces import THETA


@pytest.mark.slow
@pytest.mark.parametrize("phase", [0.0, 0.1, 0.33, 0.5, 0.95])
def test_cavities_have_their_volumes_and_the_wall_keeps_its_own(hearts, phase):
    for name, (truth, _) in hearts.items():
        at, p = surfaces_of(truth, phase), truth.phenotypes
        out, rv_out = (float(t.emptied(np.array(phase))) for t in timings(truth.beat))
        assert at.frame.volume(0.0, at.cavity) == pytest.approx(p.lvedv - (p.lvedv - p.lvesv) * out, rel=5e-3), name
        assert 1.05 * at.frame.volume(at.cavity, at.outer) == pytest.approx(p.lvm, rel=5e-3)
        assert at.frame.volume(at.outer, at.free_wall) == pytest.approx(
            p.rvedv - (p.rvedv - p.rvesv) * rv_out, rel=1e-2
        )


def test_the_cycle_begins_and_ends_at_end_diastole(hearts):
    for truth, _ in hearts.values():
        first, last = surfaces_of(truth, 0.0), surfaces_of(truth, 1 - 1e-6)
        assert np.abs(np.sqrt(first.cavity) - np.sqrt(last.cavity)).max() < 0.3
        assert np.abs(np.sqrt(first.free_wall) - np.sqrt(last.free_wall)).max() < 0.5


def test_a_scar_does_not_thicken(hearts):
    truth = hearts["infarct_rca"][0]
    es = timings(truth.beat)[0].end_systole
    wall = [
        means_of(np.sqrt(at.outer) - np.sqrt(at.cavity)) for at in (surfaces_of(truth, 0.0), surfaces_of(truth, es))
    ]
    thickening = wall[1] / wall[0] - 1
    assert thickening[[3, 9]].mean() < 0.7 * thickening[[0, 6, 11]].mean()


def test_the_septum_leads_in_bundle_branch_block(hearts):
    """Early in systole it has moved further than its share of all that it moves."""
    truth = hearts["dcm_lbbb"][0]
    lv = timings(truth.beat)[0]
    early = lv.ejection + 0.3 * (lv.end_systole - lv.ejection)
    ed, at, es = (np.sqrt(surfaces_of(truth, p).cavity[50]) for p in (0.0, early, lv.end_systole))
    septum = np.cos(THETA) > 0.7
    lateral = np.cos(THETA) < -0.7
    assert (ed - at)[septum].mean() > (ed - at)[lateral].mean()
    assert (ed - es)[septum].mean() < (ed - es)[lateral].mean()


def test_volume_curves_differ_in_more_than_three_ways(population):
    phase = np.arange(20) / 20
    names = [k for k, v in population.beat.items() if v.ndim == 1]
    curves = []
    for i in range(300):
        beat = {k: float(population.beat[k][i]) for k in names}
        curve = timings(beat)[0].emptied(phase)
        curves.append(curve / curve.max())
    share = np.linalg.svd(np.array(curves) - np.mean(curves, 0), compute_uv=False) ** 2
    assert share[:3].sum() / share.sum() < 0.95
