"""The table of the README's performance section, in one command (about 6 minutes on two cores).

    python -m benchmarks [--full]

Runs the benchmarks of training, use, start-up and evaluation, each in a process of its own, and prints one Markdown
table; ``--full`` prints what each of them says as well. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from typing import Any

NAMES = ("training", "use", "startup", "evaluation")


def run(name: str) -> dict[str, Any]:
    """What a benchmark says, in numbers."""
    print(f"… {name}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", "--json"], check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown: what, how long, and against what."""
    training, use, startup, evaluation = (results[name] for name in NAMES)
    seconds, laptop, peak = training["seconds_a_subject"], training["laptop"], training["peak_gib"]
    names = list(seconds)
    plain, paper = seconds[names[0]], seconds[names[-1]]
    generation = [row for row in evaluation["rows"] if row["what"].startswith("generation")]
    table_ii = evaluation["table_ii_minutes_on_two_cores"]
    lines = [
        f"{training['threads']} cores, {training['matrix_product_GFLOP_per_s']:.0f} GFLOP/s of matrix product, "
        f"{training['copy_GB_per_s']:.0f} GB/s copied; the paper's grid, 20 frames",
        "",
        "| | | |",
        "|---|---|---|",
        f"| training step a subject, network as released | {plain:.2f} s | 1× |",
        f"| the paper's network, same arithmetic | {paper:.2f} s | {plain / paper:.1f}× |",
        f"| `laptop` preset, an epoch, a subject | {1000 * laptop['epoch_a_subject']:.1f} ms "
        f"| {plain / laptop['epoch_a_subject']:.0f}× |",
        f"| … with its part of reading and basis | {1000 * laptop['in_all_a_subject']:.1f} ms "
        f"| {plain / laptop['in_all_a_subject']:.0f}× |",
        f"| peak memory, the paper's network in batches of 8 | {peak['paper, batch 8']:.1f} GiB "
        f"| as released, batch 1: {peak['released, batch 1']:.1f} GiB |",
        f"| generate a heart | {use['generating a heart (20 frames)']:.2f} s | |",
        f"| complete a heart | {use['completing a heart (20 frames)']:.2f} s | |",
        f"| load the bundled model and generate the first heart | {use['the same by the bundled model']:.2f} s | |",
        f"| `cheart --help`; `import cheart` | {startup['cheart --help']:.2f} s; {startup['import cheart']:.2f} s "
        f"| python alone: {startup['python alone']:.2f} s |",
        *(
            f"| surface distances of a frame, {row['method']} | {row['milliseconds']:.1f} ms "
            f"| {'' if row['ratio'] == 1 else format(row['ratio'], '.1f') + '× slower'} |"
            for row in generation
        ),
        f"| Table II in full, projected | {sum(table_ii.values()):.0f} min | |",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run all and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="print each benchmark's own table as well")
    asked = parser.parse_args()
    results = {name: run(name) for name in NAMES}
    print(table(results))
    if asked.full:
        for name, result in results.items():
            print(f"\n{name}\n\n{importlib.import_module(f'benchmarks.{name}').as_text(result)}")


if __name__ == "__main__":
    main()
