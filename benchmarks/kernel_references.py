"""What motion has to beat that is simple too: kernel ridge regression of whole hearts, and of slices.

    cheart reproduce -o OUT --cohort COHORT --folds 5 --models \\
        motion,ridge,pca,benchmarks/kernel_references.py:Whole,benchmarks/kernel_references.py:Slices,\\
        benchmarks/kernel_references.py:Decided

``Whole`` predicts the motion of the observed heart on the modes of a shape basis from its end-diastole and the
conditions. ``Slices`` is motion without its decision: each slice's expected distances, and labels where they are
negative. ``Decided`` is ridge with the decision that motion has: the labels of the highest expected Dice over its
samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from cheart import register
from cheart.evidence import Evidence
from cheart.labels import STRUCTURES
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.expected_overlap import most_overlap, nearest_surface
from cheart.models.kernel_regression import KernelRegression
from cheart.models.motion import MotionOptions, PlaneMotion
from cheart.models.ridge import Ridge
from cheart.models.shape import squared_distance

PENALTIES = (0.03, 0.1, 0.3, 1.0)
TRUSTS = (0.0, 0.4)


@dataclass(frozen=True)
class WholeOptions:
    """Modes of the shape basis, and training hearts that are kept at most."""

    representation: ClassVar[str] = "shape"
    modes: int = 96
    hearts: int = 1500


@register("kernel-ridge")
class Whole(HeartModel):
    """Kernel ridge regression of a heart's motion; penalty and weight of the conditions chosen on validation hearts."""

    tasks = ("complete",)
    Options = WholeOptions
    style = Style("kernel ridge", "#3f7cac", (0, (2, 1)), "v")

    def __init__(self, setting: Setting, options: WholeOptions, representation: Any) -> None:
        super().__init__(setting, options, representation)
        self.basis = representation.basis
        size, columns = self.basis.size, len(setting.encoding.columns)
        shapes = {"landmarks": (options.hearts, size + columns), "weights": (options.hearts, setting.frames * size),
                  "centre": (setting.frames * size,), "length": (), "trust": ()}  # fmt: skip
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))

    def fit(self, training: Any, validation: Any) -> tuple[float, dict[str, float]]:
        """By the loss of validation hearts."""
        subjects, held_out, best = training.everyone(), validation.everyone(), (np.inf, 0.0, 0.0)
        beats = self.representation.whole_beats(subjects)
        y = (beats - subjects.first.double().numpy()[:, None]).reshape(len(beats), -1)
        for trust in TRUSTS:
            for penalty in PENALTIES:
                self._keep(subjects, y, penalty, trust)
                best = min(best, (float(self.validation_loss(held_out).mean()), penalty, trust))
        self._keep(subjects, y, *best[1:])
        return best[0], {"penalty": best[1], "trust": best[2]}

    def _keep(self, subjects: Any, y: NDArray, penalty: float, trust: float) -> None:
        self.get_buffer("trust").fill_(trust)
        x = self._inputs(subjects.first.double().numpy(), subjects.conditions.double().numpy())
        fitted = KernelRegression.fit(x, y, penalty=penalty, most=self.options.hearts)
        pad = ((0, self.options.hearts - len(fitted.landmarks)), (0, 0))
        kept = {"landmarks": np.pad(fitted.landmarks, pad), "weights": np.pad(fitted.weights, pad)}
        for name, value in {**kept, "centre": fitted.centre, "length": np.array(fitted.length)}.items():
            self.get_buffer(name).copy_(torch.from_numpy(value))

    def _inputs(self, first: NDArray, conditions: NDArray) -> NDArray:
        sd = self.basis.sd.astype(np.float64)
        return np.concatenate([first / sd[0], float(self.get_buffer("trust")) * conditions], axis=1)

    def _beats(self, first: NDArray, conditions: NDArray) -> NDArray:
        stored = {n: self.get_buffer(n).double().numpy() for n in ("landmarks", "weights", "centre", "length")}
        kept = KernelRegression(stored["landmarks"], stored["weights"], stored["centre"], float(stored["length"]))
        moved = kept.predict(self._inputs(first, conditions)).reshape(len(first), self.setting.frames, -1)
        return first[:, None] + moved

    def validation_loss(self, batch: Any) -> torch.Tensor:
        """Mean squared distance of observed frames, as PCA's."""
        beats = self._beats(batch.first.double().numpy(), batch.conditions.double().numpy())
        squared = squared_distance(torch.from_numpy(beats).to(batch.linear), batch)
        return (squared * batch.weight).sum(1) / batch.weight.sum(1) / self.basis.mean.size

    def complete(
        self, evidence: Evidence, conditions: NDArray[np.float32], *, seed: int | None = None
    ) -> NDArray[np.uint8]:
        """The expected beat."""
        self.require_evidence(evidence)
        first = self.basis.describe(evidence.first, evidence.first_observed)
        beat = self._beats(first[None].astype(np.float64), conditions[None].astype(np.float64))[0]
        return self.basis.labels(beat.astype(np.float32))


@dataclass(frozen=True)
class SliceOptions(MotionOptions):
    """Of motion, with surfaces where expected distances are 0."""

    overlap: bool = False


@register("slice-kernel-ridge")
class Slices(PlaneMotion):
    """Slice-wise kernel ridge regression of motion on the observed heart."""

    Options = SliceOptions
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    style = Style("slice-wise kernel ridge", "#a06cd5", (0, (1, 1)), "^")

    def _decided(self, known: Any, fields: NDArray, t: int, *, best: bool) -> tuple[NDArray, NDArray]:
        return nearest_surface(fields), fields


SAMPLES = 40
"""Completions of which the probability of a voxel is the share."""


@register("ridge-decided")
class Decided(Ridge):
    """Ridge, whose completion is the one of the highest expected Dice."""

    style = Style("ridge, decided", "#2d2d2d", (0, (3, 1, 1, 1)), "D")
    tasks: ClassVar = ("complete",)

    def complete(
        self, evidence: Evidence, conditions: NDArray[np.float32], *, seed: int | None = None
    ) -> NDArray[np.uint8]:
        """A sample, or frame by frame what most samples share."""
        if seed is not None:
            return super().complete(evidence, conditions, seed=seed)
        count = np.zeros((self.setting.frames, 3, *self.setting.grid.shape), np.float32)
        for draw in range(SAMPLES):
            made = super().complete(evidence, conditions, seed=draw)
            for k, value in enumerate(STRUCTURES.values()):
                count[:, k] += made == value
        out = np.zeros_like(made)
        for frame, likely in zip(out, count / SAMPLES, strict=True):
            near = likely.any(axis=0)
            frame[near] = most_overlap(likely[:, near])
        return out
