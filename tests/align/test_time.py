import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheart.align.time import Mix, find_ed_es, plan_frames
from cheart.errors import InputError


def evenly(count: int) -> list[float]:
    return [i / count for i in range(count)]


def test_the_same_frame_count_from_ed_changes_nothing():
    plan = plan_frames(evenly(20), ed=0, es=7, frames=20)
    assert plan.mixes == tuple(Mix(i, i, 0.0) for i in range(20))
    assert plan.es == 7


def test_the_cycle_begins_at_ed_and_wraps_round():
    plan = plan_frames(evenly(10), ed=6, es=9, frames=10)
    assert [mix.first for mix in plan.mixes] == [6, 7, 8, 9, 0, 1, 2, 3, 4, 5]


@given(st.integers(12, 60), st.integers(6, 24), st.data())
def test_ed_and_es_are_kept_unmixed_and_the_order_is_cyclic(count, frames, data):
    ed = data.draw(st.integers(0, count - 1))
    es = (ed + data.draw(st.integers(count // 4, count // 2))) % count
    plan = plan_frames(evenly(count), ed=ed, es=es, frames=frames)
    assert plan.mixes[0] == Mix(ed, ed, 0.0)
    assert plan.mixes[plan.es] == Mix(es, es, 0.0)
    position = np.array([(mix.first - ed) % count + mix.fraction for mix in plan.mixes])
    assert (np.diff(position) > 0).all()
    assert np.abs(position / count - np.arange(frames) / frames).max() <= 0.5 / frames + 1e-3


def test_two_frames_stay_two():
    plan = plan_frames([0.0, 11 / 30], ed=0, es=1, frames=20)
    assert plan.es == 7
    assert [t for t, mix in enumerate(plan.mixes) if mix] == [0, 7]
    assert plan.mixes[7] == Mix(1, 1, 0.0)


def test_a_few_frames_go_to_the_nearest_moment_and_es_has_its_own():
    plan = plan_frames([0.0, 0.34, 0.36, 0.7], ed=0, es=2, frames=20)
    assert {t: mix.first for t, mix in enumerate(plan.mixes) if mix} == {0: 0, 7: 2, 14: 3}


def test_ed_alone():
    plan = plan_frames([0.0], ed=0, es=0, frames=20)
    assert plan.es is None
    assert sum(mix is not None for mix in plan.mixes) == 1


def test_es_never_falls_on_ed():
    assert plan_frames([0.0, 0.99], ed=0, es=1, frames=4).es == 3
    assert plan_frames([0.0, 0.01], ed=0, es=1, frames=4).es == 1


def test_ed_and_es_from_the_cavity():
    assert find_ed_es(np.array([80.0, 120, np.nan, 50])) == (1, 3)
    assert find_ed_es(np.array([80.0, 120, np.nan, 50]), ed=0, es=1) == (0, 1)


@pytest.mark.parametrize(("ed", "message"), [(4, "numbered 0 to 3"), (2, "no labels"), (-1, "not a frame")])
def test_refuses_frames_that_are_none(ed, message):
    with pytest.raises(InputError, match=message):
        find_ed_es(np.array([80.0, 120, np.nan, 50]), ed=ed)


def test_refuses_a_cycle_of_one_frame():
    with pytest.raises(InputError, match="--frames 1"):
        plan_frames([0.0], ed=0, es=None, frames=1)
