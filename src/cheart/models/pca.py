"""PCA: the whole beat in one linear model, completed from its first frame (the paper's linear opponent, Table I).

A beat is the coefficients of all its frames on a shape basis of signed distances, y = (a_0 … a_{T−1}). Probabilistic
principal component analysis (Tipping and Bishop 1999) makes of the training beats a Gaussian,

    y ~ N(μ, C),   C = Σ_r w_r w_rᵀ + λ 1,

and completion is its conditional mean given what was observed of the first frame:

    a_0        = argmax p(a_0 | observed planes)          prior N(μ_0, C_00)
    E[a_t]     = μ_t + C_t0 C_00⁻¹ (a_0 − μ_0)

λ is what makes it a ridge regression; it and the number of components are chosen on validation subjects. Conditions
do not enter, as in the paper. Labels are read one subject at a time and only coefficients are kept (20 × 96 numbers a
subject), so memory is bounded by the shape basis, whatever the cohort.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.errors import InputError
from cheart.evidence import Evidence
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.linear_start import principal_components
from cheart.models.registry import register
from cheart.models.shape import ShapeBatch, squared_distance
from cheart.models.shape_basis import NormalForm

Array = NDArray[np.float64]

COUNTS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Candidates for the number of components."""

RIDGES = 10.0 ** np.arange(-3, 2.01, 0.5)
"""Candidates for λ, in multiples of the mean variance of a coefficient that the components leave."""


@dataclass(frozen=True)
class PCAOptions:
    """What can be set of the linear model.

    Attributes:
        modes: modes of the shape basis.
        components: principal components of whole beats at most; validation chooses how many of them.
    """

    representation: ClassVar[str] = "shape"
    modes: int = 96
    components: int = 512

    def __post_init__(self) -> None:
        if min(self.modes, self.components) < 1:
            raise InputError("modes and components must be at least 1")


@register("pca")
class PCA(HeartModel):
    """The linear model of whole beats. It completes; it does not generate. Its small algebra stays on the CPU."""

    tasks = ("complete",)
    Options = PCAOptions
    presets = {"quick": {"modes": 64}}
    style = Style("PCA", "#7a4f9e", (0, (5, 1.5)), "s")
    seconds_per_heart = {"train": 0.05, "complete": 0.4}

    def __init__(self, setting: Setting, options: PCAOptions, representation: Any) -> None:
        super().__init__(setting, options, representation)
        self.basis = basis = representation.basis
        self.register_buffer("mean", torch.zeros(setting.frames, basis.size))
        self.register_buffer("components", torch.zeros(options.components, setting.frames, basis.size))
        self.register_buffer("ridge", torch.ones(()))
        self.mean: Tensor
        self.components: Tensor
        self.ridge: Tensor

    @torch.no_grad()
    def fit(self, training: Any, validation: Any) -> tuple[float, dict[str, float]]:
        """The components of the training beats; how many of them, and λ, by the loss of validation subjects."""
        beats, held_out = self.representation.whole_beats(training.everyone()), validation.everyone()
        self.mean.copy_(torch.from_numpy(beats.mean(axis=0)))
        components, left = principal_components(beats, self.options.components)
        best, chosen = np.inf, (1, 1.0)
        for count in (c for c in COUNTS if c <= len(components)):
            for ridge in RIDGES * left[count]:
                self._set(components[:count], float(ridge))
                loss = float(self.validation_loss(held_out).mean())
                if loss < best:
                    best, chosen = loss, (count, float(ridge))
        self._set(components[: chosen[0]], chosen[1])
        return best, {"components": float(chosen[0]), "ridge": chosen[1]}

    def validation_loss(self, batch: ShapeBatch) -> Tensor:
        """Mean squared distance in mm² per voxel of the fields of all observed frames from the completion, [B]."""
        squared = squared_distance(torch.from_numpy(self.completed(batch)).to(batch.linear), batch)
        return (squared * batch.weight).sum(1) / batch.weight.sum(1) / self.basis.mean.size

    def completed(self, batch: ShapeBatch) -> Array:
        """Coefficients in mm [B, T, K] of the completion of each subject's first frame."""
        precision, gain = self._prior()
        first = np.stack([self._first(self._form(batch, i), precision) for i in range(len(batch.linear))])
        return self._complete(first, gain)

    @torch.no_grad()
    def complete(
        self, evidence: Evidence, conditions: NDArray[np.float32], *, seed: int | None = None
    ) -> NDArray[np.uint8]:
        """The conditional mean of the beat given its first frame, or a sample; conditions do not enter."""
        self.require_evidence(evidence)
        precision, gain = self._prior()
        a = self._first(self.basis.normal_form(evidence.first, evidence.first_observed), precision)
        completed = self._complete(a[None], gain)[0]
        if seed is not None:
            completed += self._left_open(seed)
        return self.basis.labels(completed.astype(np.float32))

    def _left_open(self, seed: int) -> Array:
        """A draw [T, K] of what the first frame leaves open of the components; that frame itself stays.

        The components' scores have the posterior covariance λ (W_0 W_0ᵀ + λ 1)⁻¹; what no component holds is not drawn.
        """
        w, ridge = self.components.double().cpu().numpy(), float(self.ridge)
        covariance = ridge * np.linalg.inv(w[:, 0] @ w[:, 0].T + ridge * np.eye(len(w)))
        scores = np.linalg.cholesky(covariance) @ np.random.default_rng(seed).standard_normal(len(w))
        drawn = np.tensordot(scores, w, axes=1)
        drawn[0] = 0
        return np.asarray(drawn)

    def _set(self, components: Array, ridge: float) -> None:
        self.components.zero_()
        self.components[: len(components)] = torch.from_numpy(components)
        self.ridge.fill_(ridge)

    def _prior(self) -> tuple[Array, Array]:
        """C_00⁻¹ [K, K] and C_{·0} C_00⁻¹ [T·K, K]; of the latter, the first frame is taken as it is."""
        w = self.components.double().cpu().numpy()
        first = w[:, 0]
        precision: Array = np.linalg.inv(first.T @ first + float(self.ridge) * np.eye(self.basis.size))
        gain: Array = w.reshape(len(w), -1).T @ (first @ precision)
        gain[: self.basis.size] = np.eye(self.basis.size)
        return precision, gain

    def _first(self, form: NormalForm, precision: Array) -> Array:
        """The most probable coefficients [K] of the first frame given its observed planes."""
        # with every plane observed, what the basis leaves is orthogonal to it and the coefficients are exact
        if form.gram is None:
            return form.linear.astype(np.float64)
        mean, variance = self.mean[0].double().cpu().numpy(), self.basis.residual_variance
        first: Array = np.linalg.solve(form.gram / variance + precision, form.linear / variance + precision @ mean)
        return first

    def _complete(self, first: Array, gain: Array) -> Array:
        """First frames [B, K] to all frames [B, T, K]."""
        mean = self.mean.double().cpu().numpy()
        return ((first - mean[0]) @ gain.T).reshape(-1, *mean.shape) + mean

    @staticmethod
    def _form(batch: ShapeBatch, i: int) -> NormalForm:
        """The normal form of a subject's first frame."""
        gram = None if batch.gram is None else batch.gram[i, 0].cpu().numpy()
        return NormalForm(gram, batch.linear[i, 0].cpu().numpy(), float(batch.constant[i, 0]))
