import numpy as np
import pytest

from cheart.mesh.laplace import Laplace, shape_gradients
from cheart.mesh.solid import load_solid_template


@pytest.fixture(scope="module")
def mesh():
    template = load_solid_template()
    return template.points, template.mesh


def test_a_linear_field_is_found_from_its_boundary(mesh):
    points, cells = mesh
    field = points @ [1.0, -2.0, 0.5] + 3
    problem = Laplace(points, cells.tetrahedra, cells.on(0, 1, 2, 3))
    found = problem.solve(field[problem.fixed])
    assert found == pytest.approx(field, abs=1e-6)
    assert problem.gradient(found) == pytest.approx(np.broadcast_to([1, -2, 0.5], (len(cells.tetrahedra), 3)), abs=1e-5)


def test_between_0_and_1_lies_what_is_fixed_at_0_and_1(mesh):
    points, cells = mesh
    problem = Laplace(points, cells.tetrahedra, cells.on(0, 2))
    found = problem.solve(np.isin(problem.fixed, cells.on(0)).astype(float))
    assert found.min() > -0.05
    assert found.max() < 1.05
    assert 0.3 < found[problem.free].mean() < 0.7


def test_gradients_of_one_tetrahedron():
    gradients, volumes = shape_gradients(np.vstack([np.zeros(3), 2 * np.eye(3)]), np.array([[0, 1, 2, 3]]))
    assert volumes == pytest.approx([8 / 6])
    assert gradients[0] == pytest.approx(np.vstack([[-0.5] * 3, np.eye(3) / 2]))
