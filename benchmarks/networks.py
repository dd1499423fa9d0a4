"""A training step of every network on voxels, by grid: time a subject, and peak memory of a fresh process.

    python -m benchmarks.networks [--grids half paper] [--models cheart cvae …] [--subjects 8] [--settings frames=0]
                                  [--device cuda]

Options are of the paper preset, and those of --settings. A simulated heart of 20 frames again and again, one thread,
AdamW; the median of a few steps after one to warm up. A step is one of every player: three of a CVAE-GAN. Time is the
processor's on a CPU, and the clock's on a GPU, whose own memory is what is told then.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch
from benchmarks.measure import finish, medians_s, peak_gib

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.grid import GRIDS
from cheart.models.base import HeartModel, Setting
from cheart.models.blocks import box_around
from cheart.models.registry import BUILT_IN, model_class
from cheart.models.voxel import BOX_MARGIN, VoxelBatch, VoxelRepresentation
from cheart.simulation.heart import simulate_heart
from cheart.training.frames import draw_frames
from cheart.training.loop import each_within, lay
from cheart.training.memory import keep_memory
from cheart.training.options import TrainingOptions, resolve

PERSON = {"age": 40.0, "sex": "F", "weight": 70.0, "height": 170.0, "sbp": 120.0}


def build(
    name: str, grid: str, subjects: int, settings: list[str], device: str
) -> tuple[HeartModel, VoxelBatch, TrainingOptions]:
    """A network of the paper preset, and a batch as its training draws it."""
    training, options = resolve(name, "paper", settings)
    heart = simulate_heart(PERSON, seed=0, grid=GRIDS[grid])[0]
    encoding = Encoding.fit(PAPER_SCHEMA, [PERSON] * 2, age_decades=training.age == "decades")
    setting = Setting(GRIDS[grid], heart.frames, encoding)
    box = box_around(torch.from_numpy((heart.labels > 0).any(axis=0)), BOX_MARGIN) if options.box else None
    torch.manual_seed(0)
    network = model_class(name)(setting, options, VoxelRepresentation(setting.grid, setting.frames, box)).train()
    lay(network, torch.device(device), training)
    labels = torch.from_numpy(np.repeat(heart.labels[None], subjects, axis=0)).to(device)
    observed = torch.ones(labels.shape[:3], dtype=torch.bool, device=device)
    conditions = torch.from_numpy(encoding.encode([PERSON] * subjects)).to(device)
    if not 0 < training.frames < heart.frames:
        return network, VoxelBatch(labels, observed, conditions), training
    some = draw_frames(heart.frames, training.frames, np.random.default_rng(0))
    return network, VoxelBatch(labels[:, [0, *some.which.tolist()]], observed, conditions, some), training


def measure(name: str, grid: str, subjects: int, settings: list[str], repeats: int, device: str) -> dict[str, float]:
    """What a fresh process runs."""
    torch.set_num_threads(1)
    keep_memory()
    network, batch, training = build(name, grid, subjects, settings, device)
    there = torch.device(device)
    precision = torch.autocast(device, torch.bfloat16, enabled=training.precision == "bfloat16", cache_enabled=False)
    optimisers = {group: torch.optim.AdamW(p, lr=training.rate) for group, p in network.groups().items()}

    def step() -> None:
        losses = network.losses(batch, torch.Generator().manual_seed(0))
        for group, loss, _ in each_within(precision, losses):
            optimisers[group].zero_grad(set_to_none=True)
            loss.backward()
            optimisers[group].step()
        finish(there)

    seconds = medians_s({"step": step}, repeats, time.perf_counter if there.type == "cuda" else time.process_time)[
        "step"
    ]
    weights = sum(p.numel() for p in network.parameters())
    return {"seconds_a_subject": seconds / subjects, "peak_gib": peak_gib(there), "weights": weights}


def as_text(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = ["| network | grid | subjects a step | weights | s a subject | peak GiB |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (row["model"], row["grid"], row["subjects"], f"{row['weights'] / 1e6:.2f} M")
        lines.append(f"| {' | '.join(map(str, cells))} | {row['seconds_a_subject']:.4f} | {row['peak_gib']:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    networks = [name for name in BUILT_IN if getattr(model_class(name).Options(), "representation", "") == "voxel"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", nargs="*", default=["half", "paper"], choices=list(GRIDS))
    parser.add_argument("--models", nargs="*", default=networks, choices=networks)
    parser.add_argument("--subjects", type=int, default=8, help="in a batch")
    parser.add_argument("--settings", nargs="*", default=[], help="changes to the preset, key=value")
    parser.add_argument("--repeats", type=int, default=3, help="steps of which the median is printed")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(
            json.dumps(
                measure(asked.models[0], asked.grids[0], asked.subjects, asked.settings, asked.repeats, asked.device)
            )
        )
        return
    rows = []
    for grid in asked.grids:
        for model in asked.models:
            command = [sys.executable, "-m", "benchmarks.networks", "--one", "--grids", grid, "--models", model]
            command += ["--subjects", str(asked.subjects), "--repeats", str(asked.repeats), "--device", asked.device]
            command += ["--settings", *asked.settings]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rows.append({"model": model, "grid": grid, "subjects": asked.subjects, **found})
    print(json.dumps(rows) if asked.json else as_text(rows))


if __name__ == "__main__":
    main()
