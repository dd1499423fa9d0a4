"""The training loop of every model: plain PyTorch, resumable after any kill, one seed one result.

A run's folder:

    config.json              the model, everything resolved (cheart.models.store)
    model.safetensors        the weights of the best epoch so far, by validation loss
    run.json                 versions, device, seed, the cohort's fingerprint, duration
    metrics.csv              one row an epoch
    checkpoint.safetensors   where the training stands
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Integer

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.files import new_file, write_json
from cheart.models.base import HeartModel
from cheart.models.device import describe_device
from cheart.models.representation import Data, SomeFrames
from cheart.models.store import write_weights
from cheart.progress import bar
from cheart.provenance import provenance
from cheart.schemas import RunJson, check_fields, read_checked
from cheart.training.averaged import Averaged
from cheart.training.checkpoint import MEND_CHECKPOINT, read_checkpoint, write_checkpoint
from cheart.training.distributed import Team
from cheart.training.frames import draw_frames
from cheart.training.memory import keep_memory
from cheart.training.options import TrainingOptions

Item = TypeVar("Item")

Optimisers = dict[str, torch.optim.Optimizer]
"""By the name of the group of parameters that each steps."""


@dataclass
class Progress:
    """How far a training has come."""

    epoch: int = 0
    best: float | None = None
    best_epoch: int = -1
    seconds: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)

    def over(self, options: TrainingOptions) -> bool:
        """Whether the last epoch is done, or validation has not improved for too long."""
        return self.epoch >= options.epochs or self.epoch - self.best_epoch > options.patience


def fit(
    network: HeartModel,
    training: Data,
    validation: Data,
    *,
    run: Path,
    options: TrainingOptions,
    seed: int,
    team: Team,
    resume: bool,
    log: Callable[[dict[str, float]], None] = lambda row: None,
) -> Progress:
    """Train until the last epoch or early stopping; the best weights are in the run's folder.

    Every random number of an epoch comes from (seed, epoch), so a training that goes on after a kill ends with the
    weights of one that never stopped (bit for bit on a CPU).

    Raises:
        InputError: the checkpoint is of another training; the loss is no number any more.
    """
    keep_memory()
    lay(network, team.device, options)
    if options.compiled:
        network.compile_decoder()
    training, validation = training.near(team.device), validation.near(team.device)
    optimisers: Optimisers = {
        name: torch.optim.AdamW(group, lr=options.rate, betas=(options.momentum, 0.999), weight_decay=options.decay)
        for name, group in network.groups().items()
    }
    progress, average = Progress(), Averaged(network, options.average)
    checkpoint = run / "checkpoint.safetensors"
    if resume and checkpoint.is_file():
        state = read_checkpoint(checkpoint, network, optimisers, average, team.device)
        progress = Progress(**check_fields(state, Progress, checkpoint, mend=MEND_CHECKPOINT))
    # validation looks at as few frames, the same in every epoch
    watched = _draw(network, options, np.random.default_rng([seed, 0xA11]))
    steps = len(in_batches(np.arange(len(training)), options.batch))
    with bar(options.epochs * steps, "Training", shown=team.leads) as move:
        while not progress.over(options):
            start = time.perf_counter()
            remark = f"epoch {progress.epoch + 1}" + ("" if progress.best is None else f", best {progress.best:.4g}")
            shown = partial(_show, move, progress.epoch * steps, remark)
            row = _train_epoch(network, training, optimisers, average, options, (seed, progress.epoch), team, shown)
            with average.worn(network):
                with _precision(options, team.device):
                    row["validation"] = validate(network, validation, batch=options.batch, team=team, some=watched)
                _refuse_no_number("validation", row["validation"], progress.epoch + 1)
                better = _close_epoch(progress, row, time.perf_counter() - start)
                if team.leads:
                    _write_epoch(network, progress, run, better=better)
            if team.leads:
                write_checkpoint(checkpoint, network, optimisers, average, asdict(progress))
                log(progress.rows[-1])
    return progress


def lay(network: HeartModel, device: torch.device, options: TrainingOptions) -> None:
    """Lay a network on a device as it trains there the fastest.

    cuDNN takes the gradient of a convolution in bfloat16 with channels first by a kernel that is eight times slower
    than all else of a CVAE-GAN's step at the paper's grid (``python -m benchmarks.networks``).
    """
    network.to(device)
    if device.type == "cuda" and options.precision == "bfloat16":
        network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]


def fit_in_one_go(
    network: HeartModel,
    training: Data,
    validation: Data,
    *,
    run: Path,
    log: Callable[[dict[str, float]], None] = lambda row: None,
) -> Progress:
    """Let a model that takes no steps fit itself: the same run folder, with one epoch; resumed, it does so again."""
    start = time.perf_counter()
    loss, figures = network.fit(training, validation)
    row = {"epoch": 1, **figures, "validation": loss, "seconds": time.perf_counter() - start}
    progress = Progress(epoch=1, best=loss, best_epoch=0, seconds=row["seconds"], rows=[row])
    _write_epoch(network, progress, run, better=True)
    log(row)
    return progress


def in_batches(order: Integer[np.ndarray, " N"], size: int) -> list[Integer[np.ndarray, " B"]]:
    """Cut an order of subjects into batches; the last may be smaller."""
    return [order[i : i + size] for i in range(0, len(order), size)]


def _show(move: Callable[[int, str], None], before: int, remark: str, step: int) -> None:
    move(before + step, remark)


def _train_epoch(
    network: HeartModel,
    data: Data,
    optimisers: Optimisers,
    average: Averaged,
    options: TrainingOptions,
    seed: tuple[int, int],
    team: Team,
    move: Callable[[int], None],
) -> dict[str, float]:
    """One pass over the training subjects; the mean of each figure."""
    network.train()
    order = np.random.default_rng([*seed, 0x0DE5]).permutation(len(data))
    generator = torch.Generator().manual_seed(int(np.random.default_rng([*seed, 0x4015E]).integers(2**62)))
    draws = np.random.default_rng([*seed, 0xF4A3E])
    sums: dict[str, float] = {}
    batches = in_batches(order, options.batch)
    for k, which in enumerate(batches):
        for optimiser in optimisers.values():
            optimiser.param_groups[0]["lr"] = options.rate_at(seed[1], k / len(batches))
        some = _draw(network, options, draws)
        with team.part(which) as part:
            losses = network.losses(data.batch(part.which, team.device, some), generator)
            for group, loss, figures in each_within(_precision(options, team.device), losses):
                optimisers[group].zero_grad(set_to_none=True)
                (part.weight * loss).backward()
                row = {f"loss_{group}": float(loss.detach()), **figures}
                row = _step(optimisers[group], team, row, part.weight, clip=options.clip, epoch=seed[1] + 1)
                for name, value in row.items():
                    sums[name] = sums.get(name, 0.0) + value * len(which)
        average.update(network, seed[1] * len(batches) + k)
        move(k + 1)
    return {name: value / len(data) for name, value in sums.items()}


def _draw(network: HeartModel, options: TrainingOptions, rng: np.random.Generator) -> SomeFrames | None:
    """The frames of a step; None for all."""
    return (
        draw_frames(network.setting.frames, options.frames, rng)
        if 0 < options.frames < network.setting.frames
        else None
    )


def _precision(options: TrainingOptions, device: torch.device) -> torch.autocast:
    """The precision of forward passes; what was cast is not kept, since gradients are taken chunk by chunk."""
    return torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bfloat16", cache_enabled=False)


def each_within(context: torch.autocast, items: Iterator[Item]) -> Iterator[Item]:
    """Make each item within a context and hand it on outside of it."""
    while True:
        with context:
            item = next(items, None)
        if item is None:
            return
        yield item


def _step(
    optimiser: torch.optim.Optimizer, team: Team, figures: dict[str, float], weight: float, *, clip: float, epoch: int
) -> dict[str, float]:
    """Step by the whole batch's gradient, of which this process has its part; returns the whole batch's figures."""
    parameters = optimiser.param_groups[0]["params"]
    figures = team.add_up(parameters, figures, weight)
    _refuse_no_number(*next(iter(figures.items())), epoch)
    if clip:
        torch.nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()
    return figures


def _refuse_no_number(name: str, loss: float, epoch: int) -> None:
    """
    Raises:
        InputError: the loss is nan or infinite.
    """
    if not math.isfinite(loss):
        raise InputError(
            f"the {name.removeprefix('loss_')} loss is {loss} in epoch {epoch}: training has come apart; "
            "go on with a smaller step, for instance --resume --set rate=0.0001"
        )


@torch.no_grad()
def validate(network: HeartModel, data: Data, *, batch: int, team: Team, some: SomeFrames | None = None) -> float:
    """The mean validation loss over subjects, of label maps perhaps estimated from some frames."""
    network.eval()
    mine = in_batches(team.own(np.arange(len(data))), batch)
    losses = [network.validation_loss(data.batch(which, team.device, some)) for which in mine]
    own = torch.cat([torch.zeros(0, device=team.device), *losses])
    return team.as_leader(float(team.all_of(own, len(data)).mean()))


def _close_epoch(progress: Progress, row: dict[str, float], seconds: float) -> bool:
    """Count an epoch; whether it is the best so far."""
    better = progress.best is None or row["validation"] < progress.best
    if better:
        progress.best, progress.best_epoch = row["validation"], progress.epoch
    progress.epoch += 1
    progress.seconds += seconds
    progress.rows.append({"epoch": progress.epoch, **row, "seconds": seconds})
    return better


def _write_epoch(network: HeartModel, progress: Progress, run: Path, *, better: bool) -> None:
    """Write down an epoch; its weights become the model if they are the best so far."""
    if better:
        write_weights(run, network)
    with new_file(run / "metrics.csv") as partial:
        pd.DataFrame(progress.rows).to_csv(partial, index=False, float_format="%.6g")


def write_run(
    run: Path,
    cohort: Cohort,
    *,
    seed: int,
    device: torch.device,
    threads: int,
    progress: Progress | None,
    **how: Any,
) -> None:
    """Write run.json: how this training was made and how it stands."""
    before = read_checked(run / "run.json", RunJson) if (run / "run.json").is_file() else {}
    state: dict[str, Any] = {"finished": False}
    if progress is not None:
        state = {
            "finished": True,
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch + 1,
            "best_validation_loss": progress.best,
            "training_seconds": round(progress.seconds, 1),
        }
    here = {"device": describe_device(device), "threads": threads, "seed": seed}
    value = provenance(**here, cohort={"title": cohort.info["title"], "fingerprint": cohort.fingerprint}, **how)
    value["first_started"] = before.get("first_started", value["made"])
    write_json(run / "run.json", {**value, **state})
