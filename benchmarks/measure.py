"""Clocks, the machine's ceilings, and what a process needed at most."""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

Work = Callable[[], object]


def options(doc: str | None, *, repeats: int, of: str = "runs") -> argparse.ArgumentParser:
    """What every benchmark can be asked: ``--repeats`` and ``--json``."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=repeats, help=f"{of} of which the median is printed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def medians_s(
    works: Mapping[str, Work], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median seconds of each work after one to warm up; they take turns, so that all meet the same machine."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            start = clock()
            work()
            times[name].append(clock() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def ceilings(repeats: int = 5, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """What this machine can do at best with as many threads as numpy has: multiply matrices, copy memory."""
    block, copy, matrix = (
        np.ones(64 * 2**20, np.uint8),
        np.empty(64 * 2**20, np.uint8),
        np.ones((2000, 2000), np.float32),
    )
    taken = medians_s({"copy": lambda: np.copyto(copy, block), "product": lambda: matrix @ matrix}, repeats, clock)
    return {
        "copy_GB_per_s": 2 * block.size / taken["copy"] / 1e9,
        "matrix_product_GFLOP_per_s": 2 * 2000**3 / taken["product"] / 1e9,
    }


def finish(device: torch.device) -> None:
    """Wait for what a device was given to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_gib(device: torch.device | None = None) -> float:
    """The most memory that this process has held so far, GiB: of a GPU where one is named, else the machine's own."""
    if device is not None and device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    status = Path("/proc/self/status")
    if status.is_file():  # ru_maxrss of a new process begins with what its parent held
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**30 if sys.platform == "darwin" else 2**20)
