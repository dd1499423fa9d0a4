"""How often the intervals of a model of simulated hearts hold what real ones do, and by how much wider they must be.

    python -m benchmarks.real_intervals acdc [--model clinical] [--samples 20]

``acdc`` is a cohort of ``cheart import acdc``. End-diastole is given, no diagnosis. Of end-systolic volumes and
ejection fractions: the share inside the 50, 80 and 90 % intervals that ``cheart complete -n`` gives (the samples' mean
and SD, times the model's own widening), without the factor for real hearts (:data:`cheart.completions.REAL`) and with
it. The factor is the conformal quantile of 90 % over all; "held out" is the share inside by the factor of the other
four fifths. Twenty minutes of a core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import cheart
from cheart.completions import REAL
from cheart.evaluation.prediction import evaluate_prediction
from cheart.metrics.proper_scores import conformal_quantile

NORMAL = {50: 0.6745, 80: 1.2816, 90: 1.6449}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--model", default="clinical")
    parser.add_argument("--samples", type=int, default=20)
    asked = parser.parse_args()
    model, cohort = cheart.load(asked.model), cheart.Cohort.open(asked.cohort).without("group")
    found = evaluate_prediction(model, cohort, split="all", samples=asked.samples, jobs=-1)
    own, fifth = model.network.widening(), np.arange(len(found.people)) % 5
    print("| | 50 % | 80 % | 90 % | factor | 90 %, held out | with REAL: 50 % | 80 % | 90 % |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in ("lvesv", "lvef", "rvesv", "rvef"):
        drawn, truth = found.drawn(name), found.people[f"real_{name}"].to_numpy(float)
        off = np.abs(truth - drawn.mean(axis=1)) / (drawn.std(axis=1, ddof=1) * own.get(name, 1.0))
        held = np.mean([off[fifth == k] <= conformal_quantile(off[fifth != k], 0.9) for k in range(5)])
        before, after = ([np.mean(off < z * by) for z in NORMAL.values()] for by in (1.0, REAL[name]))
        cells = [*before, conformal_quantile(off, 0.9) / NORMAL[90], held, *after]
        print(f"| {name} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
