import numpy as np
import pytest

from bodies import BASE_MM
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.mesh.fibres import _between, fibres
from cheart.mesh.solid import LV_WALL, SEPTUM, Solid, load_solid_template
from solids import AXIS_MM, fitted

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def heart():
    """The ellipsoids' solid, its fibres, and of each tetrahedron the middle and the helix angle in degrees."""
    solid = fitted()[0].solid
    found = fibres(solid, (60, -60))
    middle = solid.points[solid.mesh.tetrahedra].mean(axis=1) + GRIDS["half"].affine[:3, 3] - [AXIS_MM, 0, BASE_MM]
    outward = middle / [28**2, 28**2, 84**2]
    around = np.cross([0.0, 0.0, 1.0], outward)
    along = np.cross(outward, around)
    around, along = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (around, along))
    angle = np.degrees(np.arctan((found.fibre * along).sum(axis=1) / (found.fibre * around).sum(axis=1)))
    return solid, found, middle, angle


@pytest.mark.slow
def test_directions_are_at_right_angles(heart):
    _, found, _, _ = heart
    axes = np.stack([found.fibre, found.sheet, found.normal], axis=2)
    assert axes.transpose(0, 2, 1) @ axes == pytest.approx(np.broadcast_to(np.eye(3), axes.shape), abs=1e-9)


@pytest.mark.slow
def test_potentials_are_one_on_their_own_wall_and_add_up(heart):
    solid, found, _, _ = heart
    assert found.potentials.sum(axis=1) == pytest.approx(1.0)
    for column, part in enumerate((0, 1, 2)):
        assert (found.potentials[solid.mesh.on(part), column] == 1).all()


@pytest.mark.slow
def test_the_helix_turns_through_the_free_wall(heart):
    """At the two surfaces the rule's angles, between them linearly with depth: right-handed inside, left outside."""
    solid, found, middle, angle = heart
    depth = found.potentials[solid.mesh.tetrahedra, 2].mean(axis=1)
    free = (solid.mesh.tissues == LV_WALL) & (middle[:, 0] < 0) & (middle[:, 2] > -50) & (middle[:, 2] < -5)
    assert free.sum() > 2000
    error = (angle - (60 - 120 * depth))[free]
    assert np.median(np.abs(error)) < 3
    assert np.quantile(np.abs(error), 0.95) < 10
    rise, inside = np.polyfit(depth[free], angle[free], 1)
    assert (inside, inside + rise) == (pytest.approx(60, abs=5), pytest.approx(-60, abs=5))


@pytest.mark.slow
def test_the_septum_turns_from_the_left_endocardium_to_the_right(heart):
    solid, found, middle, angle = heart
    left, right, _ = found.potentials[solid.mesh.tetrahedra].mean(axis=1).T
    septum = (solid.mesh.tissues == SEPTUM) & (np.abs(middle[:, 1]) < 12) & (middle[:, 2] > -50) & (left + right > 0.5)
    across = right[septum] / (left + right)[septum]
    rise, inside = np.polyfit(across, angle[septum], 1)
    assert (inside, inside + rise) == (pytest.approx(60, abs=8), pytest.approx(-60, abs=8))


@pytest.mark.slow
def test_the_sheet_goes_through_the_wall(heart):
    solid, found, middle, _ = heart
    outward = middle / [28**2, 28**2, 84**2]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    free = (solid.mesh.tissues == LV_WALL) & (middle[:, 0] < 0) & (middle[:, 2] > -50)
    assert np.median(np.abs((found.sheet * outward).sum(axis=1))[free]) > 0.97


def test_between_two_systems_whose_axes_differ_in_sign_there_is_no_way():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(20, 3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))[:, None, None]
    for flip in ([1, -1, -1], [-1, 1, -1], [-1, -1, 1]):
        half = _between(turn, turn * np.array(flip), np.full(20, 0.5))
        assert np.abs((half * turn).sum(axis=1)) == pytest.approx(1.0)


@pytest.mark.parametrize("angles", [(95, -60), (60, float("nan")), (60,)])
def test_angles_that_no_fibre_has_are_refused(angles):
    template = load_solid_template()
    with pytest.raises(InputError, match=r"helix angles .*-90 to 90"):
        fibres(Solid(template.points, template.mesh), angles)
