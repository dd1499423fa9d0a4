import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.metrics.overlap import dice
from cheart.models.fields import FieldGrid, fields, labels_from_fields
from cheart.models.shape_basis import ShapeBasis, fit_basis
from cohorts import tiny_cohort

GRID = GRIDS["half"]
WHERE = FieldGrid.whole(GRID)
HEARTS = np.stack([ellipsoid_heart(grid=GRID, shrink=s) for s in np.linspace(0, 0.35, 8)])
BASIS = ShapeBasis.fit(fields(HEARTS, WHERE), WHERE, modes=6)


def test_modes_are_orthonormal_and_hold_what_they_were_fitted_on() -> None:
    flat = BASIS.modes.reshape(BASIS.size, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(BASIS.size), atol=2e-3)  # stored in half precision
    assert BASIS.explained > 0.99
    again = labels_from_fields(BASIS.compose(BASIS.project(fields(HEARTS, BASIS.where))), BASIS.where)
    assert dice(HEARTS, again).min() > 0.93


def test_the_box_is_cut_to_the_hearts_and_outside_of_it_is_background() -> None:
    assert np.prod(BASIS.where.shape) < np.prod(WHERE.shape)
    labels = labels_from_fields(BASIS.mean[None], BASIS.where)
    assert labels.shape == (1, *GRID.shape)
    assert labels[0, -1].max() == 0


def test_the_normal_form_is_the_squared_distance_on_observed_planes() -> None:
    rng = np.random.default_rng(0)
    observed = np.zeros(GRID.shape[0], bool)
    observed[6:24:3] = True
    a = rng.normal(size=BASIS.size).astype(np.float32) * BASIS.sd
    form = BASIS.normal_form(HEARTS[3], observed)
    value = a @ form.gram @ a - 2 * form.linear @ a + form.constant
    sampled = fields(HEARTS[3:4], BASIS.where, planes=slice(None))[0]
    z = np.flatnonzero(observed)
    composed = BASIS.compose(a[None])[0]
    direct = np.square(composed[:, z - BASIS.where.start[0]] - sampled[:, z]).sum() / BASIS.where.factor[0]
    assert value == pytest.approx(direct, rel=1e-4)


def test_what_lies_between_observed_planes_changes_nothing_far_from_them() -> None:
    observed = np.zeros(GRID.shape[0], bool)
    observed[4] = True
    other = HEARTS[3].copy()
    other[14:] = 0  # more than four σ away
    one, two = BASIS.normal_form(HEARTS[3], observed), BASIS.normal_form(other, observed)
    np.testing.assert_allclose(one.linear, two.linear, rtol=1e-3, atol=1e-2)


def test_a_heart_seen_in_a_few_planes_is_recognised() -> None:
    observed = np.zeros(GRID.shape[0], bool)
    observed[4:24:3] = True
    whole = BASIS.estimate(BASIS.normal_form(HEARTS[5], np.ones_like(observed)))
    part = BASIS.estimate(BASIS.normal_form(HEARTS[5], observed))
    labels = labels_from_fields(BASIS.compose(np.stack([whole, part])), BASIS.where)
    assert dice(labels[:1], labels[1:]).min() > 0.95


def test_a_thick_stack_counts_as_it_was_filled_and_by_its_slices_where_it_was_not() -> None:
    observed = np.zeros(GRID.shape[0], bool)
    observed[4:24:3] = True
    whole = BASIS.estimate(BASIS.whole_forms(HEARTS[5:6])[0])
    np.testing.assert_array_equal(BASIS.describe(HEARTS[5], observed), whole)
    blank = np.where(observed[:, None, None], HEARTS[5], 0).astype(np.uint8)
    by_slices = BASIS.estimate(BASIS.normal_form(blank, observed))
    np.testing.assert_array_equal(BASIS.describe(blank, observed), by_slices)
    assert np.abs(by_slices - whole).max() > 0


def test_a_basis_needs_frames() -> None:
    with pytest.raises(InputError, match="at least 3"):
        ShapeBasis.fit(fields(HEARTS[:2], WHERE), WHERE, modes=2)


def test_the_range_of_walls_is_that_of_the_training_hearts_where_it_is_wider(tmp_path):
    cohort = tiny_cohort(tmp_path / "cohort")
    basis = fit_basis(cohort, cohort.indices("train"), modes=4, jobs=1)
    ratios = [curve / curve[0] for curve in (cohort.heart(int(i)).curves[:, 1] for i in cohort.indices("train"))]
    assert basis.ranges.wall[0] == pytest.approx(min(0.95, np.quantile(np.concatenate(ratios), 0.05)))
    assert basis.ranges.wall[1] == pytest.approx(max(1.05, np.quantile(np.concatenate(ratios), 0.95)))
    again = ShapeBasis.from_tensors(basis.to_json(), basis.to_tensors())
    assert again.ranges.wall == pytest.approx(basis.ranges.wall)
    older = {name: tensor for name, tensor in basis.to_tensors().items() if name != "basis.wall"}
    assert ShapeBasis.from_tensors(basis.to_json(), older).ranges.wall == (0.95, 1.05)
