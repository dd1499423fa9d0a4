"""``cheart train``: from a cohort to a run's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cheart.cohort import Cohort
from cheart.cohort_table import refuse_partial
from cheart.conditions import Conditions, Encoding
from cheart.errors import InputError
from cheart.files import locked
from cheart.models.base import HeartModel, Setting
from cheart.models.device import choose_device
from cheart.models.find import find_model
from cheart.models.registry import ModelName, model_class
from cheart.models.representation import Data, fit_representation
from cheart.models.store import read_model, write_config, write_weights
from cheart.population import Population
from cheart.progress import Jobs
from cheart.schemas import RunJson, read_checked
from cheart.training.distributed import HANDED, Team, follow, join
from cheart.training.loop import fit, fit_in_one_go, write_run
from cheart.training.options import TrainingOptions, apply_settings, resolve, stored_options
from cheart.training.threads import threads


def train(
    cohort: Cohort,
    run: Path,
    *,
    model: ModelName = "cheart",
    preset: str = "laptop",
    settings: Sequence[str] = (),
    start_from: Path | str | None = None,
    prepared: Path | None = None,
    seed: int = 0,
    device: str = "auto",
    jobs: Jobs = -1,
    resume: bool = False,
    log: Callable[[dict[str, float]], None] | None = None,
) -> None:
    """Train a model on a cohort's training subjects, watched on its validation subjects.

    Of several processes each returns when the run's folder is whole.

    Args, Raises: as :func:`cheart.model.train`, and
        settings: ``key=value`` changes to the preset.
        prepared: a folder in which models of one cohort share what they read of it (:mod:`cheart.models.shape`);
            None keeps nothing.
        log: called with each epoch's row; None writes a TensorBoard log, where TensorBoard is installed.
    """
    refuse_partial(cohort.info, cohort.path, to="to train a model")
    name = model_class(model).name
    team = join(choose_device(device))
    if not team.leads:
        _follow(team, cohort, run, prepared=prepared, resume=resume)
        return
    most = torch.get_num_threads()
    with locked(run), threads(1):
        _lead(
            team, cohort, run, model=name, preset=preset, settings=settings, start_from=start_from, prepared=prepared,
            seed=seed, jobs=jobs, resume=resume, log=log, most=most,
        )  # fmt: skip
    team.wait()


def _lead(
    team: Team,
    cohort: Cohort,
    run: Path,
    *,
    model: str,
    preset: str,
    settings: Sequence[str],
    start_from: Path | str | None,
    prepared: Path | None,
    seed: int,
    jobs: Jobs,
    resume: bool,
    log: Callable[[dict[str, float]], None] | None,
    most: int,
) -> None:
    """Train in this process, which alone writes; the arguments are those of :func:`train`, and ``most`` threads."""
    _check_folder(run, cohort, resume=resume)
    for left in run.glob(".partial-*.*") if resume else ():  # of a killed process: the run is locked
        left.unlink(missing_ok=True)
    if team.size > 1 and prepared is None:
        prepared = run / HANDED
    people: list[Conditions] = [cohort.conditions(int(i)) for i in cohort.indices("train")]
    if not people or not len(cohort.indices("val")):
        raise InputError(f"{cohort.path}: no training or no validation subjects (column split of participants.tsv)")
    before = read_checked(run / "run.json", RunJson) if resume else {}
    name, preset, seed = (before.get(k, v) for k, v in (("model", model), ("preset", preset), ("seed", seed)))
    every = list(before.get("settings", []))
    every += [] if every[-len(settings) :] == list(settings) else settings  # the same command, begun again
    torch.manual_seed(seed)
    going_on = resume and (run / "checkpoint.safetensors").is_file()
    if going_on:
        network, training = _resumed(run, settings)
    elif start_from is not None:
        network, training = _fine_tuned(start_from, cohort, people, every, seed=seed, jobs=jobs)
    elif before.get("started_from"):
        raise InputError(f"--resume: {run} fine-tunes {before['started_from']}; name that again with --from")
    else:
        network, training = _fresh(cohort, people, name, preset, every, prepared=prepared, jobs=jobs)
    if start_from is not None and not network.takes_steps and team.size > 1:
        raise InputError("--from this model learns in one go, in one process; leave torchrun out")
    run.mkdir(parents=True, exist_ok=True)
    started_from = Path(start_from).name if start_from is not None else before.get("started_from")
    count = network.representation.threads or (before["threads"] if going_on else most)
    how: dict[str, Any] = {"choices": dict(network.choices), "model": name, "preset": preset, "settings": every}
    how |= {"started_from": started_from, "seed": seed, "device": team.device, "threads": count}
    cycles = cohort.table["cycle_s"].to_numpy(float)[cohort.indices("train")]
    about = {
        "preset": preset,
        "training": asdict(training),
        "cycle_s": float(np.nanmean(cycles)) if np.isfinite(cycles).any() else None,
        "population": Population.fit(network.setting.encoding, people).to_json(),
        "trained_on": {
            "kind": cohort.info["kind"],
            "title": cohort.info["title"],
            "fingerprint": cohort.fingerprint,
            "subjects": len(people),
        },
    }
    write_run(run, cohort, progress=None, **how)
    write_config(run, network, **about)
    data = _data(network, cohort, prepared=prepared, jobs=jobs)
    if network.takes_steps and start_from is None and not going_on:
        network.initialise(data[0])
    team.hand_out(run, network, about)
    with _tensorboard(run) if log is None else nullcontext(log) as log:
        if network.takes_steps:
            with threads(count):
                progress = fit(network, *data, run=run, options=training, seed=seed, team=team, resume=resume, log=log)
            best = read_model(run).network
            best.after_training(data[1])
            write_weights(run, best)
        else:
            progress = fit_in_one_go(network, *data, run=run, log=log)
    write_run(run, cohort, progress=progress, **how)


def _follow(team: Team, cohort: Cohort, run: Path, *, prepared: Path | None, resume: bool) -> None:
    """Train with the process that leads, with what it hands out; it alone writes."""

    def read(network: HeartModel, handed: Path) -> tuple[Data, Data]:
        return _data(network, cohort, prepared=prepared or handed, jobs=1)

    network, data, config, seed = follow(team, run, read)
    if network.takes_steps:
        options = stored_options(config["training"], run / HANDED)
        with threads(network.representation.threads):
            fit(network, *data, run=run, options=options, seed=seed, team=team, resume=resume)
    team.wait()


@contextmanager
def _tensorboard(run: Path) -> Iterator[Callable[[dict[str, float]], None]]:
    """Yields a function that logs an epoch's row under ``run/tensorboard``; without TensorBoard it does nothing."""
    if find_spec("tensorboard") is None:
        yield lambda row: None
        return
    from torch.utils.tensorboard import SummaryWriter

    writer: SummaryWriter | None = None

    def log(row: dict[str, float]) -> None:
        nonlocal writer
        writer = writer or SummaryWriter(str(run / "tensorboard"))
        for name, value in row.items():
            if name != "epoch":
                writer.add_scalar(name, value, int(row["epoch"]))

    try:
        yield log
    finally:
        if writer is not None:
            writer.close()


Start = tuple[HeartModel, TrainingOptions]
"""A network to train, and its training's options."""


def _fresh(
    cohort: Cohort,
    people: list[Conditions],
    model: str,
    preset: str,
    settings: Sequence[str],
    *,
    prepared: Path | None,
    jobs: Jobs,
) -> Start:
    training, options = resolve(model, preset, settings)
    encoding = Encoding.fit(cohort.schema, people, age_decades=training.age == "decades")
    representation = fit_representation(cohort, options, prepared=prepared, jobs=jobs)
    setting = Setting(cohort.grid, cohort.frames, encoding)
    return model_class(model)(setting, options, representation), training


def _fine_tuned(
    start_from: Path | str, cohort: Cohort, people: list[Conditions], settings: Sequence[str], *, seed: int, jobs: Jobs
) -> Start:
    base = read_model(find_model(start_from))
    before = stored_options(base.config["training"], Path(start_from))
    training, options = apply_settings(before, base.network.options, settings)
    was = base.network.setting
    if (was.grid, was.frames) != (cohort.grid, cohort.frames):
        raise InputError(
            f"--from: the model has {was.frames} frames on the grid {was.grid.name}, the cohort {cohort.frames} on "
            f"{cohort.grid.name}; import or simulate the cohort with --grid {was.grid.name} --frames {was.frames}"
        )
    setting = Setting(cohort.grid, cohort.frames, was.encoding.extended(cohort.schema, people))
    population = Population.from_json(base.config["population"], was.encoding)
    return base.network.fine_tuned(setting, options, cohort, population, seed=seed, jobs=jobs), training


def _resumed(run: Path, settings: Sequence[str]) -> Start:
    stored = read_model(run)
    own = stored.network.options
    training, options = apply_settings(stored_options(stored.config["training"], run), own, settings)
    if options != own:
        raise InputError("--resume: the network's own options cannot change on the way; start another run")
    return stored.network, training


def _check_folder(run: Path, cohort: Cohort, *, resume: bool) -> None:
    """Refuse to write over a run, or to go on with one that was trained on another cohort."""
    if not resume:
        # a kill while the very first file was being written leaves its beginning behind, and nothing to go on with
        if run.exists() and (not run.is_dir() or any(not p.name.startswith(".partial-") for p in run.iterdir())):
            raise InputError(f"{run} exists already; go on with it by --resume, or choose another place")
        return
    if not (run / "run.json").is_file():
        raise InputError(f"--resume: {run} holds no run; leave --resume out to start one")
    before = read_checked(run / "run.json", RunJson)["cohort"]["fingerprint"]
    if before != cohort.fingerprint:
        raise InputError(f"--resume: {run} was trained on another cohort ({before[:12]}…) than {cohort.path}")


def _data(network: HeartModel, cohort: Cohort, *, prepared: Path | None, jobs: Jobs) -> tuple[Data, Data]:
    """Training and validation subjects as the network reads them."""
    represented, encoding = network.representation, network.setting.encoding
    return (
        represented.data(cohort, "train", encoding, prepared=prepared, jobs=jobs),
        represented.data(cohort, "val", encoding, prepared=prepared, jobs=jobs),
    )
