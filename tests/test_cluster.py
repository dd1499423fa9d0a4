"""A Dask cluster of two worker processes gives what one process gives."""

import filecmp
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from cheart.cohort import Cohort
from cheart.datasets.importing import import_cohort
from cheart.errors import InputError
from cheart.evaluation.completion import evaluate_completion
from cheart.evaluation.generation import evaluate_generation
from cheart.grid import Grid
from cheart.model import Model
from cheart.progress import AHEAD, parallel
from cheart.simulation.cohort import simulate
from cohorts import tiny_cohort
from tiny import cohort, model, run

__all__ = ["cohort", "model", "run"]

pytest.importorskip("distributed", reason="the extra dask is not installed")

COARSE = Grid((16, 32, 32), (8.0, 5.0, 5.0))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a scheduler with two workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as local:
        yield local.scheduler_address


def test_results_come_in_order_and_items_are_taken_as_results_are(cluster: str) -> None:
    taken = []

    def items() -> Iterator[int]:
        for i in range(50):
            taken.append(i)
            yield -i

    results = parallel(abs, items(), jobs=cluster)
    assert next(results) == 0
    assert len(taken) <= 2 * AHEAD
    assert list(results) == list(range(1, 50))


@pytest.mark.slow
def test_a_simulated_cohort_has_the_same_fingerprint(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # workers are elsewhere: a relative path must find its way
    here, there = (
        simulate(Path(name), n=4, grid=COARSE, frames=4, nifti=True, jobs=jobs)
        for name, jobs in (("here", 1), ("there", cluster))
    )
    assert here.fingerprint == there.fingerprint
    known = {"participants": Path("here/nifti/participants.tsv"), "scheme": "cheart"}
    for name, jobs in (("one", 1), ("many", cluster)):
        import_cohort("nifti", "here/nifti", name, grid=COARSE, frames=4, jobs=jobs, **known)
    assert Cohort.open("one").fingerprint == Cohort.open("many").fingerprint
    assert Path("one/quality.tsv").read_bytes() == Path("many/quality.tsv").read_bytes()


@pytest.mark.slow
def test_models_are_judged_alike(cluster: str, model: Model, cohort: Cohort) -> None:
    one, two = (evaluate_completion(model, cohort, jobs=jobs).subjects for jobs in (1, cluster))
    assert_frame_equal(one, two, check_exact=True)
    one, two = (evaluate_generation(model, cohort, samples=2, jobs=jobs).samples for jobs in (1, cluster))
    assert_frame_equal(one, two, check_exact=True)


@pytest.mark.slow
def test_the_same_hearts_are_written(cluster: str, model: Model, tmp_path: Path) -> None:
    for name, jobs in (("here", 1), ("there", cluster)):
        assert model.generate({"age": 40}, n=3, seed=3).save(tmp_path / name, jobs=jobs) == 0
    names = [p.name for p in (tmp_path / "here").iterdir() if p.name not in ("result.json", "checksums.sha256")]
    same, _, _ = filecmp.cmpfiles(tmp_path / "here", tmp_path / "there", names, shallow=False)
    assert sorted(same) == sorted(names)
    assert len(names) > 3


def test_what_goes_wrong_in_a_worker_is_told_here(cluster: str) -> None:
    with pytest.raises(ZeroDivisionError):
        list(parallel(partial(divmod, 1), [1, 0], jobs=cluster))


def test_a_cohort_that_workers_do_not_see_is_refused_before_any_work(cluster: str, tmp_path: Path) -> None:
    unseen = tiny_cohort(tmp_path / "c", n=3)
    (tmp_path / "c").rename(tmp_path / "moved")
    with pytest.raises(InputError, match=r"is no cohort.*a file system that all of them see"):
        list(parallel(partial(_frames, unseen), [0], jobs=cluster))


def _frames(cohort: Cohort, index: int) -> int:
    return len(cohort.labels(index))


def test_a_worker_of_another_version_is_refused(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cheart.progress.versions", lambda: {"cheart": "99"})
    with pytest.raises(InputError, match=r"has cheart .* \(here 99\); install the same there"):
        list(parallel(abs, [1], jobs=cluster))


@pytest.mark.slow
def test_an_address_where_nobody_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cheart.progress.TIMEOUT_S", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InputError, match="no Dask scheduler answers there within 1 s"):
        list(parallel(abs, [1], jobs=address))
    with pytest.raises(InputError, match="no Dask scheduler answers there"):
        list(parallel(abs, [1], jobs="nowhere://x"))


@pytest.mark.slow
def test_a_scheduler_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr("cheart.progress.TIMEOUT_S", 1)
    empty = LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0")
    with empty, pytest.raises(InputError, match="no worker has joined it"):
        list(parallel(abs, [1], jobs=empty.scheduler_address))


@pytest.mark.slow
def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'cheart\[dask\]'"):
        list(parallel(abs, [1], jobs="tcp://127.0.0.1:1"))
