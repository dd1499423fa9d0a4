"""A linear start of the baselines on a shape basis, by least squares, for the reason that CHeart has one.

    CVAE, CVAE-GAN    z = principal components of what conditions leave of end-diastole, whitened
                      x = ridge regression of whole beats on z and the conditions
    CGAN              z = principal components of what conditions leave of whole beats, whitened
                      x = the beat that conditions predict + those components

Either way z is about N(0, 1) and independent of the conditions, which is what the published prior takes for granted.
All else starts at zero, and training learns the rest.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cheart.models.base import HeartModel
from cheart.models.beat_shape import CoefficientDecoder, ShapeBeats
from cheart.models.cgan import CGAN
from cheart.models.cvae import CVAE
from cheart.models.pca import principal_components, whole_beats
from cheart.models.shape_network import ShapeEncoder
from cheart.training.data import ShapeData
from cheart.training.linear_start import Frame, copy_conditions, ridge, set_parameter

Array = NDArray[np.float64]


@torch.no_grad()
def start_linear_beats(network: HeartModel, data: ShapeData) -> None:
    """Set the linear parts of a baseline on a shape basis; other networks stay as they are.

    Args:
        network: just built.
        data: its training subjects. Frames that were not observed count as :func:`whole_beats` has them.
    """
    if not isinstance(network, CVAE | CGAN) or not isinstance(network.space, ShapeBeats):
        return
    beats = whole_beats(data.batch(np.arange(len(data)), torch.device("cpu")), network.space.basis)
    conditions = copy_conditions(network.conditions, data.conditions)
    if isinstance(network, CVAE):
        _start_cvae(network, data.first.numpy().astype(np.float64), beats, conditions)
    else:
        _start_cgan(network, beats, conditions)


def _start_cvae(network: CVAE, first: Array, beats: Array, conditions: Array) -> None:
    """End-diastoles [N, K] and whole beats [N, T, K], both in mm, and the conditions' embedding [N, C]."""
    encoder, decoder, space = network.encoder, network.decoder, network.space
    assert isinstance(encoder, ShapeEncoder)
    assert isinstance(decoder, CoefficientDecoder)
    assert isinstance(space, ShapeBeats)
    sd = space.basis.sd.astype(np.float64)
    told, bias = ridge(conditions, first)
    rest = first - conditions @ told - bias
    frame = Frame.of(rest, sd)
    latent = network.options.latent
    shared = min(latent, len(sd))
    into = np.zeros((len(sd) + conditions.shape[1], latent))
    into[: len(sd), :shared] = sd[:, None] * frame.into[:, :shared]
    into[len(sd) :, :shared] = -told @ frame.into[:, :shared]
    set_parameter(encoder.linear.weight, into.T)
    set_parameter(encoder.linear.bias, np.pad(-(bias + frame.centre) @ frame.into[:, :shared], (0, latent - shared)))
    z = np.pad(frame.codes(rest)[:, :shared], ((0, 0), (0, latent - shared)))
    known = np.concatenate([z, conditions], axis=1)
    trust = frame.trust(latent, conditions.shape[1])
    units = np.tile(sd, beats.shape[1])
    weight, centre = ridge(known, beats.reshape(len(beats), -1) / units, scale=trust, units=units)
    _set_decoder(decoder, weight, centre)


def _start_cgan(network: CGAN, beats: Array, conditions: Array) -> None:
    """Whole beats [N, T, K] in mm and the conditions' embedding [N, C]."""
    generator, space = network.generator, network.space
    assert isinstance(generator, CoefficientDecoder)
    assert isinstance(space, ShapeBeats)
    sd = np.tile(space.basis.sd.astype(np.float64), beats.shape[1])
    told, bias = ridge(conditions, beats.reshape(len(beats), -1))
    rest = beats.reshape(len(beats), -1) - conditions @ told - bias
    components, _ = principal_components(rest.reshape(beats.shape), network.options.latent)
    weight = np.zeros((network.options.latent + conditions.shape[1], len(sd)))
    weight[: len(components)] = components.reshape(len(components), -1)
    weight[network.options.latent :] = told
    _set_decoder(generator, weight / sd, bias / sd)


def _set_decoder(decoder: CoefficientDecoder, weight: Array, bias: Array) -> None:
    set_parameter(decoder.linear.weight, weight.T)
    set_parameter(decoder.linear.bias, bias)
