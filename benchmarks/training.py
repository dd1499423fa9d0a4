"""A training step of the paper's network: as released, as cheart does it, and the laptop preset's.

    python -m benchmarks.training [--repeats 3] [--json]
    python -m benchmarks.training --device cuda [--precision bfloat16] [--compiled]     epoch times on a GPU

Simulated hearts on the paper's grid, 20 frames, float32. Wall-clock medians on all cores that torch takes, the ways
taking turns in one process; memory is the peak of a fresh process. A way is the one above it and one more change.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.few_hearts import FewHearts, made_up_batch
from benchmarks.measure import ceilings, finish, medians_s, options, peak_gib
from benchmarks.plain_step import PlainCHeart, one_hot, plain_step
from torch import Tensor
from torch.nn import functional as F

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.grid import GRIDS
from cheart.models.base import HeartModel, Setting
from cheart.models.cheart import CHeart, CHeartOptions
from cheart.models.fields import FieldGrid
from cheart.models.latent import sample_posterior
from cheart.models.shape import ShapeData
from cheart.models.shape_basis import BASIS_FRAMES, ShapeBasis, sample_fields
from cheart.models.voxel import VoxelBatch, VoxelRepresentation
from cheart.models.voxel_network import masked_cross_entropy
from cheart.training.distributed import Team
from cheart.training.loop import fit, lay
from cheart.training.memory import keep_memory
from cheart.training.options import TrainingOptions

TRAINING_SUBJECTS, VALIDATION_SUBJECTS, EPOCHS = 968, 138, 500
"""Of the paper."""

PLAIN = "as released (one-hot floats, a frame at a time)"
INTEGERS = "labels as integers"
APART = "the loss takes each frame as it is decoded"
TOGETHER = "all frames in one call, in blocks; conditions as a border-exact bias"
PAPER = "gradients a few frames at a time (the default options)"
KEPT = "freed memory is kept"


def adam(network: torch.nn.Module) -> torch.optim.Adam:
    """The paper's optimiser."""
    return torch.optim.Adam(network.parameters(), lr=5e-4)


def step(loss: Callable[[], Tensor], optimiser: torch.optim.Optimizer) -> None:
    """One step of an optimiser."""
    optimiser.zero_grad()
    loss().backward()
    optimiser.step()


def plain_ways(batch: VoxelBatch) -> dict[str, Callable[[], object]]:
    """The released step, and the first two changes to it."""
    torch.manual_seed(0)
    network = PlainCHeart(GRIDS["paper"].shape, batch.conditions.shape[1]).train()
    optimiser, noise = adam(network), torch.randn(len(batch.labels), 32)

    def loss(*, stacked: bool) -> Tensor:
        # only the encoder's frame is made one-hot; the kl term is left out, it costs nothing
        first, labels = one_hot(batch.labels[:, :1]), batch.labels.long()
        beat = first.expand(-1, labels.shape[1], -1, -1, -1, -1)
        if stacked:
            recon = network(beat, batch.conditions, noise)[0]
            return torch.stack([F.cross_entropy(recon[:, t], labels[:, t]) for t in range(labels.shape[1])]).sum()
        frames, _, _ = network.frames(beat, batch.conditions, noise)
        return torch.stack([F.cross_entropy(f, labels[:, t]) for t, f in enumerate(frames)]).sum()

    return {
        PLAIN: lambda: plain_step(network, optimiser, batch, noise),
        INTEGERS: lambda: step(lambda: loss(stacked=True), optimiser),
        APART: lambda: step(lambda: loss(stacked=False), optimiser),
    }


def paper_network(batch: VoxelBatch) -> CHeart:
    """The paper's network for a batch's conditions (made-up ones have as many as the paper's)."""
    encoding = Encoding.fit(
        PAPER_SCHEMA, [{"age": 40.0, "sex": "F", "weight": 70.0, "height": 170.0, "sbp": 120.0}] * 2, age_decades=True
    )
    assert len(encoding.columns) == batch.conditions.shape[1]
    torch.manual_seed(0)
    setting = Setting(GRIDS["paper"], batch.labels.shape[1], encoding)
    return CHeart(setting, CHeartOptions(), VoxelRepresentation(setting.grid, setting.frames)).train()


def our_ways(network: CHeart, batch: VoxelBatch) -> dict[str, Callable[[], object]]:
    """All frames at once, and a few at a time, as the default options have it."""
    optimiser, noise = adam(network), torch.randn(len(batch.labels), 32)

    def together() -> Tensor:
        mean, log_var, embedding = network.posterior(batch.labels[:, 0], batch.conditions)
        latents = network.latents(sample_posterior(mean, log_var, noise), embedding)
        logits = network.decoder(latents, batch.which)
        return masked_cross_entropy(logits, batch.labels, batch.observed).mean()

    return {TOGETHER: lambda: step(together, optimiser), PAPER: lambda: paper_step(network, optimiser, batch)}


def paper_step(network: HeartModel, optimiser: torch.optim.Optimizer, batch: VoxelBatch) -> None:
    """One step of the paper's network."""
    ((_, loss, _),) = network.losses(batch, torch.Generator().manual_seed(0))
    step(lambda: loss, optimiser)


def laptop_costs(hearts: FewHearts) -> dict[str, float]:
    """The laptop preset's cost in seconds: an epoch a subject, and once a subject, the reading and the basis."""
    network, data, training = hearts.laptop()
    basis = network.representation.basis
    reading = medians_s({"read": lambda: read_one(hearts, basis)}, 3)["read"]
    start = time.perf_counter()
    fit_large_basis(hearts)
    fitting = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        many, few = repeated(data, TRAINING_SUBJECTS), repeated(data, VALIDATION_SUBJECTS)
        how: dict[str, Any] = {"seed": 0, "team": Team(torch.device("cpu")), "resume": False}
        progress = fit(network, many, few, run=Path(folder), options=replace(training, epochs=6), **how)
    epoch = float(np.median([row["seconds"] for row in progress.rows]))
    once = fitting + reading * (TRAINING_SUBJECTS + VALIDATION_SUBJECTS)
    return {
        "epoch_a_subject": epoch / TRAINING_SUBJECTS,
        "reading_a_subject": reading,
        "basis": fitting,
        "epochs": training.epochs,
        "in_all_a_subject": (epoch + once / training.epochs) / TRAINING_SUBJECTS,
    }


def repeated(data: ShapeData, subjects: int) -> ShapeData:
    """As many subjects as asked for, the same ones again and again."""
    return ShapeData(data.batch(np.resize(np.arange(len(data)), subjects), torch.device("cpu")))


def read_one(hearts: FewHearts, basis: ShapeBasis) -> None:
    """One subject's label maps to normal forms."""
    hearts.on(basis, np.arange(1))


def fit_large_basis(hearts: FewHearts) -> None:
    """A basis of as many frames as that of a whole cohort; the few hearts' frames are taken again and again, shaken."""
    where = FieldGrid.whole(hearts.cohort.grid)
    few = [sample_fields(hearts.cohort, np.arange(len(hearts.cohort)), where, jobs=1)]
    while sum(map(len, few)) < BASIS_FRAMES:
        few.append(few[0][: BASIS_FRAMES - sum(map(len, few))] * np.float32(1 + 0.01 * len(few)))
    ShapeBasis.fit(np.concatenate(few), where, modes=96)


def peak(way: str, subjects: int) -> float:
    """Peak memory in GiB of a fresh process that takes two steps."""
    command = [sys.executable, "-m", "benchmarks.training", "--peak", way, "--subjects", str(subjects)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def two_steps(way: str, subjects: int) -> float:
    """What :func:`peak` runs."""
    batch = made_up_batch(subjects)
    if way == "plain":
        take = plain_ways(batch)[PLAIN]
    else:
        keep_memory()
        take = our_ways(paper_network(batch), batch)[PAPER]
    take()
    take()
    return peak_gib()


def on_cpu(repeats: int) -> dict[str, Any]:
    """Everything that the table shows."""
    with tempfile.TemporaryDirectory() as folder:
        hearts = FewHearts.simulate(Path(folder) / "few")
        batch = hearts.voxels(1)
        network = paper_network(batch)
        ways = {**plain_ways(batch), **our_ways(network, batch)}
        seconds = medians_s(ways, repeats)
        keep_memory()
        kept = medians_s({PLAIN: ways[PLAIN], KEPT: ways[PAPER]}, repeats)
        eight = hearts.voxels(8)
        optimiser = adam(network)
        batch_of_8 = medians_s({"8": lambda: paper_step(network, optimiser, eight)}, max(1, repeats // 2))["8"] / 8
        laptop = laptop_costs(hearts)
    return {
        **ceilings(),
        "threads": torch.get_num_threads(),
        "seconds_a_subject": {**seconds, KEPT: kept[KEPT]},
        "released_with_memory_kept": kept[PLAIN],
        "paper_preset_in_batches_of_8": batch_of_8,
        "laptop": laptop,
        "peak_gib": {
            "released, batch 1": peak("plain", 1),
            "paper, batch 1": peak("paper", 1),
            "paper, batch 8": peak("paper", 8),
        },
    }


def on_gpu(device: torch.device, repeats: int, precision: str, compiled: bool) -> dict[str, Any]:
    """The paper's training on a GPU: a step of 8 subjects whose labels are there already, beside the released one."""
    batch = made_up_batch(8)
    there = VoxelBatch(*(t.to(device) for t in (batch.labels, batch.observed, batch.conditions)))
    released, most_released = released_on_gpu(device, there, max(1, repeats // 2))
    network = paper_network(batch)
    lay(network, device, TrainingOptions(precision=precision))
    if compiled:
        network.compile_decoder()
    optimiser = adam(network)

    def take() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False):
            ((_, loss, _),) = network.losses(there, torch.Generator().manual_seed(0))
        step(lambda: loss, optimiser)
        finish(device)

    seconds = medians_s({"step": take}, max(repeats, 10))["step"]
    steps = -(-TRAINING_SUBJECTS // 8)
    return {
        "device": str(device),
        "precision": precision,
        "compiled": compiled,
        "step_s": seconds,
        "epoch_s": steps * seconds,
        "epochs_500_min": EPOCHS * steps * seconds / 60,
        "peak_gib": peak_gib(device),
        "released_step_s": released,
        "released_peak_gib": most_released,
    }


def released_on_gpu(device: torch.device, there: VoxelBatch, repeats: int) -> tuple[float, float]:
    """Seconds of the released network's step of the same 8 subjects in float32, and its peak memory in GiB."""
    torch.manual_seed(0)
    network = PlainCHeart(GRIDS["paper"].shape, there.conditions.shape[1]).train().to(device)
    optimiser, noise = adam(network), torch.randn(len(there.labels), 32, device=device)

    def take() -> None:
        plain_step(network, optimiser, there, noise)
        finish(device)

    seconds = medians_s({"released": take}, repeats)["released"]
    most = peak_gib(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    return seconds, most


def as_text(result: dict[str, Any]) -> str:
    """For people."""
    if "epoch_s" in result:
        ratio = result["released_step_s"] / result["step_s"]
        return (
            f"{result['device']}, {result['precision']}{', compiled' if result['compiled'] else ''}: "
            f"{1000 * result['step_s']:.1f} ms a step of 8 subjects, {result['epoch_s']:.2f} s an epoch of 968, "
            f"{result['epochs_500_min']:.1f} min for 500 epochs (validation apart), {result['peak_gib']:.1f} GiB; "
            f"the released step, float32: {1000 * result['released_step_s']:.1f} ms ({ratio:.1f}×), "
            f"{result['released_peak_gib']:.1f} GiB"
        )
    seconds = result["seconds_a_subject"]
    plain, laptop = seconds[PLAIN], result["laptop"]

    def line(name: str, value: float) -> str:
        return f"  {name:72s}{1000 * value:10.1f} ms{plain / value:9.1f}×"

    lines = [
        f"{result['threads']} threads, {result['matrix_product_GFLOP_per_s']:.0f} GFLOP/s of matrix product, "
        f"{result['copy_GB_per_s']:.1f} GB/s copied.",
        "",
        "One training step, a subject (20 frames of 64 × 128 × 128, float32)",
        *(line(name, value) for name, value in seconds.items()),
        line("  the same in batches of 8", result["paper_preset_in_batches_of_8"]),
        f"  (as released, with freed memory kept: {result['released_with_memory_kept']:.2f} s)",
        "",
        "Laptop preset, a subject and an epoch",
        line("an epoch alone", laptop["epoch_a_subject"]),
        line(f"with reading and basis, shared by {laptop['epochs']:.0f} epochs", laptop["in_all_a_subject"]),
        f"  (reading a subject once {laptop['reading_a_subject']:.2f} s, the basis once {laptop['basis']:.0f} s)",
        "",
        "Peak memory of a fresh process",
        *(f"  {name:72s}{value:10.2f} GiB" for name, value in result["peak_gib"].items()),
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, repeats=3)
    parser.add_argument("--device", default="cpu", help="another device than cpu prints the paper's epoch time there")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32", help="on a GPU")
    parser.add_argument("--compiled", action="store_true", help="on a GPU, compile the decoder")
    parser.add_argument("--peak", choices=("plain", "paper"), help=argparse.SUPPRESS)
    parser.add_argument("--subjects", type=int, default=1, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak:
        print(two_steps(asked.peak, asked.subjects))
        return
    if asked.device == "cpu":
        result = on_cpu(asked.repeats)
    else:
        result = on_gpu(torch.device(asked.device), asked.repeats, asked.precision, asked.compiled)
    print(json.dumps(result) if asked.json else as_text(result))


if __name__ == "__main__":
    main()
