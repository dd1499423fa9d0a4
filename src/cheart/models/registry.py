"""From a model's name and options to the network."""

from __future__ import annotations

from typing import Any

from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting, Task
from cheart.models.cgan import CGAN, CGANOptions
from cheart.models.cheart import CHeart, CHeartOptions
from cheart.models.cvae import CVAE, CVAEOptions
from cheart.models.cvae_gan import CVAEGAN, CVAEGANOptions
from cheart.models.pca import PCA, PCAOptions
from cheart.models.shape import ShapeBasis

OPTIONS: dict[str, type] = {
    "cheart": CHeartOptions,
    "cvae": CVAEOptions,
    "cvae-gan": CVAEGANOptions,
    "cgan": CGANOptions,
    "pca": PCAOptions,
}
"""The options of each model, by the name that ``--model`` takes."""

_NETWORKS: dict[str, Any] = {"cheart": CHeart, "cvae": CVAE, "cvae-gan": CVAEGAN, "cgan": CGAN, "pca": PCA}

TASKS: dict[str, tuple[Task, ...]] = {name: network.tasks for name, network in _NETWORKS.items()}
"""What each model can do, by its name."""


def build(name: str, setting: Setting, options: Any, basis: ShapeBasis | None = None) -> HeartModel:
    """An untrained network.

    Raises:
        InputError: no model of that name.
    """
    check_model(name)
    network: HeartModel = _NETWORKS[name](setting, options, basis)
    return network


def check_model(name: str) -> None:
    """Refuse a model's name that is not known.

    Raises:
        InputError: it names the ones that are.
    """
    if name not in OPTIONS:
        raise InputError(f"model {name!r}: expected one of {', '.join(OPTIONS)}")
