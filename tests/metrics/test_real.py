"""The measures on real hearts: two frames, slices 5 to 10 mm apart, images wider than 255 pixels."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from balls import surface_distances
from cheart.grid import Grid
from cheart.heart import Heart, whole
from cheart.labels import SCHEMES, to_canonical
from cheart.metrics.overlap import dice

ACDC = Path(__file__).parents[3] / "shared" / "data" / "acdc-training"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not ACDC.is_dir(), reason="the ACDC label maps are not beside the checkout"),
]


def patient(number: int) -> Heart:
    """ED and ES in their own space."""
    images = [nibabel.load(p) for p in sorted((ACDC / f"patient{number:03d}").glob("*_gt.nii*"))]
    frames = [to_canonical(np.asarray(image.dataobj).T, SCHEMES["acdc"]) for image in images]
    spacing = images[0].header.get_zooms()[:3][::-1]
    return whole(np.stack(frames), Grid(frames[0].shape, tuple(float(s) for s in spacing)))


@pytest.mark.parametrize(("number", "group", "low", "high"), [(1, "DCM", 15, 40), (61, "NOR", 50, 75)])
def test_ejection_fraction_fits_the_diagnosis(number, group, low, high):
    assert f"Group: {group}" in (ACDC / f"patient{number:03d}" / "Info.cfg").read_text()
    assert low < patient(number).phenotypes.lvef < high


def test_copying_end_diastole_scores_what_is_known_of_it():
    """0.57 to 0.60 over all patients; ten of them (two a group) may be a little off."""
    scores = [dice(p.labels[:1], p.labels[1:]) for p in (patient(n) for n in range(1, 101, 10))]
    assert 0.52 < np.mean(scores) < 0.66


def test_surface_distances_agree_with_search_trees():
    heart = patient(21)
    one, two = heart.labels
    found = surface_distances(one[None], two[None], heart.grid)
    for k in (1, 2, 3):
        a, b = (np.argwhere((m := f == k) & ~binary_erosion(m)) * heart.grid.spacing for f in (one, two))
        there, back = cKDTree(b).query(a)[0], cKDTree(a).query(b)[0]
        assert found.hd[0, k - 1] == pytest.approx(max(there.max(), back.max()))
        assert found.assd[0, k - 1] == pytest.approx(np.concatenate([there, back]).mean())
