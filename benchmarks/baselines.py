"""What was tried of the models on a shape basis, judged on validation subjects; test subjects are never read.

    python benchmarks/baselines.py COHORT OUT [RECIPE …] [--preset laptop] [--draws 4] [--json]

A recipe is a model and changes to its preset, such as ``cvae`` or ``"cvae-gan matching=0.1 beta=0.01"``; with the word
``random`` it begins from random weights in place of the linear start. It is trained into OUT/PRESET/RECIPE unless it
stands there already; all share OUT/prepared. The rows:

    complete   RMS distance, mm, of the fields of all frames of a completed heart from the real one's
    score      energy score, mm, of generated beats given the conditions: low is better, and it is a proper score
    W1         of generated against real phenotypes, mL or g, and the SD of the ejection fraction, %

Volumes are those of the composed fields (the share of a coarse voxel that lies within the surface, to first order),
of real hearts as of generated ones: label maps are neither read nor written, which is what makes it quick.
``real, half against half`` is what W1 a sample of this size has anyway.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.cohort import Cohort
from cheart.metrics.distributions import wasserstein
from cheart.models.base import HeartModel
from cheart.models.registry import model_class
from cheart.models.shape import ShapeBatch, ShapeData, squared_distance
from cheart.models.shape_basis import ShapeBasis
from cheart.models.store import read_model
from cheart.phenotypes import PAPER_FIVE, from_curves
from cheart.training.train import train

Array = NDArray[np.float64]

_VAE, _GAN, _CGAN = "cvae latent=64", "cvae-gan latent=64 rate=0.0003 penalty=0 momentum=0.9", "cgan latent=64"
RECIPES = (
    *("pca", "cheart", "cvae", "cvae-gan", "cgan"),
    "cheart latent=64 residual=1",
    "cvae rate=0.0003",
    *(_VAE, f"{_VAE} rate=0.0001 hidden=16"),
    *(f"{_VAE} rate=0.0003{beta}" for beta in (" beta=0.001", "", " beta=0.01", " beta=0.03")),
    *(_GAN, f"{_GAN} matching=0.1"),
    *(f"{_CGAN}{rate} epochs=30" for rate in ("", " rate=0.0001", " rate=0.0003")),
    *(f"{_CGAN} rate=0.0003 epochs=30{game}" for game in (" penalty=100", " penalty=0 momentum=0.9")),
    "cgan random latent=64 rate=0.0003",
)
"""The table of docs/evaluation.md."""


@torch.no_grad()
def completed(network: Any, batch: ShapeBatch) -> Tensor | None:
    """Coefficients in mm [B, T, K] of completed hearts; None where the model cannot complete."""
    if not network.takes_steps:  # PCA
        return torch.from_numpy(network.completed(batch))
    if "complete" not in network.tasks:
        return None
    if network.latent_per_frame:
        mean, _, embedding = network.posterior(network.representation.first(batch), batch.conditions)
        return network.decoder(network.latents(mean, embedding)) * network.representation.sd
    return network.predict(network.posterior(batch)[0], batch.conditions) * network.representation.sd


@torch.no_grad()
def generated(network: Any, conditions: Tensor, draw: Tensor) -> Tensor:
    """Coefficients in mm [B, T, K] of generated hearts.

    Args:
        network: on a shape basis; it can generate.
        conditions: [B, E], encoded.
        draw: [B, latent_size], N(0, 1).
    """
    if network.latent_per_frame:
        return network.decoder(network.frame_latents(draw, conditions)) * network.representation.sd
    return network.predict(draw, conditions) * network.representation.sd


def volumes(coefficients: Array, basis: ShapeBasis, bodies: int = 3) -> Array:
    """Volumes in mL [n, bodies] of frames [n, K]: LV cavity, LV with its wall, RV cavity, or the first of them.

    Each coarse voxel counts by its fraction inside the surface, to first order.
    """
    step = np.array(basis.where.grid.spacing) * basis.where.factor
    modes = basis.modes[:, :bodies].reshape(basis.size, -1)
    mean = basis.mean[:bodies].reshape(bodies, -1)
    out = np.empty((len(coefficients), bodies))
    for start in range(0, len(coefficients), 64):
        part = coefficients[start : start + 64].astype(np.float32) @ modes
        fields = part.reshape(len(part), bodies, -1) + mean
        out[start : start + 64] = np.clip(0.5 - fields / np.float32(step.mean()), 0, 1).sum(axis=2, dtype=np.float64)
    return out * float(np.prod(step)) / 1000


class Judge:
    """Validation hearts, observed whole, and how a model's compare with them."""

    def __init__(self, data: ShapeData, basis: ShapeBasis, *, draws: int) -> None:
        if not data.whole:
            raise SystemExit("the comparison takes hearts that were observed whole")
        self.batch = data.everyone()
        self.basis, self.draws = basis, draws
        self.real = self.batch.linear.double().numpy()
        usual = int(volumes(self.real.mean(axis=0), basis, 1).argmin())
        self.around = np.arange(max(usual - 3, 1), min(usual + 4, self.real.shape[1]))
        self.phenotypes = self.measure(self.real)

    def measure(self, beats: Array) -> dict[str, Array]:
        """Phenotypes [n] of beats [n, T, K] in mm; end-systole is looked for three frames around the usual one."""
        lv = volumes(beats[:, self.around].reshape(-1, beats.shape[2]), self.basis, 1)
        systole = self.around[lv.reshape(len(beats), -1).argmin(axis=1)]
        ends = np.stack([beats[:, 0], beats[np.arange(len(beats)), systole]], axis=1)
        cavity, epicardium, rv = volumes(ends.reshape(-1, beats.shape[2]), self.basis).reshape(len(beats), 2, 3).T
        curves = np.stack([cavity.T, (epicardium - cavity).T, rv.T], axis=2)
        rows = [from_curves(c).row() for c in curves]
        return {name: np.array([row[name] for row in rows]) for name in (*PAPER_FIVE, "lvef")}

    def completion(self, network: HeartModel) -> float:
        """RMS distance in mm of completed fields from real ones, mean over hearts."""
        beats = completed(network, self.batch)
        if beats is None:
            return float("nan")
        squared = squared_distance(beats.to(self.batch.linear), self.batch).mean(dim=1) / self.basis.mean.size
        return float(squared.clamp(min=0).sqrt().mean())

    def generation(self, network: HeartModel) -> dict[str, float]:
        """Energy score, W1 of the five phenotypes and the SD of the ejection fraction."""
        noise = torch.Generator().manual_seed(1)
        draws = [
            generated(
                network, self.batch.conditions, torch.randn(len(self.real), network.latent_size(), generator=noise)
            )
            for _ in range(self.draws if "generate" in network.tasks else 0)
        ]
        beats = [d.double().numpy() for d in draws]
        if not beats:
            return {}
        unit = float(self.basis.mean.size * self.real.shape[1]) ** 0.5
        flat = [b.reshape(len(b), -1) / unit for b in beats]
        real = self.real.reshape(len(self.real), -1) / unit
        near = np.mean([np.linalg.norm(f - real, axis=1).mean() for f in flat])
        apart = [np.linalg.norm(a - b, axis=1).mean() for i, a in enumerate(flat) for b in flat[:i]]
        found = [self.measure(b) for b in beats]
        out = {
            name: float(np.mean([wasserstein(self.phenotypes[name], f[name]) for f in found])) for name in PAPER_FIVE
        }
        sd = float(np.mean([np.std(f["lvef"]) for f in found]))
        return {"score": float(near - np.mean(apart) / 2), **out, "sd_ef": sd}

    def floor(self) -> dict[str, float]:
        """What one half of the real hearts has against the other, and the SD of their ejection fraction."""
        rng = np.random.default_rng(0)
        orders = [rng.permutation(len(self.real)) for _ in range(20)]
        half = len(self.real) // 2
        out = {
            name: float(np.mean([wasserstein(v[o[:half]], v[o[half:]]) for o in orders]))
            for name, v in self.phenotypes.items()
            if name in PAPER_FIVE
        }
        return {**out, "sd_ef": float(np.std(self.phenotypes["lvef"]))}


@contextmanager
def random_start(model: str) -> Iterator[None]:
    """Within it, a model's networks begin as PyTorch makes them."""
    kind = model_class(model)
    usual = kind.initialise
    kind.initialise = HeartModel.initialise
    try:
        yield
    finally:
        kind.initialise = usual


def judge_recipe(cohort: Cohort, out: Path, recipe: str, preset: str, draws: int) -> list[dict[str, Any]]:
    """Train a recipe unless it stands there, and its row; before the first, the real hearts' own."""
    model, *words = recipe.split()
    settings = [w for w in words if w != "random"]
    run = out / preset / recipe.replace(" ", ",")
    start = time.process_time()
    if not (run / "metrics.csv").is_file():
        with random_start(model) if "random" in words else nullcontext():
            train(cohort, run, model=model, preset=preset, settings=settings, prepared=out / "prepared", device="cpu")
    seconds = time.process_time() - start
    stored = json.loads((run / "run.json").read_text())
    network = read_model(run).network
    shape = network.representation
    val = shape.data(cohort, "val", network.setting.encoding, prepared=out / "prepared", jobs=-1)
    judge = Judge(val, shape.basis, draws=draws)
    row = {"recipe": recipe, "complete": judge.completion(network), **judge.generation(network)}
    row |= {"epoch": stored["best_epoch"], "train_s": stored["training_seconds"], "cpu_s": round(seconds, 1)}
    return [{"recipe": "real, half against half", **judge.floor()}, row]


def as_text(rows: list[dict[str, Any]]) -> str:
    """A Markdown table."""
    columns = ("complete", "score", *PAPER_FIVE, "sd_ef", "epoch", "train_s")
    lines = ["| | " + " | ".join(columns) + " |", "|" + "---|" * (len(columns) + 1)]
    for row in rows:
        cells = (f"{row[c]:.3g}" if c in row and row[c] == row[c] else "" for c in columns)
        lines.append(f"| {row['recipe']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("recipes", nargs="*", default=RECIPES, help="a model and its settings, quoted")
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--draws", type=int, default=4, help="generated hearts a validation subject")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    cohort = Cohort.open(asked.cohort)
    rows: list[dict[str, Any]] = []
    for recipe in asked.recipes:
        floor, row = judge_recipe(cohort, asked.out, recipe, asked.preset, asked.draws)
        rows += [row] if rows else [floor, row]
        print(json.dumps(row), file=sys.stderr, flush=True)
    print(json.dumps(rows) if asked.json else as_text(rows))


if __name__ == "__main__":
    main()
