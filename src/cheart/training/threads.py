"""How many threads a training computes with: where networks are small, one, so that one seed gives one result.

Sums that threads share are rounded otherwise with another number of them: the same seed gives other weights with
``OMP_NUM_THREADS=1`` and ``2``. On a shape basis one thread is as fast as two, and so it is one on every machine. On
voxels the convolutions need them all: ``run.json`` says how many they were, and ``--resume`` takes as many.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Compute with so many threads of PyTorch and of numpy's libraries; with as many as there are where None."""
    if count is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)
