from dataclasses import replace

import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.errors import InputError
from cheart.labels import LV, RV
from cheart.mesh.template import load_template
from cheart.models.common_mesh import mesh_of


def test_every_part_encloses_the_volume_of_its_voxels():
    heart = beating_ellipsoids(frames=2)
    meshes, template = mesh_of(heart), load_template()
    for vertices, (lv, myo, rv) in zip(meshes, heart.curves, strict=True):
        volumes = list(template.volumes_ml(vertices).values())
        assert volumes == pytest.approx([lv, lv + myo, rv], rel=0.005)


def test_frames_that_nobody_imaged_have_no_mesh():
    heart = beating_ellipsoids(frames=2)
    observed = heart.observed.copy()
    observed[1] = False
    meshes = mesh_of(replace(heart, observed=observed))
    assert np.isfinite(meshes[0]).all()
    assert np.isnan(meshes[1]).all()


def test_it_says_in_which_frame_a_part_is_missing():
    heart = beating_ellipsoids(frames=2)
    labels = np.where(heart.labels == RV, LV * 0, heart.labels).astype(np.uint8)
    with pytest.raises(InputError, match="frame 0: a part of the heart is nowhere"):
        mesh_of(replace(heart, labels=labels))
