"""The one interface of all models: what a network must offer to be trained, used and judged alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cheart.conditions import Encoding
from cheart.errors import InputError
from cheart.grid import Grid

Task = Literal["complete", "generate"]


@dataclass(frozen=True)
class Setting:
    """What every model is built for: the space, the frames, and how conditions are encoded."""

    grid: Grid
    frames: int
    encoding: Encoding

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_json` reads it back."""
        return {"grid": self.grid.to_json(), "frames": self.frames, "encoding": self.encoding.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Setting:
        """Read what :meth:`to_json` wrote."""
        return cls(Grid.from_json(value["grid"]), value["frames"], Encoding.from_json(value["encoding"]))


@dataclass(frozen=True)
class Style:
    """How tables and figures show a model.

    Attributes:
        label: as the paper writes it.
        colour: ``#rrggbb``.
        dash: a line style of matplotlib.
        marker: a marker of matplotlib.
    """

    label: str
    colour: str
    dash: Any
    marker: str


@dataclass(frozen=True)
class NoOptions:
    """Of a model that has no options of its own."""


class HeartModel(nn.Module):
    """A model of beating hearts given conditions. :func:`cheart.models.registry.register` makes it known by a name.

    Subclasses say which tasks they can do; those they cannot are refused here, in one place.

    Attributes:
        name: what ``--model`` calls it; :func:`cheart.models.registry.register` sets it.
        tasks: the tasks it can do.
        Options: the frozen dataclass of its own options, whose defaults are of the ``paper`` preset.
        presets: by the name of a preset, what it changes of the model's own options and of the training's.
        style: how tables and figures show it; :func:`cheart.models.registry.register` gives it one if it has none.
        seconds_per_heart: what a heart costs one core on the half grid, roughly, to train on, to complete, to generate;
            it only serves the time left.
        latent_per_frame: whether a heart has a latent a frame, which :meth:`trajectory` gives, or one for the beat.
        reads: which data its training takes (see :mod:`cheart.training.data`).
    """

    name: ClassVar[str]
    tasks: ClassVar[tuple[Task, ...]]
    Options: ClassVar[type] = NoOptions
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    style: ClassVar[Style]
    seconds_per_heart: ClassVar[Mapping[str, float]] = {"train": 0.2, "complete": 0.4, "generate": 0.4}
    latent_per_frame: ClassVar[bool] = False
    reads: str

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    # -- training ----------------------------------------------------------------------------------------------

    @abstractmethod
    def losses(self, batch: Any, noise: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """The losses of one step, in turn: (group of parameters to step, loss, figures for the log).

        The loop steps the group's optimiser after each, so a GAN yields twice.
        """

    @abstractmethod
    def validation_loss(self, batch: Any) -> Tensor:
        """The loss of each subject [B] that early stopping watches, without noise."""

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by the name of their optimiser."""
        return {"all": [p for p in self.parameters() if p.requires_grad]}

    def compile_decoder(self) -> None:
        """Compile what costs most of a training step; a network without such a part stays as it is."""

    # -- use ---------------------------------------------------------------------------------------------------

    def complete(
        self, first: NDArray[np.uint8], observed: NDArray[np.bool_], conditions: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """The whole cycle from its first frame.

        Args:
            first: end-diastole [Z, Y, X]; planes that were not observed may hold interpolated content.
            observed: [Z] bool.
            conditions: [E], encoded.

        Returns:
            [T, Z, Y, X].

        Raises:
            InputError: this kind of model cannot complete.
        """
        self.must("complete")
        return self.decode(self.encode(first, observed, conditions), conditions)

    def generate(self, conditions: NDArray[np.float32], *, seed: int) -> NDArray[np.uint8]:
        """One beating heart [T, Z, Y, X] for conditions [E]; the same seed gives the same heart.

        Raises:
            InputError: this kind of model cannot generate.
        """
        self.must("generate")
        return self.decode(self.sample_latent(seed), conditions)

    def sample_latent(self, seed: int) -> Tensor:
        """The random latent [1, size] of a seed, drawn on the CPU so that every device gives the same heart."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(1, self.latent_size(), generator=generator).to(self.device)

    @torch.no_grad()
    def encode(self, first: NDArray[np.uint8], observed: NDArray[np.bool_], conditions: NDArray[np.float32]) -> Tensor:
        """The code [1, size] of a heart's first frame, as :meth:`complete` takes it."""
        return self._encode(first, observed, torch.from_numpy(conditions)[None].to(self.device))

    @torch.no_grad()
    def decode(self, code: Tensor, conditions: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The beating heart [T, Z, Y, X] of a code [1, size] for conditions [E]."""
        return self._decode(code, torch.from_numpy(conditions)[None].to(self.device))

    def trajectory(self, latent: Tensor, conditions: NDArray[np.float32]) -> NDArray[np.float32]:
        """The latents z_ct [T, size] of the frames that :meth:`decode` makes of z_0 [1, latent] for conditions [E]."""
        raise NotImplementedError

    def must(self, task: Task) -> None:
        """Refuse a task that this kind of model cannot do.

        Raises:
            InputError: it names what the model can do.
        """
        if task not in self.tasks:
            raise InputError(f"a {self.name} model cannot {task}; it can {' and '.join(self.tasks)}")

    def latent_size(self) -> int:
        """Length of the code that :meth:`generate` draws."""
        raise NotImplementedError

    def _encode(self, first: NDArray[np.uint8], observed: NDArray[np.bool_], conditions: Tensor) -> Tensor:
        raise NotImplementedError

    def _decode(self, code: Tensor, conditions: Tensor) -> NDArray[np.uint8]:
        raise NotImplementedError


class FittedModel(HeartModel):
    """A model that is fitted in one go rather than by steps."""

    @abstractmethod
    def fit(self, training: Any, validation: Any) -> tuple[float, dict[str, float]]:
        """Fit to all training subjects at once; what must be chosen is chosen on validation subjects.

        Returns:
            The mean validation loss, and figures for the log.
        """

    def losses(self, batch: Any, noise: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """It takes no steps: see :meth:`fit`."""
        raise NotImplementedError
