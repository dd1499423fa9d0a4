import numpy as np
import pytest
import torch
from torch import nn

import cheart
from cheart.models.layer_graph import LayerGraph
from tiny import PERSON


def test_a_sequence_is_what_pytorch_makes_of_it():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(3, 5), nn.SiLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
    graph, x = LayerGraph(), torch.randn(6, 3)
    graph.sequence("y", "x", layers)
    with torch.no_grad():
        assert graph.run(x=x.numpy())["y"] == pytest.approx(layers(x).numpy(), abs=1e-6)


def test_small_operations():
    graph = LayerGraph()
    graph.add("take", "b", "a", start=1, stop=3)
    graph.add("concat", "c", "b", "b")
    graph.add("cos", "d", "c")
    graph.add("add", "e", "d", "c")
    made = graph.run(a=np.array([[9, 0, 1]], np.float32))
    assert made["e"].tolist() == [pytest.approx([1, 1 + np.cos(1), 1, 1 + np.cos(1)])]


def test_a_models_layers_are_the_model(model):
    network = model.network
    conditions = model.encode(PERSON)[None]
    latent = np.random.default_rng(0).standard_normal((1, network.latent_size())).astype(np.float32)
    with torch.no_grad():
        wanted = network.coefficients(torch.from_numpy(latent), torch.from_numpy(conditions))[0].numpy()
    made = network.layer_graph().run(conditions=conditions, latent=latent)["coefficients"]
    assert made == pytest.approx(wanted, abs=1e-4)


def test_a_model_without_such_a_form_says_so():
    with pytest.raises(cheart.InputError, match="no form that runs in a browser"):
        cheart.load("paper").network.layer_graph()
