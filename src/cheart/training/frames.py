"""A few frames of a cycle that stand for all of them: a step of the same expectation at a fraction of the cost."""

from __future__ import annotations

import numpy as np
import torch

from cheart.models.representation import SomeFrames


def draw_frames(frames: int, some: int, rng: np.random.Generator) -> SomeFrames:
    """``some`` of T frames at even steps from a random start.

    Each has the same chance to be there, some / frames, and stands for frames / some of them, so that the expectation
    of a weighted sum is the sum over all frames. Neighbours are alike: even steps scatter less than independent
    draws, and less than end-diastole and end-systole always, which stand for themselves alone, with fewer others that
    stand for all the rest (``python -m benchmarks.convergence``).
    """
    step = frames / some
    which = (rng.uniform(0, step) + step * np.arange(some)).astype(int)
    return SomeFrames(torch.from_numpy(which), step)
