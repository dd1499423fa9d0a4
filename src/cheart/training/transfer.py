"""Going on with other hearts in closed form: what a model knows is the prior, the new hearts are the data.

A CHeart on a shape basis with harmonic motion is all but linear. New hearts are few, and often seen at two moments
only; steps of gradient descent then fit noise before they learn what the new hearts say. Bayesian linear regression
does not (Bishop 2006, section 3.3). With x = [1, 1', z_0, z_c], the first 1 for the model's hearts, the second for
the new ones, and the harmonics w_t of frame t,

    a_t − a_0  = w_t M x + noise        a: coefficients in mm on the shape basis
    M          ~ N(0, C ⊗ Λ ⊗ 1)        C: how hearts move in time; Λ: how freely each part of x may count

Hearts that the model remembers come first (:mod:`cheart.training.remembered`), each with the weight of a fraction of a
new one: their posterior N(M_known, C ⊗ Λ_known ⊗ 1) is the prior of the new hearts, of which observed frames count.
Frames in between follow from C: a heart that moves less at end-systole moves less before and after. Weights and Λ are
chosen by leaving out one new heart at a time. The prior of z_0 given z_c is learned in the same way, and what the
left-out hearts did otherwise than foretold is how far generated ones move freely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from cheart.models.cheart import CHeart
from cheart.models.latent import HarmonicModule, LearnedPrior
from cheart.models.shape import ShapeBasis
from cheart.models.shape_network import ShapeSpace
from cheart.training.bayes import Curves, Regression, Rows, learn, time_factor
from cheart.training.data import ShapeData
from cheart.training.linear_start import (
    Array,
    Frame,
    copy_conditions,
    fit_waves,
    lay_out,
    set_parameter,
    set_prior,
    start_space,
)
from cheart.training.remembered import Remembered

BORROWED = 10
"""Remembered hearts that the spread of new hearts' end-diastole borrows."""


@torch.no_grad()
def transfer(network: CHeart, known: Remembered, data: ShapeData) -> dict[str, float]:
    """Set the linear parts of a new network by what a model remembers and by new hearts; all else stays at nothing.

    Args:
        network: just built, on a shape basis, with harmonic motion.
        known: hearts of the model, on the same basis.
        data: the new hearts.

    Returns:
        Figures for the log: what was chosen.
    """
    space, motion = cast(ShapeSpace, network.space), cast(HarmonicModule, network.temporal)
    latent, code, room = network.options.latent, network.options.code, network.room
    first = data.first.double().numpy()
    frame = Frame.of(np.concatenate([first, known.beats[: len(first), 0]]), space.basis.sd.astype(np.float64))
    start_space(space, frame, latent, code, room)
    conditions, others = (
        copy_conditions(network.conditions, c) for c in (data.conditions, torch.from_numpy(known.conditions).float())
    )
    hearts = _Hearts(frame.codes(first)[:, :latent], conditions)
    remembered = _Hearts(frame.codes(known.beats[:, 0])[:, :latent], others)

    start = _learn_start(hearts, remembered)
    if isinstance(network.prior, LearnedPrior):
        set_prior(network.prior, start.weight[0, 2:], start.weight[0, 1], _spread(start, remembered))
    length = np.linalg.norm(frame.axes[:latent], axis=1)
    moves = _learn_motion(hearts, remembered, length, motion, _moved(data, space.basis), known)
    laid = lay_out(moves.weight @ frame.into, latent, code, room)  # [2·harmonics, F, size]
    set_parameter(motion.linear.weight, laid[:, 2:].transpose(0, 2, 1).reshape(-1, latent + code))
    set_parameter(motion.linear.bias, laid[:, 1].reshape(-1))
    _set_free(motion, moves.left, lay_out(moves.left @ frame.into, latent, code, room))
    named = {"motion": moves, "start": start}
    return {f"{k}_{n}": v for k, found in named.items() for n, v in {**found.chosen, "left": found.loss}.items()}


@dataclass(frozen=True)
class _Hearts:
    """z_0 [N, latent] and z_c [N, code] of some hearts."""

    latent: Array
    code: Array


@dataclass(frozen=True)
class _Moved:
    """Observed frames after the first: whose [R], when [R], and how far they have moved [R, K] in mm."""

    heart: NDArray[np.intp]
    time: NDArray[np.intp]
    by: Array


def _moved(data: ShapeData, basis: ShapeBasis) -> _Moved:
    """The most probable motion of hearts given their observed planes."""
    heart, time = np.nonzero(data.weight.numpy() > 0)
    heart, time = heart[time > 0], time[time > 0]
    by = np.empty((len(heart), basis.size))
    for row, (i, t) in enumerate(zip(heart, time, strict=True)):
        gram = None if data.gram is None else data.gram[i, t].numpy()
        by[row] = basis.most_probable(gram, data.linear[i, t].numpy()) - data.first[i].double().numpy()
    return _Moved(heart, time, by)


def _learn_start(hearts: _Hearts, remembered: _Hearts) -> Regression:
    """z_0 given z_c: weight [1, 2 + code, latent]."""
    count = len(hearts.code)
    rows = Rows(np.arange(count), np.ones((count, 1)), _inputs(hearts.code, new=True), hearts.latent)
    known = Curves(_inputs(remembered.code, new=False), remembered.latent[:, None])
    code = np.ones(hearts.code.shape[1])
    return learn(rows, known, np.eye(1), _parts({"code": code}))


def _learn_motion(
    hearts: _Hearts, remembered: _Hearts, length: Array, motion: HarmonicModule, moved: _Moved, known: Remembered
) -> Regression:
    """How a heart moves given z_0 and z_c: weight [2·harmonics, 2 + latent + code, K], in mm."""
    waves = motion.waves(known.beats.shape[1]).double().numpy()
    amplitudes = fit_waves(motion, known.expected - known.expected[:, :1])
    all_of_it = fit_waves(motion, known.beats - known.beats[:, :1])
    inputs, others = (np.concatenate([h.latent, h.code], axis=1) for h in (hearts, remembered))
    rows = Rows(moved.heart, waves[moved.time], _inputs(inputs, new=True)[moved.heart], moved.by)
    shape, code = length / length.sum(), np.ones(hearts.code.shape[1])
    parts = _parts({"shape": np.pad(shape, (0, len(code))), "code": np.pad(code, (len(shape), 0))})
    return learn(rows, Curves(_inputs(others, new=False), amplitudes), time_factor(all_of_it, waves), parts)


def _inputs(x: Array, *, new: bool) -> Array:
    """x [N, F] behind two columns that say whether these are the model's hearts or the new ones."""
    ones = np.tile([0.0, 1.0] if new else [1.0, 0.0], (len(x), 1))
    return np.concatenate([ones, x], axis=1)


def _parts(parts: dict[str, Array]) -> dict[str, Array]:
    """Parts of Λ's diagonal behind those of the two intercepts, which are all but free."""
    length = len(next(iter(parts.values())))
    return {"free": np.pad([100.0, 100.0], (0, length))} | {n: np.pad(p, (2, 0)) for n, p in parts.items()}


def _spread(start: Regression, remembered: _Hearts) -> Array:
    """Covariance of z_0 given z_c: of the new hearts left out, and a little of the remembered ones'."""
    own = start.left[:, 0]
    other = remembered.latent - remembered.latent.mean(axis=0)
    borrowed = BORROWED * (other.T @ other) / len(other)
    covariance: Array = (own.T @ own + borrowed) / (len(own) + BORROWED)
    return covariance


def _set_free(motion: HarmonicModule, left: Array, laid: Array) -> None:
    """R: the principal axes of what hearts did otherwise than foretold, in mm [N, H, K] and as codes [N, H, size]."""
    count = len(left)
    axes, spread, _ = np.linalg.svd(left.reshape(count, -1) / np.sqrt(count), full_matrices=False)
    keep = min(len(motion.loose), int((spread > 1e-6 * spread[0]).sum()))
    free = np.zeros(tuple(motion.loose.shape))
    free[:keep] = axes[:, :keep].T @ laid.reshape(count, -1) / np.sqrt(count)
    set_parameter(motion.loose, free)
