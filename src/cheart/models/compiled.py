"""Functions compiled where a compiler is at hand, and run as they are where none is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """torch.compile, at the first call; without a working compiler the function itself, with a warning."""
    fast = torch.compile(function)

    def call(*args: Any) -> Any:
        nonlocal fast
        if fast is function:
            return function(*args)
        try:
            return fast(*args)
        except torch._dynamo.exc.TorchDynamoException as error:  # no C++ or Triton compiler, or one that fails
            what = str(error).strip().splitlines()[0]
            warnings.warn(f"nothing is compiled, training goes on without ({what})", RuntimeWarning, stacklevel=2)
            fast = function
            return function(*args)

    return call
