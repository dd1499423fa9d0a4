"""Long work: progress on a terminal, in several processes, and on many machines.

Many machines are the workers of a Dask scheduler (an extra: ``cheart[dask]``):

    dask scheduler                                       # on one machine
    dask worker tcp://HOST:8786 --nworkers 8 --nthreads 1    # on each of the others
    cheart simulate OUT -n 50000 --scheduler tcp://HOST:8786

They open the same paths as the command does, so cohorts, models and results lie on a file system that all share.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cheart.errors import InputError
from cheart.files import new_file, read_json, sha256_of_json, write_json
from cheart.provenance import versions

if TYPE_CHECKING:
    from distributed import Client

Item = TypeVar("Item")
Result = TypeVar("Result")

Jobs = int | str
"""Who does the work: so many processes (−1: one a core), or the workers of the Dask scheduler at an address."""


@contextmanager
def bar(total: int, title: str, *, shown: bool = True) -> Iterator[Callable[[int, str], None]]:
    """A bar with the count, the time gone, the time left and a remark; silent where nobody watches.

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
    """Iterate under a :func:`bar`."""
    with bar(total, title) as move:
        for done, item in enumerate(items, start=1):
            yield item
            move(done, "")


def parallel(function: Callable[[Item], Result], items: Iterable[Item], *, jobs: Jobs = 1) -> Iterator[Result]:
    """Map over items in order, in processes or on a cluster (:func:`on_cluster`); results come as they are ready.

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
        yield from on_cluster(function, items, jobs)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
    yield from pool(delayed(function)(item) for item in items)


TIMEOUT_S = 10
RECORDS = "unfinished"
AHEAD = 3
"""Items a thread of the cluster that are under way or wait for their turn: memory stays flat whatever their number."""


def collect(function: Callable[[Item], Result], items: Collection[Item], *, jobs: Jobs = 1, title: str) -> list[Result]:
    """All results of :func:`parallel`, under a :func:`bar`."""
    return list(track(parallel(function, items, jobs=jobs), total=len(items), title=title))


def begin_records(folder: Path, settings: Any) -> Path:
    """The folder of the records of what is made in ``folder``, which may have been begun by a run that was stopped.

    Args:
        folder: that is being written.
        settings: plain JSON values on which all that is made depends.

    Raises:
        InputError: it was begun with other settings.
    """
    records, digest = folder / RECORDS, sha256_of_json(settings)
    begun = records / "settings.json"
    if begun.is_file() and read_json(begun) != {"settings": digest}:
        raise InputError("--resume: it was begun with other options or files; leave --resume out to start anew")
    records.mkdir(exist_ok=True)
    write_json(begun, {"settings": digest})
    return records


def collect_kept(
    function: Callable[[Item], Result],
    items: Collection[Item],
    *,
    records: Path,
    jobs: Jobs = 1,
    title: str,
    holds: Callable[[Item, Result], bool] | None = None,
) -> list[Result]:
    """As :func:`collect`, of results that are plain JSON values, going on where it was stopped.

    Args:
        function, items, jobs, title: as there.
        records: the folder (within that of :func:`begin_records`) in which each result is kept as soon as it is there,
            in a file that carries its own checksum; what is kept is not made again.
        holds: whether what a kept result speaks of is still there; None where it speaks of nothing.
    """
    records.mkdir(exist_ok=True)
    work = partial(_kept, function, holds, records.absolute())
    return collect(work, list(enumerate(items)), jobs=jobs, title=title)


def _kept(
    function: Callable[[Item], Result],
    holds: Callable[[Item, Result], bool] | None,
    records: Path,
    task: tuple[int, Item],
) -> Result:
    """A result that is kept, or made now and then kept; either comes back as JSON has it."""
    number, item = task
    path = records / f"{number}.json"
    if path.is_file():
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        if hashlib.sha256(text.encode()).hexdigest() == digest:
            before: Result = json.loads(text)
            if holds is None or holds(item, before):
                return before
    text = json.dumps(function(item))
    with new_file(path) as beside:
        beside.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")
    result: Result = json.loads(text)
    return result


def on_cluster(function: Callable[[Item], Result], items: Iterable[Item], address: str) -> Iterator[Result]:
    """Map over items in order on the workers of a Dask scheduler.

    Args:
        function: picklable; it is sent once and unpacked once in each worker.
        items: picklable; they are taken as results are.
        address: of the scheduler, such as ``tcp://host:8786``.

    Yields:
        Results in the order of the items.

    Raises:
        InputError: Dask is not installed; nobody answers at the address, or no worker is there; a worker has other
            versions, or does not see a model or a cohort; a worker died.
    """
    client = _connect(address)
    try:
        packed = pickle.dumps(function)
        _check(client, address, packed)
        held = client.scatter(packed, broadcast=True)
        most = AHEAD * sum(client.nthreads().values())
        waiting: deque[Any] = deque()
        for item in items:
            waiting.append(client.submit(_call, held, item, pure=False))
            if len(waiting) >= most:
                yield _result(waiting.popleft(), address)
        while waiting:
            yield _result(waiting.popleft(), address)
    finally:
        client.close()


def _connect(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install 'cheart[dask]'; --jobs does without") from None
    try:
        return Client(address, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--scheduler {address!r}: no Dask scheduler answers there within {TIMEOUT_S} s ({error}); expected the "
            "address that `dask scheduler` prints, such as tcp://host:8786"
        ) from None


def _check(client: Client, address: str, packed: bytes) -> None:
    """Refuse a cluster that would give other results, or none, before any work."""
    try:
        client.wait_for_workers(1, timeout=TIMEOUT_S)
    except TimeoutError:
        raise InputError(
            f"--scheduler {address!r}: no worker has joined it; start some with `dask worker {address}`"
        ) from None
    ours = versions()
    try:
        answers: dict[str, tuple[dict[str, str], str]] = client.run(_ready, packed)
    except ModuleNotFoundError as error:
        raise InputError(f"--scheduler {address!r}: a worker has no cheart ({error}); install it there") from None
    for worker, (theirs, trouble) in answers.items():
        other = [f"{n} {theirs.get(n, 'not there')} (here {v})" for n, v in ours.items() if theirs.get(n) != v]
        if other:
            raise InputError(f"--scheduler {address!r}: worker {worker} has {', '.join(other)}; install the same there")
        if trouble:
            raise InputError(
                f"--scheduler {address!r}: worker {worker}: {trouble}. Workers open the same paths: cohorts, models "
                "and results must lie on a file system that all of them see"
            )


def _ready(packed: bytes) -> tuple[dict[str, str], str]:
    """In a worker: its versions, and what keeps it from the work."""
    try:
        _unpack(packed)
    except (InputError, OSError) as error:
        return versions(), str(error)
    return versions(), ""


def _call(packed: bytes, item: Any) -> Any:
    """In a worker: one item, on one thread as in a process of ``--jobs``."""
    function = _unpack(packed)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    return function(item)


_unpack = lru_cache(maxsize=1)(pickle.loads)
"""What the command packed; a worker does not unpack it again for every item."""


def _result(future: Any, address: str) -> Any:
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        raise InputError(
            f"--scheduler {address!r}: workers died over one piece of work (out of memory? see their logs): {error}"
        ) from None
