"""Where a network is to be."""

from __future__ import annotations

import torch

from cheart.errors import InputError


def choose_device(name: str) -> torch.device:
    """``auto`` takes a GPU where there is one.

    Raises:
        InputError: a device that this machine or this build of PyTorch does not have.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {name!r} is not to be had here ({str(error).splitlines()[0]}); try auto") from None
    return device


def describe_device(device: torch.device) -> str:
    """The device in words, for run.json."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
