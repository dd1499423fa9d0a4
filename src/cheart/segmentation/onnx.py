"""Segmentation networks in ONNX's format, run by onnxruntime (an extra: ``cheart[onnx]``).

A network is a file; how images must be made ready for it is not in it. A recipe beside it, ``net.json`` for
``net.onnx``, says so:

    {"scheme": "acdc",            which number is which structure
     "axes": "xy",                what the network's height and width are: "yx" (rows, columns) unless said
     "spacing_mm": [1.25, 1.25],  resampled in plane to this, along its height and width; null leaves pixels as they are
     "fit": "pad",                pad or cut about the middle to the network's size; "square": cut the middle square and
                                  resample it to that size
     "intensity": "percentiles",  to 0 … 1 between two percentiles of the voxels above 0; "zscore": mean 0, SD 1; "none"
     "percentiles": [1, 99]}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from cheart.errors import InputError
from cheart.files import read_json
from cheart.io.cine import Cine
from cheart.labels import Scheme, parse_scheme
from cheart.progress import track

_BATCH = 8  # slices
_MULTIPLE = 32  # what networks of any size have their sides padded to: five halvings

_CHOICES = {"axes": ("yx", "xy"), "fit": ("pad", "square"), "intensity": ("percentiles", "zscore", "none")}


@dataclass(frozen=True)
class Recipe:
    """How images are made ready for a network; see the module.

    Raises:
        InputError: a word that is none of the choices, a size that is none, or percentiles out of order.
    """

    scheme: Scheme | None = None
    axes: str = "yx"
    spacing_mm: tuple[float, float] | None = None
    fit: str = "pad"
    intensity: str = "percentiles"
    percentiles: tuple[float, float] = (1.0, 99.0)

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(f"{name} {getattr(self, name)!r}: expected one of {', '.join(choices)}")
        if self.spacing_mm is not None and not all(size > 0 for size in self.spacing_mm):
            raise InputError(f"spacing_mm {list(self.spacing_mm)}: expected two pixel sizes above 0 mm, or null")
        if not 0 <= self.percentiles[0] < self.percentiles[1] <= 100:
            raise InputError(f"percentiles {list(self.percentiles)}: expected two from 0 to 100, the lower first")


def read_recipe(path: Path) -> Recipe:
    """The recipe beside a network; a plain one where there is none.

    Raises:
        InputError: no network there, or a recipe that is none.
    """
    if not path.is_file():
        raise InputError(f"--with onnx:{path}: there is no such file")
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return Recipe()
    said = read_json(beside)
    known = [field.name for field in fields(Recipe)]
    unknown = sorted(set(said) - set(known)) if isinstance(said, dict) else ["?"]
    if unknown:
        raise InputError(f"{beside}: {unknown[0]!r} is not understood; a recipe has {', '.join(known)}")
    try:
        return Recipe(**{name: _value(name, value) for name, value in said.items()})
    except InputError as error:
        raise InputError(f"{beside}: {error}") from None


def _value(name: str, value: Any) -> Any:
    if name == "scheme":
        return parse_scheme(str(value))
    if name in ("spacing_mm", "percentiles") and value is not None:
        try:
            low, high = map(float, value)
        except (TypeError, ValueError):
            raise InputError(f"{name} {value!r}: expected two numbers") from None
        return low, high
    return value


def segment_with_onnx(cine: Cine, path: Path, recipe: Recipe) -> NDArray[np.uint8]:
    """Label numbers [T, Z, Y, X] of a network that takes slices [N, 1, H, W] and gives scores [N, classes, H, W].

    Scores, not label numbers, are brought back to the image's pixels.

    Raises:
        InputError: onnxruntime is not installed, cannot load the file, or the network takes something else.
    """
    session = _session(path)
    entry = session.get_inputs()[0]
    size = _size(entry.shape, path)
    out = np.zeros(cine.values.shape, np.uint8)
    for t in track(range(cine.frames), total=cine.frames, title="Segmenting frames"):
        frame = _scaled(cine.values[t].astype(np.float32), recipe)
        for rows in _batches(len(frame)):
            slices = frame[rows] if recipe.axes == "yx" else frame[rows].transpose(0, 2, 1)
            spacing = cine.spacing[1:] if recipe.axes == "yx" else cine.spacing[:0:-1]
            labels = _segment_slices(session, entry.name, slices, spacing, size, recipe)
            out[t, rows] = labels if recipe.axes == "yx" else labels.transpose(0, 2, 1)
    return out


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise InputError("--with onnx:… needs onnxruntime: pip install 'cheart[onnx]'") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=onnxruntime.get_available_providers())
    except Exception as error:
        raise InputError(f"--with onnx:{path}: onnxruntime cannot load it ({str(error).splitlines()[0]})") from None


def _size(shape: list[Any], path: Path) -> tuple[int | None, int | None]:
    """Height and width that the network takes; None where it takes any."""
    if len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 1):
        raise InputError(f"--with onnx:{path}: its input is {shape}; expected slices [N, 1, height, width]")
    height, width = (n if isinstance(n, int) else None for n in shape[2:])
    return height, width


def _batches(count: int) -> Iterator[slice]:
    return (slice(i, min(i + _BATCH, count)) for i in range(0, count, _BATCH))


def _scaled(frame: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
    if recipe.intensity == "none":
        return frame
    if recipe.intensity == "zscore":
        return np.asarray((frame - frame.mean()) / max(float(frame.std()), 1e-6), np.float32)
    inside = frame[frame > 0]
    low, high = np.percentile(inside if inside.size else frame, recipe.percentiles)
    return np.asarray((np.clip(frame, low, high) - low) / max(high - low, 1e-6), np.float32)


def _segment_slices(
    session: Any, name: str, slices: NDArray[np.float32], spacing: tuple[float, ...],
    size: tuple[int | None, int | None], recipe: Recipe,
) -> NDArray[np.uint8]:  # fmt: skip
    """[N, H, W] to label numbers [N, H, W]."""
    scale, target = _layout(slices.shape[1:], spacing, size, recipe)
    ready = _moved(slices, scale, target)
    (scores, *_) = session.run(None, {name: ready[:, None]})
    if scores.ndim != 4 or scores.shape[2:] != target:
        raise InputError(
            f"the network gave {list(scores.shape)}, expected scores [N, classes, {target[0]}, {target[1]}]"
        )
    back = [_moved(scores[:, k], [1 / s for s in scale], slices.shape[1:]) for k in range(scores.shape[1])]
    labels = np.argmax(back, axis=0).astype(np.uint8)
    labels[:, ~_covered(slices.shape[1:], scale, target)] = 0
    return labels


def _layout(
    shape: tuple[int, ...], spacing: tuple[float, ...], size: tuple[int | None, int | None], recipe: Recipe
) -> tuple[list[float], tuple[int, int]]:
    """How many of the image's pixels one of the network's is, along height and width; and the network's size."""
    if recipe.fit == "square":
        side = size[0] or min(shape)
        return [min(shape) / side] * 2, (side, size[1] or side)
    scale = (
        [1.0, 1.0] if recipe.spacing_mm is None else [w / h for w, h in zip(recipe.spacing_mm, spacing, strict=True)]
    )
    whole = [-(-int(np.ceil(n / s)) // _MULTIPLE) * _MULTIPLE for n, s in zip(shape, scale, strict=True)]
    return scale, (size[0] or whole[0], size[1] or whole[1])


def _moved(slices: NDArray[np.floating], scale: list[float], target: tuple[int, ...]) -> NDArray[np.float32]:
    """Slices [N, H, W] resampled about their middle, to another size; each pixel stands for its own area."""
    matrix = np.diag([1.0, *scale])
    middle, other = (np.array([0.0, *((n - 1) / 2 for n in shape)]) for shape in (slices.shape[1:], target))
    smooth = np.asarray(slices, np.float32)
    return affine_transform(
        smooth, matrix, middle - matrix @ other, output_shape=(len(slices), *target), order=1, mode="constant"
    )


def _covered(shape: tuple[int, ...], scale: list[float], target: tuple[int, int]) -> NDArray[np.bool_]:
    """[H, W] the pixels that the network saw."""
    reach = [
        np.abs(np.arange(n) - (n - 1) / 2) <= s * m / 2 for n, s, m in zip(shape, scale, target, strict=True)
    ]  # fmt: skip
    return reach[0][:, None] & reach[1][None]
