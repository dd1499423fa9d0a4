"""Are the hearts that a model makes hearts that can be? Pieces, holes, contacts and volumes of many of them.

    python -m benchmarks.validity [--hearts 1000] [--model bundled] [--by-sign] [--seed 0] [--jobs 2] [--json]

Simulated hearts of people drawn as the simulated cohort has them, completions of their end-diastoles with their Dice,
and hearts that are generated for people of the model's training cohort. What is valid and how it is measured:
:mod:`cheart.validity`. With --by-sign each voxel is labelled as its fields say, which is what read-outs did before.
"""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart import Model, load
from cheart.grid import Grid
from cheart.labels import LV, MYO, RV
from cheart.metrics.overlap import dice
from cheart.models import shape_basis, voxel
from cheart.progress import collect
from cheart.simulation import draw_person, simulate_heart
from cheart.validity import STROKE_TOLERANCE

LIMITS = ("islands", "holes", "contacts", "ed_excess", "wall_spread", "seam")
"""What can fail."""


def simulated_and_completed(model: Model, seed: int, number: int) -> list[dict[str, Any]]:
    """A row of a simulated heart, and one of what the model makes of its end-diastole."""
    seeds = np.random.SeedSequence([seed, number])
    person = draw_person(np.random.default_rng(seeds))
    heart, _ = simulate_heart(person, seed=seeds.spawn(1)[0], grid=model.grid, frames=model.frames)
    made = model.complete(heart, {n: person[n] for n in model.encoding.schema.names if n in person})
    rows = [{"hearts": kind} | one.validity.row() for kind, one in (("simulated", heart), ("completed", made))]
    rows[1]["dice"] = float(dice(heart.labels, made.labels).mean())
    return rows


def generated(model: Model, n: int, seed: int, number: int) -> list[dict[str, Any]]:
    """A row of a generated heart."""
    return [{"hearts": "generated"} | model.generate(n=n, seed=seed)[number].validity.row()]


def by_sign(frames: Any, grid: Grid, **_: Any) -> NDArray[np.uint8]:
    """Label maps as :func:`cheart.models.readout.read_out` would begin with."""
    out = []
    for (lv, epi, rv), box in frames:
        labels = np.zeros(grid.shape, np.uint8)
        labels[box] = np.select([(lv < 0) & (epi < 0), epi < 0, rv < 0], [LV, MYO, RV], 0)
        out.append(labels)
    return np.stack(out)


def measure_all(name: str, n: int, seed: int, jobs: int) -> pd.DataFrame:
    """A row a heart: what it is, and what was measured."""
    model = load(name)
    works = {
        "Simulating and completing hearts": partial(simulated_and_completed, model, seed),
        "Generating hearts": partial(generated, model, n, seed),
    }
    rows = [collect(work, range(n), jobs=jobs, title=title) for title, work in works.items()]
    return pd.DataFrame([row for part in rows for made in part for row in made])


def summary(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """By kind of heart: how many, how many failed what, and volumes over the cycle."""
    found = {}
    for kind, some in rows.groupby("hearts", sort=False):
        failed, strokes = some["failed"].str.split(","), some["sv_difference"].abs()
        overlap = {"Dice of the completed cycle: mean": float(some["dice"].mean())} if "dice" in some else {}
        found[str(kind)] = {
            "hearts": len(some),
            "valid": int((some["valid"] == "yes").sum()),
            **{f"failed {name}": int(failed.map(lambda names, name=name: name in names).sum()) for name in LIMITS},
            "end-diastole in frame 0, share": float((some["ed_excess"] <= 0).mean()),
            "wall volume, largest change over the cycle: median": float(some["wall_spread"].median()),
            "wall volume, largest change over the cycle: largest": float(some["wall_spread"].max()),
            "seam over the largest step: largest": float(some["seam"].max()),
            "LVSV less RVSV over their mean, size: median": float(strokes.median()),
            **overlap,
            f"stroke volumes within {STROKE_TOLERANCE:.0%}, share": float((strokes <= STROKE_TOLERANCE).mean()),
        }
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """Markdown."""
    kinds = list(found)
    lines = ["| | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name in found[kinds[0]]:
        cells = [found[kind][name] for kind in kinds]
        text = [str(v) if isinstance(v, int) else "n/a" if math.isnan(v) else f"{v:.3f}" for v in cells]
        lines.append(f"| {name} | " + " | ".join(text) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--hearts", type=int, default=1000, help="hearts of each kind")
    parser.add_argument("--model", default="bundled", help="a trained model")
    parser.add_argument("--seed", type=int, default=0, help="of all of them")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--by-sign", action="store_true", help="read out voxel by voxel, in this process (--jobs 1)")
    given = parser.parse_args()
    if given.by_sign:
        shape_basis.read_out = voxel.read_out = by_sign  # type: ignore[assignment]
        given.jobs = 1
    found = summary(measure_all(given.model, given.hearts, given.seed, given.jobs))
    print(json.dumps(found) if given.json else table(found))


if __name__ == "__main__":
    main()
