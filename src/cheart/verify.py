"""Whether a cohort, a model or a folder of results is still as it was written, and what of it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cheart.errors import InputError
from cheart.files import find_damage, read_checksums, read_json, write_checksums, write_json

Kind = Literal["cohort", "model", "result"]


@dataclass(frozen=True)
class Verified:
    """What was found of one folder.

    Attributes:
        path: the folder.
        kind: cohort, model or result.
        files: how many were compared.
        changed, missing: files that are not as they were written, or not there any more.
        foreign: files that cheart did not write; they are no damage.
        problems: what else does not go together, a sentence each.
    """

    path: Path
    kind: Kind
    files: int
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged."""
        return not (self.changed or self.missing or self.problems)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "path": str(self.path), "whole": self.whole}


def verify(path: Path | str) -> list[Verified]:
    """Hold a folder against what was written with it.

    Results and cohorts have a list of their files with checksums, and a cohort also a fingerprint of its voxels and
    tables; each of a model's two files carries its own checksum (:mod:`cheart.models.store`), whatever made it.

    Args:
        path: a cohort, a model (``bundled`` too), a folder of results, or one of ``cheart reproduce``, of which the
            cohort and the models are looked at.

    Raises:
        InputError: no folder of cheart.
    """
    from cheart.models.find import find_model

    path = find_model(path)
    if (path / "plan.json").is_file():
        parts = [path / "cohort", *sorted((path / "models").glob("*"))]
        return [one for part in parts if part.is_dir() for one in verify(part)]
    return [_WAYS[_kind(path)](path)]


def _verify_listed(path: Path) -> Verified:
    damage = find_damage(path)
    files = len(read_checksums(path))
    return Verified(path, "result", files, damage.changed, damage.missing, damage.foreign)


def _verify_cohort(path: Path) -> Verified:
    from cheart.cohort import Cohort

    found = replace(_verify_listed(path), kind="cohort")
    if found.whole and (cohort := Cohort.open(path)).recount_fingerprint() != cohort.fingerprint:
        wrong = "voxels, conditions and splits are not those of the fingerprint in cohort.json"
        return replace(found, problems=(wrong,))
    return found


def _verify_model(path: Path) -> Verified:
    from cheart.models.store import read_files

    try:
        read_files(path)
    except InputError as error:
        return Verified(path, "model", 2, problems=(str(error),))
    return Verified(path, "model", 2)


_WAYS: dict[Kind, Callable[[Path], Verified]] = {
    "cohort": _verify_cohort,
    "model": _verify_model,
    "result": _verify_listed,
}


def accept(path: Path | str) -> None:
    """Take a folder as it stands: write its checksums anew; a cohort's fingerprint becomes that of what is there.

    Raises:
        InputError: no cohort and no folder of results; a cohort that cannot be read.
    """
    path = Path(path)
    kind = _kind(path)
    if kind == "model":
        raise InputError(f"--accept: {path} is a model, which is never right when it is not as it was trained")
    write_checksums(path)
    if kind == "cohort":
        from cheart.cohort import Cohort

        fingerprint = Cohort.open(path).recount_fingerprint()
        write_json(path / "cohort.json", {**read_json(path / "cohort.json"), "fingerprint": fingerprint})
        write_checksums(path)


def _kind(path: Path) -> Kind:
    kinds: dict[str, Kind] = {"cohort.json": "cohort", "config.json": "model", "result.json": "result"}
    for name, kind in kinds.items():
        if (path / name).is_file():
            return kind
    raise InputError(f"{path}: expected a cohort (cohort.json), a model (config.json) or a result (result.json)")
