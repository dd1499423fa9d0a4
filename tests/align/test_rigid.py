import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cheart.align.rigid import RigidTransform
from cheart.errors import InputError

angles = st.floats(-180, 180)
shifts = st.tuples(*[st.floats(-200, 200)] * 3)


def transform(a: float, b: float, c: float, shift: tuple[float, float, float]) -> RigidTransform:
    return RigidTransform.from_parts(Rotation.from_euler("zyx", [a, b, c], degrees=True).as_matrix(), shift)


@given(angles, angles, angles, shifts)
def test_the_inverse_undoes_it(a, b, c, shift):
    one = transform(a, b, c, shift)
    points = np.array([[0.0, 0, 0], [10, -20, 30]])
    np.testing.assert_allclose(one.inverse.apply(one.apply(points)), points, atol=1e-8)
    np.testing.assert_allclose(one.after(one.inverse).matrix, np.eye(4), atol=1e-8)


@given(st.floats(1, 179), shifts)
def test_the_angle_is_that_of_the_rotation(angle, shift):
    assert transform(angle, 0, 0, shift).angle_deg == pytest.approx(angle, abs=1e-4)


def test_json_round_trip():
    one = transform(10, 20, 30, (1.5, -2, 3))
    np.testing.assert_array_equal(RigidTransform.from_json(one.to_json()).matrix, one.matrix)


@pytest.mark.parametrize(
    "matrix",
    [np.eye(3), np.diag([1.0, 1, -1, 1]), np.diag([1.1, 1, 1, 1]), np.full((4, 4), np.nan), np.eye(4) + np.eye(4, k=1)],
    ids=["3x3", "mirror", "scale", "nan", "shear"],
)
def test_refuses_what_is_not_rigid(matrix):
    with pytest.raises(InputError, match=r"rotation|4×4"):
        RigidTransform(matrix)


def test_cannot_be_changed_from_outside():
    with pytest.raises(ValueError, match="read-only"):
        RigidTransform.identity().matrix[0, 0] = 2
