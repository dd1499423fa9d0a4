"""What several models share: a cohort's shape basis and the normal forms of its subjects, computed once and kept.

Reading a cohort into normal forms takes longer than training a small network on them. A folder of prepared data holds

    basis-MODES-….safetensors     a shape basis of the training subjects
    train-….safetensors, val-…    the normal forms of a split's subjects on a basis

where … is a digest of all that the content depends on: the cohort's fingerprint, and of forms also the split and the
basis itself. So an entry is the right one or it is another's; entries of other cohorts and bases stand beside it.
Conditions are not kept: how they are encoded is each model's own matter. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cheart.cohort import Cohort, Split
from cheart.errors import InputError
from cheart.files import new_file
from cheart.models.shape_basis import BASIS_FRAMES, ShapeBasis, fit_basis
from cheart.progress import Jobs

FORMAT = 4


def prepared_basis(cohort: Cohort, *, modes: int, folder: Path | None, jobs: Jobs) -> ShapeBasis:
    """The shape basis of a cohort's training subjects, from the folder if it has it; else it is fitted and kept there.

    Args:
        cohort: whose training subjects.
        modes: how many modes at most.
        folder: of prepared data; None keeps nothing.
        jobs: processes that read subjects.

    Raises:
        InputError: a file of the folder is damaged; too few frames for a basis.
    """
    key = {"kind": "basis", "cohort": cohort.fingerprint, "modes": modes, "frames": BASIS_FRAMES}
    path = _place(folder, f"basis-{modes}", key)
    found = _read(path, key)
    if found is not None:
        return ShapeBasis.from_tensors(found[1], found[0])
    basis = fit_basis(cohort, cohort.indices("train"), modes=modes, jobs=jobs)
    _write(path, basis.to_tensors(), key, basis.to_json())
    return basis


def prepared_tensors(
    cohort: Cohort, split: Split, basis: ShapeBasis, read: Callable[[], dict[str, Tensor]], *, folder: Path | None
) -> dict[str, Tensor]:
    """A split's subjects on a shape basis, from the folder if it has them; else they are read and kept there.

    Args:
        cohort: whose subjects.
        split: which of them.
        basis: any, not only one of this folder.
        read: reads them.
        folder: of prepared data; None keeps nothing.

    Raises:
        InputError: a file of the folder is damaged.
    """
    key = {"kind": "forms", "cohort": cohort.fingerprint, "split": split, "basis": _digest_of(basis)}
    path = _place(folder, split, key)
    found = _read(path, key)
    if found is not None:
        return found[0]
    tensors = read()
    _write(path, tensors, key, {"subjects": len(tensors["first"])})
    return tensors


Key = dict[str, Any]
"""All that the content of an entry depends on."""


def _place(folder: Path | None, name: str, key: Key) -> Path | None:
    digest = hashlib.sha256(json.dumps({"format": FORMAT, **key}, sort_keys=True).encode()).hexdigest()
    return None if folder is None else Path(folder) / f"{name}-{digest[:16]}.safetensors"


def _digest_of(basis: ShapeBasis) -> str:
    """SHA-256 of all that normal forms depend on."""
    about = {**basis.where.to_json(), "residual_variance": basis.residual_variance}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for array in (basis.mean, basis.modes, basis.sd):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _write(path: Path | None, tensors: dict[str, Tensor], key: Key, about: dict[str, Any]) -> None:
    if path is None:
        return
    with new_file(path) as partial:
        save_file({n: t.contiguous() for n, t in tensors.items()}, partial, {"about": json.dumps({**key, **about})})


def _read(path: Path | None, key: Key) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """An entry's tensors and what it says of itself; None where there is no such entry."""
    if path is None or not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            tensors: dict[str, torch.Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and it is made again") from None
    if {name: about.get(name) for name in key} != key:
        raise InputError(f"{path} holds other data than its name says; delete it and it is made again")
    return tensors, about
