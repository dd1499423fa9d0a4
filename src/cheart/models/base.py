"""The one interface of all models: what a network must offer to be trained, used and judged alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Shaped, UInt8
from torch import Tensor, nn

from cheart.cohort import Cohort
from cheart.conditions import Encoding
from cheart.errors import InputError
from cheart.evidence import Evidence, EvidenceKind
from cheart.grid import Grid, check_size
from cheart.models.layer_graph import LayerGraph
from cheart.models.representation import Data, Representation
from cheart.population import Population
from cheart.progress import Jobs

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
        grid = Grid.from_json(value["grid"])
        check_size(grid, value["frames"])
        return cls(grid, value["frames"], Encoding.from_json(value["encoding"]))


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

    A subclass says which tasks it can do; those that it cannot are refused here, in one place. It overrides

        losses, validation_loss       to be trained by steps, or
        fit                           to be fitted in one go;
        complete, or encode_first     to complete, and with the latter sample_first where completions differ,
        generate, or latent_size      to generate, and with either of the latter
        decode_labels                 to make label maps of a latent;
        initialise, after_training, fine_tuned    where there is something to do.

    Attributes:
        name: what ``--model`` calls it; :func:`cheart.models.registry.register` sets it.
        tasks: the tasks it can do.
        evidence: what completion takes beside the first frame.
        Options: the frozen dataclass of its own options, whose defaults are of the ``paper`` preset. Its field
            ``representation`` says what hearts are to it (:mod:`cheart.models.representation`).
        presets: by the name of a preset, what it changes of the model's own options and of the training's.
        style: how tables and figures show it; :func:`cheart.models.registry.register` gives it one if it has none.
        seconds_per_heart: what a heart costs one core on the half grid, roughly, to train on, to complete, to generate;
            it only serves the time left.
        latent_per_frame: whether a heart has a latent a frame, which :meth:`trajectory` gives, or one for the beat.
        drawn: whether figures show it; a floor stands in tables only.
        holds: what a model file has of its training subjects, for the card. Nobody's conditions are among it.
        choices: what training chooses, and on which subjects: ``val``, or ``train, left out in turn``. It goes into
            run.json; nothing is ever chosen on test subjects.
    """

    name: ClassVar[str]
    tasks: ClassVar[tuple[Task, ...]]
    evidence: ClassVar[frozenset[EvidenceKind]] = frozenset()
    Options: ClassVar[type] = NoOptions
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    style: ClassVar[Style]
    seconds_per_heart: ClassVar[Mapping[str, float]] = {"train": 0.2, "complete": 0.4, "generate": 0.4}
    latent_per_frame: ClassVar[bool] = False
    drawn: ClassVar[bool] = True
    holds: ClassVar[str] = "principal modes of shapes and weights"
    choices: ClassVar[Mapping[str, str]] = {"epoch": "val"}

    def __init__(self, setting: Setting, options: Any, representation: Representation) -> None:
        """An untrained network; its weights are random or nothing until it is trained or read back."""
        super().__init__()
        self.setting, self.options = setting, options
        self.representation: Any = representation  # which kind it is, is the model's choice

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(chain(self.parameters(), self.buffers()), torch.empty(0)).device

    # -- training --------------------------------------------------------------------------------------------------

    def initialise(self, training: Data) -> None:
        """Start from what the training subjects say at once, rather than from random weights."""

    def fit(self, training: Data, validation: Data) -> tuple[float, dict[str, float]]:
        """Fit to all training subjects in one go; what must be chosen is chosen on validation subjects.

        Returns:
            The mean validation loss, and figures for the log.
        """
        raise NotImplementedError(f"{type(self).__name__} is trained by steps")

    @property
    def takes_steps(self) -> bool:
        """Whether the loop trains it, by :meth:`losses`, because it has no :meth:`fit` of its own."""
        return type(self).fit is HeartModel.fit

    def losses(self, batch: Any, generator: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """The losses of one step, in turn: (group of parameters to step, loss, figures for the log).

        The loop steps the group's optimiser after each, so a GAN yields twice.
        """
        raise NotImplementedError(f"{type(self).__name__} is fitted in one go")

    def validation_loss(self, batch: Any) -> Float[Tensor, " B"]:
        """The loss of each subject that early stopping watches, without randomness."""
        raise NotImplementedError

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by the name of their optimiser."""
        return {"all": [p for p in self.parameters() if p.requires_grad]}

    def compile_decoder(self) -> None:
        """Compile what costs most of a training step; a network without such a part stays as it is."""

    def after_training(self, validation: Data) -> None:
        """Learn from subjects that the weights were not fitted to what only they can show; the best weights are set."""

    def fine_tuned(
        self, setting: Setting, options: Any, cohort: Cohort, population: Population, *, seed: int, jobs: Jobs
    ) -> HeartModel:
        """A network for another cohort that begins with what this one knows; it is then trained as any other.

        It has this network's weights. Factors that this one does not know come as new columns with weights of zero, so
        that the new network answers as the old one until it has learned better. ``setting`` is the cohort's, whose
        encoding extends this network's; ``population`` are the conditions of this network's training cohort.

        Raises:
            InputError: options that change the network's shape.
        """
        network = type(self)(setting, options, self.representation.widened(cohort, jobs=jobs))
        weights = _widened(self.state_dict(), network.state_dict(), self.setting.encoding, setting.encoding)
        try:
            network.load_state_dict(weights)
        except RuntimeError:
            raise InputError("--from: these --set values change the network's shape; leave them out") from None
        return network

    # -- use -------------------------------------------------------------------------------------------------------

    def complete(
        self, evidence: Evidence, conditions: Float32[np.ndarray, " E"], *, seed: int | None = None
    ) -> UInt8[np.ndarray, "T Z Y X"]:
        """The whole cycle from what is known of it: the first frame, or more where :attr:`evidence` says so.

        Args:
            evidence: with T frames on the grid of the model.
            conditions: encoded.
            seed: of one sample of p(beat | evidence, conditions); None for the single best completion. A model that
                holds only one beat for possible gives that one for every seed.

        Raises:
            InputError: this kind of model cannot complete, or not from such evidence.
        """
        self.require("complete")
        self.require_evidence(evidence)
        return self.decode(self.encode(evidence.first, evidence.first_observed, conditions, seed=seed), conditions)

    def generate(self, conditions: Float32[np.ndarray, " E"], *, seed: int) -> UInt8[np.ndarray, "T Z Y X"]:
        """One beating heart for conditions; the same seed gives the same heart.

        Raises:
            InputError: this kind of model cannot generate.
        """
        self.require("generate")
        return self.decode(self.sample_latent(seed), conditions)

    def sample_latent(self, seed: int) -> Float[Tensor, "1 size"]:
        """The random latent of a seed, drawn on the CPU so that every device gives the same heart."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(1, self.latent_size(), generator=generator).to(self.device)

    @torch.no_grad()
    def encode(
        self,
        first: UInt8[np.ndarray, "Z Y X"],
        observed: Bool[np.ndarray, " Z"],
        conditions: Float32[np.ndarray, " E"],
        *,
        seed: int | None = None,
    ) -> Float[Tensor, "1 size"]:
        """The latent of a heart's first frame, as :meth:`complete` takes it; the best, or that of a seed."""
        described = self.representation.describe(first, observed).to(self.device)
        if seed is None:
            return self.encode_first(described, self._tensor(conditions))
        return self.sample_first(described, self._tensor(conditions), torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def decode(
        self, latent: Float[Tensor, "1 size"], conditions: Float32[np.ndarray, " E"]
    ) -> UInt8[np.ndarray, "T Z Y X"]:
        """The beating heart of a latent for conditions."""
        return self.decode_labels(latent, self._tensor(conditions))

    @torch.no_grad()
    def trajectory(
        self, latent: Float[Tensor, "1 size"], conditions: Float32[np.ndarray, " E"]
    ) -> Float[np.ndarray, "T D"]:
        """The latents z_ct of the frames that :meth:`decode` makes of a latent."""
        return self.frame_latents(latent, self._tensor(conditions))[0].cpu().numpy()

    def coefficients(self, latent: Tensor, conditions: Tensor) -> Tensor:
        """Latents [B, size] and conditions [B, E] to whitened coefficients [B, T, K] of a shape basis, where hearts are
        such."""
        raise NotImplementedError

    def layer_graph(self) -> LayerGraph:
        """``conditions`` [1, E] and ``latent`` [1, size] to ``coefficients`` [T, K] of a shape basis, as plain layers.

        Raises:
            InputError: the model has no such form.
        """
        raise InputError(
            f"this {self.name} model has no form that runs in a browser: its hearts must be coefficients of a shape "
            "basis and its motion harmonic, as with --preset quick or laptop"
        )

    def require(self, task: Task) -> None:
        """Refuse a task that this kind of model cannot do.

        Raises:
            InputError: it names what the model can do.
        """
        if task not in self.tasks:
            raise InputError(f"a {self.name} model cannot {task}; it can {' and '.join(self.tasks)}")

    def widening(self) -> Mapping[str, float]:
        """By which factor samples of a completion lie too near to their mean, by phenotype; 1 of what is not named.

        A model knows it from hearts that it was not fitted to, so that 90 % intervals hold 90 % of the truth.
        """
        return {}

    def require_evidence(self, evidence: Evidence) -> None:
        """Refuse evidence that this kind of model does not take.

        Raises:
            InputError: it names what is too much.
        """
        beyond = sorted(evidence.kinds - self.evidence)
        if beyond:
            takes = " and ".join(["the first frame", *sorted(self.evidence)])
            raise InputError(f"a {self.name} model completes from {takes}: leave out the {' and '.join(beyond)}")

    def latent_size(self) -> int:
        """Length of the latent that :meth:`generate` draws."""
        raise NotImplementedError

    def encode_first(self, first: Shaped[Tensor, "1 ..."], conditions: Float[Tensor, "1 E"]) -> Float[Tensor, "1 size"]:
        """End-diastole as the representation describes it, and conditions, to the latent."""
        raise NotImplementedError

    def sample_first(
        self, first: Shaped[Tensor, "1 ..."], conditions: Float[Tensor, "1 E"], generator: torch.Generator
    ) -> Float[Tensor, "1 size"]:
        """As :meth:`encode_first`, one draw of the latents that the first frame leaves possible."""
        return self.encode_first(first, conditions)

    def decode_labels(
        self, latent: Float[Tensor, "1 size"], conditions: Float[Tensor, "1 E"]
    ) -> UInt8[np.ndarray, "T Z Y X"]:
        """A latent and conditions to label maps."""
        raise NotImplementedError

    def frame_latents(
        self, latent: Float[Tensor, "1 size"], conditions: Float[Tensor, "1 E"]
    ) -> Float[Tensor, "1 T D"]:
        """A latent and conditions to the latents of all frames, where each has one."""
        raise NotImplementedError

    def _tensor(self, conditions: Float32[np.ndarray, " E"]) -> Float[Tensor, "1 E"]:
        return torch.from_numpy(conditions)[None].to(self.device)


def _widened(old: dict[str, Tensor], new: dict[str, Tensor], was: Encoding, now: Encoding) -> dict[str, Tensor]:
    """The old weights; of a matrix whose columns are conditions, each column goes where its condition is now."""
    place = [now.columns.index(column) for column in was.columns]
    out = {}
    for name, tensor in old.items():
        wide = len(was.columns) != len(now.columns)
        if wide and tensor.ndim == 2 and tensor.shape[1] == len(was.columns) != new[name].shape[1]:
            widened = torch.zeros_like(new[name])
            widened[:, place] = tensor
            out[name] = widened
        else:
            out[name] = tensor
    return out
