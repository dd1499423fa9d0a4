import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.mesh.template import load_template
from cheart.normal.conditional_shapes import _regressed, conditional_shapes
from cheart.simulation.cohort import simulate
from cheart.verify import verify


def test_a_linear_growth_is_recovered_and_its_spread_measured():
    rng, template = np.random.default_rng(0), load_template()
    centred = template.vertices - template.vertices.mean(0)
    x, noise = rng.normal(size=60), rng.normal(scale=0.02, size=60)
    meshes = np.repeat(((1 + 0.1 * x + noise)[:, None, None] * centred)[:, None], 2, axis=1)
    meshes[:30, 1] = np.nan  # half of the hearts were imaged at end-diastole alone
    design = np.column_stack([np.ones(60), x])
    means, sd = _regressed(design, meshes, np.array([[1.0, 0.0], [1.0, 2.0]]))
    np.testing.assert_allclose(means[0, 0], centred, atol=1.0)
    np.testing.assert_allclose(means[1, 1], 1.2 * centred, atol=1.5)
    assert 0.2 < sd[0].max() / (0.02 * np.linalg.norm(centred, axis=1).max()) < 1.2


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Cohort:
    return simulate(tmp_path_factory.mktemp("shapes") / "cohort", n=20, seed=3, grid="half", frames=4, jobs=1)


@pytest.mark.slow
def test_mean_hearts_by_age_and_sex(people, tmp_path):
    found = conditional_shapes(people, {"sex": ["F", "M"], "age": [35, 50]}, out=tmp_path / "shapes", jobs=1)
    table = found.table().set_index(["sex", "age"])
    assert table.loc[("M", 50.0), "lvm"] > table.loc[("F", 50.0), "lvm"] + 10
    assert table["lvef"].between(45, 75).all()
    assert (found.sd[0] > 0.3).all()
    assert (tmp_path / "shapes" / "sex-F_age-35_es_lv_endocardium.vtp").is_file()
    assert verify(tmp_path / "shapes")[0].whole


@pytest.mark.slow
@pytest.mark.parametrize(("at", "why"), [({"age": [104]}, "nobody like that"), ({"shoe": [1]}, "unknown condition")])
def test_what_is_refused(people, at, why):
    with pytest.raises(InputError, match=why):
        conditional_shapes(people, at)
