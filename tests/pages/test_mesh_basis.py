import numpy as np
import pytest
import torch

from cheart.errors import InputError
from cheart.mesh.template import load_template
from cheart.models.layer_graph import LayerGraph
from cheart.pages.mesh_basis import MeshBasis, fit_mesh_basis, sample_meshes, volumes_of
from tiny import PERSON

COUNT = len(load_template().vertices)


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Coefficients [60, 3], and the meshes that are linear in them: scaled, moved and turned templates."""
    rng = np.random.default_rng(0)
    at = load_template().vertices
    coefficients = rng.standard_normal((60, 3))
    ways = np.stack([0.05 * at, np.tile([1.0, 0, 0], (COUNT, 1)), 0.02 * at[:, [1, 2, 0]]])
    return coefficients, at + np.tensordot(coefficients, ways, 1)


def test_what_is_linear_is_found(drawn):
    coefficients, meshes = drawn
    basis = MeshBasis.of(coefficients, meshes)
    graph = LayerGraph()
    basis.add_to(graph)
    scores = graph.run(coefficients=coefficients.astype(np.float32))["scores"]
    assert len(basis.modes) == 3
    assert np.abs(basis.vertices(scores) - meshes).mean() < 0.15
    template = load_template()
    wanted = np.array([list(template.volumes_ml(v).values()) for v in meshes[:5]])
    made = volumes_of(basis, (meshes[:5].reshape(5, -1) - basis.mean.ravel()) @ basis.modes.reshape(3, -1).T)
    assert made["lv"] == pytest.approx(wanted[:, 0], rel=0.01)
    assert made["myo"] == pytest.approx(wanted[:, 1] - wanted[:, 0], rel=0.02)


def test_it_is_read_back_as_it_was_written(drawn):
    basis = MeshBasis.of(*drawn)
    again = MeshBasis.from_tensors(basis.to_tensors())
    assert np.abs(again.modes - basis.modes).max() < 1e-7
    assert again.cosines == pytest.approx(basis.cosines, abs=1e-4)


def test_few_frames_are_refused(drawn):
    with pytest.raises(InputError, match="at least 10"):
        MeshBasis.of(drawn[0][:5], drawn[1][:5])


@pytest.mark.slow
def test_a_models_hearts_become_meshes(model):
    basis = fit_mesh_basis(model, hearts=6, jobs=1)
    graph = model.network.layer_graph()
    basis.add_to(graph)
    latent = np.zeros((1, model.network.latent_size()), np.float32)
    scores = graph.run(conditions=model.encode(PERSON)[None], latent=latent)["scores"]
    volumes = load_template().volumes_ml(basis.vertices(scores)[0])
    labels = model.network.decode(torch.from_numpy(latent), model.encode(PERSON))
    voxels = (labels[0] == 1).sum() * model.grid.voxel_ml
    assert volumes["lv_endocardium"] == pytest.approx(voxels, rel=0.1)
    first, second = (sample_meshes(model, 0, 3)[1] for _ in range(2))
    assert np.array_equal(first, second)
