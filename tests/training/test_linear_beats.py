import numpy as np
import pytest
import torch
from torch import Tensor

from cheart.conditions import Encoding
from cheart.models.base import Setting
from cheart.models.pca import whole_beats
from cheart.models.registry import model_class
from cheart.models.shape import ShapeBasis
from cheart.models.shape_network import ShapeBatch
from cheart.training.data import ShapeData, fit_basis
from cheart.training.linear_beats import start_linear_beats
from cohorts import tiny_cohort

SIZES = {"space": "shape", "latent": 5, "code": 12, "modes": 6, "hidden": 8}

Started = tuple[dict, ShapeBasis, ShapeData, ShapeBatch]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Started:
    """CVAE and CGAN before and after the linear start, the basis, and training subjects."""
    cohort = tiny_cohort(tmp_path_factory.mktemp("c") / "c", n=24, frames=6)
    indices = np.arange(24)
    basis = fit_basis(cohort, indices, modes=6, jobs=1)
    encoding = Encoding.fit(cohort.schema, [cohort.conditions(i) for i in indices])
    data = ShapeData.of(cohort, indices, encoding, basis, jobs=1, title="")
    networks = {}
    for name in ("cvae", "cgan"):
        for when in ("before", "after"):
            torch.manual_seed(0)
            setting = Setting(cohort.grid, cohort.frames, encoding)
            networks[name, when] = model_class(name)(setting, model_class(name).Options(**SIZES), basis).eval()
        start_linear_beats(networks[name, "after"], data)
    return networks, basis, data, data.batch(indices, torch.device("cpu"))


@torch.no_grad()
def test_the_cvae_begins_as_the_regression_on_end_diastole(started: Started) -> None:
    networks, _, _, batch = started
    error = {}
    for when in ("before", "after"):
        network = networks["cvae", when]
        mean, _ = network.posterior(batch)
        error[when] = float(network.space.reconstruction(network.predict(mean, batch.conditions), batch).mean())
    assert error["after"] < 0.05 * error["before"]


@torch.no_grad()
def test_the_codes_of_the_cvae_begin_as_the_prior_has_them(started: Started) -> None:
    networks, _, _, batch = started
    mean, _ = networks["cvae", "after"].posterior(batch)
    assert mean.mean(dim=0).abs().max() < 0.05
    assert mean[:, 0].std() == pytest.approx(1, abs=0.05)
    told = batch.conditions - batch.conditions.mean(dim=0)
    alike = told.T @ (mean - mean.mean(dim=0)) / len(mean)
    assert alike[:, 0].abs().max() < 0.2  # the longest axis; 24 hearts do not tell what conditions do to the others


@torch.no_grad()
def test_the_cgan_begins_with_the_spread_of_real_hearts(started: Started) -> None:
    networks, basis, _, batch = started
    network = networks["cgan", "after"]
    draw = torch.randn(24 * 50, 5, generator=torch.Generator().manual_seed(0))
    made = network.predict(draw, batch.conditions.repeat(50, 1)) * network.space.sd
    real = torch.from_numpy(whole_beats(batch, basis))

    def spread(beats: Tensor) -> Tensor:
        return beats[:, 3, 0].std()

    assert float(spread(made)) == pytest.approx(float(spread(real)), rel=0.15)
    torch.testing.assert_close(made.mean(0)[:, 0], real.mean(0)[:, 0].float(), atol=0.15 * float(spread(real)), rtol=0)
