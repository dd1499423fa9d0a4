"""Kills at random times and full disks: ``python -m benchmarks.reliability``, fewer of them."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.faults
@pytest.mark.skipif(sys.platform == "win32", reason="kills are POSIX signals")
def test_what_is_killed_or_meets_a_full_disk_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    words = ["--kills", "16", "--full", "8", "--seed", "1", "--work", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reliability", *words], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("byte-identical") == 8
    assert not list(tmp_path.iterdir())
