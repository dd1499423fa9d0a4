import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.mesh.surface import PARTS
from cheart.mesh.template import Layers, Sampling, load_template
from cheart.models.common_mesh import sampling_of
from cheart.models.fields import FieldGrid, fields

WHERE = FieldGrid.whole(GRIDS["half"])


def sphere(radius: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """Signed distance [z, y, x] on 2 mm voxels of a box of 80 mm."""
    axis = np.arange(-40.0, 41.0, 2.0)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.sqrt((z - centre[2]) ** 2 + (y - centre[1]) ** 2 + (x - centre[0]) ** 2) - radius


def test_it_is_closed_and_its_parts_have_names():
    template = load_template()
    surfaces = [template.surface(template.vertices, part) for part in PARTS]
    assert all(surface.watertight and surface.quality.min() > 0.15 for surface in surfaces)
    assert 2000 < len(template.vertices) < 5000
    inner, outer = (template.spans[part] for part in list(PARTS)[:2])
    assert inner.stop - inner.start == outer.stop - outer.start, "columns through the wall"
    septum = template.vertices[template.names["septum"]]
    others = np.setdiff1d(template.names["rv_endocardium"], template.names["septum"])
    assert 0.15 < len(septum) / len(template.names["rv_endocardium"]) < 0.45
    assert septum[:, 0].mean() < template.vertices[others, 0].mean() - 10, "it faces the LV, which is at −x"


def test_layers_of_a_ball():
    layers = Layers.of(sphere(20.0, (4.0, -6.0, 2.0)), Sampling((-40.0,) * 3, (2.0,) * 3))
    assert (layers.apex, layers.base) == pytest.approx((-18, 22), abs=0.2)
    assert layers.middle == pytest.approx(np.tile([4.0, -6.0], (12, 1)), abs=0.1)
    assert layers.width[6] == pytest.approx(np.full(2, 10.0), abs=0.7), "of a disc of radius 20: half of it"


def test_it_lies_on_the_surface_that_it_is_brought_onto():
    template = load_template()
    moved = template.onto(fields(ellipsoid_heart()[None], WHERE)[0], sampling_of(WHERE))
    inner = moved[template.spans["lv_endocardium"]]
    wall = inner[inner[:, 2] < 22]  # below the rim, which blur rounds
    radius = np.sqrt(((wall[:, 0] + 10) / 24) ** 2 + (wall[:, 1] / 24) ** 2 + ((wall[:, 2] - 30) / 80) ** 2)
    assert np.abs(radius - 1).mean() < 0.03
    assert inner[:, 2].max() == pytest.approx(30, abs=2.5), "the base of these voxels is at 32 mm"


def test_a_vertex_stays_with_its_place():
    template = load_template()
    rest, squeezed = (
        template.onto(fields(ellipsoid_heart(shrink=s)[None], WHERE)[0], sampling_of(WHERE)) for s in (0.0, 0.2)
    )
    span = template.spans["lv_endocardium"]
    place, other = (np.degrees(np.arctan2(v[span, 1], v[span, 0] + 10)) for v in (rest, squeezed))
    high = (rest[span, 2] > -20) & (rest[span, 2] < 20)
    turned = np.abs((other - place + 180) % 360 - 180)[high]
    assert np.median(turned) < 3, "degrees about the axis"
    assert np.median(np.abs(rest[span, 2] - squeezed[span, 2])[high]) < 1.5


def test_a_heart_without_a_part_is_refused():
    nowhere = np.ones((3, 8, 8, 8))
    with pytest.raises(InputError, match="nowhere in this frame"):
        load_template().onto(nowhere, Sampling((0.0,) * 3, (1.0,) * 3))
