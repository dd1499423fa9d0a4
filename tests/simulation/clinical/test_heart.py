from dataclasses import fields

import numpy as np
import pytest

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.simulation.clinical.coupling import Geometry, draw_beat
from cheart.simulation.clinical.form import posterior
from cheart.simulation.clinical.heart import (
    complete_heart,
    draw_heart,
    simulate_heart,
    to_labels,
    true_completions,
    true_distribution,
    true_posterior,
)  # fmt: skip
from cheart.simulation.clinical.people import GROUP_OF, prevalence

PERSON = {"age": 58, "sex": "M", "weight": 82, "height": 178, "sbp": 138}
COARSE = Grid((22, 40, 40), (6.0, 4.0, 4.0))


def test_the_same_seed_gives_the_same_heart():
    one, two, other = (simulate_heart(PERSON, seed=s, grid=COARSE, frames=4) for s in (1, 1, 2))
    assert np.array_equal(one[0].labels, two[0].labels)
    assert one[1].to_row() == two[1].to_row()
    assert not np.array_equal(one[0].labels, other[0].labels)
    assert one[0].cycle_s == pytest.approx(60 / one[1].beat["heart_rate"])


def test_what_is_known_holds():
    truth = draw_heart({**PERSON, "group": "hcm", "heart_rate": 71}, seed=3)
    assert truth.group == "hcm"
    assert truth.beat["heart_rate"] == 71
    assert set(true_distribution({**PERSON, "group": "rv"}, n=50, seed=0).group) == {"rv"}
    with pytest.raises(InputError, match="sbp"):
        draw_heart({k: v for k, v in PERSON.items() if k != "sbp"}, seed=0)


@pytest.mark.slow
def test_hearts_are_drawn_from_the_true_distribution():
    truths = [draw_heart(PERSON, seed=[5, i], frames=2) for i in range(100)]
    true = true_distribution(PERSON, n=4000, seed=0)
    for name in ("lvedv", "lvef", "rvef", "lvm"):
        ours = np.array([t.phenotypes.to_row()[name] for t in truths])
        error = true[name].std() / np.sqrt(len(ours))
        assert ours.mean() == pytest.approx(true[name].mean(), abs=4 * error), name
    assert np.mean([t.group == "infarct" for t in truths]) == pytest.approx((true.group == "infarct").mean(), abs=0.1)


def test_completions_are_calibrated(population):
    """A heart's own EF has a uniform rank among the EFs that its end-diastole allows: the draws are from the truth."""
    rng, g, ranks, own = np.random.default_rng(6), population.geometry, [], []
    for i in range(700):
        kind, severity = posterior(population.form[i], prevalence(population.people[i])).draw(rng, 49)
        like = Geometry(*(np.repeat(getattr(g, f.name)[i : i + 1], 49, axis=0) for f in fields(g)))
        drawn = 1 - draw_beat(like, kind, severity, rng)["lvesv"] / like.lvedv
        ranks.append(int((100 * drawn < population.table.lvef[i]).sum()))
        own.append((GROUP_OF[kind] == GROUP_OF[population.kind[i]]).mean())
    counts = np.histogram(ranks, bins=10, range=(0, 50))[0]
    assert ((counts - 70) ** 2 / 70).sum() < 27.9  # χ² of 9 degrees of freedom, once in a thousand
    assert np.mean(own) > 0.7  # end-diastole tells most diagnoses


def test_completions_keep_end_diastole():
    truth = draw_heart(PERSON, seed=6, frames=2)
    drawn = true_completions(truth, n=200, seed=0)
    assert np.all(drawn.lvedv == truth.phenotypes.lvedv)
    assert np.all(drawn.rvedv == truth.phenotypes.rvedv)
    assert drawn.lvef.std() > 1
    assert drawn.equals(true_completions(truth, n=200, seed=0))


def test_completions_agree_with_brute_force():
    """Among many hearts of a person, those whose end-diastole is near one beat as its completions do: by kernel weights
    on its sizes; their effective sample size says how much brute force there is."""
    truth = draw_heart({**PERSON, "group": "dcm"}, seed=7, frames=2)
    like = true_distribution({**PERSON, "group": "dcm"}, n=20_000, seed=1)
    mine = truth.phenotypes
    x = np.log(like[["lvedv", "lvm", "rvedv"]].to_numpy() / [mine.lvedv, mine.lvm, mine.rvedv])
    weight = np.exp(-((x / 0.05) ** 2).sum(1) / 2)
    effective = weight.sum() ** 2 / (weight**2).sum()
    assert effective > 20
    brute = (weight * like.lvef).sum() / weight.sum()
    exact = true_completions(truth, n=2000, seed=0, conditions={**PERSON, "group": "dcm"}).lvef
    # brute force averages over shapes, which move EF by their own spread
    assert exact.mean() == pytest.approx(brute, abs=4 * like.lvef.std() / np.sqrt(effective) + 8)


def test_whole_hearts_of_one_end_diastole():
    truth = draw_heart(PERSON, seed=8, frames=4)
    others = complete_heart(truth, n=2, seed=0)
    labels = [to_labels(t, COARSE).labels for t in (truth, *others)]
    assert all(np.array_equal(labels[0][0], each[0]) for each in labels)
    assert not np.array_equal(labels[0][1], labels[1][1])
    known = true_posterior(truth)
    assert known.kinds.sum() == pytest.approx(1)
