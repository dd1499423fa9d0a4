import numpy as np

from cheart.models.kernel_regression import KernelRegression
from cheart.models.motion_regression import without_conditions

RNG = np.random.default_rng(0)
HEART = np.repeat(np.arange(60), 5)
X = np.concatenate([RNG.standard_normal((300, 3)), RNG.standard_normal((60, 2))[HEART] * 0.4 + (5, 0)], axis=1)


def test_landmarks_have_the_shapes_of_planes_and_the_conditions_of_nobody() -> None:
    at = without_conditions(X, HEART, 2)
    np.testing.assert_array_equal(at[:, :3], X[:, :3])
    people, drawn = X[::5, 3:], at[::5, 3:]
    assert np.abs(drawn[:, None] - people).max(axis=2).min() > 1e-4, "no one's values"
    assert all((at[k == HEART, 3:] == drawn[k]).all() for k in range(60)), "a heart has one owner"
    np.testing.assert_allclose(drawn.mean(axis=0), people.mean(axis=0), atol=0.3)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(people.T), atol=0.15)


def test_with_them_it_predicts_as_well() -> None:
    y = np.sin(X[:, :1]) + 0.5 * X[:, 3:4]
    own = KernelRegression.fit(X, y, penalty=0.1, most=500)
    other = KernelRegression.fit(X, y, penalty=0.1, most=500, at=without_conditions(X, HEART, 2))
    new = X + 0.1 * X.std(axis=0) * RNG.standard_normal(X.shape)
    truth = np.sin(new[:, :1]) + 0.5 * new[:, 3:4]
    off = [float(np.square(one.predict(new) - truth).mean()) for one in (own, other)]
    assert off[1] < 1.5 * off[0]
