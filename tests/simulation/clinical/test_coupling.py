from dataclasses import fields, replace

import numpy as np
import pytest

from cheart.simulation.clinical.coupling import (
    Geometry,
    draw_beat,
    motion_numbers,
    segment_function,
    solve_exponent,
    split,
)  # fmt: skip
from cheart.simulation.clinical.people import KIND_NAMES

# of ACDC's five groups as measured, of athletes as published (Utomi 2013)
EF = {"healthy": (60, 5), "hcm": (67, 9), "dcm": (18, 7), "infarct": (31, 8), "rv": (55, 6), "athlete": (60, 5)}


@pytest.mark.parametrize("group", EF)
def test_each_group_has_its_ejection_fraction(population, group):
    ef = population.table.lvef[population.table.group == group]
    mean, sd = EF[group]
    assert ef.mean() == pytest.approx(mean, abs=3)
    assert 0.7 * sd < ef.std() < 1.45 * sd


def explained(x, y):
    design = np.column_stack([np.ones(len(x)), x])
    return 1 - (y - design @ np.linalg.lstsq(design, y, rcond=None)[0]).var() / y.var()


def test_ef_follows_from_sizes_as_in_acdc(population):
    """R² .61 without the diagnosis, .85 with it, in as many people of each of ACDC's groups."""
    groups = ("healthy", "hcm", "dcm", "infarct", "rv")
    mixed = population.table.groupby("group").head(200)
    mixed = mixed[mixed.group.isin(groups)]
    sizes = mixed[["lvedv", "rvedv", "height", "weight"]].to_numpy(float)
    diagnosis = np.stack([mixed.group == g for g in groups[1:]], axis=1).astype(float)
    assert explained(sizes, mixed.lvef) == pytest.approx(0.61, abs=0.06)
    assert explained(np.column_stack([sizes, diagnosis]), mixed.lvef) == pytest.approx(0.85, abs=0.06)


def test_the_ventricles_pump_the_same(population):
    g, beat = population.geometry, population.beat
    ratio = (g.rvedv - beat["rvesv"]) / (g.lvedv - beat["lvesv"])
    assert np.abs(ratio - 1).max() <= 0.0451
    assert population.table.rvef.between(3, 85).all()
    assert population.table.lvef.between(2, 88).all()


def one(population, index, **changes):
    g = population.geometry
    many = Geometry(*(np.repeat(getattr(g, f.name)[index : index + 1], 2000, axis=0) for f in fields(g)))
    return replace(many, **{name: np.full(2000, value) for name, value in changes.items()})


def mean_ef(g, kind="healthy", severity=1.0):
    k = np.full(2000, KIND_NAMES.index(kind))
    beat = draw_beat(g, k, np.full(2000, severity), np.random.default_rng(0))
    return 100 * float((1 - beat["lvesv"] / g.lvedv).mean())


def test_form_and_function_are_coupled(population):
    index = int(np.flatnonzero(population.table.group == "healthy")[0])
    usual = mean_ef(one(population, index))
    assert mean_ef(one(population, index, stress=2.0)) < usual - 4
    falls = [mean_ef(one(population, index, dilated=d)) for d in (0.0, 0.2, 0.4, 0.6)]
    assert falls[0] - falls[1] < 2 < falls[2] - falls[3]  # none, until the ventricle is clearly dilated
    assert mean_ef(one(population, index), "dcm") < usual - 25
    assert mean_ef(one(population, index), "infarct_lad", 1.4) < mean_ef(one(population, index), "infarct_lad", 0.6) - 8


def test_scarred_thin_and_thick_segments_lose_function(population):
    index = int(np.flatnonzero(population.table.group == "healthy")[0])
    g = one(population, index)
    kind, severity = np.full(2000, KIND_NAMES.index("infarct_rca")), np.ones(2000)
    f = segment_function(g, kind, severity)
    assert f[:, 3].max() < 0.1 < f[:, 0].min()
    healthy = np.zeros(2000, int)
    thin = segment_function(replace(g, thin=np.full_like(g.thin, -0.6)), healthy, severity)
    thick = segment_function(replace(g, wall=np.full_like(g.wall, 20.0)), healthy, severity)
    assert thin.max() < 0.1
    assert thick.max() < 0.2


def test_the_exponent_empties_the_cavity():
    rng = np.random.default_rng(5)
    pulls, _ = split(rng.uniform(-0.4, 1.2, (500, 17)))
    share = np.full((500, 17), 1 / 17)
    left = rng.uniform(0.55, 0.95, 500)
    b = solve_exponent(pulls, share, left)
    assert np.allclose((np.exp(b[:, None] * pulls) * share).sum(1), left, atol=1e-6)


def test_motion_is_in_mm(population):
    numbers = motion_numbers(population.geometry, population.beat)
    healthy = numbers[population.table.group == "healthy"]
    assert 5 < healthy[:, :16].mean() < 10
    assert healthy[:, 17].mean() == pytest.approx(15, abs=2)
    assert healthy[:, 18].mean() == pytest.approx(22.5, abs=2)
    inferior = numbers[population.kind == KIND_NAMES.index("infarct_rca"), 9]
    assert inferior.mean() < 0.25 * healthy[:, 9].mean()
