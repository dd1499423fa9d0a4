import numpy as np
import pytest

from cheart.labels import LV, MYO, RV, check_topology
from cheart.phenotypes import voxel_volumes
from cheart.simulation.audit.check_clinical import clinical_faults
from cheart.simulation.clinical.heart import surfaces_of
from cheart.simulation.clinical.voxels import voxelise


@pytest.mark.slow
def test_label_maps_are_hearts(hearts):
    for name, (_, heart) in hearts.items():
        assert clinical_faults(heart.labels, heart.grid) == [], name
        for frame in heart.labels:
            check_topology(frame)


def test_voxels_have_the_volumes_of_the_surfaces(hearts):
    for truth, heart in hearts.values():
        lv, wall, rv = voxel_volumes(heart.labels, heart.grid.voxel_ml).T
        assert np.abs(lv - truth.lv_ml).max() < 3
        assert np.abs(rv - truth.rv_ml).max() < 4
        assert np.abs(wall / wall[0] - 1).max() < 0.04


def test_the_base_is_not_a_flat_cut(hearts):
    """Somewhere there is a plane with wall but only part of the ring, and the RV ends below the LV."""
    truth, heart = hearts["healthy"]
    frame = voxelise(surfaces_of(truth, 0.0), heart.grid)
    planes = {n: np.flatnonzero((frame == n).any(axis=(1, 2))) for n in (LV, MYO, RV)}
    height = np.where((frame > 0).any(0), heart.grid.shape[0] - 1 - (frame > 0)[::-1].argmax(0), -1)
    tops = height[(frame == LV).any(0)]
    assert np.ptp(tops) >= 2  # planes over which the mitral valve lies
    assert planes[RV][-1] <= max(planes[LV][-1], planes[MYO][-1])
