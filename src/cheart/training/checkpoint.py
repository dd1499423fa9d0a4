"""Where a training stands, in one file: weights, optimisers and counters, as safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cheart.errors import InputError
from cheart.files import parse_json
from cheart.models.tensor_file import read_tensors, write_tensors
from cheart.training.averaged import Averaged

MEND_CHECKPOINT = "delete checkpoint.safetensors and start the training anew, elsewhere"


def write_checkpoint(
    path: Path,
    network: nn.Module,
    optimisers: dict[str, torch.optim.Optimizer],
    average: Averaged,
    state: dict[str, Any],
) -> None:
    """Write everything that a training needs to go on as if it had never stopped; ``state`` are JSON values."""
    tensors: dict[str, Tensor] = {f"network/{n}": t.detach().contiguous() for n, t in network.state_dict().items()}
    tensors |= {f"average/{name}": tensor for name, tensor in average.tensors.items()}
    for group, optimiser in optimisers.items():
        for place, entries in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{group}/{place}/{n}": torch.as_tensor(v).contiguous() for n, v in entries.items()}
    write_tensors(path, tensors, state=json.dumps(state))


def read_checkpoint(
    path: Path,
    network: nn.Module,
    optimisers: dict[str, torch.optim.Optimizer],
    average: Averaged,
    device: torch.device,
) -> dict[str, Any]:
    """Put a checkpoint back into a network, its optimisers and its average; returns the state.

    Raises:
        InputError: the file cannot be read, or it belongs to another network.
    """
    on_cpu, words = read_tensors(path, mend=MEND_CHECKPOINT)
    tensors = {name: tensor.to(device) for name, tensor in on_cpu.items()}
    try:
        state: dict[str, Any] = parse_json(words["state"], path)
        network.load_state_dict({n.removeprefix("network/"): t for n, t in tensors.items() if n.startswith("network/")})
        average.tensors = {name: tensors.get(f"average/{name}", tensors[f"network/{name}"]) for name in average.tensors}
    except (RuntimeError, KeyError) as error:
        raise InputError(f"{path} is no checkpoint of this training: {error}") from None
    for group, optimiser in optimisers.items():
        entries: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition("/")
            if kind == "optimiser" and rest.startswith(f"{group}/"):
                _, place, key = rest.split("/")
                entries.setdefault(int(place), {})[key] = tensor
        optimiser.load_state_dict({"state": entries, "param_groups": optimiser.state_dict()["param_groups"]})
    return state
