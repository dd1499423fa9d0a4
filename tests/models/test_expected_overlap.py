import numpy as np
from scipy.ndimage import distance_transform_edt as edt

from bodies import ellipsoid_heart
from cheart.grid import GRIDS
from cheart.labels import LV, MYO, RV
from cheart.metrics.overlap import dice
from cheart.models.expected_overlap import as_fields, likely_surface, most_overlap, nearest_surface
from cheart.models.fields import BODIES
from cheart.models.readout import read_out
from cheart.validity import Validity, measure

X, Y = np.meshgrid(np.arange(48.0), np.arange(48.0))


def circles(lv: float, wall: float) -> np.ndarray:
    """Distances [1, 3, 48, 48]: an LV of so many mm, its wall, and an RV to the right."""
    from_centre = np.hypot(X - 18, Y - 24)
    return np.stack([from_centre - lv, from_centre - lv - wall, np.hypot(X - 38, Y - 24) - 7.2])[None].astype(
        np.float32
    )


def test_where_nothing_is_open_it_is_the_nearest_surface() -> None:
    field = circles(9.3, 5)
    np.testing.assert_array_equal(likely_surface(field / np.float32(0.01)), nearest_surface(field))


def test_what_is_open_is_labelled_to_the_highest_expected_dice() -> None:
    rng = np.random.default_rng(0)
    hearts = [nearest_surface(circles(max(8 + 4 * rng.standard_normal(), 0.5), 5)) for _ in range(300)]
    likely = np.stack([np.mean([h == k for h in hearts], axis=0).ravel() for k in (LV, MYO, RV)])
    best = most_overlap(likely.astype(np.float32)).reshape(1, *X.shape)
    mean = nearest_surface(circles(8, 5))

    def expected(labels: np.ndarray) -> float:
        return float(np.mean([dice(h[None], labels[None]).mean() for h in hearts]))

    assert expected(best) > expected(mean) + 0.005


def test_decided_labels_read_out_as_a_whole_heart() -> None:
    """Islands, and a cavity that is open, which distances alone do not show, go in the one read-out."""
    heart = ellipsoid_heart()
    broken = heart.copy()
    broken[2, 2, 2], broken[25, 60, 3] = RV, MYO  # islands
    lv = np.argwhere(heart == LV)
    z, y, x = lv[lv[:, 0] == 12].mean(axis=0).astype(int)
    gap = np.flatnonzero(heart[z, y] == MYO)
    broken[z, y, gap[gap < x]] = 0  # the free wall is open on one line
    assert validity(broken).contacts > 0
    whole = tuple(slice(0, n) for n in heart.shape)
    read = [read_out([(as_fields(labels, distances(heart)), whole)], GRIDS["half"])[0] for labels in (heart, broken)]
    for made in read:
        assert validity(made).failed == ()
        assert np.mean(made != heart) < 1e-3  # a line of background between septum and RV goes to one of them


def distances(heart: np.ndarray) -> np.ndarray:
    """[R, 3, Y, X], negative inside, as far as the nearest voxel of the other side."""
    inside = np.stack([np.isin(heart, body) for body in BODIES], axis=1)
    found = [edt(~i) - edt(i) for i in inside.swapaxes(0, 1)]
    return np.stack(found, axis=1).astype(np.float32)


def validity(frame: np.ndarray) -> Validity:
    return measure(frame[None], np.ones((1, 3)))
