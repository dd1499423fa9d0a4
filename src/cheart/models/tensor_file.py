"""Tensors in a file that carries its own checksum, as safetensors. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from cheart.errors import InputError
from cheart.files import new_file


def write_tensors(path: Path, tensors: Mapping[str, Tensor], **about: str) -> None:
    """Write tensors and words about them, whole or not at all."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with new_file(path) as partial:
        # save_file has a temporary file of its own, which a kill would leave behind
        partial.write_bytes(save(plain, {"sha256": _digest_of(plain, about), **about}))


def read_tensors(path: Path, *, mend: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file and the words about them, which are as they were written.

    Args:
        path: the file.
        mend: what to do about a damaged one.

    Raises:
        InputError: a file that is not there, is damaged or was changed.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, str] = dict(file.metadata() or {})
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}; {mend}") from None
    if about.pop("sha256", None) != _digest_of(tensors, about):
        raise InputError(f"{path} is not as it was written: {mend}")
    return tensors, about


def _digest_of(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> str:
    """SHA-256 over names, kinds, shapes and values, and over the words."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).contiguous().view(torch.uint8).numpy().tobytes())
    for name, text in sorted(about.items()):
        digest.update(f"{name} {text}".encode())
    return digest.hexdigest()
