"""What can be set of a training, and the presets that set it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from math import cos, pi
from pathlib import Path
from typing import Any, Literal

from cheart.errors import InputError
from cheart.models.registry import ModelName, model_class
from cheart.schemas import check_fields

MOST = 10**9
"""No option of a training is larger."""


@dataclass(frozen=True)
class TrainingOptions:
    """The training of any model; the defaults are the paper's (section III-B).

    Attributes:
        batch: subjects a step.
        rate: Adam's learning rate.
        momentum: Adam's β₁; players of a game want less of it.
        schedule: ``constant``, or ``cosine`` from the rate down to nothing.
        warmup: epochs over which the rate rises from nothing, step by step.
        frames: of each subject's label maps a step, drawn anew (:mod:`cheart.training.frames`); 0 for all.
        average: decay a step of the weights' moving average (:mod:`cheart.training.averaged`), which then are the
            model; 0 for the last weights as they are.
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
    warmup: int = 0
    frames: int = 0
    average: float = 0.0
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
        if self.warmup < 0 or not 0 <= self.average < 1:
            raise InputError(f"warmup {self.warmup} must be at least 0 and average {self.average:g} in [0, 1)")
        if self.decay < 0 or self.clip < 0:
            raise InputError(f"decay {self.decay:g} and clip {self.clip:g} must be at least 0")
        if self.frames < 0:
            raise InputError(f"frames {self.frames} must be at least 1, or 0 for all")
        if self.schedule not in ("constant", "cosine"):
            raise InputError(f"schedule {self.schedule!r}: expected constant or cosine")
        if self.age not in ("decades", "number"):
            raise InputError(f"age {self.age!r}: expected decades or number")
        if self.precision not in ("float32", "bfloat16"):
            raise InputError(f"precision {self.precision!r}: expected float32 or bfloat16")

    def rate_at(self, epoch: int, within: float = 0.0) -> float:
        """The learning rate of an epoch (counted from 0), ``within`` [0, 1) of it."""
        rate = self.rate if self.schedule == "constant" else self.rate * 0.5 * (1 + cos(pi * epoch / self.epochs))
        return rate * min(1.0, (epoch + within) / self.warmup) if self.warmup else rate


_SMOOTH: dict[str, Any] = {"rate": 3e-4, "schedule": "cosine", "clip": 10.0, "age": "number"}

PRESETS = {
    "quick": TrainingOptions(batch=16, epochs=40, patience=40, **_SMOOTH),
    "laptop": TrainingOptions(batch=32, epochs=100, patience=100, **_SMOOTH),
    "paper": TrainingOptions(rate=2e-3, schedule="cosine", warmup=2, frames=4, average=0.998, epochs=80, patience=80),
}
"""``paper`` is the paper's loss, by steps of the same expectation that cost a fifth, at a rate that comes to rest;
the paper's own training is TrainingOptions as they are. What a preset changes of a model, and of its training, stands
on the model's class."""


def resolve(model: ModelName, preset: str, settings: Iterable[str]) -> tuple[TrainingOptions, Any]:
    """The training's and the model's options: a preset, changed by ``key=value`` settings.

    Raises:
        InputError: an unknown model, preset or key, or a value of the wrong kind.
    """
    kind = model_class(model)
    if preset not in PRESETS:
        raise InputError(f"preset {preset!r}: expected one of {', '.join(PRESETS)}")
    of_training = {f.name for f in fields(TrainingOptions)}
    own = kind.presets.get(preset, {})
    training = replace(PRESETS[preset], **{k: v for k, v in own.items() if k in of_training})
    options = kind.Options(**{k: v for k, v in own.items() if k not in of_training})
    return apply_settings(training, options, settings)


def stored_options(value: Any, where: Path) -> TrainingOptions:
    """The training's options as a model's config.json has them.

    Raises:
        InputError: they are none; the file and the field are named.
    """
    try:
        return TrainingOptions(**check_fields(value, TrainingOptions, "training"))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def apply_settings(training: TrainingOptions, options: Any, settings: Iterable[str]) -> tuple[TrainingOptions, Any]:
    """Change options by ``key=value`` settings, one after the other: a later one changes an earlier one.

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
        value = type(was)(text)
        if not -MOST < value < MOST:
            raise ValueError
    except ValueError:
        kind = "a whole number" if isinstance(was, int) else "a number"
        raise InputError(f"--set {setting!r}: expected {kind} (at most {MOST:,})") from None
    return value
