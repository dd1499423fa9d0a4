"""What each option of a voxel network's training brings for the same processor time, beside the paper's plain step.

    python -m benchmarks.convergence [--minutes 4] [--subjects 160] [--cohort DIR] [--only NAME …] [--json]

Simulated hearts on the half grid, 20 frames, one thread. Every way has as much processor time, validation included: a
short run first tells how many epochs fit, so that a schedule that ends does end there. Dice is that of completion on
validation subjects, mean over structures. At the end, how much a gradient from some frames scatters about that of all
frames, against how much batches differ. About 40 minutes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cheart.cohort import Cohort
from cheart.evidence import Evidence
from cheart.grid import GRIDS
from cheart.metrics.overlap import dice
from cheart.models.base import HeartModel
from cheart.models.representation import SomeFrames
from cheart.models.store import read_model
from cheart.simulation.cohort import simulate
from cheart.training.frames import draw_frames
from cheart.training.train import train

FRAMES, BOX, NORM, AVERAGE = "frames=4", "box=true", "norm=group", "average=0.99"
RATE = ("rate=2e-3", "schedule=cosine", "warmup=2")
PLAIN = ("norm=batch", "box=false", "frames=0", "warmup=0", "schedule=constant", "average=0", "rate=5e-4")
WAYS: dict[str, tuple[str, ...]] = {
    "plain": PLAIN,
    "4 frames a step": (*PLAIN, FRAMES),
    "box": (*PLAIN, BOX),
    "group norm": (*PLAIN, NORM),
    "rate 2e-3, warm-up, cosine": (*PLAIN, *RATE),
    "moving average": (*PLAIN, AVERAGE),
    "all": (*PLAIN, FRAMES, BOX, NORM, AVERAGE, *RATE),
    "all but group norm": (*PLAIN, FRAMES, BOX, AVERAGE, *RATE),
}
END_SYSTOLE = 7
"""The frame of least cavity in most simulated hearts."""


@dataclass
class Clock:
    """Processor seconds at the end of each epoch."""

    at: list[float]

    def __call__(self, row: dict[str, float]) -> None:
        """Take the time."""
        self.at.append(time.process_time())


def measure(cohort: Cohort, settings: tuple[str, ...], minutes: float, folder: Path) -> dict[str, Any]:
    """Train one way for so many minutes of processor time; its steps, their cost, and Dice."""
    clock, how = Clock([]), {"preset": "paper", "jobs": 1, "device": "cpu"}
    train(cohort, folder / "short", settings=(*settings, "epochs=3"), log=clock, **how)  # type: ignore[arg-type]
    epoch_s = clock.at[-1] - clock.at[-2]
    epochs = max(3, round(60 * minutes / epoch_s))
    long = (*settings, f"epochs={epochs}", f"patience={epochs}")
    train(cohort, folder / "long", settings=long, log=clock, **how)  # type: ignore[arg-type]
    found = completed(read_model(folder / "long").network, cohort)
    steps = -(-len(cohort.indices("train")) // 8)
    return {
        "epochs": epochs,
        "ms_a_step": 1000 * (clock.at[-1] - clock.at[3]) / (epochs - 1) / steps,
        "minutes": (clock.at[-1] - clock.at[3]) / (epochs - 1) * epochs / 60,
        "dice": float(found.mean()),
        "dice_ed": float(found[0].mean()),
        "dice_es": float(found[END_SYSTOLE].mean()),
    }


def completed(network: HeartModel, cohort: Cohort) -> np.ndarray:
    """Mean Dice of completed validation subjects, [T, 3]."""
    found = []
    for i in map(int, cohort.indices("val")):
        labels, observed = cohort.labels(i), cohort.observed_of(i)
        conditions = network.setting.encoding.encode([cohort.conditions(i)])[0]
        found.append(dice(labels, network.complete(Evidence.of_frame(labels[0], observed[0], len(labels)), conditions)))
    return np.asarray(found).mean(axis=0)


def scatter(network: HeartModel, cohort: Cohort, batches: int = 8) -> dict[str, float]:
    """Mean squared distance of a gradient from some frames to that from all, over the batches' own variance."""
    rng, cpu = np.random.default_rng(0), torch.device("cpu")
    draws = {
        "4 at even steps": lambda: draw_frames(20, 4, rng),
        "5 at even steps": lambda: draw_frames(20, 5, rng),
        "ED, ES and 2 others": lambda: with_ed_and_es(4, rng),
        "ED, ES and 3 others": lambda: with_ed_and_es(5, rng),
    }
    data = network.representation.data(cohort, "train", network.setting.encoding, prepared=None, jobs=1)
    whole, off = [], dict.fromkeys(draws, 0.0)
    for k in range(batches):
        which = np.arange(8) + 8 * k
        whole.append(gradient(network, data.batch(which, cpu)))
        for name, draw in draws.items():
            distance = gradient(network, data.batch(which, cpu, draw())) - whole[-1]
            off[name] += float(distance.square().sum()) / batches
    own = float(torch.stack(whole).var(dim=0).sum())
    return {name: value / own for name, value in off.items()}


def gradient(network: HeartModel, batch: Any) -> Tensor:
    """Of one step's loss, all parameters in a row."""
    network.train().zero_grad()
    ((_, loss, _),) = network.losses(batch, torch.Generator().manual_seed(0))
    loss.backward()
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


def with_ed_and_es(some: int, rng: np.random.Generator) -> SomeFrames:
    """End-diastole and end-systole, which stand for themselves, and others at even steps that stand for the rest."""
    others = np.setdiff1d(np.arange(20), [0, END_SYSTOLE])
    drawn = draw_frames(len(others), some - 2, rng)
    which = np.concatenate([[0, END_SYSTOLE], others[drawn.which.numpy()]])
    weight = torch.tensor([1.0, 1.0, *[drawn.weight] * (some - 2)])[:, None]
    return SomeFrames(torch.from_numpy(which), weight)  # type: ignore[arg-type]


def as_text(result: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        "| | ms a step | epochs | minutes | Dice | ED | ES |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {name} | {row['ms_a_step']:.0f} | {row['epochs']} | {row['minutes']:.1f} | {row['dice']:.3f} "
            f"| {row['dice_ed']:.3f} | {row['dice_es']:.3f} |"
            for name, row in result["ways"].items()
        ),
        "",
        *(f"gradient from {name}: scatter {value:.2f} of the batches'" for name, value in result["scatter"].items()),
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0, help="processor time of each way")
    parser.add_argument("--subjects", type=int, default=160, help="hearts to simulate")
    parser.add_argument("--cohort", type=Path, help="use this cohort instead")
    parser.add_argument("--only", nargs="*", default=list(WAYS), choices=list(WAYS), help="these ways")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.cohort is None:
            cohort = simulate(folder / "cohort", n=asked.subjects, grid=GRIDS["half"], seed=0, jobs=1)
        else:
            cohort = Cohort.open(asked.cohort)
        ways = {way: measure(cohort, WAYS[way], asked.minutes, folder / str(k)) for k, way in enumerate(asked.only)}
        last = read_model(folder / str(len(asked.only) - 1) / "long").network
        result = {"subjects": len(cohort), "ways": ways, "scatter": scatter(last, cohort)}
    print(json.dumps(result) if asked.json else as_text(result))


if __name__ == "__main__":
    main()
