"""A linear start: a network on a shape basis begins as the best linear model of its training hearts.

Smooth anatomy is nearly linear in signed distances: a regression from end-diastole to all frames is hard to beat
with a few hundred hearts, and gradient descent from random weights overfits before it finds it. So the linear parts
of the network are set by least squares, everything else starts at zero, and training learns the rest.

CHeart with a harmonic motion:

    z_c   = the encoded conditions themselves
    z_0   = the principal components of end-diastole, whitened; the prior is their regression on z_c
    z_ct  = z_c0 + the harmonics of the cycle, whose amplitudes are a ridge regression on z_0 and z_c
    x_t   = the inverse of the components, on all frames alike

The baselines, whose z is then about N(0, 1) and independent of the conditions, as the published prior assumes:

    CVAE, CVAE-GAN    z = principal components of what conditions leave of end-diastole, whitened
                      x = ridge regression of whole beats on z and the conditions
    CGAN              z = principal components of what conditions leave of whole beats, whitened
                      x = the beat that conditions predict + those components
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64
from numpy.typing import NDArray

from cheart.models.latent import ConditionNetwork, HarmonicModule, StandardPrior, set_parameter
from cheart.models.shape import ShapeData
from cheart.models.shape_network import ShapeDecoder, ShapeEncoder

RIDGES = 10.0 ** np.arange(-2, 3.1, 0.5)
"""Penalties that a regression chooses from, in hearts: the weight of so many hearts that say nothing."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """The axes of a latent: coefficients [mm] minus ``centre`` = z @ ``axes``.

    Attributes:
        centre: of training end-diastoles.
        axes: rows scaled so that training end-diastoles have unit variance along each.
    """

    centre: Float64[np.ndarray, " K"]
    axes: Float64[np.ndarray, "K K"]

    @classmethod
    def of(cls, first: Float64[np.ndarray, "N K"], sd: Float64[np.ndarray, " K"]) -> Frame:
        """The principal axes of end-diastoles; none is shorter than a hundredth of the longest mode's SD."""
        centre = first.mean(axis=0)
        _, singular, axes = np.linalg.svd(first - centre, full_matrices=True)
        spread = np.zeros(len(axes))
        spread[: len(singular)] = singular / np.sqrt(max(len(first) - 1, 1))
        return cls(centre, axes * np.maximum(spread, 1e-2 * sd.max())[:, None])

    @cached_property
    def into(self) -> Float64[np.ndarray, "K K"]:
        """The inverse of ``axes``."""
        return np.linalg.inv(self.axes).astype(np.float64, copy=False)

    @cached_property
    def lengths(self) -> Float64[np.ndarray, " K"]:
        """How many mm a step of 1 along each axis is."""
        return np.linalg.norm(self.axes, axis=1).astype(np.float64, copy=False)

    def along(self, coefficients: Float[np.ndarray, "*some K"]) -> Float64[np.ndarray, "*some K"]:
        """Coefficients as numbers along the axes."""
        return (coefficients - self.centre) @ self.into

    def trust(self, latent: int, embedding: int) -> Float64[np.ndarray, " {latent}+{embedding}"]:
        """How far a regression trusts z_0 and z_c: an axis by its length, at most 1."""
        return np.concatenate([fit_length(self.lengths / self.lengths.max(), latent), np.ones(embedding)])


@dataclass(frozen=True)
class LinearParts:
    """The parts of a network on a shape basis whose linear maps least squares can set.

    Attributes:
        encoder, decoder: from and to whitened coefficients.
        conditions: with a straight path.
        motion: of the latents.
        prior: of z_0.
        sd: of the basis, [K].
        latent: length of z_0.
        embedding: length of z_c.
    """

    encoder: ShapeEncoder
    decoder: ShapeDecoder
    conditions: ConditionNetwork
    motion: HarmonicModule
    prior: StandardPrior
    sd: Array
    latent: int
    embedding: int

    def set_frame(self, frame: Frame) -> None:
        """Lay encoder and decoder along a frame's axes; conditions do not touch them yet."""
        sd, latent, extra = self.sd, self.latent, self.motion.extra
        into = np.zeros((latent, len(sd) + self.embedding))
        shared = min(latent, len(sd))
        into[:shared, : len(sd)] = (frame.into * sd[:, None])[:, :shared].T
        set_parameter(self.encoder.linear.weight, into)
        set_parameter(self.encoder.linear.bias, np.pad(-frame.centre @ frame.into[:, :shared], (0, latent - shared)))
        out = np.zeros((latent + self.embedding + extra, len(sd)))
        out[:shared] = frame.axes[:shared] / sd
        out[latent + self.embedding :] = frame.axes[latent:] / sd
        set_parameter(self.decoder.linear.weight, out.T)
        set_parameter(self.decoder.linear.bias, frame.centre / sd)

    def lay_out(self, moved: Array) -> Array:
        """Numbers along a frame's axes [..., K] as changes of a latent: z_0, z_c, and the axes beyond, [..., size]."""
        laid = np.zeros((*moved.shape[:-1], self.latent + self.embedding + self.motion.extra))
        shared = min(self.latent, moved.shape[-1])
        laid[..., :shared] = moved[..., :shared]
        laid[..., self.latent + self.embedding :] = moved[..., self.latent :]
        return laid


def start_linear(parts: LinearParts, data: ShapeData) -> None:
    """Set the linear parts of a new network with harmonic motion; where frames or planes lack, not motion."""
    latent, motion, subjects = parts.latent, parts.motion, data.subjects
    frame = Frame.of(subjects.first.numpy().astype(np.float64), parts.sd)
    embedding = parts.conditions.pass_on(subjects.conditions)
    z = frame.along(subjects.first.numpy())[:, :latent]
    if z.shape[1] < latent:
        z = np.pad(z, ((0, 0), (0, latent - z.shape[1])))
    parts.set_frame(frame)
    weight, bias = ridge(embedding, z, units=fit_length(frame.lengths, latent))
    left = z - embedding @ weight - bias
    parts.prior.set_moments(weight, bias, left.T @ left / max(len(z) - 1, 1))
    if data.whole:
        along = frame.along(subjects.linear.numpy())
        amplitudes = fit_waves(motion, parts.lay_out(along - along[:, :1])).reshape(len(z), -1)
        known, mm = np.concatenate([z, embedding], axis=1), frame.lengths
        units = np.concatenate([fit_length(mm, latent), np.ones(parts.embedding), mm[latent:]])
        trust = frame.trust(latent, parts.embedding)
        weight, bias = ridge(known, amplitudes, scale=trust, units=np.tile(units, 2 * motion.harmonics))
        set_parameter(motion.linear.weight, weight.T)
        set_parameter(motion.linear.bias, bias)


def fit_waves(
    motion: HarmonicModule, moved: Float64[np.ndarray, "N T S"]
) -> Float64[np.ndarray, "N 2*{motion.harmonics} S"]:
    """The amplitudes nearest to curves that start at 0."""
    waves = motion.waves(moved.shape[1]).numpy().astype(np.float64)
    fitted: Array = np.einsum("kt,nts->nks", np.linalg.pinv(waves), moved)
    return fitted


def start_autoencoder(
    encoder: ShapeEncoder,
    decoder: ShapeDecoder,
    sd: Float64[np.ndarray, " K"],
    first: Float64[np.ndarray, "N K"],
    beats: Float64[np.ndarray, "N T K"],
    embedding: Float64[np.ndarray, "N C"],
) -> None:
    """Set the linear parts of a new autoencoder of beats by hearts in mm."""
    predicted, bias = ridge(embedding, first)
    rest = first - embedding @ predicted - bias
    frame = Frame.of(rest, sd)
    latent = encoder.linear.out_features
    shared = min(latent, len(sd))
    into = np.zeros((len(sd) + embedding.shape[1], latent))
    into[: len(sd), :shared] = sd[:, None] * frame.into[:, :shared]
    into[len(sd) :, :shared] = -predicted @ frame.into[:, :shared]
    set_parameter(encoder.linear.weight, into.T)
    set_parameter(encoder.linear.bias, np.pad(-(bias + frame.centre) @ frame.into[:, :shared], (0, latent - shared)))
    z = np.pad(frame.along(rest)[:, :shared], ((0, 0), (0, latent - shared)))
    known = np.concatenate([z, embedding], axis=1)
    trust = frame.trust(latent, embedding.shape[1])
    units = np.tile(sd, beats.shape[1])
    weight, centre = ridge(known, beats.reshape(len(beats), -1) / units, scale=trust, units=units)
    set_parameter(decoder.linear.weight, weight.T)
    set_parameter(decoder.linear.bias, centre)


def start_generator(
    decoder: ShapeDecoder,
    sd: Float64[np.ndarray, " K"],
    beats: Float64[np.ndarray, "N T K"],
    embedding: Float64[np.ndarray, "N C"],
    latent: int,
) -> None:
    """Set the linear parts of a new generator of beats from z [latent]; see :func:`start_autoencoder`."""
    units = np.tile(sd, beats.shape[1])
    predicted, bias = ridge(embedding, beats.reshape(len(beats), -1))
    rest = beats.reshape(len(beats), -1) - embedding @ predicted - bias
    components, _ = principal_components(rest.reshape(beats.shape), latent)
    weight = np.zeros((latent + embedding.shape[1], len(units)))
    weight[: len(components)] = components.reshape(len(components), -1)
    weight[latent:] = predicted
    set_parameter(decoder.linear.weight, (weight / units).T)
    set_parameter(decoder.linear.bias, bias / units)


def principal_components(
    beats: Float64[np.ndarray, "N T K"], most: int
) -> tuple[Float64[np.ndarray, "R T K"], Float64[np.ndarray, " _"]]:
    """Components of beats, each as long as its standard deviation, R ≤ N − 1.

    Returns:
        The components, and the mean variance of a coefficient that the first r of them leave, for r from 0 to R.
    """
    flat = (beats - beats.mean(axis=0)).reshape(len(beats), -1)
    _, spread, axes = np.linalg.svd(flat / np.sqrt(max(len(flat) - 1, 1)), full_matrices=False)
    keep = min(most, len(flat) - 1, int((spread > 1e-6 * spread[0]).sum()))
    left = np.append(np.cumsum(np.square(spread)[::-1])[::-1], 0)[: keep + 1]
    left = np.maximum(left, 1e-6 * left[0]) / flat.shape[1]
    return (axes[:keep] * spread[:keep, None]).reshape(keep, *beats.shape[1:]), left


def ridge(
    x: Float64[np.ndarray, "N F"],
    y: Float64[np.ndarray, "N M"],
    *,
    scale: Float64[np.ndarray, " F"] | float = 1.0,
    units: Float64[np.ndarray, " M"] | float = 1.0,
) -> tuple[Float64[np.ndarray, "F M"], Float64[np.ndarray, " M"]]:
    """Weight and bias of :func:`ridge_left_out`."""
    return ridge_left_out(x, y, scale=scale, units=units)[:2]


def ridge_left_out(
    x: Float64[np.ndarray, "N F"],
    y: Float64[np.ndarray, "N M"],
    *,
    scale: Float64[np.ndarray, " F"] | float = 1.0,
    units: Float64[np.ndarray, " M"] | float = 1.0,
) -> tuple[Float64[np.ndarray, "F M"], Float64[np.ndarray, " M"], Float64[np.ndarray, "N M"]]:
    """Ridge regression with a free intercept; the penalty is the one of :data:`RIDGES` best at leaving hearts out.

    Args:
        x: what is known.
        y: what is to be predicted.
        scale: of each column of ``x``, 1 for the most trusted: a column counts by so much, so that what is small
            in mm is not blown up by whitening it.
        units: of each column of ``y``, in which errors are compared.

    Returns:
        Weight, bias, and what each heart is off from what the others predict.
    """
    mean, centre = y.mean(axis=0), x.mean(axis=0)
    left, spread, right = np.linalg.svd((x - centre) * scale, full_matrices=False)
    target = left.T @ (y - mean)
    best, weight, off = np.inf, np.zeros((x.shape[1], y.shape[1])), y - mean
    for penalty in RIDGES:
        kept = spread**2 / (spread**2 + penalty)
        # leave-one-out: a heart's residual over what the fit does not owe to that heart itself
        own = 1 / len(x) + np.square(left) @ kept
        residual = (y - mean - left @ (kept[:, None] * target)) / np.maximum(1 - own, 1e-3)[:, None]
        error = float(np.square(residual * units).mean())
        if error < best:
            best, off = error, residual
            weight = (right.T @ ((spread / (spread**2 + penalty))[:, None] * target)) * np.reshape(scale, (-1, 1))
    return weight, mean - centre @ weight, off


def fit_length(values: Float64[np.ndarray, " N"], length: int) -> Float64[np.ndarray, " {length}"]:
    """The first ``length`` values, with ones where there are fewer."""
    shared = values[:length]
    return np.append(shared, np.ones(length - len(shared)))
