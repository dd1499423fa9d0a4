"""The moving average of a network's weights."""

import torch
from torch import nn

from cheart.training.averaged import Averaged


def test_it_follows_the_weights_slowly_and_is_worn_for_a_while_only() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = Averaged(network, 0.9)
    nn.init.ones_(network.weight)
    for step in range(1000, 1010):
        average.update(network, step)
    with average.worn(network):
        assert abs(network.weight.item() - (1 - 0.9**10)) < 1e-6
    assert network.weight.item() == 1


def test_early_weights_count_little() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = Averaged(network, 0.999)
    nn.init.ones_(network.weight)
    for step in range(10):
        average.update(network, step)
    with average.worn(network):
        assert abs(network.weight.item() - 1) < 1e-3


def test_no_decay_is_no_average() -> None:
    network = nn.BatchNorm1d(1)
    average = Averaged(network, 0.0)
    nn.init.zeros_(network.weight)
    average.update(network, 0)
    assert average.tensors == {}
    with average.worn(network):
        assert network.weight.item() == 0


def test_running_statistics_are_averaged_too() -> None:
    network = nn.BatchNorm1d(1).train()
    average = Averaged(network, 0.5)
    network(torch.full((4, 1), 8.0))
    average.update(network, 100)
    with average.worn(network):
        assert abs(network.running_mean.item() - 0.4) < 1e-6  # half of 0.1 · 8
