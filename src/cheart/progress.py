"""Progress on long work: a bar with the time left on a terminal, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def track(
    items: Iterable[Item], *, total: int, title: str, note: Callable[[Item], str] | None = None
) -> Iterator[Item]:
    """Iterate with a bar, the count, the time gone and the time left.

    Args:
        items: what to iterate over.
        total: how many there are.
        title: what is going on, such as ``Simulating``.
        note: from the last item to a short remark shown behind the bar.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, note="")
        for item in items:
            yield item
            bar.update(task, advance=1, note=note(item) if note else "")


def parallel(function: Callable[[Item], Result], items: Iterable[Item], *, jobs: int = 1) -> Iterator[Result]:
    """Map over items in order, in ``jobs`` processes (−1: one a core); results come as they are ready.

    The function and the items must be picklable. One job runs in this process.
    """
    if jobs == 1:
        yield from map(function, items)
        return
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
    yield from pool(delayed(function)(item) for item in items)
