"""Sequence generation: conditions in, beating hearts out (section II-C)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cheart.conditions import Conditions, Value
from cheart.heart import Heart
from cheart.model import Model, Unknown


@dataclass(frozen=True)
class Order:
    """One heart to be made; a worker can make it (:func:`draw`).

    Attributes:
        asked: the conditions that were given.
        seed: of the code, and of conditions that are drawn.
        unknown: conditions that were not given are drawn, or told to the network as missing.
    """

    asked: Mapping[str, Value]
    seed: int
    unknown: Unknown


def generate(
    model: Model,
    n: int = 1,
    *,
    conditions: Conditions | None = None,
    seed: int = 0,
    unknown: Unknown = "draw",
    **given: Value,
) -> Iterator[Heart]:
    """Draw hearts for one set of conditions: z_0 from N(0, 1), then the temporal module and the decoder.

    Args:
        model: a trained model that can generate.
        n: how many; they are made one after the other, so memory does not grow with n.
        conditions, given: what is known of the owner, as a mapping or by name (``age=63, sex="F"``).
        seed: heart k depends on (seed, k) only.
        unknown: conditions that are not given are drawn anew for each heart, as the training cohort has them with
            those that are given, or told to the network as missing.

    Raises:
        InputError: the model cannot generate, or a condition is not understood.
    """
    ordered = orders(model, n, {**(conditions or {}), **given}, seed=seed, unknown=unknown)
    return (draw(model, order) for order in ordered)


def orders(model: Model, n: int, asked: Conditions, *, seed: int, unknown: Unknown) -> Iterator[Order]:
    """What :func:`generate` makes, one after the other.

    Raises:
        InputError: the model cannot generate, or a condition is not understood.
    """
    model.network.must("generate")
    model.settle(asked, unknown="missing", rng=np.random.default_rng())  # refuse what is wrong before the first heart
    return (Order(asked, heart_seed(seed, k), unknown) for k in range(n))


def heart_seed(seed: int, k: int) -> int:
    """The seed of heart k of a run."""
    return int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0] >> 1)


def draw(model: Model, order: Order) -> Heart:
    """Make one heart."""
    rng = np.random.default_rng(order.seed)
    conditions, drawn = model.settle(order.asked, unknown=order.unknown, rng=rng)
    labels = model.network.generate(model.encode(conditions), seed=order.seed)
    return model.heart(labels, conditions=conditions, drawn=drawn, seed=order.seed)
