import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cheart.files import read_json
from cheart.training.train import train

pytestmark = pytest.mark.slow

SETTINGS = ["epochs=150", "modes=5", "hidden=16", "latent=4", "embedding=4"]
OPTIONS = ["--preset", "quick", *(word for s in SETTINGS for word in ("--set", s)), "--seed", 3, "--jobs", 1]


@pytest.fixture(scope="module")
def unbroken(cohort, tmp_path_factory):
    """A training that nobody stopped."""
    path = tmp_path_factory.mktemp("unbroken") / "run"
    train(cohort, path, preset="quick", settings=SETTINGS, seed=3, jobs=1)
    return path


def command(cohort: Path, run: Path) -> list[str]:
    return [sys.executable, "-m", "cheart", "train", str(cohort), "-o", str(run), *map(str, OPTIONS)]


def stop(cohort: Path, run: Path, how: signal.Signals, *, when: str) -> int:
    """Start a training and send it a signal as soon as a file of the run is there; the exit code."""
    # A child of a shell's background job ignores Ctrl-C; one in a session of its own does not.
    going = subprocess.Popen(
        command(cohort, run), stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (run / when).is_file() and going.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(going.pid, how)
    going.communicate(timeout=120)
    return going.returncode


@pytest.mark.parametrize(
    ("how", "when"),
    [
        (signal.SIGINT, "checkpoint.safetensors"),
        pytest.param(signal.SIGKILL, "config.json", marks=pytest.mark.faults),
    ],
)
def test_a_training_that_is_stopped_goes_on_to_the_same_weights(cheart, cohort, unbroken, tmp_path, how, when):
    run = tmp_path / "run"
    assert stop(cohort.path, run, how, when=when) == {signal.SIGINT: 130, signal.SIGKILL: -9}[how]
    assert not read_json(run / "run.json")["finished"], "it was stopped on the way"
    answer = cheart("train", cohort.path, "-o", run, "--resume", "--jobs", 1)
    assert answer.code == 0, answer
    assert (run / "model.safetensors").read_bytes() == (unbroken / "model.safetensors").read_bytes()
    assert read_json(run / "run.json")["seed"] == 3
    assert read_json(run / "config.json")["preset"] == "quick"
    assert not list(run.glob("*partial*")), "nothing half-written is left"


def test_training_says_how_it_went(cheart, cohort, tmp_path):
    options = ["--preset", "quick", "--set", "epochs=2", "--set", "modes=4", "--jobs", 1]
    answer = cheart("train", cohort.path, "-o", tmp_path / "run", *options, "--json")
    value = json.loads(answer.out)
    assert value["epochs"] == 2
    assert value["best_epoch"] in (1, 2)
    more = cheart("train", cohort.path, "-o", tmp_path / "more", "--from", tmp_path / "run", "--set", "epochs=1")
    assert "1 epochs in" in more.out
    assert read_json(tmp_path / "more" / "run.json")["started_from"] == "run"


@pytest.mark.usefixtures("tiny_bundled")
def test_training_goes_on_from_the_bundled_model(cheart, cohort, tmp_path):
    answer = cheart("train", cohort.path, "-o", tmp_path / "run", "--from", "bundled", "--set", "epochs=1", "--jobs", 1)
    assert answer.code == 0, answer
    assert read_json(tmp_path / "run" / "run.json")["started_from"] == "bundled"


def test_what_does_not_go_together_is_refused_and_nothing_is_left(refused, cohort, run, tmp_path):
    assert "--resume" in refused("train", cohort.path, "-o", run)
    assert "holds no run" in refused("train", cohort.path, "-o", tmp_path / "new", "--resume")
    assert "quick, laptop, paper" in refused("train", cohort.path, "-o", tmp_path / "new", "--preset", "big")
    assert "give epochs once" in refused(
        "train", cohort.path, "-o", tmp_path / "new", "--set", "epochs=1", "--set", "epochs=2"
    )
    assert "is no cohort" in refused("train", tmp_path, "-o", tmp_path / "new")
    assert not list(tmp_path.iterdir())
