"""Stand-ins for segmentation networks whose answer is known: the image's intensity says its label."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SCALE = 100
"""Intensity of label n is n × SCALE."""

PROGRAM = f"""\
import sys
import nibabel as nib, numpy as np
image = nib.load(sys.argv[1])
labels = nib.Nifti1Image(np.round(np.asarray(image.dataobj) / {SCALE}).astype("u1"), image.affine)
nib.save(labels, sys.argv[2])
"""

NNUNET = f"""\
#!{sys.executable}
import json, sys
from pathlib import Path
import nibabel as nib, numpy as np
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
out = Path(words["-o"])
out.mkdir()
(Path(words["-m"]) / "called.json").write_text(json.dumps(sys.argv[1:]))
for path in Path(words["-i"]).glob("*_0000.nii.gz"):
    image = nib.load(path)
    labels = nib.Nifti1Image(np.round(np.asarray(image.dataobj) / {SCALE}).astype("u1"), image.affine)
    nib.save(labels, out / path.name.replace("_0000", ""))
"""


def program(folder: Path, text: str = PROGRAM) -> str:
    """A program that segments {cine} in one run, as a command."""
    path = folder / "segment it.py"
    path.write_text(text)
    return f"command:{sys.executable} '{path}' {{cine}} {{out}}"


def nnunet(folder: Path, labels: dict[str, int]) -> tuple[Path, Path]:
    """A model folder as nnU-Net leaves it, and a folder with its program."""
    import json

    model, programs = folder / "model", folder / "bin"
    for place in (model / "fold_0", model / "fold_all", programs):
        place.mkdir(parents=True)
    (model / "fold_0" / "checkpoint_final.pth").touch()
    (model / "plans.json").write_text("{}")
    (model / "dataset.json").write_text(json.dumps({"labels": labels}))
    path = programs / "nnUNetv2_predict_from_modelfolder"
    path.write_text(NNUNET)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return model, programs


def write_onnx(path: Path, *, classes: int = 4, size: int | None = None, top: float = 1.0) -> Path:
    """A network [N, 1, H, W] → [N, classes, H, W]: the score of class k is −(intensity − k·top/(classes − 1))²."""
    steps = (np.arange(classes) * top / (classes - 1)).astype("<f4")
    tensor = _field(1, 1) + _field(1, classes) + _field(1, 1) + _field(1, 1) + _field(2, 1)
    tensor += _field(8, b"steps") + _field(9, steps.tobytes())
    nodes = [(["image", "steps"], "d", "Sub"), (["d", "d"], "dd", "Mul"), (["dd"], "scores", "Neg")]
    side: str | int = "H" if size is None else size
    graph = b"".join(_field(1, _node(*node)) for node in nodes) + _field(2, b"net") + _field(5, tensor)
    graph += _field(11, _value("image", ["N", 1, side, side])) + _field(
        12, _value("scores", ["N", classes, side, side])
    )
    path.write_bytes(_field(1, 8) + _field(8, _field(1, b"") + _field(2, 13)) + _field(7, graph))
    return path


def _node(inputs: Sequence[str], output: str, kind: str) -> bytes:
    return b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode()) + _field(4, kind.encode())


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_field(1, _field(1, n) if isinstance(n, int) else _field(2, n.encode())) for n in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))


def _field(number: int, value: int | bytes) -> bytes:
    """Protocol buffers: a whole number, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
