"""A trained model on disk: ``model.safetensors`` and ``config.json``. Nothing is ever unpickled.

config.json says everything that is needed to build the network and to speak of it: the options, the grid and
frames, the conditions with the range it was trained on, the training cohort's kind and its joint distribution of
conditions (no person's values).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from cheart.errors import InputError
from cheart.files import new_file, read_json, write_json
from cheart.models.base import HeartModel, Setting
from cheart.models.build import OPTIONS, build, check_model
from cheart.models.shape import FieldGrid, ShapeBasis

FORMAT = 1


@dataclass(frozen=True)
class Stored:
    """A model read from disk.

    Attributes:
        network: in evaluation mode, on the CPU.
        options: what was set of it.
        config: what config.json says.
    """

    network: HeartModel
    options: Any
    config: Mapping[str, Any]


def write_config(folder: Path, network: HeartModel, options: Any, **about: Any) -> None:
    """Write config.json: how to build the network, and ``about`` it."""
    basis = basis_of(network)
    write_json(
        folder / "config.json",
        {
            "format": FORMAT,
            "model": network.name,
            "options": asdict(options),
            "setting": network.setting.to_json(),
            "basis": basis and {"where": basis.where.to_json(), "noise": basis.noise, "explained": basis.explained},
            **about,
        },
    )


def write_weights(folder: Path, network: HeartModel) -> None:
    """Write model.safetensors, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    basis = basis_of(network)
    if basis is not None:
        tensors |= {f"basis.{n}": torch.from_numpy(getattr(basis, n)) for n in ("mean", "sd")}
        tensors["basis.modes"] = torch.from_numpy(basis.modes).to(torch.float16)
    with new_file(folder / "model.safetensors") as partial:
        save_file(tensors, partial)


def read_model(folder: Path | str) -> Stored:
    """Read a model from the folder that training wrote.

    Raises:
        InputError: it is no model, of another format, or its weights do not fit its config.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} is no model (it has no config.json); make one with cheart train")
    config = read_json(folder / "config.json")
    if config.get("format") != FORMAT:
        raise InputError(f"{folder}: model format {config.get('format')!r}; this version reads {FORMAT}")
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise InputError(f"{folder} has no model.safetensors: its training has not finished an epoch yet")
    check_model(config["model"])
    try:
        tensors = load_file(weights)
    except SafetensorError as error:
        raise InputError(f"{weights} cannot be read: {error}") from None
    basis = _basis(config["basis"], tensors) if config["basis"] else None
    options = OPTIONS[config["model"]](**config["options"])
    network = build(config["model"], Setting.from_json(config["setting"]), options, basis)
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith("basis.")}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise InputError(f"{weights} does not fit the config.json beside it: {error}") from None
    return Stored(network.eval(), options, config)


def basis_of(network: HeartModel) -> ShapeBasis | None:
    """The shape basis that a network lives on, if it does."""
    return getattr(getattr(network, "space", network), "basis", None)


def _basis(config: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> ShapeBasis:
    mean, modes, sd = (
        tensors[f"basis.{name}"].to(torch.float32).numpy().astype(np.float32) for name in ("mean", "modes", "sd")
    )
    return ShapeBasis(FieldGrid.from_json(config["where"]), mean, modes, sd, config["noise"], config["explained"])
