import numpy as np
import pytest

from cheart.simulation import draw_heart
from cheart.simulation.heart import surfaces_at
from cheart.simulation.surfaces import S, integral

PERSON = {"age": 45, "sex": "F", "weight": 66, "height": 165, "sbp": 120}


@pytest.mark.parametrize("phase", [0.0, 0.1, 0.36, 0.5, 0.8, 0.93])
def test_volumes_are_exact_and_the_wall_is_conserved(phase):
    truth = draw_heart(PERSON, seed=4)
    at = surfaces_at(truth, phase)
    length = at.base - at.apex
    p = truth.phenotypes
    emptied = float(truth.motion.lv.emptied(np.array(phase)))
    assert length * integral(at.cavity) / 1000 == pytest.approx(p.lvedv - (p.lvedv - p.lvesv) * emptied, rel=1e-6)
    assert length * integral(at.outer - at.cavity) / 1000 * 1.05 == pytest.approx(p.lvm, rel=1e-6)


def test_the_cycle_closes():
    truth = draw_heart(PERSON, seed=4)
    first, last = surfaces_at(truth, 0.0), surfaces_at(truth, 1.0)
    np.testing.assert_allclose(first.cavity, last.cavity, atol=1e-6)
    np.testing.assert_allclose(first.free_wall, last.free_wall, atol=1e-6)
    assert first.base == pytest.approx(last.base)


def test_the_base_descends_as_the_truth_says(truths):
    for truth in truths[:20]:
        ed, es = surfaces_at(truth, 0.0), surfaces_at(truth, truth.motion.lv.end_systole)
        assert ed.base - es.base == pytest.approx(truth.motion.lv_descent, rel=1e-6)
        rv = surfaces_at(truth, truth.motion.rv.end_systole)
        extra = truth.motion.rv_descent - truth.motion.lv_descent
        assert rv.rv_drop.max() == pytest.approx(max(extra, 0), abs=0.01)


def test_cohort_means_of_the_motion(truths):
    es = [surfaces_at(t, t.motion.lv.end_systole) for t in truths]
    ed = [surfaces_at(t, 0.0) for t in truths]
    middle = (S > 0.45) & (S < 0.75)

    def wall(s):
        return (np.sqrt(s.outer[middle]) - np.sqrt(s.cavity[middle])).mean()

    def midwall(s):
        return (np.sqrt(s.outer[middle]) + np.sqrt(s.cavity[middle])).mean()

    thickening = np.mean([100 * (wall(b) / wall(a) - 1) for a, b in zip(ed, es, strict=True)])
    shortening = np.mean([100 * (1 - midwall(b) / midwall(a)) for a, b in zip(ed, es, strict=True)])
    assert 42 < thickening < 58
    assert 18 < shortening < 22.5
    assert 14 < np.mean([t.motion.lv_descent for t in truths]) < 17
    assert 21 < np.mean([t.motion.rv_descent for t in truths]) < 25


def test_end_systole_is_at_frame_six_to_eight(truths):
    frames = [int(t.lv_ml.argmin()) for t in truths]
    assert set(frames) <= {6, 7, 8}
    assert len(set(frames)) > 1


def test_volume_curves_eject_fill_rest_and_kick(truths):
    for which in ("lv", "rv"):
        phase = np.linspace(0, 1, 401)
        for truth in truths[:50]:
            rate = np.gradient(-getattr(truth.motion, which).emptied(phase), phase)
            early = rate[(phase > 0.4) & (phase < 0.65)].max()
            rest = rate[(phase > 0.72) & (phase < 0.8)].mean()
            late = rate[phase > 0.84].max()
            assert early > 3 * rest
            assert late > 2 * rest
            assert rate[phase < 0.33].min() < -2


def test_early_over_late_filling_falls_with_age(truths):
    age = np.array([t.conditions["age"] for t in truths])
    ratio = np.array([t.motion.lv.e_to_a for t in truths])
    slope, level = np.polyfit(age - 25, ratio, 1)
    assert 1.8 < level < 2.4
    assert 0.7 < level + 45 * slope < 1.1


def test_hearts_differ_in_timing_twist_and_region(truths):
    assert np.std([t.motion.lv.end_systole for t in truths]) > 0.008
    assert np.std([t.motion.apex_twist for t in truths]) > 1.5
    assert np.std([t.motion.regional for t in truths], axis=0).min() > 0.03
    assert 7 < np.mean([t.motion.apex_twist for t in truths]) < 12
    assert -5 < np.mean([t.motion.base_twist for t in truths]) < -1


def test_a_fast_heart_spends_more_of_its_cycle_in_systole():
    slow, fast = (draw_heart({**PERSON, "heart_rate": rate}, seed=4) for rate in (50, 90))
    assert slow.motion.lv.end_systole < fast.motion.lv.end_systole


@pytest.mark.parametrize("rate", [40, 62.5, 100, 150, 200])
def test_events_follow_each_other_at_any_rate(rate):
    for seed in range(20):
        timing = draw_heart({**PERSON, "heart_rate": rate}, seed=seed).motion.lv
        events = [0, timing.ejection, timing.end_systole, timing.opening, timing.opening + timing.filling]
        assert np.all(np.diff([*events, timing.closing, 1]) > 0)
        assert timing.opening + timing.filling < timing.atrial + 1e-9
        emptied = timing.emptied(np.linspace(0, 1, 200))
        assert emptied.min() > -0.01
        assert emptied.max() < 1.01
