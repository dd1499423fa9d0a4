"""Other people's segmentation networks, each as one function: a cine image in, the label numbers of every frame out.

    nnunet:FOLDER               a trained nnU-Net v2 model, run by its own command line in its own environment
    onnx:FILE                   a network in ONNX's format, run here (:mod:`cheart.segmentation.onnx`)
    command:"tool {in} {out}"   any program that reads a NIfTI image and writes a NIfTI label map, a run a frame
    command:"tool {cine} {out}" the same, one run for the whole cycle in one file

Programs are given files in a folder of their own, which is taken away again; no shell reads the command.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.io.cine import Cine
from cheart.io.nifti import read_frames, write_image
from cheart.labels import STRUCTURES, Scheme, parse_scheme
from cheart.progress import bar, track
from cheart.schemas import Open, read_checked

EXPECTED = 'nnunet:MODEL_FOLDER, onnx:FILE or command:"program {in} {out}"'
NNUNET = "nnUNetv2_predict_from_modelfolder"

_LAST_WORDS = 400  # characters of what a program said before it failed
_POLL_S = 0.1

Run = Callable[[Cine, float], NDArray]
"""Segments a cine: takes it and the seconds that it may take, gives label numbers [T, Z, Y, X]."""


@dataclass(frozen=True)
class Engine:
    """A segmentation network that is ready to run.

    Attributes:
        name: as the user gave it.
        run: segments.
        scheme: which label numbers it gives, None where it does not say.
    """

    name: str
    run: Run
    scheme: Scheme | None = None


def find_engine(name: str) -> Engine:
    """The engine that a text such as ``onnx:net.onnx`` names.

    Raises:
        InputError: another kind, or what it names is not there or cannot be run here.
    """
    kind, colon, what = name.partition(":")
    makers = {"nnunet": _nnunet, "onnx": _onnx, "command": _command}
    if not colon or not what.strip() or kind not in makers:
        raise InputError(f"--with {name!r}: expected {EXPECTED}")
    return makers[kind](name, what.strip())


def _onnx(name: str, what: str) -> Engine:
    from cheart.segmentation.onnx import read_recipe, segment_with_onnx

    path = Path(what).expanduser()
    recipe = read_recipe(path)
    return Engine(name, lambda cine, _: segment_with_onnx(cine, path, recipe), recipe.scheme)


def _nnunet(name: str, what: str) -> Engine:
    folder = Path(what).expanduser()
    folds = sorted(
        path.name.removeprefix("fold_") for path in folder.glob("fold_*") if any(path.glob("checkpoint_*.pth"))
    )
    if not folds or not (folder / "plans.json").is_file():
        raise InputError(
            f"--with {name}: {folder} has no plans.json with a trained fold_*/checkpoint_final.pth beside it; give the "
            "folder nnUNet_results/DatasetNNN_Name/nnUNetTrainer__nnUNetPlans__2d or the like"
        )
    program = shutil.which(NNUNET)
    if program is None:
        raise InputError(
            f"--with {name}: {NNUNET} is not on the PATH; install nnU-Net in an environment of its own "
            "(docs/how-to-segment.md) and put that environment's bin on the PATH"
        )
    final = all((folder / f"fold_{fold}" / "checkpoint_final.pth").is_file() for fold in folds)
    checkpoint = "checkpoint_final.pth" if final else "checkpoint_best.pth"
    described = read_checked(folder / "dataset.json", Open) if (folder / "dataset.json").is_file() else {}
    return Engine(name, partial(_run_nnunet, program, folder.resolve(), folds, checkpoint), scheme_of(described))


def scheme_of(dataset: Mapping[str, object]) -> Scheme | None:
    """The label numbers that nnU-Net's ``dataset.json`` declares, if its names are understood, else None.

    >>> scheme_of({"labels": {"background": 0, "RV": 1, "MYO": 2, "LV": 3}})
    {0: 0, 1: 3, 2: 2, 3: 1}
    """
    labels = dataset.get("labels")
    if not isinstance(labels, dict):
        return None
    words = {"lv": "lv", "myo": "myo", "rv": "rv", "left": "lv", "right": "rv", "lvm": "myo", "lvc": "lv", "rvc": "rv"}
    found = {}
    for text, number in labels.items():
        first = str(text).lower().replace("_", " ").split()[0]
        key = "myo" if first.startswith("myo") or "myo" in str(text).lower() else words.get(first)
        if key in STRUCTURES and isinstance(number, int):
            found[number] = key
    if sorted(found.values()) != sorted(STRUCTURES):
        return None
    return parse_scheme(",".join(f"{number}={found[number]}" for number in sorted(found)))


def _run_nnunet(
    program: str, folder: Path, folds: Sequence[str], checkpoint: str, cine: Cine, timeout_s: float
) -> NDArray:
    with TemporaryDirectory(prefix="cheart-") as place:
        images, labels = Path(place) / "images", Path(place) / "labels"
        images.mkdir()
        for t in range(cine.frames):
            write_image(images / f"frame_{t:03d}_0000.nii.gz", cine.values[t], cine.affine)
        device = "cuda" if shutil.which("nvidia-smi") else "cpu"
        words = ["-i", images, "-o", labels, "-m", folder, "-f", *folds, "-chk", checkpoint, "-device", device]
        words += ["--disable_tta"] if device == "cpu" else []  # mirrored images cost four times as long
        plain = {"nnUNet_compile": "f"}
        _call([program, *map(str, words)], timeout_s, place, plain, results=labels, total=cine.frames)
        return np.stack([_label_map(labels / f"frame_{t:03d}.nii.gz", cine, 1)[0] for t in range(cine.frames)])


def _command(name: str, what: str) -> Engine:
    try:
        words = shlex.split(what)
    except ValueError as error:
        raise InputError(f"--with {name!r}: cannot be split into words ({error}); mend the quotes") from None
    whole = any("{cine}" in word for word in words)
    if not any("{out}" in word for word in words) or not (whole or any("{in}" in word for word in words)):
        raise InputError(
            f"--with {name!r}: the command needs {{in}} (the image of one frame; {{cine}}: all frames in one file) and "
            "{out} (the label map that it writes), as in command:'segment {in} {out}'"
        )
    if shutil.which(words[0]) is None:
        raise InputError(f"--with {name!r}: there is no program {words[0]!r}; give its path, or mend the PATH")
    return Engine(name, partial(_run_command, words, whole))


def _run_command(words: Sequence[str], whole: bool, cine: Cine, timeout_s: float) -> NDArray:
    frames = [cine.values] if whole else list(cine.values)
    made = []
    with TemporaryDirectory(prefix="cheart-") as place:
        for t, values in enumerate(track(frames, total=len(frames), title="Segmenting frames")):
            image, out = Path(place) / f"frame_{t:03d}.nii.gz", Path(place) / f"frame_{t:03d}_labels.nii.gz"
            write_image(image, values, cine.affine, frame_s=cine.frame_s)
            names = {"{in}": str(image), "{cine}": str(image), "{out}": str(out)}
            _call([_filled(word, names) for word in words], timeout_s, place)
            made.append(_label_map(out, cine, len(values) if whole else 1))
    return np.concatenate(made)


def _filled(word: str, names: Mapping[str, str]) -> str:
    for mark, path in names.items():
        word = word.replace(mark, path)
    return word


def _call(
    words: Sequence[str],
    timeout_s: float,
    place: str,
    more: Mapping[str, str] | None = None,
    *,
    results: Path | None = None,
    total: int = 0,
) -> None:
    """Run a program and wait; what it prints is shown only where it fails.

    It is the head of a process group of its own, all of which is ended where it takes too long or a person stops it.

    Args:
        words: the program and its arguments.
        timeout_s: how long it may take.
        place: a folder for what it prints.
        more: of its environment.
        results: a folder that it fills with label maps, to show how far it is.
        total: how many there will be.

    Raises:
        InputError: it took too long, failed, or cannot be started.
    """
    log, end = Path(place) / "said.txt", time.monotonic() + timeout_s
    with log.open("wb") as said, bar(total, "Segmenting frames", shown=results is not None) as move:
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env={**os.environ, **(more or {})},
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise InputError(f"{words[0]} cannot be started: {error.strerror}; mend the command") from None
        try:
            while process.poll() is None:
                if time.monotonic() > end:
                    raise InputError(
                        f"{Path(words[0]).name} was stopped after {timeout_s:g} s without a result; allow more with "
                        "--timeout"
                    )
                time.sleep(_POLL_S)
                if results is not None and results.is_dir():
                    move(len(list(results.glob("*.nii.gz"))), "")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if process.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").strip()[-_LAST_WORDS:]
        raise InputError(
            f"{Path(words[0]).name} failed (exit code {process.returncode}): "
            f"{' '.join(tail.split()) or 'it said nothing'}"
        )


def _label_map(path: Path, cine: Cine, frames: int) -> NDArray:
    """[T, Z, Y, X] what a program wrote, on the image's own voxels."""
    if not path.is_file():
        raise InputError(
            f"the segmentation wrote no {path.name} ({{out}}), though it reported no error; mend the command"
        )
    values, affine, _ = read_frames(path, spacing="affine")
    expected = (frames, *cine.values.shape[1:])
    if values.shape != expected or not np.allclose(affine, cine.affine, atol=1e-2):
        raise InputError(
            f"the segmentation's label map has shape (T, Z, Y, X) = {values.shape}, expected {expected}"
            + (" on the image's own voxels" if values.shape == expected else "")
            + "; let the program write it on the voxels of its input"
        )
    return values
