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

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cheart.errors import InputError
from cheart.files import new_file, read_json, write_json
from cheart.models.base import HeartModel, Setting
from cheart.models.registry import ModelName, find_trained, source_of
from cheart.models.representation import representation_class

FORMAT = 3
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Stored:
    """A model read from disk.

    Attributes:
        network: in evaluation mode, on the CPU.
        config: what config.json says.
    """

    network: HeartModel
    config: Mapping[str, Any]


def write_config(folder: Path, network: HeartModel, **about: Any) -> None:
    """Write config.json: how to build the network, and ``about`` it."""
    write_json(
        folder / "config.json",
        {
            "format": FORMAT,
            "model": network.name,
            "source": source_of(type(network)),
            "options": asdict(network.options),
            "setting": network.setting.to_json(),
            "representation": network.representation.to_config(),
            **about,
        },
    )


def write_weights(folder: Path, network: HeartModel) -> None:
    """Write model.safetensors, whole or not at all."""
    _write_tensors(folder, network, network.representation.to_tensors())


def write_packed(folder: Path, stored: Stored) -> None:
    """Write a model with its representation packed; its weights stay as they are."""
    representation, tensors = stored.network.representation.to_packed()
    write_json(folder / "config.json", {**stored.config, "representation": representation})
    _write_tensors(folder, stored.network, tensors)


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
        raise InputError(
            f"{folder}: model format {config.get('format')!r}, and this version reads {FORMAT}; train it again"
        )
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise InputError(f"{folder} has no model.safetensors: its training has not finished an epoch yet")
    try:
        kind = find_trained(config["model"], config["source"], model)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None
    try:
        tensors = load_file(weights)
    except SafetensorError as error:
        raise InputError(f"{weights} cannot be read: {error}") from None
    setting = Setting.from_json(config["setting"])
    represented = representation_class(config["representation"]["name"])
    representation = represented.read(config["representation"], tensors, setting.grid, setting.frames)
    network = kind(setting, kind.Options(**config["options"]), representation)
    try:
        network.load_state_dict({name: tensor for name, tensor in tensors.items() if not name.startswith("basis.")})
    except RuntimeError as error:
        raise InputError(f"{weights} does not fit the config.json beside it: {error}") from None
    return Stored(network.eval(), config)


def _write_tensors(folder: Path, network: HeartModel, further: Mapping[str, Tensor]) -> None:
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with new_file(folder / WEIGHTS) as partial:
        save_file({**tensors, **further}, partial)
