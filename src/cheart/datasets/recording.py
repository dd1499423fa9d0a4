"""A source as an importer lists it, and the label maps of one of its subjects read and checked."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.align.placement import mirror, reorder_affine, working_order
from cheart.align.time import ES_PHASE, find_ed_es
from cheart.conditions import MISSING, PAPER_SCHEMA, Schema
from cheart.errors import InputError
from cheart.heart import check_cycle
from cheart.io.nifti import (
    LABELS_SHA256,
    TEMPLATE,
    LabelMap,
    Spacing,
    read_label_map,
    sha256_of_labels,
    sidecar_path,
)  # fmt: skip
from cheart.labels import (
    BACKGROUND,
    LV,
    MYO,
    RV,
    STRUCTURES,
    TITLES,
    Scheme,
    check_partial,
    check_topology,
    scheme_text,
    to_canonical,
)  # fmt: skip
from cheart.phenotypes import count_voxels, voxel_volumes
from cheart.schemas import SidecarJson, read_checked


@dataclass(frozen=True)
class Recording:
    """What a source knows of one subject before any label map is read.

    Attributes:
        participant_id: as the table has it.
        files: one file with all frames, or one a frame.
        row: the table's row, not yet checked.
        moments: when each frame was taken, as a fraction of the cycle; None: evenly over the cycle.
        ed, es: frame numbers from 0 (in the file, or among the files); None: of largest and least LV cavity.
        cycle_s: duration of the cycle in s, nan where it is not known; None: what the header says.
        header_time: whether the header's time step must make sense, even where ``cycle_s`` is given.
        spacing: which to believe where affine and pixdim disagree; None refuses.
        mirrored: the headers have the third axis the wrong way round.
        reader: makes label maps of files that are none, such as surfaces; it must be picklable, and its ``str`` say all
            that it depends on. None: the files are NIfTI.
        traced: structures that somebody drew at end-diastole. Where they are not all, the LV cavity alone is asked for
            in other frames, and what has no voxel in a frame is not known there.
    """

    participant_id: str
    files: tuple[Path, ...]
    row: Mapping[str, object]
    moments: tuple[float, ...] | None = None
    ed: int | None = None
    es: int | None = None
    cycle_s: float | None = None
    header_time: bool = True
    spacing: Spacing | None = None
    mirrored: bool = False
    reader: Callable[[tuple[Path, ...]], LabelMap] | None = None
    traced: tuple[str, ...] = tuple(STRUCTURES)


MEND_SIDECAR = "mend it, or take it away: without it the label map is brought into the template pose anew"


@dataclass(frozen=True)
class LeftOut:
    """A subject that cannot be imported, and why."""

    participant_id: str
    reason: str


@dataclass(frozen=True)
class Source:
    """What an importer returns: who is there, and how to read them.

    Attributes:
        title: one line for people.
        subjects: in the order of the table or the folders.
        scheme: the label numbers.
        schema: the conditions.
        left_out: those of whom it is clear before reading that they cannot be imported.
        dictionary: the BIDS data dictionary of the table, for coded values.
        warnings: what a person should know of the table, one sentence each.
    """

    title: str
    subjects: tuple[Recording, ...]
    scheme: Scheme
    schema: Schema = PAPER_SCHEMA
    left_out: tuple[LeftOut, ...] = ()
    dictionary: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SourceLabels:
    """A subject's labelled frames in its own space, checked.

    Attributes:
        labels: [T, Z, Y, X] canonical labels, labelled frames only, axes in working order (slices along Z).
        affine: 4×4, voxel (x, y, z) in working order to world mm.
        order: the file's axes that became Z, Y, X (see :class:`cheart.align.placement.Placement`).
        moments: when each frame was taken, as a fraction of the cycle.
        ed, es: indices into the frames.
        cycle_s: in s, nan where it is not known.
        mirrored: whether the header's third axis was turned round to get ``affine``.
        observed: [T, Z] bool for label maps that are in the template pose already, otherwise None.
        made: what the sidecar says of how the label maps were made, empty where it says nothing.
        corrected: whether they are other than when cheart wrote them; None where cheart did not.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    order: tuple[int, int, int]
    moments: tuple[float, ...]
    ed: int
    es: int
    cycle_s: float
    mirrored: bool = False
    observed: NDArray[np.bool_] | None = None
    made: str = ""
    corrected: bool | None = None

    @cached_property
    def _volumes(self) -> NDArray[np.float64]:
        return voxel_volumes(self.labels, float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0)

    def volume_ml(self, frame: int, label: int) -> float:
        """Volume of one structure in one frame in mL, nan where it has no voxel: it was not traced there."""
        return float(self._volumes[frame, label - 1]) or math.nan


def parse_cycle(cycle: object) -> float | None:
    """Read what ``cycle`` was given: seconds as text or a number, ``n/a`` (nan), or nothing (None).

    Raises:
        InputError: not a number, or outside 0.3 to 2 s.
    """
    if cycle is None:
        return None
    text = str(cycle)
    if text.strip().lower() in MISSING:
        return math.nan
    try:
        seconds = float(text)
    except ValueError:
        raise InputError(f"--cycle {text!r}: expected seconds, such as 0.9, or n/a") from None
    check_cycle(seconds)
    return seconds


def read_source(recording: Recording, scheme: Scheme) -> SourceLabels:
    """Read a subject's label maps, translate them, and refuse what cannot be a heart.

    Frames without any label are taken as not labelled.

    Raises:
        InputError: an unreadable or unsuitable file, a label that the scheme lacks, no labels at all, an empty
            structure or exchanged labels at ED, a cavity larger at ES than at ED, or a cycle outside 0.3 to 2 s.
    """
    return check_labels(*_read_files(recording), recording, scheme)


def check_labels(stored: LabelMap, sidecar: Mapping[str, Any], recording: Recording, scheme: Scheme) -> SourceLabels:
    """What :func:`read_source` does with what it read: label maps, and the sidecar beside them (empty: none)."""
    labels = to_canonical(stored.labels, scheme)
    any_label = np.any(labels, axis=(1, 2, 3))
    traced = tuple(sidecar.get("Traced", recording.traced))
    partial = set(traced) < set(STRUCTURES)
    _check_frames(labels, any_label, ed=recording.ed, traced=("lv",) if partial else traced)
    observed = observed_planes(sidecar, labels.shape[:2])
    cavity = np.where(any_label, count_voxels(labels)[..., 0].sum(axis=1), np.nan)
    ed_known = 0 if recording.ed is None and observed is not None else recording.ed
    ed, es = find_ed_es(cavity, ed=ed_known, es=recording.es)
    affine = mirror(stored.affine) if recording.mirrored else stored.affine
    order = (0, 1, 2) if observed is not None else working_order(labels[ed], affine)
    labelled = np.flatnonzero(any_label)
    moments = recording.moments or _moments(stored.frames, ed)
    ed, es = (int(np.searchsorted(labelled, frame)) for frame in (ed, es))
    turned, when = labels[labelled].transpose(0, *(1 + axis for axis in order)), tuple(moments[i] for i in labelled)
    seen = None if observed is None else observed[labelled]
    affine, cycle_s = reorder_affine(affine, order), _cycle(recording, stored)
    written = sidecar.get(LABELS_SHA256)
    corrected = None if written is None else written != sha256_of_labels(stored.labels)
    about = str(sidecar.get("Made", "")), corrected
    heart = SourceLabels(turned, affine, order, when, ed, es, cycle_s, recording.mirrored, seen, *about)
    if partial:
        check_partial(heart.labels[heart.ed], traced, what="ED")
    else:
        _check_topology(heart.labels[heart.ed], scheme)
    _check_volumes(heart)
    return heart


def fingerprint(files: tuple[Path, ...]) -> str:
    """SHA-256 over the bytes of a subject's files."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


def _read_files(recording: Recording) -> tuple[LabelMap, dict[str, Any]]:
    if recording.reader is not None:
        return recording.reader(recording.files), {}
    maps = [read_label_map(path, spacing=recording.spacing) for path in recording.files]
    first = maps[0]
    if len(maps) == 1:
        sidecar = sidecar_path(recording.files[0])
        return first, read_checked(sidecar, SidecarJson, mend=MEND_SIDECAR) if sidecar.is_file() else {}
    for path, other in zip(recording.files, maps, strict=True):
        if other.frames != 1:
            raise InputError(f"{path}: {other.frames} frames; one was expected, as there is a file a frame")
        if other.labels.shape != first.labels.shape or not np.allclose(other.affine, first.affine, atol=1e-2):
            raise InputError(f"{path}: another shape or affine than {recording.files[0].name}; give both on one grid")
    return LabelMap(np.concatenate([m.labels for m in maps]), first.affine), {}


def _moments(frames: int, ed: int) -> tuple[float, ...]:
    """Evenly over the cycle; but two frames are ED and ES, which is not half-way."""
    if frames == 2:
        return (0.0, ES_PHASE) if ed == 0 else (ES_PHASE, 0.0)
    return tuple(i / frames for i in range(frames))


def _check_frames(
    labels: NDArray[np.uint8], any_label: NDArray[np.bool_], *, ed: int | None, traced: tuple[str, ...]
) -> None:
    """Refuse a map without labels, a blank where ED is expected, and a frame that lacks a structure."""
    mend = "mend the segmentation, or leave the subject out with --skip-bad"
    if not any_label.any():
        raise InputError(f"the label map is empty; {mend}")
    if ed is None and not any_label[0] and any_label.mean() > 0.5:
        raise InputError(
            f"frame 0, where ED is expected, has no labels, though {any_label.sum()} of {len(labels)} frames have; "
            f"{mend}, or say which frame is ED in the column ed"
        )
    for t in np.flatnonzero(any_label):
        for name in traced:
            if not (labels[t] == STRUCTURES[name]).any():
                raise InputError(
                    f"frame {t} (from 0) has labels but no voxel of the {TITLES[name]}: {mend}, or name the right "
                    "scheme with --scheme"
                )


def _check_topology(frame: NDArray[np.uint8], scheme: Scheme) -> None:
    """Refuse exchanged labels, naming the scheme that would put them right if there is one."""
    try:
        check_topology(frame, what="ED")
    except InputError as error:
        for order in permutations((LV, MYO, RV)):
            numbers = np.array([BACKGROUND, *order], np.uint8)
            try:
                check_topology(numbers[frame])
            except InputError:
                continue
            fits = {foreign: int(numbers[ours]) for foreign, ours in scheme.items()}
            raise InputError(f"{error}: {scheme_text(fits)} would fit") from None
        raise


def _check_volumes(heart: SourceLabels) -> None:
    edv, esv = heart.volume_ml(heart.ed, LV), heart.volume_ml(heart.es, LV)
    if esv > edv:
        raise InputError(
            f"the LV cavity holds {esv:.0f} mL at ES and {edv:.0f} mL at ED: are they exchanged? ED is the fuller "
            "one; --ed, --given es=FILE or a table's columns ed and es (frames numbered from 0) say which it is"
        )


def _cycle(recording: Recording, stored: LabelMap) -> float:
    if recording.header_time and not math.isnan(stored.cycle_s):
        try:
            check_cycle(stored.cycle_s)
        except InputError as error:
            raise InputError(
                f"the header says a time step of {stored.frame_s:g} s in {stored.frames} frames: {error}; mend "
                "pixdim[4] or its unit, or do not believe the headers: --cycle SECONDS, or --cycle n/a if not known"
            ) from None
    if recording.cycle_s is None:
        return stored.cycle_s if recording.header_time else math.nan
    if not math.isnan(recording.cycle_s):
        check_cycle(recording.cycle_s)
    return recording.cycle_s


def observed_planes(sidecar: Mapping[str, Any], shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """The mask [T, Z] that a sidecar gives a label map of T frames and Z planes; None without the template pose.

    Raises:
        InputError: it is of another number of frames or planes.
    """
    if sidecar.get("SpatialReference") != TEMPLATE:
        return None
    observed = np.zeros(shape, bool)
    planes = sidecar.get("ObservedPlanes", [])
    if len(planes) != len(observed):
        raise InputError(f"the sidecar's ObservedPlanes has {len(planes)} frames, the label map {len(observed)}")
    for frame, seen in zip(observed, planes, strict=True):
        if max(seen, default=0) >= len(frame):
            raise InputError(f"the sidecar's ObservedPlanes names plane {max(seen)} of {len(frame)} (from 0)")
        frame[seen] = True
    return observed
