"""Sequence generation: conditions in, beating hearts out (section II-C)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from cheart.conditions import Conditions, Value
from cheart.tasks.trained import MadeHeart, TrainedModel, Unknown


def generate(
    model: TrainedModel,
    n: int = 1,
    *,
    conditions: Conditions | None = None,
    seed: int = 0,
    unknown: Unknown = "draw",
    **given: Value,
) -> Iterator[MadeHeart]:
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
    model.network.must("generate")
    asked: Mapping[str, Value] = {**(conditions or {}), **given}
    model.settle(asked, unknown="missing", rng=np.random.default_rng())  # refuse what is wrong before the first heart
    return (_one(model, asked, unknown, heart_seed(seed, k)) for k in range(n))


def heart_seed(seed: int, k: int) -> int:
    """The seed of heart k of a run."""
    return int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0] >> 1)


def _one(model: TrainedModel, asked: Conditions, unknown: Unknown, seed: int) -> MadeHeart:
    conditions, drawn = model.settle(asked, unknown=unknown, rng=np.random.default_rng(seed))
    labels = model.network.generate(model.encode(conditions), seed=seed)
    return MadeHeart(model.heart(labels), "generated", conditions, drawn, seed)
