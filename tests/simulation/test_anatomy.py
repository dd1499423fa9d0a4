import numpy as np
import pytest

from cheart.align.pose import TEMPLATE_CENTRE
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.simulation import anatomy, reference
from cheart.simulation.anatomy import draw_anatomy, mean_anatomy, random_field
from cheart.simulation.audit.check_hearts import exact_rays, mean_surfaces
from cheart.simulation.audit.measure import sections, septal_sagitta, shape_spectrum, surface_points, wall_thickness
from cheart.simulation.heart import end_diastole, voxelise
from cheart.simulation.phenotypes import Phenotypes
from cheart.simulation.surfaces import THETA, integral

pytestmark = pytest.mark.slow

MEAN = Phenotypes(150.65, 60.0, 173.5, 80.0, 106.4)


def test_the_drawn_shape_has_exactly_its_volumes():
    for seed in range(5):
        anatomy, _ = draw_anatomy(MEAN, np.random.default_rng(seed))
        assert anatomy.length * integral(anatomy.cavity) / 1000 == pytest.approx(MEAN.lvedv)
        assert anatomy.length * integral(anatomy.wall) / 1000 * 1.05 == pytest.approx(MEAN.lvm)
        assert anatomy.length * integral(anatomy.rv) / 1000 == pytest.approx(MEAN.rvedv)


def test_every_heart_lies_in_the_template_box(truths):
    for truth in truths:
        low, high = truth.anatomy.extent()
        assert np.all(low > [-80, -80, -64])
        assert np.all(high < [80, 80, 64])


def test_a_heart_too_large_for_the_box_is_refused(monkeypatch):
    monkeypatch.setattr(anatomy, "_MAX_DRAWS", 3)
    with pytest.raises(InputError, match="fits the template's box"):
        draw_anatomy(Phenotypes(700, 300, 900, 500, 500), np.random.default_rng(0))


def test_shape_spectrum_is_that_of_the_population(truths):
    points = np.array([surface_points(exact_rays(end_diastole(t.anatomy))) for t in truths])
    rms, shares = shape_spectrum(points)
    assert 4.0 <= rms <= 5.5
    assert 0.40 <= shares[0] <= 0.50
    assert 10 <= (shares.cumsum() < 0.95).sum() + 1 <= 20


def test_septum_bows_towards_the_rv(truths):
    sagitta = np.nanmean([septal_sagitta(exact_rays(end_diastole(t.anatomy))) for t in truths], axis=0)
    assert np.all(sagitta > 0)
    assert 14 < sagitta[1] < 21  # measured 18 mm at 0.2 of the length


@pytest.fixture(scope="module")
def mean_heart(truths):
    return voxelise(mean_surfaces([exact_rays(end_diastole(t.anatomy)) for t in truths]), GRIDS["paper"])


def test_mean_wall_by_segment_is_within_a_millimetre(mean_heart):
    np.testing.assert_allclose(wall_thickness(mean_heart, GRIDS["paper"]), reference.SEGMENT_MM, atol=1.0)


def test_mean_sections_are_within_15_percent(truths):
    grid = GRIDS["paper"]
    areas = np.mean([sections(voxelise(end_diastole(t.anatomy), grid), grid) for t in truths[:40]], axis=0)
    ratio = areas / reference.SECTIONS_MM2
    np.testing.assert_allclose(ratio, 1, atol=0.15)


def test_the_mean_anatomy_is_in_the_template_pose():
    anatomy = mean_anatomy(MEAN)
    outer = anatomy.cavity + anatomy.wall
    area = outer.mean(axis=1)
    z = anatomy.base - anatomy.length * (1 - np.linspace(0, 1, len(area)))
    assert (area * z).sum() / area.sum() == pytest.approx(TEMPLATE_CENTRE[2], abs=0.7)


def test_pressure_thickens_the_septum_and_the_anterior_wall():
    low, high = (draw_anatomy(MEAN, np.random.default_rng(0), pressure=p)[0] for p in (-18.0, 18.0))
    theta = np.degrees(THETA)

    def thickness(anatomy, middle):
        near = np.abs((theta - middle + 180) % 360 - 180) < 30
        return (np.sqrt(anatomy.cavity + anatomy.wall) - np.sqrt(anatomy.cavity))[40:60, near].mean()

    assert thickness(high, 45) > 1.05 * thickness(low, 45)
    assert thickness(high, 225) < thickness(low, 225)  # at one mass: what the septum gains, the lateral wall gives


def test_random_fields_have_the_asked_spread_and_no_mean():
    rng = np.random.default_rng(0)
    fields = np.array([random_field(rng, sd=0.1) for _ in range(800)])
    assert np.sqrt((fields**2).mean()) == pytest.approx(0.1, rel=0.05)
    assert np.abs(fields.mean(axis=0)).max() < 0.02


def test_published_table_is_read_at_any_age():
    assert reference.normal("lvedv", "F", 45).mean == pytest.approx(136.5)
    assert reference.normal("lvedv", "F", 40).mean == pytest.approx((136.5 + 143) / 2)
    assert reference.normal("lvm", "M", 80).sd == pytest.approx((138 - 67) / 3.92)
