"""60 runs that are killed and 20 that meet a full disk: what they leave, and what comes of going on.

    python -m benchmarks.reliability [--kills 60] [--full 20] [--seed 0] [--work DIR]

Each of simulate, import, train and generate is run once unbroken on a tiny cohort. Then it is begun again and again: a
kill (SIGKILL and SIGTERM in turn) comes at a random time of its duration, and the same command goes on with
``--resume``, or from the start where nothing was left to go on with. All files must be those of the unbroken run, byte
for byte, but for the time at which they were made. A full disk is a small tmpfs (root and Linux; elsewhere a limit of
the size of files is set in its place): the command must end with code 1 and one line, and with the room that it needs
go on to the same files.  Commands run in forks of this process, which has imported everything: a start of Python would
take longer than they do.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

GRID = ["--grid", "32x32x32@5x5x4", "--frames", "4"]
FAILED = 99
"""The exit code of an exception that came through; none of cheart's."""
NET = ["--preset", "quick", *(w for s in ("epochs=60", "modes=5", "hidden=16", "latent=4") for w in ("--set", s))]


@dataclass(frozen=True)
class Verb:
    """A command that can go on.

    Attributes:
        name: of the verb.
        words: its arguments, for the folder that it writes.
    """

    name: str
    words: Callable[[Path], list[str]]


def run(words: list[str], *, kill: tuple[int, float] | None = None, largest: int = 0) -> tuple[int, str, float]:
    """Run ``cheart`` in a fork; its exit code (minus a signal's number), its last words, and its seconds.

    Args:
        words: the arguments.
        kill: a signal and when to send it.
        largest: bytes that a file may have; 0 for no limit.
    """
    started, said = time.perf_counter(), tempfile.TemporaryFile()  # noqa: SIM115
    child = os.fork()
    if child == 0:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        code = FAILED
        try:
            if largest:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
            sys.argv = ["cheart", *words]
            from cheart.cli.main import main

            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException as error:
            print(f"Traceback: {error!r}")
        finally:
            sys.stdout.flush()
            os._exit(code)
    if kill is not None:
        time.sleep(kill[1])
        os.kill(child, kill[0])
    status = os.waitpid(child, 0)[1]
    said.seek(0)
    return os.waitstatus_to_exitcode(status), said.read().decode(errors="replace"), time.perf_counter() - started


def contents(folder: Path) -> dict[str, bytes]:
    """All that does not say when or how fast it was made."""
    out = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        if name in ("checksums.sha256", "metrics.csv", "checkpoint.safetensors") or name.startswith("tensorboard"):
            continue  # seconds, and digests of what says when
        if name in ("cohort.json", "run.json", "result.json"):
            about = json.loads(content)
            about = {k: v for k, v in about.items() if k not in ("provenance", "made", "first_started", "command")}
            about.pop("training_seconds", None)
            content = json.dumps(about, sort_keys=True).encode()
        out[name] = content
    return out


def same(out: Path, whole: Path, what: str) -> None:
    """Two folders of the same files."""
    one, two = contents(out), contents(whole)
    other = [name for name in {*one, *two} if one.get(name) != two.get(name)]
    assert not other, (what, other)


def go_on(verb: Verb, out: Path) -> str:
    """Finish what was stopped; in a word how."""
    code, said, _ = run([*verb.words(out), "--resume"])
    if code == 2 and ("leave --resume out" in said or "leave it out to start" in said):
        code, said, _ = run(verb.words(out))
        assert code == 0, (verb.name, said)
        return "begun anew"
    assert code == 0, (verb.name, code, said)
    return "gone on"


def killed(verb: Verb, whole: Path, seconds: float, out: Path, rng: random.Random, how: int) -> str:
    """Kill a run at a random time and finish it; in a word what came of it."""
    code, said, _ = run(verb.words(out), kill=(how, rng.uniform(0.02, 1) * seconds))
    assert code != FAILED, said
    if code == 0:
        came = "ended before"
    else:
        assert code in (-signal.SIGKILL, 130, -signal.SIGTERM), (code, said)
        assert not out.exists() or verb.name in ("train", "generate"), "a cohort is whole or not there"
        came = go_on(verb, out)
    same(out, whole, f"{verb.name}, {came}")
    left = [path.name for path in out.parent.iterdir() if path != out]
    assert not left, left
    shutil.rmtree(out)
    return came


def full(verb: Verb, whole: Path, room: Path, part: float) -> str:
    """Run into a full disk, make room, and finish; in a word how the disk was filled."""
    need = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    room.mkdir()
    size = int(part * need)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={max(size, 4096)}", "tmpfs", str(room)], capture_output=True, check=False
    )
    tmpfs = mounted.returncode == 0
    largest = 0 if tmpfs else max(1, int(part * max(p.stat().st_size for p in whole.rglob("*") if p.is_file())))
    out = room / "out"
    try:
        code, said, _ = run(verb.words(out), largest=largest)
        lines = [line for line in said.splitlines() if not line.startswith("warning:")]
        assert code == 1, (verb.name, code, said)
        assert len(lines) == 1, (verb.name, said)
        assert lines[0].startswith("cheart: "), said
        if tmpfs:
            subprocess.run(["mount", "-o", "remount,size=1g", str(room)], check=True)
        go_on(verb, out)
        same(out, whole, f"{verb.name}, full disk")
    finally:
        if tmpfs:
            subprocess.run(["umount", "-l", str(room)], check=True)
        shutil.rmtree(room)
    return "tmpfs" if tmpfs else "limit of a file's size"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--full", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=None)
    asked = parser.parse_args()
    import torch

    import cheart
    import cheart.cli.main
    import cheart.datasets.importing
    import cheart.export.hearts
    import cheart.training.train

    torch.set_num_threads(1)
    rng = random.Random(asked.seed)
    work = Path(tempfile.mkdtemp(dir=asked.work))
    cheart.simulate(work / "source", n=14, seed=1, grid="32x32x32@5x5x4", frames=4, nifti=True, jobs=1)
    table = work / "source" / "nifti" / "participants.tsv"
    place = work / "out"
    verbs = [
        Verb("simulate", lambda out: ["simulate", str(out), "-n", "14", *GRID, "--jobs", "1"]),
        Verb("import", lambda out: ["import", "nifti", str(table.parent), str(out), "--participants", str(table),
                                    "--scheme", "cheart", *GRID, "--jobs", "1"]),
        Verb("train", lambda out: ["train", str(work / "source"), "-o", str(out), *NET, "--jobs", "1"]),
        Verb("generate", lambda out: ["generate", str(work / "train"), "-o", str(out), "-n", "14", "--age", "50",
                                      "--jobs", "1"]),
    ]  # fmt: skip
    seconds = {}
    for verb in verbs:
        code, said, seconds[verb.name] = run(verb.words(work / verb.name))
        assert code == 0, said
    try:
        for verb in verbs:
            came = Counter[str]()
            for number in range(asked.kills // len(verbs)):
                how = signal.SIGKILL if number % 2 == 0 else signal.SIGTERM
                place.parent.joinpath("one").mkdir()
                came[killed(verb, work / verb.name, seconds[verb.name], work / "one" / "out", rng, how)] += 1
                (work / "one").rmdir()
            print(f"{verb.name:9} {sum(came.values())} kills: {dict(came)}; all byte-identical", flush=True)
        for verb in verbs:
            filled = Counter[str]()
            for part in np.linspace(0.05, 0.9, asked.full // len(verbs)):
                filled[full(verb, work / verb.name, work / "room", float(part))] += 1
            print(
                f"{verb.name:9} {sum(filled.values())} full disks ({dict(filled)}): one line, then byte-identical",
                flush=True,
            )
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
