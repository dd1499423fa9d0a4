"""Completion as a distribution, by a model whose samples are known."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.cohort import Cohort
from cheart.completions import QUANTITIES, REAL, Completions, wall_thickening
from cheart.errors import CheartWarning, InputError
from cheart.grid import GRIDS
from cheart.heart import whole
from cheart.hearts import Hearts
from cheart.model import Model

GRID = GRIDS["half"]


def beat(shrink: float):
    still, squeezed = ellipsoid_heart(grid=GRID), ellipsoid_heart(grid=GRID, shrink=shrink)
    return whole(np.stack([still, squeezed]), GRID, 1.0, kind="completed")


@pytest.fixture(scope="module")
def made(model: Model) -> Completions:
    samples = Hearts(model, [beat(shrink) for shrink in (0.1, 0.2, 0.3, 0.4)])
    return Completions(beat(0.25), samples, {"lvesv": 2.0})


def test_intervals_are_the_samples_own_widened_where_the_model_says_so(made: Completions) -> None:
    table = made.intervals().set_index("quantity")
    volumes = [heart.phenotypes.lvesv for heart in made.samples]
    assert table["mean"].lvesv == pytest.approx(np.mean(volumes))
    assert table.sd.lvesv == pytest.approx(2 * np.std(volumes, ddof=1))
    narrow = replace(made, widen={"lvesv": 0.5}).intervals().set_index("quantity")  # ends before the quantity does
    assert narrow.sd.lvesv == pytest.approx(table.sd.lvesv / 4)
    assert narrow.high.lvesv - narrow["mean"].lvesv == pytest.approx(1.6449 * narrow.sd.lvesv)
    assert table.sd.rvesv == pytest.approx(np.std([heart.phenotypes.rvesv for heart in made.samples], ddof=1))


def test_an_interval_ends_where_the_quantity_does(made: Completions) -> None:
    wide = replace(made, widen=dict.fromkeys(QUANTITIES, 100.0)).intervals().set_index("quantity")
    volume = made.best.phenotypes.lvedv
    assert (wide.low[["lvesv", "lvsv", "lvef"]] == 0).all()
    assert wide.high[["lvesv", "lvsv", "lvef"]].tolist() == pytest.approx([volume, volume, 100])
    assert wide.low["wall_thickening"] < 0


@pytest.mark.slow
def test_each_sample_is_made_once_if_all_fit_into_memory(model: Model, cohort: Cohort, tmp_path, monkeypatch) -> None:
    seeds: list[int | None] = []
    complete = type(model.network).complete

    def counted(self, evidence, conditions, *, seed=None):
        seeds.append(seed)
        return complete(self, evidence, conditions, seed=seed)

    monkeypatch.setattr(type(model.network), "complete", counted)
    for kept, times in ((2**30, 1), (0, 3)):
        monkeypatch.setattr("cheart.completions.KEPT", kept)
        seeds.clear()
        model.complete(cohort.heart(0), n=3).save(tmp_path / str(kept))
        assert sorted(seeds.count(seed) for seed in set(seeds)) == [1, times, times, times]
    one, other = (sorted((tmp_path / name).glob("*.nii.gz")) for name in (str(2**30), "0"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]


def test_probabilities_are_the_share_of_samples(made: Completions) -> None:
    likely = made.probabilities
    assert likely.shape == (2, 3, *GRID.shape)
    np.testing.assert_array_equal(likely[0, 0], made.best.labels[0] == 1)
    assert set(np.unique(likely)) == {0.0, 0.25, 0.5, 0.75, 1.0}


def test_a_ring_that_closes_thickens() -> None:
    still = ellipsoid_heart(grid=GRID)
    assert wall_thickening(whole(np.stack([still, still]), GRID)) == pytest.approx(0)
    assert (
        wall_thickening(beat(0.3)) > 20
    )  # the epicardium of this heart stays, so its wall thickens as the cavity shrinks


@pytest.mark.slow
def test_a_model_gives_completions_where_a_number_is_asked_for(model: Model, cohort: Cohort, tmp_path) -> None:
    heart = cohort.heart(0)
    found = model.complete(heart, n=3, seed=1)
    assert len(found) == 3
    np.testing.assert_array_equal(found.best.labels, model.complete(heart).labels)
    np.testing.assert_array_equal(found.samples[0].labels, model.complete(heart, n=2, seed=1).samples[0].labels)
    found.save(tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {"intervals.tsv", "intervals.json", "probability-lv.nii.gz", "sub-004_dseg.nii.gz"}


def test_intervals_of_simulated_hearts_about_a_real_one_are_widened_with_a_word(model: Model, cohort: Cohort) -> None:
    heart = cohort.heart(0)
    with pytest.warns(CheartWarning, match="has seen simulated hearts only"):
        real = model.complete(replace(heart, kind="imported"), n=2)
    simulated = model.complete(heart, n=2)
    assert set(real.widen) == set(REAL) == set(QUANTITIES)
    for name, factor in real.widen.items():
        assert factor == pytest.approx(REAL[name] * simulated.widen.get(name, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error", CheartWarning)
        model.complete(heart, n=2), model.complete(replace(heart, kind="imported"))


def test_one_sample_is_refused(model: Model, cohort: Cohort) -> None:
    with pytest.raises(InputError, match="n 1: expected at least 2"):
        model.complete(cohort.heart(0), n=1)


def test_what_the_model_does_not_take_is_refused_by_name(model: Model, cohort: Cohort) -> None:
    with pytest.raises(InputError, match="completes from the first frame: leave out the measurements"):
        model.complete(cohort.heart(0), given={"lvef": 55})
    with pytest.raises(InputError, match="given lvef=high: expected a number"):
        model.complete(cohort.heart(0), given={"lvef": "high"})
