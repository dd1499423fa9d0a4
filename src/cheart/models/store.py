"""A trained model on disk: ``model.safetensors`` and ``config.json``. Nothing is ever unpickled.

Each file carries the SHA-256 of its own content, so that a model that is written anew during a training is whole at
every moment, and nothing of it can change unnoticed.

config.json says everything that is needed to build the network and to speak of it: the options, the grid and
frames, the conditions with the range it was trained on, the training cohort's kind and its joint distribution of
conditions (no person's values).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cheart.errors import InputError
from cheart.files import read_json, sha256_of_json, without_nan, write_json
from cheart.models.base import HeartModel, Setting
from cheart.models.registry import ModelName, find_trained, source_of
from cheart.models.representation import representation_class
from cheart.models.tensor_file import read_tensors, write_tensors
from cheart.population import Population
from cheart.schemas import ModelJson, check, check_fields

FORMAT = 3
WEIGHTS = "model.safetensors"
_MEND = "restore it from where it came from, or train the model again"


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
    _write_config(
        folder,
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
    _write_config(folder, {**stored.config, "representation": representation})
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
    config, tensors = read_files(folder)
    try:
        kind = find_trained(config["model"], config["source"], model)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith("basis.")}
    try:
        setting = Setting.from_json(config["setting"])
        Population.from_json(config["population"], setting.encoding)
        options = kind.Options(**check_fields(config["options"], kind.Options, "options"))
        represented = representation_class(str(config["representation"].get("name")))
        representation = represented.read(config["representation"], tensors, setting.grid, setting.frames)
        _refuse_other_shapes(partial(kind, setting, options, representation), weights)
        network = kind(setting, options, representation)
        network.load_state_dict(weights)
    except InputError as error:
        raise InputError(f"{folder / 'config.json'}: {error}") from None
    except RuntimeError as error:
        raise InputError(f"{folder / WEIGHTS} does not fit the config.json beside it: {error}") from None
    return Stored(network.eval(), config)


def _refuse_other_shapes(build: Callable[[], HeartModel], weights: Mapping[str, Tensor]) -> None:
    """Refuse a network of another size than the weights that are there, before memory is asked for it.

    Raises:
        InputError: it names the first tensor that differs.
    """
    try:
        with torch.device("meta"):
            asked = {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}
    except (NotImplementedError, RuntimeError, TypeError):  # a class of the user's that computes while it is built
        return
    there = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for name in sorted({*asked, *there}):
        if asked.get(name) != there.get(name):
            raise InputError(
                f"the options ask for {name} of shape {asked.get(name)}, and {WEIGHTS} has {there.get(name)}; {_MEND}"
            )


def read_files(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What config.json says, and all tensors of a model, which are as they were written; no network is made of them.

    Raises:
        InputError: it is no model, of another format, or a file of it was changed.
    """
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} is no model (it has no config.json); make one with cheart train")
    config = _read_config(folder / "config.json")
    if not (folder / WEIGHTS).is_file():
        raise InputError(f"{folder} has no model.safetensors: its training has not finished an epoch yet")
    return config, _read_tensors(folder / WEIGHTS)


def _write_tensors(folder: Path, network: HeartModel, further: Mapping[str, Tensor]) -> None:
    write_tensors(folder / WEIGHTS, {**network.state_dict(), **further})


def _write_config(folder: Path, config: Mapping[str, Any]) -> None:
    plain = without_nan({name: value for name, value in config.items() if name != "sha256"})
    write_json(folder / "config.json", {**plain, "sha256": sha256_of_json(plain)})


def _read_config(path: Path) -> dict[str, Any]:
    """What config.json says, which is what was written.

    Raises:
        InputError: another format, or a file that was changed.
    """
    config = read_json(path)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        given = config.get("format") if isinstance(config, dict) else None
        raise InputError(f"{path.parent}: model format {given!r}, and this version reads {FORMAT}; train it again")
    if config.pop("sha256", None) != sha256_of_json(config):
        raise InputError(f"{path} is not as it was written: {_MEND}")
    return check(config, ModelJson, path, mend=_MEND)


def _read_tensors(weights: Path) -> dict[str, Tensor]:
    """All tensors of a model, which are as they were written.

    Raises:
        InputError: a file that is damaged or was changed, or weights that are no numbers.
    """
    tensors, _ = read_tensors(weights, mend=_MEND)
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise InputError(f"{weights}: {name} holds values that are no numbers: its training came apart; {_MEND}")
    return tensors
