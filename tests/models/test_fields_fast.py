"""What is done fast in cheart.models.fields is what the plain way would give, to the bit."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label

from bodies import ellipsoid_heart
from cheart.grid import Grid
from cheart.models import fields as module
from cheart.models.fields import BODIES, LIMIT_MM, FieldGrid, fields

Planes = np.ndarray | slice | None
GRID = Grid((16, 24, 24), (4.0, 2.2, 2.2))


@pytest.mark.parametrize("planes", [None, slice(None), np.array([3, 7, 8])])
def test_bodies_that_share_labels_are_counted_once(planes: Planes, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.stack([ellipsoid_heart(grid=GRID, shrink=s) for s in (0.0, 0.2)])
    where = FieldGrid.whole(GRID)
    factor = where.factor if planes is None else (1, *where.factor[1:])
    shares = []
    along = module._along
    monkeypatch.setattr(
        module, "_along", lambda share, matrices, **how: shares.append(share) or along(share, matrices, **how)
    )
    fields(labels, where, planes=planes)
    z, y, x = (n // f for n, f in zip(GRID.shape, factor, strict=True))
    for k, (frame, body) in enumerate((f, b) for f in labels for b in BODIES):
        blocks = np.isin(frame, body).reshape(z, factor[0], y, factor[1], x, factor[2])
        np.testing.assert_array_equal(shares[2 * k], blocks.mean(axis=(1, 3, 5), dtype=np.float32))


def test_some_planes_are_those_of_all() -> None:
    labels = ellipsoid_heart(grid=GRID)[None]
    where, some = FieldGrid.whole(GRID), np.array([2, 6, 7, 11])
    whole = fields(labels, where, planes=slice(None))
    np.testing.assert_allclose(fields(labels, where, planes=some), whole[:, :, some], atol=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_piece_of_a_box_is_that_of_the_whole(seed: int) -> None:
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal((12, 14, 16)), 1.5)
    field = (noise - np.quantile(noise, 0.2)).astype(np.float32)
    pieces, count = label(field < 0, np.ones((3, 3, 3), bool))
    assert count > 1
    largest = 1 + np.bincount(pieces[pieces > 0] - 1).argmax()
    plain = np.where((pieces > 0) & (pieces != largest), np.float32(LIMIT_MM), field)
    before = field.copy()
    np.testing.assert_array_equal(module._one_piece(field), plain)
    np.testing.assert_array_equal(field, before)  # what came in is as it was


def test_a_body_that_is_not_there_stays_away() -> None:
    nothing = np.full((4, 4, 4), np.float32(LIMIT_MM))
    np.testing.assert_array_equal(module._one_piece(nothing), nothing)
