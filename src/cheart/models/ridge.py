"""Ridge regression of beats: the linear model with everything that the others are given, and the floor below it.

    a_0        = B_0 c + b_0 + e_0              end-diastole, given the conditions c
    a_t − a_0  = B [a_0, c] + b + e             motion, given the observed heart and c

a are coefficients of a shape basis in mm; e_0 and e are Gaussian, with the principal components of what each training
heart is off from the prediction of the others. Completion takes a_0 as it was observed and, with a seed, draws e;
generation draws both. Penalties are chosen by leaving hearts out. ``mean-beat`` is given no a_0, and of c the
diagnosis alone, where a model is given one: every heart moves as the average one does, or the average of its group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.conditions import DIAGNOSIS
from cheart.errors import InputError
from cheart.evidence import Evidence
from cheart.models.base import HeartModel, Setting, Style, Task
from cheart.models.linear_start import principal_components, ridge_left_out
from cheart.models.registry import register
from cheart.models.shape import ShapeBatch, squared_distance

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RidgeOptions:
    """What can be set of the linear model.

    Attributes:
        modes: modes of the shape basis.
        components: principal components of what is left open, of end-diastole and of motion, at most.
    """

    representation: ClassVar[str] = "shape"
    modes: int = 96
    components: int = 96

    def __post_init__(self) -> None:
        if min(self.modes, self.components) < 1:
            raise InputError("modes and components must be at least 1")


@register("ridge")
class Ridge(HeartModel):
    """Ridge regression of end-diastole on conditions, and of motion on both. Its small algebra stays on the CPU."""

    tasks: ClassVar[tuple[Task, ...]] = ("complete", "generate")
    Options = RidgeOptions
    presets = {"quick": {"modes": 64}}
    style = Style("ridge", "#6b6b6b", (0, (4, 1)), "D")
    seconds_per_heart = {"train": 0.05, "complete": 0.4, "generate": 0.4}
    choices = {"penalty": "train, left out in turn"}
    informed: ClassVar[bool] = True
    """Whether it sees the heart and the conditions."""

    def __init__(self, setting: Setting, options: RidgeOptions, representation: Any) -> None:
        super().__init__(setting, options, representation)
        self.basis = representation.basis
        size, columns, frames = self.basis.size, len(setting.encoding.columns), setting.frames
        shapes = {
            "first_weight": (columns, size), "first_bias": (size,), "first_open": (options.components, size),
            "motion_weight": (size + columns, frames * size), "motion_bias": (frames * size,),
            "motion_open": (options.components, frames * size), "unit": (),
        }  # fmt: skip
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))
        self.unit: Tensor

    @torch.no_grad()
    def fit(self, training: Any, validation: Any) -> tuple[float, dict[str, float]]:
        """Both regressions on the training subjects; validation subjects are only measured."""
        subjects = training.everyone()
        beats, c = self.representation.whole_beats(subjects), subjects.conditions.double().numpy()
        first = subjects.first.double().numpy()
        self.unit.fill_(float(first.std(axis=0).max()))
        motion = (beats - beats[:, :1]).reshape(len(beats), -1)
        self._set("first", self._seen(np.zeros((len(c), 0)), c), first)
        self._set("motion", self._seen(first, c), motion)
        loss = float(self.validation_loss(validation.everyone()).mean())
        return loss, {}

    def _set(self, name: str, x: Array, y: Array) -> None:
        weight, bias, off = ridge_left_out(x, y)
        left, _ = principal_components(off[:, None], self.options.components)
        for part, value in (("weight", weight), ("bias", bias), ("open", left[:, 0])):
            buffer: Tensor = getattr(self, f"{name}_{part}")
            buffer.zero_()
            buffer[: len(value)] = torch.from_numpy(value)

    def _seen(self, first: Array, conditions: Array) -> Array:
        """What a regression is given [N, F]; coefficients in units of the one that varies most, so that small ones
        count little. A model that is not informed sees the diagnosis alone."""
        x = np.concatenate([first / float(self.unit), conditions], axis=1)
        if self.informed:
            return np.asarray(x)
        group = [name.startswith(f"{DIAGNOSIS}:") for name in self.setting.encoding.columns]
        return np.asarray(x * np.array([False] * first.shape[1] + group))

    def validation_loss(self, batch: ShapeBatch) -> Tensor:
        """Mean squared distance in mm² per voxel of the fields of all observed frames from the completion, [B]."""
        completed = self._beats(batch.first.double().numpy(), batch.conditions.double().numpy())
        squared = squared_distance(torch.from_numpy(completed).to(batch.linear), batch)
        return (squared * batch.weight).sum(1) / batch.weight.sum(1) / self.basis.mean.size

    def _beats(self, first: Array, conditions: Array, draw: Array | None = None) -> Array:
        """End-diastoles [N, K] and conditions [N, E] to beats [N, T, K]; ``draw`` [components] opens the motion."""
        x = self._seen(first, conditions)
        motion = x @ self._of("motion_weight") + self._of("motion_bias")
        if draw is not None:
            motion = motion + draw @ self._of("motion_open")
        return np.asarray(first[:, None] + motion.reshape(len(first), self.setting.frames, -1))

    @torch.no_grad()
    def complete(
        self, evidence: Evidence, conditions: NDArray[np.float32], *, seed: int | None = None
    ) -> NDArray[np.uint8]:
        """The expected motion of the observed heart, or a sample of it."""
        self.require_evidence(evidence)
        first = self.basis.describe(evidence.first, evidence.first_observed).astype(np.float64)
        draw = None if seed is None else np.random.default_rng(seed).standard_normal(self.options.components)
        beat = self._beats(first[None], conditions[None].astype(np.float64), draw)[0]
        return np.asarray(self.basis.labels(beat.astype(np.float32)))

    def latent_size(self) -> int:
        """What end-diastole leaves open, and then what motion does."""
        return 2 * self.options.components

    def encode_first(self, first: Tensor, conditions: Tensor) -> Tensor:
        """What a heart has of the components of end-diastole; its motion is the expected one."""
        c = conditions.double().cpu().numpy()
        off = (first * self.representation.sd).double().cpu().numpy() - self._expected_first(c)
        own = off @ np.linalg.pinv(self._of("first_open"))
        return torch.from_numpy(np.concatenate([own, np.zeros_like(own)], axis=1)).float()

    def decode_labels(self, latent: Tensor, conditions: Tensor) -> NDArray[np.uint8]:
        """See :class:`HeartModel`."""
        c, z = conditions.double().cpu().numpy(), latent.double().cpu().numpy()
        own, moved = np.split(z, 2, axis=1)
        first = self._expected_first(c) + own @ self._of("first_open")
        return np.asarray(self.basis.labels(self._beats(first, c, moved)[0].astype(np.float32)))

    def _expected_first(self, conditions: Array) -> Array:
        x = self._seen(np.zeros((len(conditions), 0)), conditions)
        return np.asarray(x @ self._of("first_weight") + self._of("first_bias"))

    def _of(self, name: str) -> Array:
        buffer: Tensor = getattr(self, name)
        return buffer.double().cpu().numpy()


@register("mean-beat")
class MeanBeat(Ridge):
    """The floor of completion: every heart moves as the average training heart does."""

    tasks: ClassVar[tuple[Task, ...]] = ("complete",)
    drawn = False
    seconds_per_heart = {"train": 0.05, "complete": 0.4}
    style = Style("mean beat", "#a8a8ad", (0, (1, 1)), "v")
    informed = False
