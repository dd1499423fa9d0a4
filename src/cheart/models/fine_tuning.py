"""Fine-tuning in closed form: hearts that a model generates (generative replay) are the prior, new hearts are the data.

A network on a shape basis with harmonic motion is all but linear. New hearts are few, and often seen at two moments
only; steps of gradient descent then fit noise before they learn what the new hearts say. Bayesian linear regression
does not (Bishop 2006, section 3.3). With x = [1, 1', z_0, z_c], the first 1 for the model's hearts, the second for
the new ones, and the harmonics w_t of frame t,

    a_t − a_0  = w_t M x + noise        a: coefficients in mm on the shape basis
    M          ~ N(0, C ⊗ Λ ⊗ 1)        C: how hearts move in time; Λ: how freely each part of x may count

Replayed hearts come first, each with the weight of a fraction of a new one: their posterior
N(M_known, C ⊗ Λ_known ⊗ 1) is the prior of the new hearts, of which observed frames count. Frames in between follow
from C: a heart that moves less at end-systole moves less before and after. Weights and Λ are chosen by leaving out one
new heart at a time. The prior of z_0 given z_c is learned in the same way, and what the left-out hearts did otherwise
than predicted is the motion residual of generated ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cheart.models.bayesian_regression import Curves, Regression, Rows, learn, time_factor
from cheart.models.latent import HarmonicModule, set_parameter
from cheart.models.linear_start import Array, Frame, LinearParts, fit_waves
from cheart.models.shape import ShapeData
from cheart.models.shape_basis import ShapeBasis

REPLAYED_HEARTS = 300
"""Hearts that a model generates for the network that is fine-tuned from it."""

FURTHER_MODES = 48
"""Modes that a shape basis gains for another cohort's hearts: simulated healthy ones do not span patients."""

BORROWED = 10
"""Replayed hearts that the spread of new hearts' end-diastole borrows."""


@dataclass(frozen=True)
class Replayed:
    """Hearts that a model generated, in coefficients of a shape basis (mm): they need no voxels and name no person.

    Attributes:
        conditions: [N, E], as another network takes them; factors that the model does not know are missing.
        expected: [N, T, K], each heart's most probable motion given its end-diastole and conditions.
        beats: [N, T, K], with the motion residual.
    """

    conditions: Array
    expected: Array
    beats: Array


def fine_tune(parts: LinearParts, replayed: Replayed, data: ShapeData, basis: ShapeBasis) -> dict[str, float]:
    """Set the linear parts of a new network by replayed hearts and by new ones; all else stays at nothing.

    Returns:
        Figures for the log: what was chosen.
    """
    motion, latent = parts.motion, parts.latent
    first = data.subjects.first.double().numpy()
    frame = Frame.of(np.concatenate([first, replayed.beats[: len(first), 0]]), parts.sd)
    parts.set_frame(frame)
    embedded, others = (
        parts.conditions.pass_on(c) for c in (data.subjects.conditions, torch.from_numpy(replayed.conditions).float())
    )
    hearts = _Hearts(frame.along(first)[:, :latent], embedded)
    known = _Hearts(frame.along(replayed.beats[:, 0])[:, :latent], others)

    start = _learn_start(hearts, known)
    parts.prior.set_moments(start.weight[0, 2:], start.weight[0, 1], _spread(start, known))
    length = np.linalg.norm(frame.axes[:latent], axis=1)
    moves = _learn_motion(hearts, known, length, motion, _moved(data, basis), replayed)
    laid = parts.lay_out(moves.weight @ frame.into)  # [2·harmonics, F, size]
    set_parameter(motion.linear.weight, laid[:, 2:].transpose(0, 2, 1).reshape(-1, latent + parts.embedding))
    set_parameter(motion.linear.bias, laid[:, 1].reshape(-1))
    _set_residual(motion, moves.left, parts.lay_out(moves.left @ frame.into))
    named = {"motion": moves, "start": start}
    return {f"{k}_{n}": v for k, found in named.items() for n, v in {**found.chosen, "left": found.loss}.items()}


@dataclass(frozen=True)
class _Hearts:
    """z_0 [N, latent] and z_c [N, embedding] of some hearts."""

    latent: Array
    embedding: Array


@dataclass(frozen=True)
class _Moved:
    """Observed frames after the first: whose [R], when [R], and how far they have moved [R, K] in mm."""

    heart: NDArray[np.intp]
    time: NDArray[np.intp]
    by: Array


def _moved(data: ShapeData, basis: ShapeBasis) -> _Moved:
    """The most probable motion of hearts given their observed planes."""
    subjects = data.subjects
    heart, time = np.nonzero(subjects.weight.numpy() > 0)
    heart, time = heart[time > 0], time[time > 0]
    by = np.empty((len(heart), basis.size))
    for row, (i, t) in enumerate(zip(heart, time, strict=True)):
        gram = None if subjects.gram is None else subjects.gram[i, t].numpy()
        by[row] = basis.most_probable(gram, subjects.linear[i, t].numpy()) - subjects.first[i].double().numpy()
    return _Moved(heart, time, by)


def _learn_start(hearts: _Hearts, known: _Hearts) -> Regression:
    """z_0 given z_c: weight [1, 2 + embedding, latent]."""
    count = len(hearts.embedding)
    rows = Rows(np.arange(count), np.ones((count, 1)), _inputs(hearts.embedding, new=True), hearts.latent)
    curves = Curves(_inputs(known.embedding, new=False), known.latent[:, None])
    return learn(rows, curves, np.eye(1), _parts({"conditions": np.ones(hearts.embedding.shape[1])}))


def _learn_motion(
    hearts: _Hearts, known: _Hearts, length: Array, motion: HarmonicModule, moved: _Moved, replayed: Replayed
) -> Regression:
    """How a heart moves given z_0 and z_c: weight [2·harmonics, 2 + latent + embedding, K], in mm."""
    waves = motion.waves(replayed.beats.shape[1]).double().numpy()
    amplitudes = fit_waves(motion, replayed.expected - replayed.expected[:, :1])
    all_of_it = fit_waves(motion, replayed.beats - replayed.beats[:, :1])
    inputs, others = (np.concatenate([h.latent, h.embedding], axis=1) for h in (hearts, known))
    rows = Rows(moved.heart, waves[moved.time], _inputs(inputs, new=True)[moved.heart], moved.by)
    shape, ones = length / length.sum(), np.ones(hearts.embedding.shape[1])
    parts = _parts({"shape": np.pad(shape, (0, len(ones))), "conditions": np.pad(ones, (len(shape), 0))})
    return learn(rows, Curves(_inputs(others, new=False), amplitudes), time_factor(all_of_it, waves), parts)


def _inputs(x: Array, *, new: bool) -> Array:
    """x [N, F] behind two columns that say whether these are the model's hearts or the new ones."""
    ones = np.tile([0.0, 1.0] if new else [1.0, 0.0], (len(x), 1))
    return np.concatenate([ones, x], axis=1)


def _parts(parts: dict[str, Array]) -> dict[str, Array]:
    """Parts of Λ's diagonal behind those of the two intercepts, which are all but free."""
    length = len(next(iter(parts.values())))
    return {"free": np.pad([100.0, 100.0], (0, length))} | {n: np.pad(p, (2, 0)) for n, p in parts.items()}


def _spread(start: Regression, known: _Hearts) -> Array:
    """Covariance of z_0 given z_c: of the new hearts left out, and a little of the replayed ones'."""
    own = start.left[:, 0]
    other = known.latent - known.latent.mean(axis=0)
    borrowed = BORROWED * (other.T @ other) / len(other)
    covariance: Array = (own.T @ own + borrowed) / (len(own) + BORROWED)
    return covariance


def _set_residual(motion: HarmonicModule, left: Array, laid: Array) -> None:
    """R: principal axes of what hearts did otherwise than predicted, in mm [N, H, K] and as latents [N, H, size]."""
    count = len(left)
    axes, spread, _ = np.linalg.svd(left.reshape(count, -1) / np.sqrt(count), full_matrices=False)
    keep = min(len(motion.residual), int((spread > 1e-6 * spread[0]).sum()))
    residual = np.zeros(tuple(motion.residual.shape))
    residual[:keep] = axes[:, :keep].T @ laid.reshape(count, -1) / np.sqrt(count)
    set_parameter(motion.residual, residual)
