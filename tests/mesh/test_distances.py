import numpy as np
import pytest

from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.labels import RV
from cheart.mesh.distances import Bodies, slope
from solids import walls

SPACING = GRIDS["half"].spacing
CORNER = GRIDS["half"].affine[:3, 3]


@pytest.fixture(scope="module")
def bodies():
    return Bodies.of(walls(), SPACING)


def _at(distance_mm: float, z: float = 10.0) -> np.ndarray:
    """Points in the corner's space, so far outside the LV cavity's wall (24 mm around x = −10 at the base, z = 30)."""
    radius = 24 * np.sqrt(1 - ((z - 30) / 80) ** 2) + distance_mm
    angle = np.linspace(np.pi / 2, 3 * np.pi / 2, 9)
    return np.stack([-10 + radius * np.cos(angle), radius * np.sin(angle), np.full(9, z)], axis=1) - CORNER


@pytest.mark.parametrize("distance", [-10.0, -3.0, 0.0, 1.5, 3.0, 6.0])
def test_distances_are_in_mm_and_negative_inside(bodies, distance):
    assert bodies.cavity.distance(_at(distance)) == pytest.approx(distance, abs=1.0 + 0.2 * abs(distance))


def test_they_grow_outwards_by_a_mm_a_mm(bodies):
    value, grows = slope(bodies.cavity.distance, _at(1.0))
    assert np.linalg.norm(grows, axis=1) == pytest.approx(1.0, abs=0.25)
    outward = _at(1.0) + CORNER - [-10, 0, 10]
    assert ((grows * outward).sum(axis=1) > 0).all()
    assert value.shape == (9,)


def test_the_base_is_flat_and_volumes_are_those_of_the_voxels(bodies):
    assert bodies.base_at(_at(0.0)) + CORNER[2] == pytest.approx(32.0), "planes of 4 mm, the last one's middle at 30"
    labels, voxel = walls(), np.prod(SPACING) / 1000
    for body, numbers in ((bodies.cavity, [1]), (bodies.outer, [1, 2]), (bodies.right, [3])):
        assert body.volume_ml == pytest.approx(np.isin(labels, numbers).sum() * voxel, rel=0.01)


def test_the_right_ventricle_is_cut_where_the_left_ends():
    labels = walls()
    top = np.flatnonzero((labels == RV).any(axis=(1, 2)))[-1]
    higher = labels.copy()
    higher[top + 1 : top + 3][:, labels[top] == RV] = RV
    assert Bodies.of(higher, SPACING).right.volume_ml == pytest.approx(Bodies.of(labels, SPACING).right.volume_ml)


def test_the_right_ventricle_lies_at_plus_x(bodies):
    assert bodies.bearing == pytest.approx(0, abs=0.1)


def test_a_frame_without_a_part_is_refused():
    with pytest.raises(InputError, match="lacks the LV cavity, the myocardium or the RV cavity"):
        Bodies.of(np.where(walls() == RV, 0, walls()).astype(np.uint8), SPACING)
