"""Against independent libraries, where they are installed and their definition is the same.

MONAI and SimpleITK take border voxels by erosion as we do, so all figures must be equal. surface-distance measures
between surface elements and weights them by area: its maximum is the same, its means and percentiles are not.
"""

import numpy as np
import pytest

from balls import heart, surface_distances
from cheart.grid import Grid
from cheart.metrics.overlap import dice

GRID = Grid((24, 40, 40), (3.0, 1.5, 1.75))


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(3)
    one, two = (heart(GRID, lv_mm=lv, wall_mm=wall, rv_mm=rv) for lv, wall, rv in ((13, 6, 12), (11, 8, 14)))
    two = np.roll(two, (1, 2, -1), (0, 1, 2))
    two[rng.random(two.shape) < 2e-4] = 3  # stray voxels far from everything
    return one, two


@pytest.fixture(scope="module")
def ours(pair):
    one, two = pair
    return surface_distances(one[None], two[None], GRID)


def test_simpleitk(pair, ours):
    sitk = pytest.importorskip("SimpleITK")

    def image(labels, k):
        made = sitk.GetImageFromArray((labels == k).astype(np.uint8))
        made.SetSpacing(GRID.spacing[::-1])
        return made

    def distances(start, end):
        """From the contour voxels of one mask to those of another."""
        contour = sitk.GetArrayFromImage(sitk.LabelContour(start, fullyConnected=False)).astype(bool)
        around = sitk.SignedMaurerDistanceMap(
            sitk.LabelContour(end, fullyConnected=False), squaredDistance=False, useImageSpacing=True
        )
        return np.abs(sitk.GetArrayFromImage(around))[contour]

    for k in (1, 2, 3):
        one, two = (image(labels, k) for labels in pair)
        a, b = distances(one, two), distances(two, one)
        assert ours.hd[0, k - 1] == pytest.approx(max(a.max(), b.max()), rel=1e-5)
        assert ours.hd95[0, k - 1] == pytest.approx(max(np.percentile(a, 95), np.percentile(b, 95)), rel=1e-5)
        assert ours.assd[0, k - 1] == pytest.approx(np.concatenate([a, b]).mean(), rel=1e-5)
        overlap = sitk.LabelOverlapMeasuresImageFilter()
        overlap.Execute(one, two)
        assert dice(pair[0][None], pair[1][None])[0, k - 1] == pytest.approx(overlap.GetDiceCoefficient())


@pytest.mark.filterwarnings("ignore::FutureWarning:monai")
def test_monai(pair, ours):
    monai = pytest.importorskip("monai.metrics")
    import torch

    one, two = (torch.from_numpy(np.stack([labels == k for k in range(4)])[None]) for labels in pair)
    hd = monai.compute_hausdorff_distance(two, one, spacing=GRID.spacing)
    hd95 = monai.compute_hausdorff_distance(two, one, spacing=GRID.spacing, percentile=95)
    assd = monai.compute_average_surface_distance(two, one, symmetric=True, spacing=GRID.spacing)
    np.testing.assert_allclose(ours.hd, hd, rtol=1e-5)
    np.testing.assert_allclose(ours.hd95, hd95, rtol=1e-5)
    np.testing.assert_allclose(ours.assd, assd, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:surface_distance")
def test_surface_distance():
    library = pytest.importorskip("surface_distance")
    one = heart(GRID, lv_mm=13, wall_mm=6, rv_mm=12)
    two = np.roll(heart(GRID, lv_mm=10, wall_mm=6, rv_mm=14), (1, 2, -1), (0, 1, 2))
    ours = surface_distances(one[None], two[None], GRID)
    for k in (1, 2, 3):
        found = library.compute_surface_distances(one == k, two == k, GRID.spacing)
        assert ours.hd[0, k - 1] == pytest.approx(library.compute_robust_hausdorff(found, 100))
