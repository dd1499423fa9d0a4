import numpy as np

from cheart.models.kernel_regression import KernelRegression, left_out

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, size=(120, 2))
Y = np.stack([np.sin(3 * X[:, 0]), X[:, 0] * X[:, 1]], axis=1)


def test_without_a_penalty_it_goes_through_its_rows() -> None:
    np.testing.assert_allclose(KernelRegression.fit(X, Y, penalty=1e-9, most=500).predict(X), Y, atol=1e-4)


def test_a_curve_is_carried_to_new_rows_and_landmarks_come_close_to_all() -> None:
    new = RNG.uniform(-0.8, 0.8, size=(50, 2))
    truth = np.stack([np.sin(3 * new[:, 0]), new[:, 0] * new[:, 1]], axis=1)
    whole = KernelRegression.fit(X, Y, penalty=1e-3, most=500).predict(new)
    few = KernelRegression.fit(X, Y, penalty=1e-3, most=60).predict(new)
    assert np.abs(whole - truth).max() < 0.1
    assert np.abs(few - whole).mean() < 0.03


def test_far_away_nothing_is_known_but_the_mean() -> None:
    fitted = KernelRegression.fit(X, Y, penalty=0.1, most=500)
    np.testing.assert_allclose(fitted.predict(np.full((1, 2), 1e3)), Y.mean(0)[None], atol=1e-6)


def test_each_part_is_predicted_by_the_others() -> None:
    part = np.arange(len(X)) % 3
    found = left_out(X, Y, part, penalty=1e-3, most=500)
    for k in range(3):
        fitted = KernelRegression.fit(X[part != k], Y[part != k], penalty=1e-3, most=500)
        np.testing.assert_array_equal(found[part == k], fitted.predict(X[part == k]))
