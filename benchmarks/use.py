"""Loading a model, generating and completing hearts on the paper's grid, and reading hearts for training.

    python -m benchmarks.use [--repeats 5] [--json]

The bundled model, and the laptop preset's network at its linear start: what its weights are does not change the work.
Wall-clock medians on all cores that numpy and torch take; peak memory of this process before and after many hearts.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmarks.few_hearts import FewHearts
from benchmarks.measure import medians_s, options, peak_gib

from cheart.evidence import Evidence
from cheart.model import load
from cheart.models.store import read_model, write_config, write_weights

MANY = 20
"""Hearts after which memory is looked at again."""


def measure_all(repeats: int) -> dict[str, float]:
    """Seconds of each work, and memory."""
    start = time.perf_counter()
    load().generate({"age": 63, "sex": "F"})[0]
    bundled = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        hearts, model = FewHearts.simulate(Path(folder) / "few"), Path(folder) / "model"
        network, _, _ = hearts.laptop()
        model.mkdir()
        write_config(model, network)
        write_weights(model, network)
        start = time.perf_counter()
        loaded = read_model(model).network
        person = hearts.encoding.encode([hearts.cohort.conditions(0)])[0]
        loaded.generate(person, seed=0)
        first = time.perf_counter() - start
        labels, observed = hearts.cohort.labels(0), hearts.cohort.observed[0]
        evidence = Evidence.of_frame(labels[0], observed[0], hearts.cohort.frames)
        works = {
            "loading the bundled model": load,
            "loading a model": lambda: read_model(model),
            "generating a heart (20 frames)": lambda: loaded.generate(person, seed=1),
            "completing a heart (20 frames)": lambda: loaded.complete(evidence, person),
            "reading a heart into normal forms": lambda: hearts.on(network.representation.basis, np.arange(1)),
        }
        taken = medians_s(works, repeats)
        before = peak_gib()
        for seed in range(MANY):
            loaded.generate(person, seed=seed)
    firsts = {"loading and generating the first heart": first, "the same by the bundled model": bundled}
    return {**firsts, **taken, "grown_mib": 1024 * (peak_gib() - before)}


def as_text(result: dict[str, float]) -> str:
    """For people."""
    lines = [f"  {name:40s}{seconds:8.3f} s" for name, seconds in result.items() if name != "grown_mib"]
    return "\n".join([*lines, f"  {MANY} more hearts took {result['grown_mib']:.0f} MiB more memory"])


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, repeats=5).parse_args()
    result = measure_all(asked.repeats)
    print(json.dumps(result) if asked.json else as_text(result))


if __name__ == "__main__":
    main()
