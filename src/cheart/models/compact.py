"""A shape basis in a few megabytes: its modes as waves, rounded to what they matter.

    W_k = sd_k m_k                       a mode as large as it is met, in mm
    w_k = DCT(W_k), long waves only      orthonormal, so that errors in w are errors in mm
    q_k = round(w_k / STEP)              one step for all: a mode that matters less has fewer numbers that are not 0

Modes are smooth, so nearly all q are 0, and deflating (zlib) leaves little of them. The mean is stored in the same way.
What was rounded is no longer quite orthonormal, so reading makes it so again, each mode against those before it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from torch import Tensor

from cheart.errors import InputError
from cheart.models.fields import LIMIT_MM, Array, FieldGrid
from cheart.models.shape_basis import ShapeBasis, refuse_sizes, refuse_spread, three_numbers
from cheart.models.volume_ranges import VolumeRanges

STEP = 0.03
"""The step of rounding, in mm (times √voxels): over 96 modes together under 0.1 mm."""

SHORTEST_MM = 8.0
"""Shorter waves are left out: the narrow blur of 2 mm has left next to nothing of them."""


def pack(basis: ShapeBasis) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """How a basis was packed, as plain JSON values, and the tensors that :func:`unpack` takes."""
    kept = _kept(basis.where)
    scaled = basis.modes * basis.sd[:, None, None, None, None]
    tensors = {
        "basis.sd": torch.from_numpy(basis.sd.astype(np.float32)),
        **basis.ranges.to_tensors(),
        "basis.mean_waves": _deflate(_to_waves(basis.mean[None] - np.float32(LIMIT_MM), kept) / STEP),
        "basis.mode_waves": _deflate(_to_waves(scaled, kept) / STEP),
    }
    return {"step": STEP, "waves": list(kept)}, tensors


def unpack(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> ShapeBasis:
    """The basis, orthonormal.

    Args:
        config: what config.json says of the basis; its ``packed`` is what :func:`pack` said.
        tensors: of the model's file.

    Raises:
        InputError: tensors that are missing or damaged.
    """
    where, packed = FieldGrid.from_json(config["where"]), config["packed"]
    try:
        sd = tensors["basis.sd"].to(torch.float32).reshape(-1).numpy()
        refuse_sizes(len(sd), where)
        refuse_spread(sd)
        if any(k > n for k, n in zip(packed["waves"], where.shape, strict=True)):
            raise ValueError(f"{packed['waves']} waves of {where.shape} samples")
        shape = (3, *packed["waves"])
        waves = _inflate(tensors["basis.mode_waves"], (len(sd), *shape))
        mean = _inflate(tensors["basis.mean_waves"], (1, *shape))
        step = np.float32(packed["step"])
        flat = (waves * (step / sd)[:, None, None, None, None]).reshape(len(sd), -1)
        # the transform is orthonormal, so that the modes' products are those of their waves
        factor = np.linalg.cholesky((flat @ flat.T).astype(np.float64)).astype(np.float32)
    except InputError as error:
        raise InputError(f"the packed shape basis cannot be read: {error}") from None
    except (KeyError, TypeError, ValueError, zlib.error) as error:  # LinAlgError too
        raise InputError(f"the packed shape basis cannot be read: {error}") from None
    straight = np.asarray(solve_triangular(factor, flat, lower=True, check_finite=False), np.float32)
    return ShapeBasis(
        where,
        _from_waves(mean * step, where.shape)[0] + np.float32(LIMIT_MM),
        _from_waves(straight.reshape(waves.shape), where.shape),
        sd,
        float(config["residual_variance"]),
        float(config["explained"]),
        three_numbers(config["iso_offset"]),
        VolumeRanges.from_tensors(tensors),
    )


def _kept(where: FieldGrid) -> tuple[int, int, int]:
    """How many waves are kept along z, y, x: wave k of n samples is 2 n / k samples long."""
    steps = (s * f for s, f in zip(where.grid.spacing, where.factor, strict=True))
    z, y, x = (min(n, int(2 * n * s / SHORTEST_MM) + 1) for n, s in zip(where.shape, steps, strict=True))
    return z, y, x


def _cosines(n: int, kept: int) -> Array:
    """The first ``kept`` waves of n samples as orthonormal columns, [n, kept] (DCT-II)."""
    waves = np.cos(np.pi * (np.arange(n)[:, None] + 0.5) * np.arange(kept) / n) * np.sqrt(2 / n)
    waves[:, 0] /= np.sqrt(2)
    return waves.astype(np.float32)


def _to_waves(volumes: Array, kept: tuple[int, int, int]) -> Array:
    """Long waves [N, 3, *kept] of volumes [N, 3, z, y, x]."""
    return _apply(volumes, [_cosines(n, k).T for n, k in zip(volumes.shape[2:], kept, strict=True)])


def _from_waves(waves: Array, shape: tuple[int, int, int]) -> Array:
    """The way back of :func:`_to_waves`."""
    return _apply(waves, [_cosines(n, k) for n, k in zip(shape, waves.shape[2:], strict=True)])


def _apply(volumes: Array, matrices: list[Array]) -> Array:
    """Apply one matrix along each axis of [N, 3, z, y, x]; one after the other, so that each stays in the cache."""
    mz, my, mx = matrices
    out = np.empty((*volumes.shape[:2], len(mz), len(my), len(mx)), np.float32)
    for volume, place in zip(volumes, out, strict=True):
        along_z = (mz @ volume.reshape(3, volume.shape[1], -1)).reshape(3, len(mz), *volume.shape[2:])
        np.matmul(my @ along_z, mx.T, out=place)
    return out


def _deflate(numbers: Array) -> Tensor:
    """Numbers, rounded, as deflated bytes [n]: 0, −1, 1, −2 … are 0, 1, 2, 3 …; all low bytes first, then the next."""
    whole = np.rint(numbers).astype(np.int32)
    unsigned = ((whole << 1) ^ (whole >> 31)).astype("<u4")
    planes = np.ascontiguousarray(unsigned.reshape(-1).view(np.uint8).reshape(-1, 4).T)
    planes = planes[:2] if unsigned.max() < 2**16 else planes
    return torch.frombuffer(bytearray(zlib.compress(planes.tobytes(), 9)), dtype=torch.uint8)


def _inflate(stored: Tensor, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The way back of :func:`_deflate`; no more is inflated than these numbers can be.

    Raises:
        ValueError: it holds more or fewer numbers, or does not end where it should.
    """
    count, stream = prod(shape), zlib.decompressobj()
    inflated = stream.decompress(stored.numpy().tobytes(), 4 * count + 1)
    if not stream.eof or len(inflated) not in (2 * count, 4 * count):
        raise ValueError(f"expected {count} numbers")
    planes = np.frombuffer(inflated, np.uint8).reshape(-1, count)
    numbers = np.zeros(shape, np.float32)
    flat, some = numbers.reshape(-1), np.flatnonzero(planes.any(axis=0))  # few are not 0
    unsigned = np.ascontiguousarray(planes[:, some].T).view(f"<u{len(planes)}")[:, 0].astype(np.int64)
    flat[some] = (unsigned >> 1) ^ -(unsigned & 1)
    return numbers
