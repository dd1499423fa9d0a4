"""What a heart is to a network: label maps on voxels, or coefficients of a shape basis.

A model names its representation in its options and is given it when it is built. Single frames and whole beats share
one: it makes the networks from and to hearts, reads a cohort as training data, and knows the likelihood of what was
observed. A *prediction* is what a decoder says of all frames (label logits, or whitened coefficients); a *beat* is what
a critic is shown of a real or a predicted heart, with nothing where the real one was not observed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped, UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from cheart.cohort import Cohort, Split
from cheart.conditions import Encoding
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.progress import Jobs

NETWORKS = ("voxel", "shape")
"""The representations on which networks can be built."""

KINDS = {**{name: f"cheart.models.{name}" for name in NETWORKS}, "planes": "cheart.models.planes"}
"""The representations that there are, and the modules in which each has the class ``REPRESENTATION``."""


@dataclass(frozen=True)
class SomeFrames:
    """Frames of a cycle that stand for all of them (:mod:`cheart.training.frames`).

    Attributes:
        which: in order.
        weight: for how many frames each stands: one over its chance to be drawn.
    """

    which: Int[Tensor, " t"]
    weight: float

    def to(self, device: torch.device) -> SomeFrames:
        """The same on a device."""
        return SomeFrames(self.which.to(device), self.weight)


class Data(ABC):
    """Subjects to train on, in batches."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def batch(self, which: NDArray[np.intp], device: torch.device, some: SomeFrames | None = None) -> Any:
        """Some subjects by their place in this data; where frames cost much, perhaps some frames of them only."""

    def everyone(self) -> Any:
        """All subjects in one batch, on the CPU."""
        return self.batch(np.arange(len(self)), torch.device("cpu"))

    def near(self, device: torch.device) -> Data:
        """The same data where training on a device has it at hand."""
        return self


class Representation(nn.Module, ABC):
    """What a heart is to a network.

    Attributes:
        name: what options call it.
        linear: whether hearts are nearly linear in it, so that networks have a linear map beside what they learn, which
            least squares can set (:mod:`cheart.models.linear_start`).
        threads: that training steps compute with (:mod:`cheart.training.threads`); None for all that there are.
    """

    name: ClassVar[str]
    linear: ClassVar[bool]
    threads: ClassVar[int | None] = 1

    # -- made from a cohort, written and read back -----------------------------------------------------------------

    @classmethod
    @abstractmethod
    def fit(cls, cohort: Cohort, options: Any, *, prepared: Path | None, jobs: Jobs) -> Representation:
        """The representation of a cohort's hearts, learned from its training subjects if there is something to learn.

        Args:
            cohort: whose training subjects.
            options: of the model.
            prepared: a folder in which models of one cohort share what they read of it; None keeps nothing.
            jobs: processes that read subjects.
        """

    @abstractmethod
    def to_config(self) -> dict[str, Any]:
        """What config.json says of it, as plain JSON values."""

    def to_tensors(self) -> dict[str, Tensor]:
        """What model.safetensors holds of it beside the network's weights."""
        return {}

    def to_packed(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """As :meth:`to_config` and :meth:`to_tensors`, in as few bytes as the hearts allow."""
        return self.to_config(), self.to_tensors()

    @classmethod
    @abstractmethod
    def read(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor], grid: Grid, frames: int) -> Representation:
        """Read back what :meth:`to_config` and :meth:`to_tensors` gave, or :meth:`to_packed`."""

    def widened(self, cohort: Cohort, *, jobs: Jobs) -> Representation:
        """The same for the training subjects of another cohort too."""
        return self

    # -- data ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def data(self, cohort: Cohort, split: Split, encoding: Encoding, *, prepared: Path | None, jobs: Jobs) -> Data:
        """A split's subjects as training reads them; see :meth:`fit`."""


class NetworkRepresentation(Representation):
    """One that makes the networks from and to hearts, and knows the likelihood of what was observed."""

    @abstractmethod
    def first(self, batch: Any) -> Shaped[Tensor, "B ..."]:
        """The encoder's input: end-diastole of each subject of a batch."""

    @abstractmethod
    def describe(self, first: UInt8[np.ndarray, "Z Y X"], observed: Bool[np.ndarray, " Z"]) -> Shaped[Tensor, "1 ..."]:
        """The encoder's input for one heart's end-diastole whose planes were observed or not."""

    @abstractmethod
    def labels(self, prediction: Float[Tensor, "1 T ..."]) -> UInt8[np.ndarray, "T Z Y X"]:
        """The label maps of one predicted heart."""

    # -- networks, whose sizes are options of the model ------------------------------------------------------------

    @abstractmethod
    def make_encoder(self, latent: int, embedding: int, options: Any) -> nn.Module:
        """From end-diastole and the condition embedding [B, embedding] to mean and log-variance, each [B, latent]."""

    @abstractmethod
    def make_frame_decoder(self, size: int, options: Any) -> nn.Module:
        """From the latents of all frames [B, T, size] to predictions, with the same weights for every frame."""

    @abstractmethod
    def make_beat_decoder(self, size: int, options: Any) -> nn.Module:
        """From one latent a beat [B, size] to predictions."""

    @abstractmethod
    def make_critic(self, out: int, options: Any, *, conditions: int = 0) -> nn.Module:
        """From beats, and perhaps encoded conditions [B, E], to numbers [B, out] and features [B, F]."""

    def compile_decoder(self, decoder: nn.Module) -> None:
        """Compile what costs most of a training step with a frame decoder, if anything does."""

    def predict(
        self, decoder: nn.Module, latent: Float[Tensor, "B size"], batch: Any | None
    ) -> Float[Tensor, "B t ..."]:
        """What a beat decoder says for latents: of the frames that a batch shows, or of all (None)."""
        prediction: Tensor = decoder(latent)
        return prediction

    # -- likelihood ------------------------------------------------------------------------------------------------

    @abstractmethod
    def reconstruction(self, prediction: Float[Tensor, "B t ..."], batch: Any) -> Float[Tensor, " B"]:
        """−log p(x | prediction) over what was observed, but for a constant."""

    def frame_reconstruction(
        self, decoder: nn.Module, latents: Float[Tensor, "B T size"], batch: Any
    ) -> Float[Tensor, " B"]:
        """:meth:`reconstruction` of what a frame decoder makes of latents."""
        return self.reconstruction(decoder(latents), batch)

    def mean_frame_reconstruction(
        self, decoder: nn.Module, latents: Float[Tensor, "B T size"], batch: Any
    ) -> Float[Tensor, ""]:
        """The mean of :meth:`frame_reconstruction` over the batch."""
        return self.frame_reconstruction(decoder, latents, batch).mean()

    def frame_labels(self, decoder: nn.Module, latents: Float[Tensor, "1 T size"]) -> UInt8[np.ndarray, "T Z Y X"]:
        """The label maps that a frame decoder makes of one heart's latents."""
        return self.labels(decoder(latents))

    # -- beats, for critics ----------------------------------------------------------------------------------------

    @abstractmethod
    def real(self, batch: Any) -> Float[Tensor, "B t ..."]:
        """Real beats."""

    @abstractmethod
    def predicted(self, prediction: Float[Tensor, "B t ..."], batch: Any) -> Float[Tensor, "B t ..."]:
        """Predicted beats, seen as the real ones of the batch were."""

    def judge(
        self,
        critic: nn.Module,
        beat: Float[Tensor, "B t ..."],
        batch: Any,
        conditions: Float[Tensor, "B E"] | None = None,
    ) -> tuple[Float[Tensor, "B out"], Float[Tensor, "B F"]]:
        """A critic's numbers and features for beats; frames that a batch does not show are nothing."""
        numbers, features = critic(beat, conditions)
        return numbers, features

    @abstractmethod
    def outcome(self, beat: Float[Tensor, "B t ..."]) -> Float[Tensor, "B M"]:
        """Numbers in one unit by which beats are compared as outcomes of a random draw."""


def check_network_representation(name: str) -> None:
    """Refuse a representation on which no networks are built.

    Raises:
        InputError: it names those that there are.
    """
    if name not in NETWORKS:
        raise InputError(f"representation {name!r} is neither {' nor '.join(NETWORKS)}")


def representation_class(name: str) -> type[Representation]:
    """A representation by the name that options give it.

    Raises:
        InputError: it names the ones that there are.
    """
    if name not in KINDS:
        raise InputError(f"representation {name!r}: expected one of {', '.join(KINDS)}")
    kind: type[Representation] = import_module(KINDS[name]).REPRESENTATION
    return kind


def fit_representation(cohort: Cohort, options: Any, *, prepared: Path | None, jobs: Jobs) -> Representation:
    """The representation that a model's options ask for, voxels where they say nothing (:meth:`Representation.fit`)."""
    kind = representation_class(getattr(options, "representation", "voxel"))
    return kind.fit(cohort, options, prepared=prepared, jobs=jobs)
