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
from torch import Tensor

from cheart.errors import InputError
from cheart.files import new_file, read_json, write_json
from cheart.models.base import HeartModel, Setting
from cheart.models.compact import pack, unpack
from cheart.models.fields import FieldGrid
from cheart.models.registry import ModelName, find_trained, source_of
from cheart.models.shape import ShapeBasis

FORMAT = 2
WEIGHTS = "model.safetensors"


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
            "source": source_of(type(network)),
            "options": asdict(options),
            "setting": network.setting.to_json(),
            "basis": basis and basis_about(basis),
            **about,
        },
    )


def write_weights(folder: Path, network: HeartModel) -> None:
    """Write model.safetensors, whole or not at all."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    basis = basis_of(network)
    if basis is not None:
        tensors |= basis_tensors(basis)
    with new_file(folder / WEIGHTS) as partial:
        save_file(tensors, partial)


def write_packed(folder: Path, stored: Stored) -> None:
    """Write a model with its shape basis packed (:mod:`cheart.models.compact`); its weights stay as they are."""
    network, basis, config = stored.network, basis_of(stored.network), dict(stored.config)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if basis is not None:
        how, packed = pack(basis)
        tensors |= packed
        config["basis"] = {**basis_about(basis), "packed": how}
    write_json(folder / "config.json", config)
    with new_file(folder / WEIGHTS) as partial:
        save_file(tensors, partial)


def read_model(folder: Path | str, model: ModelName | None = None) -> Stored:
    """Read a model from the folder that training wrote.

    Args:
        folder: the folder.
        model: what model it is, where it came from a file of the user's (:mod:`cheart.models.registry`).

    Raises:
        InputError: it is no model, of another format, or its weights do not fit its config; its class is unknown.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} is no model (it has no config.json); make one with cheart train")
    config = read_json(folder / "config.json")
    if config.get("format") != FORMAT:
        raise InputError(f"{folder}: model format {config.get('format')!r}; this version reads {FORMAT}")
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise InputError(f"{folder} has no model.safetensors: its training has not finished an epoch yet")
    try:
        kind = find_trained(config["model"], config.get("source"), model)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None
    try:
        tensors = load_file(weights)
    except SafetensorError as error:
        raise InputError(f"{weights} cannot be read: {error}") from None
    basis = basis_from(config["basis"], tensors) if config["basis"] else None
    options = kind.Options(**config["options"])
    network: HeartModel = kind(Setting.from_json(config["setting"]), options, basis)  # type: ignore[call-arg]
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith("basis.")}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise InputError(f"{weights} does not fit the config.json beside it: {error}") from None
    return Stored(network.eval(), options, config)


def basis_of(network: HeartModel) -> ShapeBasis | None:
    """The shape basis that a network lives on, if it does."""
    return getattr(getattr(network, "space", network), "basis", None)


def basis_tensors(basis: ShapeBasis) -> dict[str, Tensor]:
    """A basis as a file holds it; :func:`basis_from` reads it back."""
    modes = torch.from_numpy(basis.modes).to(torch.float16)
    return {"basis.modes": modes, **{f"basis.{n}": torch.from_numpy(getattr(basis, n)) for n in ("mean", "sd")}}


def basis_about(basis: ShapeBasis) -> dict[str, Any]:
    """What a basis is beside its tensors, as plain JSON values."""
    return {"where": basis.where.to_json(), "noise": basis.noise, "explained": basis.explained, "level": basis.level}


def basis_from(about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> ShapeBasis:
    """A basis from what :func:`basis_about` and :func:`basis_tensors` gave, or a packed one."""
    if "packed" in about:
        return unpack(about, tensors)
    mean, modes, sd = (
        tensors[f"basis.{name}"].to(torch.float32).numpy().astype(np.float32) for name in ("mean", "modes", "sd")
    )
    where, level = FieldGrid.from_json(about["where"]), tuple(about["level"])
    return ShapeBasis(where, mean, modes, sd, about["noise"], about["explained"], level)
