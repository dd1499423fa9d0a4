"""A linear start: CHeart on a shape basis begins as the best linear model of its training hearts.

Smooth anatomy is nearly linear in signed distances: a regression from end-diastole to all frames is hard to beat
with a few hundred hearts, and gradient descent from random weights overfits before it finds it. So the linear parts
of the network are set by least squares, everything else starts at zero, and training learns the rest.

    z_c   = the encoded conditions themselves
    z_0   = the principal components of end-diastole, whitened; the prior is their regression on z_c
    z_ct  = z_c0 + the harmonics of the cycle, whose amplitudes are a ridge regression on z_0 and z_c
    x_t   = the inverse of the components, on all frames alike
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from cheart.models.base import HeartModel
from cheart.models.cheart import CHeart
from cheart.models.latent import ConditionNetwork, HarmonicModule, LearnedPrior
from cheart.models.shape_network import ShapeSpace
from cheart.training.data import ShapeData

RIDGES = 10.0 ** np.arange(-2, 3.1, 0.5)
"""Penalties that a regression chooses from, in hearts: the weight of so many hearts that say nothing."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """The axes of a code: coefficients [mm] minus ``centre`` = z @ ``axes``.

    Attributes:
        centre: [K].
        axes: [K, K], rows scaled so that training end-diastoles have unit variance along each.
    """

    centre: Array
    axes: Array

    @classmethod
    def of(cls, first: Array, sd: Array) -> Frame:
        """The principal axes of end-diastoles [N, K]; none is shorter than a hundredth of the longest mode's SD."""
        centre = first.mean(axis=0)
        _, singular, axes = np.linalg.svd(first - centre, full_matrices=True)
        spread = np.zeros(len(axes))
        spread[: len(singular)] = singular / np.sqrt(max(len(first) - 1, 1))
        return cls(centre, axes * np.maximum(spread, 1e-2 * sd.max())[:, None])

    @cached_property
    def into(self) -> Array:
        """The inverse of ``axes``, [K, K]."""
        return np.linalg.inv(self.axes).astype(np.float64, copy=False)

    @cached_property
    def lengths(self) -> Array:
        """How many mm a step of 1 along each axis is, [K]."""
        return np.linalg.norm(self.axes, axis=1).astype(np.float64, copy=False)

    def codes(self, coefficients: Array) -> Array:
        """Coefficients [..., K] as numbers along the axes [..., K]."""
        return (coefficients - self.centre) @ self.into

    def trust(self, latent: int, code: int) -> Array:
        """How far a regression trusts z_0 and the conditions, [latent + code]: an axis by its length, at most 1."""
        return np.concatenate([fit_length(self.lengths / self.lengths.max(), latent), np.ones(code)])


@torch.no_grad()
def start_linear(network: HeartModel, data: ShapeData) -> None:
    """Set the linear parts of a network with harmonic motion on a shape basis; other networks stay as they are.

    Args:
        network: just built.
        data: its training subjects. Where frames or planes are missing, the motion starts at nothing.
    """
    if not isinstance(network, CHeart):
        return
    space, motion = network.space, network.temporal
    if not isinstance(space, ShapeSpace) or not isinstance(motion, HarmonicModule):
        return
    latent, code, room = network.options.latent, network.options.code, network.room
    frame = Frame.of(data.first.numpy().astype(np.float64), space.basis.sd.astype(np.float64))
    conditions = copy_conditions(network.conditions, data.conditions)
    z = frame.codes(data.first.numpy())[:, :latent]
    if z.shape[1] < latent:
        z = np.pad(z, ((0, 0), (0, latent - z.shape[1])))
    start_space(space, frame, latent, code, room)
    if isinstance(network.prior, LearnedPrior):
        _start_prior(network.prior, z, conditions, fit_length(frame.lengths, latent))
    if data.whole:
        amplitudes = true_amplitudes(motion, frame.codes(data.linear.numpy()), latent, code)
        known, mm = np.concatenate([z, conditions], axis=1), frame.lengths
        units = np.concatenate([fit_length(mm, latent), np.ones(code), mm[latent:]])
        weight, bias = ridge(
            known, amplitudes, scale=frame.trust(latent, code), units=np.tile(units, 2 * motion.harmonics)
        )
        set_parameter(motion.linear.weight, weight.T)
        set_parameter(motion.linear.bias, bias)


def true_amplitudes(motion: HarmonicModule, codes: Array, latent: int, code: int) -> Array:
    """The harmonics [N, 2·harmonics·size] nearest to the motion of hearts, given along the frame's axes [N, T, K].

    A code is laid out as :func:`lay_out` says.
    """
    laid = lay_out(codes - codes[:, :1], latent, code, motion.room)
    return fit_waves(motion, laid).reshape(len(laid), -1)


def lay_out(moved: Array, latent: int, code: int, room: int) -> Array:
    """Numbers along a frame's axes [..., K] as changes of a code: z_0 [latent], z_c [code], and the axes beyond."""
    laid = np.zeros((*moved.shape[:-1], latent + code + room))
    shared = min(latent, moved.shape[-1])
    laid[..., :shared] = moved[..., :shared]
    laid[..., latent + code :] = moved[..., latent:]
    return laid


def fit_waves(motion: HarmonicModule, moved: Array) -> Array:
    """The amplitudes [N, 2·harmonics, S] nearest to curves [N, T, S] that start at 0."""
    waves = motion.waves(moved.shape[1]).numpy().astype(np.float64)
    fitted: Array = np.einsum("kt,nts->nks", np.linalg.pinv(waves), moved)
    return fitted


def copy_conditions(network: ConditionNetwork, conditions: torch.Tensor) -> Array:
    """Let an embedding hold the encoded conditions as they are, as many as it has room for.

    Args:
        network: with a straight path.
        conditions: [N, E], encoded.

    Returns:
        The embedding [N, C].
    """
    assert network.straight is not None
    torch.nn.init.eye_(network.straight.weight)
    for parameter in network.mlp[2].parameters():
        torch.nn.init.zeros_(parameter)
    return np.asarray(network(conditions).numpy(), np.float64)


def start_space(space: ShapeSpace, frame: Frame, latent: int, code: int, room: int) -> None:
    """Encoder and decoder along the frame's axes; conditions do not touch them yet."""
    sd = space.basis.sd.astype(np.float64)
    into = np.zeros((latent, len(sd) + code))
    shared = min(latent, len(sd))
    into[:shared, : len(sd)] = (frame.into * sd[:, None])[:, :shared].T
    set_parameter(space.encoder.linear.weight, into)
    set_parameter(space.encoder.linear.bias, np.pad(-frame.centre @ frame.into[:, :shared], (0, latent - shared)))
    out = np.zeros((latent + code + room, len(sd)))
    out[:shared] = frame.axes[:shared] / sd
    out[latent + code :] = frame.axes[latent:] / sd
    set_parameter(space.decoder.linear.weight, out.T)
    set_parameter(space.decoder.linear.bias, frame.centre / sd)


def _start_prior(prior: LearnedPrior, z: Array, conditions: Array, lengths: Array) -> None:
    """The regression of z_0 on the conditions, and the covariance of what it leaves; ``lengths`` of its axes, mm."""
    weight, bias = ridge(conditions, z, units=lengths)
    left = z - conditions @ weight - bias
    set_prior(prior, weight, bias, left.T @ left / max(len(z) - 1, 1))


def set_prior(prior: LearnedPrior, weight: Array, bias: Array, covariance: Array) -> None:
    """p(z_0 | z_c) with the mean z_c @ ``weight`` [code, latent] + ``bias`` and a covariance, hardly widened."""
    set_parameter(prior.mean.weight, weight.T)
    set_parameter(prior.mean.bias, bias)
    whitener = np.linalg.inv(np.linalg.cholesky(covariance + 0.02 * np.eye(len(covariance))))
    factor = np.tril(whitener, -1) + np.diag(np.log(np.diag(whitener)))
    set_parameter(prior.factor, factor)


def ridge(x: Array, y: Array, *, scale: Array | float = 1.0, units: Array | float = 1.0) -> tuple[Array, Array]:
    """Ridge regression with a free intercept; the penalty is the one of :data:`RIDGES` best at leaving hearts out.

    Args:
        x: [N, F].
        y: [N, M].
        scale: of each column of ``x`` [F], 1 for the most trusted: a column counts by so much, so that what is small
            in mm is not blown up by whitening it.
        units: of each column of ``y`` [M], in which errors are compared.

    Returns:
        Weight [F, M] and bias [M].
    """
    mean, centre = y.mean(axis=0), x.mean(axis=0)
    left, spread, right = np.linalg.svd((x - centre) * scale, full_matrices=False)
    target = left.T @ (y - mean)
    best, weight = np.inf, np.zeros((x.shape[1], y.shape[1]))
    for penalty in RIDGES:
        kept = spread**2 / (spread**2 + penalty)
        # leave-one-out: a heart's residual over what the fit does not owe to that heart itself
        own = 1 / len(x) + np.square(left) @ kept
        residual = (y - mean - left @ (kept[:, None] * target)) / np.maximum(1 - own, 1e-3)[:, None]
        error = float(np.square(residual * units).mean())
        if error < best:
            best = error
            weight = (right.T @ ((spread / (spread**2 + penalty))[:, None] * target)) * np.reshape(scale, (-1, 1))
    return weight, mean - centre @ weight


def fit_length(values: Array, length: int) -> Array:
    """The first ``length`` values [length], with ones where there are fewer."""
    shared = values[:length]
    return np.append(shared, np.ones(length - len(shared)))


def set_parameter(parameter: torch.Tensor, value: NDArray) -> None:
    """Overwrite a parameter."""
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(value, np.float32)))
