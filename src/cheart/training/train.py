"""``cheart train``: from a cohort to a run's folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cheart.cohort import Cohort
from cheart.conditions import Conditions, Encoding
from cheart.errors import InputError
from cheart.files import read_json
from cheart.models.base import FittedModel, HeartModel, Setting
from cheart.models.cheart import CHeart
from cheart.models.device import choose_device
from cheart.models.find import find_model
from cheart.models.registry import ModelName, model_class
from cheart.models.store import Stored, basis_of, read_model, write_config, write_weights
from cheart.population import Population
from cheart.progress import Jobs
from cheart.training.at_once import fit_at_once
from cheart.training.continuing import all_but_linear, continue_model, learn_on
from cheart.training.data import Data, ShapeData, VoxelData
from cheart.training.distributed import HANDED, Team, follow, join
from cheart.training.linear_beats import start_linear_beats
from cheart.training.linear_start import start_linear
from cheart.training.loop import Progress, fit, write_run
from cheart.training.loose import loosen
from cheart.training.options import TrainingOptions, apply_settings, resolve
from cheart.training.prepared import prepared_basis, prepared_data


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
    log: Callable[[dict[str, float]], None] = lambda row: None,
) -> Progress:
    """Train a model on a cohort's training subjects, watched on its validation subjects.

    Args:
        cohort: label maps and conditions.
        run: the folder to write (see :mod:`cheart.training.loop`).
        model: its name, or ``path/to/file.py:Class`` (:mod:`cheart.models.registry`).
        preset: ``quick``, ``laptop`` or ``paper``.
        settings: ``key=value`` changes to the preset.
        start_from: a trained model to go on from, with this cohort; see :func:`cheart.models.find.find_model`.
        prepared: a folder in which models of one cohort share what they read of it (:mod:`cheart.training.prepared`);
            None keeps nothing.
        seed: of weights, order and noise.
        device: ``auto``, ``cpu``, ``cuda`` …
        jobs: processes that prepare data (−1: one a core).
        resume: go on with what stands in ``run``, with the model, preset, settings and seed that it was started with;
            ``settings`` change them from here on.
        log: called with each epoch's row.

    Raises:
        InputError: something about the cohort, the options or the folder that does not go together.
    """
    model = model_class(model).name  # from here on it is known by that
    team = join(choose_device(device))
    if not team.leads:
        return _follow(team, cohort, run, prepared=prepared, resume=resume)
    where = team.device
    _check_folder(run, cohort, resume=resume)
    if team.size > 1 and prepared is None:
        prepared = run / HANDED
    people: list[Conditions] = [cohort.conditions(int(i)) for i in cohort.indices("train")]
    if not people or not len(cohort.indices("val")):
        raise InputError(f"{cohort.path}: no training or no validation subjects (column split of participants.tsv)")
    before = read_json(run / "run.json") if resume else {}
    model, preset, seed = (before.get(k, v) for k, v in (("model", model), ("preset", preset), ("seed", seed)))
    every = [*before.get("settings", []), *settings]
    torch.manual_seed(seed)
    base: Stored | None = None
    going_on = resume and (run / "checkpoint.safetensors").is_file()
    if going_on:
        network, training, options = _stored(run, settings)
    elif start_from is not None:
        base = read_model(find_model(start_from))
        network, training, options = _continued(base, cohort, people, every, jobs=jobs)
    elif before.get("started_from"):
        raise InputError(f"--resume: {run} goes on from {before['started_from']}; name that again with --from")
    else:
        network, training, options = _fresh(cohort, people, model, preset, every, prepared=prepared, jobs=jobs)
    run.mkdir(parents=True, exist_ok=True)
    started_from = Path(start_from).name if start_from is not None else before.get("started_from")
    how = {"model": model, "preset": preset, "settings": every, "started_from": started_from}
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
    write_run(run, cohort, seed=seed, device=where, progress=None, **how)
    write_config(run, network, options, **about)
    data = _data(network, cohort, prepared=prepared, jobs=jobs)
    at_once = _in_closed_form(network, base, data, seed=seed)
    if at_once is None and start_from is None and not going_on and isinstance(data[0], ShapeData):
        start_linear(network, data[0])
        start_linear_beats(network, data[0])
    if at_once is not None and not isinstance(network, FittedModel) and team.size > 1:
        raise InputError("--from a model on a shape basis learns at once, in one process; leave torchrun out")
    team.hand_out(run, network, options, about)
    if at_once is not None:
        progress = fit_at_once(network, at_once, run=run, log=log)
    else:
        progress = fit(network, *data, run=run, options=training, seed=seed, team=team, resume=resume, log=log)
        best = read_model(run).network
        if isinstance(best, CHeart) and isinstance(data[1], ShapeData):
            loosen(best, data[1])
            write_weights(run, best)
    write_run(run, cohort, seed=seed, device=where, progress=progress, **how)
    return progress


def _follow(team: Team, cohort: Cohort, run: Path, *, prepared: Path | None, resume: bool) -> Progress:
    """Train with the process that leads, with what it hands out; it alone writes."""

    def read(network: HeartModel, handed: Path) -> tuple[Data, Data]:
        return _data(network, cohort, prepared=prepared or handed, jobs=1)

    network, data, config, seed = follow(team, run, read)
    if isinstance(network, FittedModel):
        return Progress()
    options = TrainingOptions(**config["training"])
    return fit(network, *data, run=run, options=options, seed=seed, team=team, resume=resume)


Start = tuple[HeartModel, TrainingOptions, Any]
"""A network to train, its training's options and its own."""


def _fresh(
    cohort: Cohort,
    people: list[Conditions],
    model: ModelName,
    preset: str,
    settings: Sequence[str],
    *,
    prepared: Path | None,
    jobs: Jobs,
) -> Start:
    training, options = resolve(model, preset, settings)
    encoding = Encoding.fit(cohort.schema, people, age_decades=training.age == "decades")
    basis = None
    if getattr(options, "space", None) == "shape":
        basis = prepared_basis(cohort, modes=options.modes, folder=prepared, jobs=jobs)
    setting = Setting(cohort.grid, cohort.frames, encoding)
    return model_class(model)(setting, options, basis), training, options  # type: ignore[call-arg]


def _continued(base: Stored, cohort: Cohort, people: list[Conditions], settings: Sequence[str], *, jobs: Jobs) -> Start:
    training, options = apply_settings(TrainingOptions(**base.config["training"]), base.options, settings)
    network, options = continue_model(base, options, cohort, people, jobs=jobs)
    return network, training, options


def _in_closed_form(
    network: HeartModel, base: Stored | None, data: tuple[Data, Data], *, seed: int
) -> Callable[[], tuple[float, dict[str, float]]] | None:
    """How a network learns that takes no steps; None where it takes them."""
    train, val = data
    if isinstance(network, FittedModel):
        everyone = (part.batch(np.arange(len(part)), torch.device("cpu")) for part in data)
        return partial(network.fit, *everyone)
    if base is not None and all_but_linear(network) and isinstance(train, ShapeData) and isinstance(val, ShapeData):
        return partial(learn_on, network, base, train, val, seed=seed)
    return None


def _stored(run: Path, settings: Sequence[str]) -> Start:
    stored = read_model(run)
    training, options = apply_settings(TrainingOptions(**stored.config["training"]), stored.options, settings)
    if options != stored.options:
        raise InputError("--resume: the network's own options cannot change on the way; start another run")
    return stored.network, training, options


def _check_folder(run: Path, cohort: Cohort, *, resume: bool) -> None:
    """Refuse to write over a run, or to go on with one that was trained on another cohort."""
    if not resume:
        # a kill while the very first file was being written leaves its beginning behind, and nothing to go on with
        if run.exists() and (not run.is_dir() or any(not p.name.startswith(".partial-") for p in run.iterdir())):
            raise InputError(f"{run} exists already; go on with it by --resume, or choose another place")
        return
    if not (run / "run.json").is_file():
        raise InputError(f"--resume: {run} holds no run; leave --resume out to start one")
    before = read_json(run / "run.json")["cohort"]["fingerprint"]
    if before != cohort.fingerprint:
        raise InputError(f"--resume: {run} was trained on another cohort ({before[:12]}…) than {cohort.path}")


def _data(network: HeartModel, cohort: Cohort, *, prepared: Path | None, jobs: Jobs) -> tuple[Data, Data]:
    """Training and validation subjects as the network reads them."""
    encoding = network.setting.encoding
    if network.reads == "voxels":
        train, val = cohort.indices("train"), cohort.indices("val")
        return VoxelData.of(cohort, train, encoding), VoxelData.of(cohort, val, encoding)
    basis = basis_of(network)
    assert basis is not None
    return (
        prepared_data(cohort, "train", encoding, basis, folder=prepared, jobs=jobs),
        prepared_data(cohort, "val", encoding, basis, folder=prepared, jobs=jobs),
    )
