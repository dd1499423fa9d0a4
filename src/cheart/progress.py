"""Progress on long work: a bar with the time left on a terminal, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Jobs = int | str
"""Who does the work: so many processes (−1: one a core), or the workers of the Dask scheduler at an address."""


@contextmanager
def bar(total: int, title: str, *, shown: bool = True) -> Iterator[Callable[[int, str], None]]:
    """A bar with the count, the time gone, the time left and a remark; silent where nobody watches.

    Args:
        total: how much there is to do.
        title: what is going on.
        shown: false where another process shows it.

    Yields a function (done so far, remark) that moves it.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda done, note: None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        rich.TextColumn("left"),
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[note]}"),
    )
    with rich.Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, note="")
        yield lambda done, note: progress.update(task, completed=done, note=note)


def track(items: Iterable[Item], *, total: int, title: str) -> Iterator[Item]:
    """Iterate under a :func:`bar`.

    Args:
        items: what to iterate over.
        total: how many there are.
        title: what is going on, such as ``Simulating``.
    """
    with bar(total, title) as move:
        for done, item in enumerate(items, start=1):
            yield item
            move(done, "")


def parallel(function: Callable[[Item], Result], items: Iterable[Item], *, jobs: Jobs = 1) -> Iterator[Result]:
    """Map over items in order, in processes or on a cluster (:mod:`cheart.cluster`); results come as they are ready.

    One job runs in this process. Workers have one thread each, so that a result does not depend on how many there are.

    Args:
        function: picklable; models and cohorts travel as the folder that they were read from.
        items: picklable; they are taken as workers become free.
        jobs: see :data:`Jobs`.

    Yields:
        Results in the order of the items. Those that are ready wait in memory for their turn: let a worker write
        what is large.

    Raises:
        InputError: the cluster cannot do it.
    """
    if jobs == 1:
        yield from map(function, items)
        return
    if isinstance(jobs, str):
        from cheart.cluster import on_cluster

        yield from on_cluster(function, items, jobs)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
    yield from pool(delayed(function)(item) for item in items)
