"""What can be set of a training, and the presets that set it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from math import cos, pi
from typing import Any, Literal

from cheart.errors import InputError
from cheart.models.registry import OPTIONS, check_model


@dataclass(frozen=True)
class TrainingOptions:
    """The training of any model; the defaults are the paper's (section III-B).

    Attributes:
        batch: subjects a step.
        rate: Adam's learning rate.
        momentum: Adam's β₁; players of a game want less of it.
        schedule: ``constant``, or ``cosine`` from the rate down to nothing.
        decay: decoupled weight decay (0 makes AdamW the paper's Adam).
        clip: longest gradient (its norm) that a step takes as it is; 0 for no limit.
        epochs: at most.
        patience: stop when the validation loss has not improved for so many epochs.
        age: how age enters: ``decades`` (the paper's seven) or ``number``.
        precision: ``float32``, or ``bfloat16`` for products and convolutions (autocast; for a GPU).
        compiled: compile the paper's decoder (torch.compile; for a GPU).
    """

    batch: int = 8
    rate: float = 5e-4
    momentum: float = 0.9
    schedule: Literal["constant", "cosine"] = "constant"
    decay: float = 0.0
    clip: float = 0.0
    epochs: int = 500
    patience: int = 50
    age: Literal["decades", "number"] = "decades"
    precision: Literal["float32", "bfloat16"] = "float32"
    compiled: bool = False

    def __post_init__(self) -> None:
        if min(self.batch, self.epochs, self.patience) < 1 or not self.rate > 0:
            raise InputError("batch, epochs and patience must be at least 1, and rate above 0")
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum {self.momentum:g} must be in [0, 1)")
        if self.schedule not in ("constant", "cosine"):
            raise InputError(f"schedule {self.schedule!r}: expected constant or cosine")
        if self.age not in ("decades", "number"):
            raise InputError(f"age {self.age!r}: expected decades or number")
        if self.precision not in ("float32", "bfloat16"):
            raise InputError(f"precision {self.precision!r}: expected float32 or bfloat16")

    def rate_at(self, epoch: int) -> float:
        """The learning rate of an epoch (counted from 0)."""
        return self.rate if self.schedule == "constant" else self.rate * 0.5 * (1 + cos(pi * epoch / self.epochs))


_SMOOTH: dict[str, Any] = {"rate": 3e-4, "schedule": "cosine", "clip": 10.0, "age": "number"}
_SHAPE: dict[str, Any] = {
    "space": "shape",
    "motion": "harmonic",
    "prior": "learned",
    "beta": 0.003,
    "forget": 0.1,
    "harmonics": 9,
    "rate": 3e-5,
}


def _baselines(*, modes: int, hidden: int) -> dict[str, dict[str, Any]]:
    """CVAE, CVAE-GAN and CGAN on a shape basis; docs/evaluation.md says how the values were chosen."""
    all_three = {"space": "shape", "modes": modes, "latent": modes, "hidden": hidden, "rate": 3e-5, "patience": 20}
    game = {"penalty": 10.0, "momentum": 0.5}
    return {
        "cvae": {**all_three, "beta": 0.003},
        "cvae-gan": {**all_three, **game, "beta": 0.003},
        "cgan": {**all_three, **game},
    }


PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "training": TrainingOptions(batch=16, epochs=40, patience=40, **_SMOOTH),
        "cheart": {**_SHAPE, "modes": 64, "latent": 64, "hidden": 32},
        "pca": {"modes": 64},
        **_baselines(modes=64, hidden=32),
    },
    "laptop": {
        "training": TrainingOptions(batch=32, epochs=100, patience=100, **_SMOOTH),
        "cheart": {**_SHAPE, "modes": 96, "latent": 96, "hidden": 64},
        **_baselines(modes=96, hidden=64),
    },
    "paper": {"training": TrainingOptions(), "cheart": {}},
}
"""``paper`` is the paper's network and training; the others live on a shape basis (docs/model.md says why)."""


def resolve(model: str, preset: str, settings: Iterable[str]) -> tuple[TrainingOptions, Any]:
    """The training's and the model's options: a preset, changed by ``key=value`` settings.

    Raises:
        InputError: an unknown model, preset or key, or a value of the wrong kind.
    """
    check_model(model)
    if preset not in PRESETS:
        raise InputError(f"preset {preset!r}: expected one of {', '.join(PRESETS)}")
    own: dict[str, Any] = PRESETS[preset].get(model, {})
    of_training = {f.name for f in fields(TrainingOptions)}
    training = replace(PRESETS[preset]["training"], **{k: v for k, v in own.items() if k in of_training})
    options = OPTIONS[model](**{k: v for k, v in own.items() if k not in of_training})
    return apply_settings(training, options, settings)


def apply_settings(training: TrainingOptions, options: Any, settings: Iterable[str]) -> tuple[TrainingOptions, Any]:
    """Change options by ``key=value`` settings.

    Raises:
        InputError: an unknown key, or a value of the wrong kind.
    """
    for setting in settings:
        key, found, text = setting.partition("=")
        known = [f.name for f in fields(training)] + [f.name for f in fields(options)]
        if not found or key not in known:
            raise InputError(f"--set {setting!r}: expected key=value with a key of {', '.join(known)}")
        if any(f.name == key for f in fields(training)):
            training = replace(training, **{key: _read(setting, text, getattr(training, key))})
        else:
            options = replace(options, **{key: _read(setting, text, getattr(options, key))})
    return training, options


def _read(setting: str, text: str, was: Any) -> Any:
    """Text as the kind of value that the option has."""
    if isinstance(was, bool):
        if text.lower() not in ("true", "false"):
            raise InputError(f"--set {setting!r}: expected true or false")
        return text.lower() == "true"
    if isinstance(was, str):
        return text
    try:
        return type(was)(text)
    except ValueError:
        kind = "a whole number" if isinstance(was, int) else "a number"
        raise InputError(f"--set {setting!r}: expected {kind}") from None
