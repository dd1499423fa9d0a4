import numpy as np
import pytest

from cheart.mesh.solid import BASE, EPICARDIUM, Solid, load_solid_template
from cheart.mesh.untangle import _Patch, untangled


@pytest.fixture(scope="module")
def template():
    return load_solid_template()


def test_tetrahedra_inside_out_are_put_right_and_all_else_stays(template):
    points, mesh = template.points.copy(), template.mesh
    inner = np.setdiff1d(np.arange(len(points)), mesh.on(0, 1, 2, 3))[::150]
    points[inner] += [5.0, 0, 0]
    bad = Solid(points, mesh).scaled_jacobian
    assert (bad < 0).sum() > 20
    mended, count = untangled(points, mesh, least=0.1)
    assert count == (bad < 0.1).sum()
    assert Solid(mended, mesh).scaled_jacobian.min() >= 0.1
    still = (mended == points).all(axis=1)
    assert still.mean() > 0.6
    assert np.linalg.norm(mended - template.points, axis=1).max() < 4.0


def test_the_boundary_keeps_its_place(template):
    points, mesh = template.points.copy(), template.mesh
    inner = np.setdiff1d(np.arange(len(points)), mesh.on(0, 1, 2, 3))[::150]
    points[inner] += [5.0, 0, 0]
    mended, _ = untangled(points, mesh, least=0.05)
    base = mesh.on(BASE)
    assert np.abs(mended[base, 2] - points[base, 2]).max() < 0.5
    rim = np.intersect1d(base, mesh.on(EPICARDIUM))
    assert np.linalg.norm(mended[rim] - points[rim], axis=1).mean() < 0.1


def test_what_is_well_shaped_is_left_alone(template):
    mended, count = untangled(template.points, template.mesh, least=0.1)
    assert count == 0
    assert mended is template.points


def test_the_slope_is_that_of_the_sum(template):
    rng = np.random.default_rng(0)
    thin = Solid(template.points, template.mesh).scaled_jacobian < 0.3
    patch = _Patch.around(template.points, template.mesh, thin, softer=1.0)
    at = template.points[patch.local] + rng.normal(0, 0.5, (len(patch.local), 3))
    way = rng.normal(size=at.shape)
    ahead, behind = (patch._shape(at + 1e-6 * sign * way, 0.05)[0] for sign in (1, -1))
    assert (patch._shape(at, 0.05)[1] * way).sum() == pytest.approx((ahead - behind) / 2e-6, rel=1e-5)
