import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import energy_distance as of_scipy

from cheart.errors import InputError
from cheart.metrics.two_samples import classifier_test, density_and_coverage, energy_distance, standardised

RNG = np.random.default_rng(0)


def normal(n, k=3, shift=0.0, scale=1.0):
    return shift + scale * RNG.normal(size=(n, k))


def test_energy_distance_of_one_value_is_that_of_scipy_but_for_its_bias():
    x, y = normal(60, 1), normal(40, 1, shift=1)
    bias = pdist(x).mean() / 60 + pdist(y).mean() / 40
    assert energy_distance(x, y) == pytest.approx(of_scipy(x[:, 0], y[:, 0]) ** 2 - bias)


def test_energy_distance_of_two_far_points_is_twice_their_distance():
    assert energy_distance(np.zeros((3, 2)), np.full((3, 2), [3.0, 4.0])) == pytest.approx(10)


def test_energy_distance_of_one_distribution_is_0_on_average():
    found = [energy_distance(normal(50), normal(50)) for _ in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200)


def test_joint_measures_see_what_no_single_value_shows():
    joint = np.linalg.cholesky([[1.0, 0.95], [0.95, 1.0]])
    x, y = normal(400, 2) @ joint.T, normal(400, 2)
    assert energy_distance(x, y) > 0.05
    assert classifier_test(x, y).accuracy > 0.65


def test_a_classifier_cannot_tell_one_distribution_apart_and_tells_another():
    same = [classifier_test(normal(150), normal(150)).accuracy for _ in range(10)]
    assert np.mean(same) == pytest.approx(0.5, abs=0.04)
    far = classifier_test(normal(150), normal(150, shift=4))
    assert far.accuracy > 0.98
    assert far.auc > 0.99


def test_a_persons_hearts_stay_together():
    """Copies of one's own heart would be told by whoever saw the other copies."""
    people = np.repeat(np.arange(30), 5)
    own = normal(30, 8, scale=5.0)
    x, y = (own[people] + 0.01 * RNG.normal(size=(150, 8)) for _ in range(2))
    assert classifier_test(x, y, people).accuracy == pytest.approx(0.5, abs=0.12)


def test_density_and_coverage_of_one_distribution():
    found = [density_and_coverage(normal(150), normal(150)) for _ in range(20)]
    assert np.mean([one.density for one in found]) == pytest.approx(1, abs=0.05)
    assert np.mean([one.coverage for one in found]) == pytest.approx(found[0].expected, abs=0.02)


def test_a_collapsed_model_covers_little():
    one = density_and_coverage(normal(200), normal(200, scale=0.1))
    assert one.density > 0.5
    assert one.coverage < 0.5


def test_hearts_elsewhere_have_neither():
    one = density_and_coverage(normal(50), normal(50, shift=20))
    assert (one.density, one.coverage) == (0, 0)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="column 1 does not vary"):
        standardised(np.array([[0.0, 1.0], [1.0, 1.0]]), np.zeros((2, 2)))
    with pytest.raises(InputError, match="need more than 5"):
        density_and_coverage(normal(5), normal(5))
    with pytest.raises(InputError, match="of 10 people"):
        classifier_test(normal(20), normal(20), np.zeros(20))
