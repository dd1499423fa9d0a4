import numpy as np
import pytest
import torch

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.models.base import Setting
from cheart.models.fields import FieldGrid
from cheart.models.linear_start import principal_components
from cheart.models.pca import PCA, PCAOptions
from cheart.models.shape import ShapeBatch, ShapeData, ShapeRepresentation
from cheart.models.shape_basis import ShapeBasis

GRID = Grid((4, 4, 4), (4.0, 4.0, 4.0))
K, T = 3, 5
SETTING = Setting(GRID, T, Encoding.fit(PAPER_SCHEMA, [{"age": 40.0}], age_decades=False))
E = len(SETTING.encoding.columns)


def shape() -> ShapeRepresentation:
    where = FieldGrid(GRID, (1, 1, 1), (0, 0, 0), GRID.shape)
    modes = np.linalg.qr(np.random.default_rng(0).normal(size=(192, K)))[0].T.reshape(K, 3, *GRID.shape)
    basis = ShapeBasis(where, np.zeros((3, *GRID.shape), np.float32), modes, np.ones(K, np.float32), 1e-3, 1.0)
    return ShapeRepresentation(basis, T)


def batch(
    beats: np.ndarray,
    weight: np.ndarray | None = None,
    gram: np.ndarray | None = None,
    conditions: np.ndarray | None = None,
) -> ShapeBatch:
    """Beats [B, T, K] as the normal forms of a basis; ``gram`` [K, K] is what the planes show of a frame."""
    a = torch.from_numpy(beats)
    grams = None if gram is None else torch.from_numpy(gram).expand(*beats.shape[:2], K, K)
    linear = a if grams is None else torch.einsum("btkl,btl->btk", grams, a)
    seen = torch.ones(beats.shape[:2]) if weight is None else torch.from_numpy(weight)
    c = torch.zeros(len(beats), E) if conditions is None else torch.from_numpy(conditions)
    return ShapeBatch(a[:, 0], grams, linear, (linear * a).sum(-1), seen, c)


def linear_beats(n: int, *, seed: int) -> np.ndarray:
    """Beats that a linear law makes of two numbers, which the first frame shows."""
    law = np.random.default_rng(7).normal(size=(2, T, K))
    codes = np.random.default_rng(seed).normal(size=(n, 2))
    return 5 + np.einsum("nr,rtk->ntk", codes, law)


def without_conditions(components: np.ndarray) -> np.ndarray:
    return np.pad(components.reshape(len(components), -1), ((0, 0), (0, E)))


def fitted(**options: int) -> PCA:
    model = PCA(SETTING, PCAOptions(modes=K, **options), shape())
    model.fit(*(ShapeData(batch(linear_beats(n, seed=seed))) for n, seed in ((30, 1), (10, 2))))
    return model


def test_a_linear_law_is_found_and_carried_to_new_hearts() -> None:
    model = fitted()
    assert int((model.components.abs().sum((1, 2)) > 0).sum()) == 2
    assert float(model.validation_loss(batch(linear_beats(20, seed=3))).max()) < 1e-4


def test_it_is_the_ridge_regression_on_the_first_frame() -> None:
    rng = np.random.default_rng(0)
    beats = rng.normal(size=(40, T, K))
    model = PCA(SETTING, PCAOptions(modes=K, components=T * K), shape())
    components, _ = principal_components(beats, T * K)
    model.mean.copy_(torch.from_numpy(beats.mean(0)))
    model._set(without_conditions(components), 0.3)
    x = beats[:, 0] - beats[:, 0].mean(0)
    weights = np.linalg.solve(x.T @ x + 39 * 0.3 * np.eye(K), x.T @ (beats - beats.mean(0)).reshape(40, -1))
    first = rng.normal(size=(6, K))
    expected = ((first - beats[:, 0].mean(0)) @ weights).reshape(6, T, K) + beats.mean(0)
    completed = model._complete(first, np.zeros((6, E)), model._prior()[1])
    np.testing.assert_allclose(completed[:, 1:], expected[:, 1:], atol=1e-5)


def test_what_planes_do_not_show_of_the_first_frame_comes_from_the_other_hearts() -> None:
    model = fitted()
    beats = linear_beats(20, seed=4)
    two_of_three = np.diag([1.0, 1.0, 0.0])
    hidden = batch(beats, gram=two_of_three)
    precision, _ = model._prior()
    firsts = np.stack([model._first(model._form(hidden, i), precision, np.zeros(E)) for i in range(20)])
    np.testing.assert_allclose(firsts, beats[:, 0], atol=0.05)


def test_frames_that_nobody_saw_lie_between_those_that_were_seen() -> None:
    beats = np.zeros((1, T, K))
    beats[0, 2] = 6.0
    weight = np.array([[1, 0, 1, 0, 0]], np.float32)
    np.testing.assert_allclose(shape().whole_beats(batch(beats, weight))[0, :, 0], [0, 3, 6, 4, 2])


def test_fewer_components_than_asked_for_where_there_are_fewer_hearts() -> None:
    beats = np.random.default_rng(0).normal(size=(4, T, K))
    components, left = principal_components(beats, 100)
    assert components.shape == (3, T, K)
    assert left.shape == (4,)
    assert left[0] == pytest.approx(np.square(beats - beats.mean(0)).sum() / 3 / (T * K))


def test_samples_have_the_spread_that_the_first_frame_leaves() -> None:
    rng = np.random.default_rng(0)
    beats = rng.normal(size=(60, T, K))
    model = PCA(SETTING, PCAOptions(modes=K, components=T * K), shape())
    components, _ = principal_components(beats, T * K)
    model._set(without_conditions(components), 1e-6)
    drawn = np.stack([model._left_open(seed) for seed in range(2000)])
    assert (drawn[:, 0] == 0).all()
    joint = np.cov(beats.reshape(60, -1).T)
    a, b, c = joint[:K, :K], joint[:K, K:], joint[K:, K:]
    expected = np.diag(c - b.T @ np.linalg.solve(a, b))
    np.testing.assert_allclose(drawn[:, 1:].reshape(2000, -1).var(0), expected, rtol=0.2)


def test_conditions_tell_what_the_first_frame_does_not() -> None:
    """Motion grows with a condition alone: the Gaussian of both knows it, that of beats cannot."""
    rng = np.random.default_rng(0)

    def people(n: int) -> ShapeData:
        conditions = np.zeros((n, E), np.float32)
        conditions[:, 3] = rng.normal(size=n)
        beats = linear_beats(n, seed=n)
        beats[:, 2] += 4 * conditions[:, 3:4]
        return ShapeData(batch(beats, conditions=conditions))

    train, val, test = people(60), people(20), people(30)
    losses = {}
    for given in (True, False):
        model = PCA(SETTING, PCAOptions(modes=K, conditions=given), shape())
        model.fit(train, val)
        losses[given] = float(model.validation_loss(test.subjects).mean())
    assert losses[True] < 0.05 * losses[False]


def test_it_refuses_to_generate() -> None:
    with pytest.raises(InputError, match="pca model cannot generate; it can complete"):
        fitted().generate(np.zeros(3, np.float32), seed=0)
