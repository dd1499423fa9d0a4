import numpy as np

from cheart.labels import LV, MYO, RV
from cheart.metrics.overlap import dice
from cheart.models.expected_overlap import in_one_piece, most_overlap, nearest_surface, probabilities

X, Y = np.meshgrid(np.arange(48.0), np.arange(48.0))


def circles(lv: float, wall: float) -> np.ndarray:
    """Distances [1, 3, 48, 48]: an LV of so many mm, its wall, and an RV to the right."""
    from_centre = np.hypot(X - 18, Y - 24)
    return np.stack([from_centre - lv, from_centre - lv - wall, np.hypot(X - 38, Y - 24) - 7.2])[None].astype(
        np.float32
    )


def test_where_nothing_is_open_it_is_the_nearest_surface() -> None:
    field = circles(9.3, 5)
    np.testing.assert_array_equal(most_overlap(probabilities(field / 0.01)), nearest_surface(field))


def test_what_is_open_is_labelled_to_the_highest_expected_dice() -> None:
    rng = np.random.default_rng(0)
    hearts = [nearest_surface(circles(max(8 + 4 * rng.standard_normal(), 0.5), 5)) for _ in range(300)]
    likely = np.stack([[np.mean([h == k for h in hearts], axis=0)[0] for k in (LV, MYO, RV)]]).astype(np.float32)
    best = most_overlap(likely)
    mean = nearest_surface(circles(8, 5))

    def expected(labels: np.ndarray) -> float:
        return float(np.mean([dice(h[None], labels[None]).mean() for h in hearts]))

    assert expected(best) > expected(mean) + 0.005


def test_islands_are_left_out() -> None:
    labels = nearest_surface(circles(9.3, 5))
    with_islands = labels.copy()
    with_islands[0, 1, 1], with_islands[0, 45, 3] = RV, MYO
    np.testing.assert_array_equal(in_one_piece(with_islands), labels)
