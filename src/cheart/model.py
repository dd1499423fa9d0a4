"""A trained model, ready for use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Conditions, Encoding, Value
from cheart.grid import Grid
from cheart.heart import Heart, Kind, whole
from cheart.models.base import HeartModel
from cheart.models.find import BUNDLED, find_model
from cheart.models.registry import ModelName, passport
from cheart.models.store import WEIGHTS, read_model
from cheart.population import Population

PAPER_CYCLE_S = 0.96
"""20 frames of 0.048 s (section III-A): the cycle of a generated heart where the training cohort's is not known."""

Unknown = Literal["draw", "missing"]
"""What to do with conditions that are not given: draw them as the training cohort has them, or tell the network
that they are missing."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network with what is known of its training. Made by :func:`load`.

    Attributes:
        network: in evaluation mode.
        config: what its config.json says.
        folder: that it was read from.
    """

    network: HeartModel
    config: Mapping[str, Any]
    folder: Path | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, a model is its folder: a worker reads it once, and no weights travel with every task."""
        if self.folder is None:
            return Model, (self.network, self.config)
        written = (self.folder / WEIGHTS).stat().st_mtime_ns
        return _reload, (self.folder.absolute(), str(self.network.device), written, passport(type(self.network)))

    @property
    def name(self) -> str:
        """The model's name, such as ``cheart``."""
        return self.network.name

    @property
    def grid(self) -> Grid:
        """The voxel grid of the hearts that it makes."""
        return self.network.setting.grid

    @property
    def frames(self) -> int:
        """T, frames a cycle."""
        return self.network.setting.frames

    @property
    def encoding(self) -> Encoding:
        """How conditions enter, with the ranges of training."""
        return self.network.setting.encoding

    @cached_property
    def population(self) -> Population:
        """The training cohort's joint distribution of conditions."""
        return Population.from_json(self.config["population"], self.encoding)

    @property
    def trained_on(self) -> str:
        """The training cohort in words; it says so if it was simulated."""
        told = self.config["trained_on"]
        return f"{told['title']} ({told['kind']}, {told['subjects']} training subjects)"

    def settle(
        self, given: Conditions, *, unknown: Unknown, rng: np.random.Generator
    ) -> tuple[dict[str, Value], tuple[str, ...]]:
        """All conditions that the network takes, and the names of those that were drawn.

        Raises:
            InputError: a condition that the model does not know, or a value that its factor refuses.
        """
        schema = self.encoding.schema
        for name in given:
            schema[name]  # refuses what the model does not know
        known = schema.read(given)
        if unknown == "missing":
            return known, ()
        drawn = self.population.draw(known, rng)
        return drawn, tuple(n for n in schema.names if known[n] is None and drawn[n] is not None)

    def encode(self, conditions: Conditions) -> NDArray[np.float32]:
        """Conditions as the network takes them, [E]."""
        return self.encoding.encode([conditions])[0]

    def heart(
        self,
        labels: NDArray[np.uint8],
        cycle_s: float = float("nan"),
        *,
        kind: Kind = "generated",
        conditions: Conditions | None = None,
        **about: Any,
    ) -> Heart:
        """Label maps [T, Z, Y, X] that the network made, as a heart; its cycle is the training cohort's usual.

        Args:
            labels: on the model's grid.
            cycle_s: in s; nan where it is not known.
            kind, conditions, about: what else is known of it, as attributes of :class:`cheart.heart.Heart`.
        """
        usual = self.config.get("cycle_s") or PAPER_CYCLE_S
        cycle_s = cycle_s if np.isfinite(cycle_s) else usual
        return whole(labels, self.grid, cycle_s, kind=kind, conditions=conditions or {}, **about)

    # The tasks are plain functions in their own modules; these are the four lines of the README.

    def complete(self, heart: Path | str | Heart, **options: Any) -> Heart:
        """See :func:`cheart.tasks.complete.complete`."""
        from cheart.tasks.complete import complete

        return complete(self, heart, **options)

    def generate(self, n: int = 1, **options: Any) -> list[Heart]:
        """See :func:`cheart.tasks.generate.generate`."""
        from cheart.tasks.generate import generate

        return list(generate(self, n, **options))

    def vary(self, condition: str, values: Any, **options: Any) -> list[Heart]:
        """See :func:`cheart.tasks.vary.vary`."""
        from cheart.tasks.vary import vary

        return list(vary(self, condition, values, **options))


def load(folder: Path | str = BUNDLED, *, model: ModelName | None = None, device: str = "cpu") -> Model:
    """Read a trained model.

    Args:
        folder: that ``cheart train`` wrote, or ``bundled``, the model that comes with cheart.
        model: ``path/to/file.py:Class`` where the model is one of your own file, which is then executed; otherwise
            nothing of the folder ever is.
        device: where to put it.

    Raises:
        InputError: it is no model of this version.
    """
    import torch

    folder = find_model(folder)
    stored = read_model(folder, model)
    return Model(stored.network.to(torch.device(device)), stored.config, folder)


@lru_cache(maxsize=1)
def _reload(folder: Path, device: str, written: int, model: ModelName) -> Model:
    """A model in a worker, read again only when its weights were ``written`` anew."""
    return load(folder, model=model, device=device)
