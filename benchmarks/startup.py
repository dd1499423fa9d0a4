"""How long it takes to start: fresh processes, wall-clock medians.

python -m benchmarks.startup [--repeats 7] [--json]
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.measure import medians_s, options

STARTS = {
    "python alone": ["-c", "pass"],
    "import cheart": ["-c", "import cheart"],
    "cheart --help": ["-m", "cheart", "--help"],
    "cheart generate --help": ["-m", "cheart", "generate", "--help"],
}


def start(arguments: list[str]) -> None:
    """Run python to its end."""
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def measure_all(repeats: int) -> dict[str, float]:
    """Seconds of each start."""
    return medians_s({name: lambda given=given: start(given) for name, given in STARTS.items()}, repeats)  # type: ignore[misc]


def as_text(result: dict[str, float]) -> str:
    """For people."""
    return "\n".join(f"  {name:40s}{seconds:8.3f} s" for name, seconds in result.items())


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, repeats=7, of="starts").parse_args()
    result = measure_all(asked.repeats)
    print(json.dumps(result) if asked.json else as_text(result))


if __name__ == "__main__":
    main()
