import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from balls import SMALL, box, heart
from cheart.evaluation.slices import slice_distances


def test_a_contour_is_compared_within_its_plane():
    one = box(SMALL, (2, 4, 4), (10, 12, 12))
    two = np.roll(one, (0, 2, 0), (0, 1, 2))
    found = slice_distances(one[None], two[None], SMALL)
    assert found.hd_2d[0, 0] == pytest.approx(5.0)
    assert found.planes[0].tolist() == [8, 0, 0]
    # along the axis there is nothing to compare with: planes are missing instead
    raised = slice_distances(one[None], np.roll(one, 3, 0)[None], SMALL)
    assert raised.hd_2d[0, 0] == 0
    assert raised.planes[0, 0] == 5
    assert raised.one_empty[0].tolist() == [6, 0, 0]


def test_agrees_with_the_textbook_plane_by_plane():
    one = heart(SMALL, lv_mm=14, wall_mm=8, rv_mm=13)
    two = np.roll(heart(SMALL, lv_mm=12, wall_mm=8, rv_mm=15), 2, 2)
    found = slice_distances(one[None], two[None], SMALL)
    for k in range(3):
        hd, assd = [], []
        for z in range(16):
            masks = [one[z] == k + 1, two[z] == k + 1]
            if all(m.any() for m in masks):
                points = [np.argwhere(m & ~binary_erosion(m)) * 2.5 for m in masks]
                a, b = cKDTree(points[1]).query(points[0])[0], cKDTree(points[0]).query(points[1])[0]
                hd.append(max(a.max(), b.max()))
                assd.append(np.concatenate([a, b]).mean())
        assert found.planes[0, k] == len(hd)
        assert found.hd_2d[0, k] == pytest.approx(np.mean(hd))
        assert found.assd_2d[0, k] == pytest.approx(np.mean(assd))


def test_only_observed_planes_count():
    one = heart(SMALL, lv_mm=14, wall_mm=8, rv_mm=13)[None]
    observed = np.zeros((1, 16), bool)
    observed[0, 6:9] = True
    two = np.where(observed[:, :, None, None], one, 0).astype(np.uint8)
    found = slice_distances(one, two, SMALL, observed)
    assert found.planes[0].tolist() == [3, 3, 3]
    assert found.one_empty[0].tolist() == [0, 0, 0]
    assert found.assd_2d[0].tolist() == [0, 0, 0]
