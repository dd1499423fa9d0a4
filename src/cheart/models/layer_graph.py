"""A network as a short list of plain layers, which another program can run: the page in a browser does.

A step takes what earlier ones left, matrices of one row or of one row a frame, and leaves its own:

    linear    x Wᵀ + b                        relu, silu    of every number
    add       of several, one row for all     concat        of several, side by side
    take      columns from … to               cos           of every number
    motion    start + Σ_k waves[t, k] · amplitudes[k]: one row to one row a frame
              (:class:`cheart.models.latent.HarmonicModule`)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LayerGraph:
    """Layers in the order in which they run.

    Attributes:
        steps: plain JSON values: ``op``, ``from`` (names), ``to`` (a name), and an op's own.
        tensors: what steps name as ``weight`` [out, in], ``bias`` [out] and ``waves`` [T, K].
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    tensors: dict[str, Matrix] = field(default_factory=dict)

    def add(self, op: str, to: str, *given: str, tensors: Mapping[str, Any] | None = None, **more: Any) -> str:
        """Append a step; returns ``to``."""
        named = {}
        for name, value in (tensors or {}).items():
            array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
            named[name] = f"{to}.{name}"
            self.tensors[named[name]] = np.ascontiguousarray(array, np.float32)
        self.steps.append({"op": op, "from": list(given), "to": to, **named, **more})
        return to

    def linear(self, to: str, given: str, weight: Any, bias: Any = None) -> str:
        """Append x Wᵀ + b."""
        return self.add("linear", to, given, tensors={"weight": weight} | ({} if bias is None else {"bias": bias}))

    def sequence(self, to: str, given: str, layers: nn.Sequential) -> str:
        """Append linear layers, ReLU and SiLU as PyTorch has them."""
        last = len(layers) - 1
        for i, layer in enumerate(layers):
            name = to if i == last else f"{to}.{i}"
            if isinstance(layer, nn.Linear):
                given = self.linear(name, given, layer.weight, layer.bias)
            else:
                given = self.add({nn.ReLU: "relu", nn.SiLU: "silu"}[type(layer)], name, given)
        return given

    def run(self, **inputs: Matrix) -> dict[str, Matrix]:
        """Everything that the steps leave of what is given, by name; the page's JavaScript is this in other words."""
        found = dict(inputs)
        for step in self.steps:
            if step["to"] not in inputs and all(name in found for name in step["from"]):
                given = [found[name] for name in step["from"]]
                found[step["to"]] = _OPS[step["op"]](step, self.tensors, *given)
        return found


def _linear(step: dict[str, Any], tensors: Mapping[str, Matrix], x: Matrix) -> Matrix:
    out = x @ tensors[step["weight"]].T
    return out + tensors[step["bias"]] if "bias" in step else out


def _motion(step: dict[str, Any], tensors: Mapping[str, Matrix], start: Matrix, amplitudes: Matrix) -> Matrix:
    waves = tensors[step["waves"]]
    motion = waves @ amplitudes.reshape(waves.shape[1], -1)
    return motion + np.pad(start, ((0, 0), (0, motion.shape[1] - start.shape[1])))


_OPS: dict[str, Any] = {
    "linear": _linear,
    "relu": lambda step, tensors, x: np.maximum(x, 0),
    "silu": lambda step, tensors, x: x / (1 + np.exp(-x)),
    "cos": lambda step, tensors, x: np.cos(x),
    "add": lambda step, tensors, *parts: sum(parts[1:], start=parts[0]),
    "concat": lambda step, tensors, *parts: np.concatenate(parts, axis=1),
    "take": lambda step, tensors, x: x[:, step["start"] : step["stop"]],
    "motion": _motion,
}
