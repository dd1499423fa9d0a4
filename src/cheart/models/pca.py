"""PCA: the whole beat in one linear model, completed from its first frame (the paper's linear opponent, Table I).

A beat is the coefficients of all its frames on a shape basis of signed distances, y = (a_0 … a_{T−1}). Probabilistic
principal component analysis (Tipping and Bishop 1999) makes of the training beats a Gaussian,

    y ~ N(μ, C),   C = Σ_r w_r w_rᵀ + λ 1,

and completion is its conditional mean given what was observed of the first frame:

    o          = (a_0, s c)                               c: conditions in units of their SDs, around their means
    a_0        = argmax p(a_0 | observed planes, c)
    E[a_t]     = μ_t + C_to C_oo⁻¹ (o − μ_o)

λ is what makes it a ridge regression; it, the number of components and s, how much conditions count beside shape, are
chosen on validation subjects. The paper's PCA has no conditions (``conditions=False``, s = 0). Labels are read one
subject at a time and only coefficients are kept (20 × 96 numbers a subject), so memory is bounded by the shape basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, UInt8
from torch import Tensor

from cheart.errors import InputError
from cheart.evidence import Evidence
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.linear_start import principal_components
from cheart.models.registry import register
from cheart.models.shape import ShapeBatch, squared_distance
from cheart.models.shape_basis import NormalForm

COUNTS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Candidates for the number of components."""

RIDGES = 10.0 ** np.arange(-3, 2.01, 0.5)
"""Candidates for λ, in multiples of the mean variance of a coefficient that the components leave."""

SHARES = (0.0, 0.3, 1.0, 3.0)
"""Candidates for s: the SD of a condition in that of the coefficient that varies most."""


@dataclass(frozen=True)
class PCAOptions:
    """What can be set of the linear model.

    Attributes:
        modes: modes of the shape basis.
        components: principal components of whole beats at most; validation chooses how many of them.
        conditions: whether conditions enter.
    """

    representation: ClassVar[str] = "shape"
    modes: int = 96
    components: int = 512
    conditions: bool = True

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
    choices = {"components, λ, share of conditions": "val"}

    def __init__(self, setting: Setting, options: PCAOptions, representation: Any) -> None:
        super().__init__(setting, options, representation)
        self.basis = basis = representation.basis
        columns = len(setting.encoding.columns)
        self.register_buffer("mean", torch.zeros(setting.frames, basis.size))
        self.register_buffer("components", torch.zeros(options.components, setting.frames, basis.size))
        self.register_buffer("loadings", torch.zeros(options.components, columns))
        self.register_buffer("centre", torch.zeros(columns))
        self.register_buffer("scale", torch.zeros(columns))
        self.register_buffer("ridge", torch.ones(()))
        self.mean: Tensor
        self.components: Tensor
        self.loadings: Tensor
        self.centre: Tensor
        self.scale: Tensor
        self.ridge: Tensor

    @torch.no_grad()
    def fit(self, training: Any, validation: Any) -> tuple[float, dict[str, float]]:
        """The components of the training beats; how many of them, λ and s, by the loss of validation subjects."""
        subjects, held_out = training.everyone(), validation.everyone()
        beats, c = self.representation.whole_beats(subjects), subjects.conditions.double().numpy()
        self.mean.copy_(torch.from_numpy(beats.mean(axis=0)))
        self.centre.copy_(torch.from_numpy(c.mean(axis=0)))
        most, sd = float(beats.std(axis=0).max()), c.std(axis=0)
        best, chosen = np.inf, (0.0, 1, 1.0)
        for share in SHARES if self.options.conditions else SHARES[:1]:
            joint = self._joint(beats, c, np.divide(share * most, sd, out=np.zeros_like(sd), where=sd > 1e-6))
            components, left = principal_components(joint, self.options.components)
            for count in (*(n for n in COUNTS if n < len(components)), len(components)):
                for ridge in RIDGES * left[count]:
                    self._set(components[:count, 0], float(ridge))
                    loss = float(self.validation_loss(held_out).mean())
                    if loss < best:
                        best, chosen = loss, (share, count, float(ridge))
        share, count, ridge = chosen
        joint = self._joint(beats, c, np.divide(share * most, sd, out=np.zeros_like(sd), where=sd > 1e-6))
        self._set(principal_components(joint, self.options.components)[0][:count, 0], ridge)
        return best, {"components": float(count), "ridge": ridge, "share": share}

    def _joint(
        self,
        beats: Float64[np.ndarray, "N T K"],
        conditions: Float64[np.ndarray, "N E"],
        scale: Float64[np.ndarray, " E"],
    ) -> Float64[np.ndarray, "N 1 D"]:
        """Beats and conditions behind one another."""
        self.scale.copy_(torch.from_numpy(scale))
        return np.concatenate([beats.reshape(len(beats), -1), conditions * scale], axis=1)[:, None]

    def validation_loss(self, batch: ShapeBatch) -> Float[Tensor, " B"]:
        """Mean squared distance in mm² per voxel of the fields of all observed frames from the completion."""
        squared = squared_distance(torch.from_numpy(self.completed(batch)).to(batch.linear), batch)
        return (squared * batch.weight).sum(1) / batch.weight.sum(1) / self.basis.mean.size

    def completed(self, batch: ShapeBatch) -> Float64[np.ndarray, "B T K"]:
        """Coefficients in mm of the completion of each subject's first frame."""
        precision, gain = self._prior()
        known = self._known(batch.conditions.double().cpu().numpy())
        first = [self._first(self._form(batch, i), precision, known[i]) for i in range(len(batch.linear))]
        return self._complete(np.stack(first), known, gain)

    @torch.no_grad()
    def complete(
        self, evidence: Evidence, conditions: Float32[np.ndarray, " E"], *, seed: int | None = None
    ) -> UInt8[np.ndarray, "T Z Y X"]:
        """The conditional mean of the beat given its first frame and the conditions, or a sample."""
        self.require_evidence(evidence)
        precision, gain = self._prior()
        known = self._known(conditions[None].astype(np.float64))
        a = self._first(self.basis.normal_form(evidence.first, evidence.first_observed), precision, known[0])
        completed = self._complete(a[None], known, gain)[0]
        if seed is not None:
            completed += self._left_open(seed)
        return self.basis.labels(completed.astype(np.float32))

    def _left_open(self, seed: int) -> Float64[np.ndarray, "T K"]:
        """A draw of what the first frame and the conditions leave open of the components; that frame stays.

        The components' scores have the posterior covariance λ (W_o W_oᵀ + λ 1)⁻¹; what no component holds is not drawn.
        """
        w, observed, ridge = *self._weights(), float(self.ridge)
        covariance = ridge * np.linalg.inv(observed @ observed.T + ridge * np.eye(len(w)))
        scores = np.linalg.cholesky(covariance) @ np.random.default_rng(seed).standard_normal(len(w))
        drawn = np.tensordot(scores, w, axes=1)
        drawn[0] = 0
        return np.asarray(drawn)

    def _set(self, components: Float64[np.ndarray, "R D"], ridge: float) -> None:
        size = self.mean.numel()
        for buffer, values in ((self.components, components[:, :size]), (self.loadings, components[:, size:])):
            buffer.zero_()
            buffer[: len(components)] = torch.from_numpy(values).reshape(-1, *buffer.shape[1:])
        self.ridge.fill_(ridge)

    def _weights(self) -> tuple[Float64[np.ndarray, "R T K"], Float64[np.ndarray, "R O"]]:
        """The components that there are, of beats and of what completion is given."""
        w, u = self.components.double().cpu().numpy(), self.loadings.double().cpu().numpy()
        there = np.square(w).sum((1, 2)) + np.square(u).sum(1) > 0
        there[0] = True
        return w[there], np.concatenate([w[there, 0], u[there]], axis=1)

    def _known(self, conditions: Float64[np.ndarray, "B E"]) -> Float64[np.ndarray, "B E"]:
        """Encoded conditions as the Gaussian has them."""
        return np.asarray((conditions - self.centre.double().cpu().numpy()) * self.scale.double().cpu().numpy())

    def _prior(self) -> tuple[Float64[np.ndarray, "O O"], Float64[np.ndarray, "TK O"]]:
        """C_oo⁻¹ and C_{·o} C_oo⁻¹; of the latter, the first frame is taken as it is."""
        w, observed = self._weights()
        precision = np.linalg.inv(observed.T @ observed + float(self.ridge) * np.eye(observed.shape[1]))
        gain = np.asarray(w.reshape(len(w), -1).T @ (observed @ precision))
        gain[: self.basis.size] = np.eye(*gain[: self.basis.size].shape)
        return np.asarray(precision, np.float64), gain

    def _first(
        self, form: NormalForm, precision: Float64[np.ndarray, "O O"], known: Float64[np.ndarray, " E"]
    ) -> Float64[np.ndarray, " K"]:
        """The most probable coefficients of the first frame given its observed planes and the conditions."""
        # with every plane observed, what the basis leaves is orthogonal to it and the coefficients are exact
        if form.gram is None:
            return form.linear.astype(np.float64)
        mean = np.asarray(self.mean[0].cpu().numpy(), np.float64)
        variance, size = self.basis.residual_variance, self.basis.size
        own, across = precision[:size, :size], precision[:size, size:]
        before = own @ mean - across @ known
        return np.asarray(np.linalg.solve(form.gram / variance + own, form.linear / variance + before), np.float64)

    def _complete(
        self, first: Float64[np.ndarray, "B K"], known: Float64[np.ndarray, "B E"], gain: Float64[np.ndarray, "TK O"]
    ) -> Float64[np.ndarray, "B T K"]:
        """First frames and conditions to all frames."""
        mean = self.mean.double().cpu().numpy()
        given = np.concatenate([first - mean[0], known], axis=1)
        return np.asarray((given @ gain.T).reshape(-1, *mean.shape) + mean)

    @staticmethod
    def _form(batch: ShapeBatch, i: int) -> NormalForm:
        """The normal form of a subject's first frame."""
        gram = None if batch.gram is None else batch.gram[i, 0].cpu().numpy()
        return NormalForm(gram, batch.linear[i, 0].cpu().numpy(), float(batch.constant[i, 0]))
