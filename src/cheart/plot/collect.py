"""Hearts to look at, from wherever they lie: label maps, folders of results, cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cheart.cohort import Cohort
from cheart.conditions import Value
from cheart.datasets.participants import read_conditions, read_described
from cheart.datasets.posing import read_heart
from cheart.datasets.recording import MEND_SIDECAR, observed_planes
from cheart.errors import InputError, show_warnings
from cheart.files import refuse_existing
from cheart.grid import Grid
from cheart.heart import Heart, Kind
from cheart.io.nifti import TEMPLATE, LabelMap, Spacing, read_label_map, sidecar_path
from cheart.labels import Scheme, parse_scheme, to_canonical
from cheart.plot.animation import SUFFIXES, save_animation
from cheart.plot.picture import STILL, save_picture
from cheart.provenance import short_title
from cheart.schemas import CreditJson, SidecarJson, read_checked

MOST = 6
"""Hearts that one picture holds."""

_ROOMY = Grid((80, 128, 128), (2.0, 1.6, 1.6))  # a box in which no heart is cut off


def render(
    sources: Sequence[Path | str],
    out: Path | str,
    *,
    subjects: Sequence[str] = (),
    titles: Sequence[str] | None = None,
    caption: str = "",
    overwrite: bool = False,
    **reading: Any,
) -> list[Heart]:
    """Draw hearts from wherever they lie beside each other, beating in step or still.

    Args:
        sources: label maps (NIfTI), folders of results, or cohorts.
        out: ``.gif``, ``.webp`` or ``.mp4`` beats; ``.png``, ``.svg`` or ``.pdf`` is still (ED and ES).
        subjects: participants of cohorts and of folders of results.
        titles: what to say of each heart beside its kind; without them, the conditions.
        caption: a line for the foot; without it, the model.
        overwrite: replace what is there.
        reading: how a NIfTI file that cheart did not write is read (see :func:`cheart.read_heart`).

    Returns:
        The hearts that were drawn, :data:`MOST` at most.

    Raises:
        InputError: another suffix, ``out`` exists, or as :func:`collect_all`.
    """
    out, places = Path(out), [Path(source) for source in sources]
    if out.suffix.lower() not in (*SUFFIXES, *STILL):
        raise InputError(f"{out.name}: expected a name that ends in {', '.join((*SUFFIXES, *STILL))}")
    refuse_existing(out, overwrite=overwrite, file=True)
    hearts = collect_all(places, subjects=subjects, **reading)
    if titles and len(titles) != len(hearts):
        raise InputError(f"{len(titles)} titles (--title) for {len(hearts)} hearts: give one for each, or none")
    if len(hearts) > MOST:
        show_warnings([f"{len(hearts)} hearts are many for one picture: the first {MOST} are shown"])
    draw = save_picture if out.suffix.lower() in STILL else save_animation
    draw(out, hearts[:MOST], titles=titles[:MOST] if titles else None, caption=caption or models_behind(places))
    return hearts[:MOST]


def collect(source: Path, *, subjects: Sequence[str] = (), **reading: Any) -> list[Heart]:
    """The hearts at one place.

    Args:
        source: a NIfTI file, a cohort, or a folder that cheart generate, complete or vary wrote.
        subjects: participants of a cohort or of a folder of results; the first :data:`MOST` where none is named.
        reading: how a NIfTI file that cheart did not write is read (see :func:`cheart.read_heart`).

    Raises:
        InputError: nothing of that kind, an unknown participant, or a file that cannot be a heart.
    """
    if (source / "cohort.json").is_file():
        return _from_cohort(Cohort.open(source), subjects)
    if source.is_dir():
        return [from_nifti(path, **reading) for path in _files(source, subjects)]
    if subjects:
        raise InputError(f"--subject {subjects[0]} goes with a cohort or a folder of results, but {source} is neither")
    return [from_nifti(source, **reading)]


def collect_all(sources: Sequence[Path], *, subjects: Sequence[str] = (), **reading: Any) -> list[Heart]:
    """The hearts at several places, in their order: a person beside what a model made of them.

    Each participant that is named comes from every place that has them; results and label maps that have none of them
    are shown as they are.

    Raises:
        InputError: as :func:`collect`; a participant whom no place has.
    """
    hearts, known = [], [_has(source, subjects) for source in sources]
    for source, own in zip(sources, known, strict=True):
        alone = own or (subjects if (source / "cohort.json").is_file() or not any(known) else [])
        hearts += collect(source, subjects=alone, **reading)
    return hearts


def models_behind(sources: Sequence[Path]) -> str:
    """What made these hearts and what it was trained on, for a caption; empty where no model made them."""
    results = [folder / "result.json" for source in sources for folder in (source, source.parent)]
    models = [result["model"] for result in map(_result, filter(Path.is_file, results)) if result.get("model")]
    return ", ".join(
        dict.fromkeys(f"Model {m['name']}, trained on {short_title(m['trained_on']['title'])}" for m in models)
    )


def _has(source: Path, subjects: Sequence[str]) -> list[str]:
    """Those participants that a cohort or a folder of results has."""
    if (source / "cohort.json").is_file():
        names = {str(name) for name in Cohort.open(source).table["participant_id"]}
    else:
        names = {path.name.split("_")[0] for path in source.glob("sub-*_dseg.nii.gz")}
    return [subject for subject in subjects if subject in names or f"sub-{subject}" in names]


def from_nifti(path: Path, *, scheme: str | Scheme = "cheart", spacing: Spacing | None = None, **more: Any) -> Heart:
    """A label map; what cheart wrote is taken as it is, another one is brought into the template pose first.

    Raises:
        InputError: whatever the readers refuse.
    """
    side = sidecar_path(path)
    sidecar = read_checked(side, SidecarJson, mend=MEND_SIDECAR) if side.is_file() else {}
    numbers, stored = parse_scheme(scheme), read_label_map(path, spacing=spacing)
    if sidecar.get("SpatialReference") == TEMPLATE:
        heart = _in_template(stored, sidecar)  # the scheme is of the files that others wrote
    else:
        heart = read_heart(path, scheme=numbers, spacing=spacing, grid=_ROOMY, frames=max(stored.frames, 2), **more)
    kind, conditions = _what(path)
    return replace(heart, kind=kind, conditions=conditions)


def _in_template(stored: LabelMap, sidecar: dict[str, Any]) -> Heart:
    z, y, x = stored.labels.shape[1:]
    grid = Grid((z, y, x), tuple(round(s, 4) for s in stored.spacing))  # type: ignore[arg-type]
    observed = observed_planes(sidecar, stored.labels.shape[:2]) if "ObservedPlanes" in sidecar else None
    observed = np.ones(stored.labels.shape[:2], bool) if observed is None else observed
    labels = to_canonical(stored.labels, parse_scheme("cheart"))
    return Heart(labels, observed, grid, stored.cycle_s)


def _result(path: Path) -> dict[str, Any]:
    """What a folder's result.json says."""
    return read_checked(path, CreditJson)


def _what(path: Path) -> tuple[Kind, dict[str, Value]]:
    """What the files beside a label map say of it: its kind and its owner's conditions. Never its name."""
    result = path.parent / "result.json"
    side = sidecar_path(path)
    made = str(read_checked(side, SidecarJson).get("Made", "")).split(" ")[0] if side.is_file() else ""
    kind: Kind = _result(result)["kind"] if result.is_file() else "simulated" if made == "simulated" else "imported"
    name = path.name.split("_")[0].removesuffix(".gz").removesuffix(".nii")
    people = path.parent / "participants.tsv"
    if people.is_file():
        described = read_described(people)
        for _, row in described.table[described.table["participant_id"] == name].iterrows():
            row_of = {str(k): v for k, v in row.items()}
            return kind, read_conditions(row_of, described.schema, described.dictionary)
    return kind, {}


def _files(folder: Path, subjects: Sequence[str]) -> list[Path]:
    paths = sorted(folder.glob("sub-*_dseg.nii.gz"))
    if not paths:
        raise InputError(
            f"{folder} holds no heart: expected a cohort, or a folder of sub-*_dseg.nii.gz that cheart generate, "
            "complete or vary wrote"
        )
    if not subjects:
        return paths[:MOST]
    named = {path.name.split("_")[0]: path for path in paths}
    return [_pick(named, subject, folder) for subject in subjects]


def _from_cohort(cohort: Cohort, subjects: Sequence[str]) -> list[Heart]:
    rows = {str(name): index for index, name in enumerate(cohort.table["participant_id"])}
    chosen = [_pick(rows, subject, cohort.path) for subject in subjects] or list(range(min(MOST, len(cohort))))
    return [cohort.heart(index) for index in chosen]


def _pick(named: dict[str, Any], subject: str, where: Path) -> Any:
    for name in (subject, f"sub-{subject}"):
        if name in named:
            return named[name]
    some = ", ".join(list(named)[:5])
    raise InputError(f"--subject {subject}: {where} has no such participant; it has {some}{' …' * (len(named) > 5)}")
