"""The decoder's last layer and its cross-entropy, where most of a training step goes: what was tried.

    python -m benchmarks.last_layer [--repeats 5] [--compile] [--json]

One frame of the paper's grid, forward and backward, float32, one thread, processor time, freed memory kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import torch
from benchmarks.measure import medians_s, options
from torch import Tensor
from torch.nn import functional as F

from cheart.models.blocks import BlockConvTranspose3d, block_cross_entropy
from cheart.training.memory import keep_memory

HALF, WHOLE = (32, 64, 64), (64, 128, 128)

Work = Callable[[], object]


def both_ways(function: Callable[[Tensor], Tensor], x: Tensor, *weights: Tensor) -> Work:
    """Forward and backward of a function."""
    leaf = x.detach().requires_grad_()
    slope = torch.ones_like(function(leaf))
    return lambda: torch.autograd.grad(function(leaf), (leaf, *weights), slope)


def convolutions() -> dict[str, Work]:
    """From 4 channels to 4 at twice the size."""
    conv = BlockConvTranspose3d(4, 4)
    weight, bias = conv.weight, conv.bias
    assert bias is not None
    x = torch.randn(1, 4, *HALF)

    def plain(given: Tensor) -> Tensor:
        return F.conv_transpose3d(given, weight, bias, stride=2, padding=1)

    last = x.contiguous(memory_format=torch.channels_last_3d)
    return {
        "transposed convolution": both_ways(plain, x, weight, bias),
        "transposed convolution, channels last": both_ways(plain, last, weight, bias),
        "convolution to blocks": both_ways(conv, x, weight, bias),
    }


def losses() -> dict[str, Work]:
    """Cross-entropy of a frame's logits."""
    labels, planes = torch.randint(0, 4, (1, *WHOLE), dtype=torch.uint8), torch.ones(1, WHOLE[0])
    logits = torch.randn(1, 4, *WHOLE)
    hot = F.one_hot(labels.long(), 4).movedim(-1, 1).float()
    blocks = torch.randn(1, 32, *(n // 2 + 1 for n in WHOLE))
    last = logits.contiguous(memory_format=torch.channels_last_3d)
    return {
        "cross-entropy with one-hot floats": both_ways(lambda x: F.cross_entropy(x, hot), logits),
        "cross-entropy with integers": both_ways(lambda x: F.cross_entropy(x, labels.long()), logits),
        "cross-entropy with integers, channels last": both_ways(lambda x: F.cross_entropy(x, labels.long()), last),
        "cross-entropy in blocks": both_ways(lambda x: block_cross_entropy(x, labels, planes), blocks),
    }


def compiled_loss() -> dict[str, Work]:
    """The integers' cross-entropy through torch.compile (its first call takes a while)."""
    labels = torch.randint(0, 4, (1, *WHOLE), dtype=torch.uint8)
    fast = torch.compile(lambda x: F.cross_entropy(x, labels.long()))
    return {"cross-entropy with integers, compiled": both_ways(fast, torch.randn(1, 4, *WHOLE))}


def as_text(result: dict[str, float]) -> str:
    """For people."""
    return "\n".join(f"  {name:48s}{1000 * seconds:8.1f} ms" for name, seconds in result.items())


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, repeats=5)
    parser.add_argument("--compile", action="store_true", help="try torch.compile as well; needs a C++ compiler")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    works = {**convolutions(), **losses(), **(compiled_loss() if asked.compile else {})}
    result = medians_s(works, asked.repeats, time.process_time)
    print(json.dumps(result) if asked.json else as_text(result))


if __name__ == "__main__":
    main()
