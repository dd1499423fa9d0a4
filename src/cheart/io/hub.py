"""Models on the Hugging Face Hub: what goes there, and what is taken from there. Never a pickle.

A repository holds ``model.safetensors``, ``config.json`` and the model's card as ``README.md``. Nothing else is sent,
nothing else is taken. The token, the cache and the endpoint are the Hub's own (``hf auth login``, ``HF_TOKEN``,
``HF_HOME``, ``HF_ENDPOINT``, ``HF_HUB_OFFLINE``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cheart.errors import InputError

HUB = "hf://"

FILES = {"model.safetensors": "model.safetensors", "config.json": "config.json", "card.md": "README.md"}
"""A model's files here, and what they are called on the Hub."""

PICKLES = (".bin", ".ckpt", ".joblib", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth")
"""Files that may run code when they are read."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def pull(address: str) -> Path:
    """The folder of a model on the Hub, taken from there or from the Hub's cache.

    Args:
        address: ``hf://owner/name`` or ``hf://owner/name@revision``.

    Raises:
        InputError: the address, the repository or the network is not what it should be.
    """
    repository, _, revision = address.removeprefix(HUB).partition("@")
    _check(repository, address)
    hub = _hub()
    try:
        found = hub.snapshot_download(repository, revision=revision or None, allow_patterns=list(FILES.values()))
    except _refusals(hub) as error:
        raise InputError(_why(address, error)) from None
    folder = Path(found)
    missing = [name for name in ("model.safetensors", "config.json") if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{address} has no {' and no '.join(missing)}: it is no model of cheart")
    return folder


def push(folder: Path, repository: str, *, public: bool = False) -> str:
    """Send a model to the Hub; the address at which it then is.

    Args:
        folder: a model with its card, as ``cheart pack`` writes it.
        repository: ``owner/name``; it is made where it is not there yet.
        public: a repository that is made is for everyone to see.

    Raises:
        InputError: no card, a pickle in the folder, or a refusal of the Hub's.
    """
    check_sending(folder, repository)
    hub = _hub()
    operations = [hub.CommitOperationAdd(there, str(folder / here)) for here, there in FILES.items()]
    try:
        api = hub.HfApi()
        api.create_repo(repository, private=not public, exist_ok=True)
        api.create_commit(repository, operations, commit_message="A model of cheart")
    except _refusals(hub) as error:
        raise InputError(_why(repository, error)) from None
    return HUB + repository


def check_sending(folder: Path, repository: str) -> None:
    """Refuse what is not to be sent.

    Raises:
        InputError: see :func:`push`.
    """
    _check(repository, repository)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder} has no {', no '.join(missing)}: pack the model first, cheart pack MODEL -o OUT")
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in PICKLES)
    if pickles:
        raise InputError(f"{folder} holds {', '.join(pickles)}: such files may run code when read; take them out first")


def _check(repository: str, given: str) -> None:
    if not _REPOSITORY.fullmatch(repository):
        raise InputError(f"{given!r}: expected owner/name, or hf://owner/name@revision for a model")


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise InputError("the Hub needs an extra: pip install 'cheart[hub]'") from None
    return huggingface_hub


def _refusals(hub: Any) -> tuple[type[Exception], ...]:
    """What the Hub's client raises when it cannot do what it should: among it whatever its HTTP library raises."""
    kinds: tuple[type[Exception], ...] = hub.errors.HfHubHTTPError.__bases__
    return OSError, hub.errors.HFValidationError, *kinds


def _why(address: str, error: Exception) -> str:
    """One line on what went wrong, and what mends it."""
    from huggingface_hub import errors

    if isinstance(error, errors.RevisionNotFoundError):
        return f"{address}: there is no such revision"
    if isinstance(error, errors.RepositoryNotFoundError | errors.GatedRepoError):
        return f"{address}: no such repository, or not yours to see: check its name, and hf auth login or HF_TOKEN"
    if isinstance(error, errors.HfHubHTTPError) and getattr(error, "response", None) is not None:
        return f"{address}: the Hub refused: {str(error).splitlines()[0]}; check hf auth login or HF_TOKEN"
    cached = ", and its cache (HF_HOME) does not hold this model" if address.startswith(HUB) else ""
    return f"{address}: the Hub cannot be reached{cached}: is there a network, and is HF_HUB_OFFLINE unset?"
