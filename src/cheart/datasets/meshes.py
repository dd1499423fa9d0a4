"""Sequences of surfaces, as mesh atlases, image software and ``cheart mesh`` write them.

A folder a subject, and in it, at any depth, files for each frame of three surfaces: LV endocardium, LV epicardium (of
the LV with its wall) and RV endocardium. Which is which is said by words in a file's name, in any case and whatever
stands between them (``lv_endocardium-03.stl``, ``LVendo_03.vtk``); the frame by the last number of the name, or of
the folder's; ``ED`` and ``ES`` in place of numbers are the two frames. Of several formats of the same, one is read.

Open surfaces are closed at their rims (:mod:`cheart.io.rasterise`), set in voxels that lie along the file's axes,
and then go the way of every dense label map. That way turns freely, so that it does not matter whether the axes are
those of NIfTI or of DICOM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from cheart.align.time import ES_PHASE
from cheart.conditions import PAPER_SCHEMA
from cheart.datasets.nifti import frame_in, number_in
from cheart.datasets.participants import read_by_person
from cheart.datasets.recording import LeftOut, Recording, Source, parse_cycle
from cheart.datasets.registry import importer
from cheart.errors import InputError
from cheart.grid import MOST_VOXELS
from cheart.io.nifti import LabelMap
from cheart.io.rasterise import closed, enclosed
from cheart.io.surfaces import READERS, TriangleMesh, read_surface
from cheart.labels import LV, MYO, RV, SCHEMES

SURFACES = ("lv_endo", "lv_epi", "rv_endo")
_TITLES = {"lv_endo": "LV endocardium", "lv_epi": "LV epicardium", "rv_endo": "RV endocardium"}
_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
_MOST_CAP = 0.45
"""Of a surface's area: what may be missing and is closed. Half a ball lacks a third."""
_MARGIN = 3
"""Voxels around the heart."""


@dataclass(frozen=True)
class SurfaceReader:
    """Makes label maps of a subject's surfaces.

    Attributes:
        parts: how many files each of the three surfaces has in each frame, [frames][3]; files come in that order.
        scale: from the files' unit to mm.
        voxel: size in mm.
    """

    parts: tuple[tuple[int, ...], ...]
    scale: float
    voxel: float

    def __call__(self, files: tuple[Path, ...]) -> LabelMap:
        """Label maps [frames, Z, Y, X] in cheart's own numbers.

        Raises:
            InputError: a file that is no surface, one that cannot be closed, or a heart larger than any grid.
        """
        waiting = iter(files)
        frames = [[self._solid([next(waiting) for _ in range(n)]) for n in counts] for counts in self.parts]
        points = np.concatenate([mesh.vertices for solids in frames for mesh in solids])
        low = points.min(0) - _MARGIN * self.voxel
        count = np.ceil((points.max(0) - low) / self.voxel).astype(int) + _MARGIN
        if np.prod(count.astype(float)) > MOST_VOXELS:
            size = "×".join(f"{side:.4g}" for side in np.ptp(points, axis=0))
            raise InputError(f"the surfaces take up {size} mm: what is their unit? --unit says mm, cm or m")
        shape = (int(count[2]), int(count[1]), int(count[0]))
        affine = np.diag([*[self.voxel] * 3, 1.0])
        affine[:3, 3] = low
        return LabelMap(np.stack([self._labels(solids, low, shape) for solids in frames]), affine)

    def _solid(self, files: list[Path]) -> TriangleMesh:
        meshes = [read_surface(path) for path in files]
        starts = np.cumsum([0, *(len(m.vertices) for m in meshes)])
        faces = np.concatenate([m.faces + start for m, start in zip(meshes, starts, strict=False)])
        points = np.concatenate([m.vertices for m in meshes]) * self.scale
        whole, cap = closed(TriangleMesh(points, faces))
        if cap > _MOST_CAP:
            raise InputError(
                f"{files[0]}: to close this surface {cap:.0%} of its area would have to be added (at most "
                f"{_MOST_CAP:.0%}): is a part of it missing? give a surface that is open at the base alone"
            )
        return whole

    def _labels(
        self, solids: list[TriangleMesh], origin: NDArray[np.floating], shape: tuple[int, int, int]
    ) -> NDArray[np.uint8]:
        inner, outer, right = (enclosed(mesh, origin, self.voxel, shape) for mesh in solids)
        labels = np.zeros(shape, np.uint8)
        labels[right], labels[outer], labels[inner] = RV, MYO, LV
        return labels


@importer("meshes")
def list_meshes(
    folder: Path | str,
    *,
    participants: Annotated[
        Path | None, "A table with participant_id (the folders' names); also ed, es, cycle_s, split."
    ] = None,
    lv_endo: Annotated[str, "Words in the names of LV endocardium files; of several files together, A+B."] = "LV endo",
    lv_epi: Annotated[str, "Likewise, of the LV's epicardium (with the septum's right side)."] = "LV epi",
    rv_endo: Annotated[str, "Likewise, of the RV's endocardium: 'RV septum+RV freewall'."] = "RV endo",
    unit: Annotated[Literal["mm", "cm", "m"], "Of the files' lengths."] = "mm",
    voxel: Annotated[float, "Size in mm of the voxels that the surfaces are set in."] = 1.0,
    cycle: Annotated[str | None, "Duration of the cycle in s, of those whose row has none."] = None,
) -> Source:
    """Surfaces, a folder a subject: LV endocardium, LV epicardium, RV endocardium of each frame (OBJ, PLY, STL, VTK).

    Args:
        folder: with the subjects' folders in it; or one subject's own.
        participants: a table as the importer ``nifti`` takes it.
        lv_endo, lv_epi, rv_endo: words by which file names are told apart, joined by + where several files make one
            surface up.
        unit: of lengths in the files.
        voxel: size in mm, 0.5 to 4.
        cycle: duration of the cycle in s.

    Raises:
        InputError: no surfaces there, a voxel size out of range, or a table without ``participant_id``.
    """  # fmt: skip
    folder, cycle_s = Path(folder), parse_cycle(cycle)
    if not 0.5 <= voxel <= 4:
        raise InputError(f"--voxel {voxel:g}: expected 0.5 to 4 mm")
    words = {"lv_endo": lv_endo, "lv_epi": lv_epi, "rv_endo": rv_endo}
    named = {name: tuple(_plain(word) for word in text.split("+")) for name, text in words.items()}
    places = _places(folder)
    described, rows = (None, {}) if participants is None else read_by_person(participants)
    subjects, left_out = [], []
    for who, files in places.items():
        try:
            if described is not None and who not in rows:
                raise InputError(f"not in {Path(str(participants)).name}; add a row")
            subjects.append(_recording(who, files, named, rows.get(who, {}), cycle_s, _MM[unit], voxel))
        except InputError as error:
            left_out.append(LeftOut(who, str(error)))
    left_out += [LeftOut(who, "in the table, but no folder of that name") for who in rows if who not in places]
    title, schema = f"Surfaces of {folder.name}", PAPER_SCHEMA if described is None else described.schema
    about = ({}, ()) if described is None else (described.dictionary, described.warnings)
    return Source(title, tuple(subjects), SCHEMES["cheart"], schema, tuple(left_out), *about)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _places(folder: Path) -> dict[str, list[Path]]:
    """Files by subject: the folders in ``folder``, or itself where surfaces lie in it."""
    surfaces = sorted(p for p in folder.glob("**/*") if p.suffix.lower() in READERS and p.is_file())
    if not surfaces:
        raise InputError(
            f"{folder}: no surfaces ({', '.join(READERS)}) there; give the folder of the subjects' folders"
        )
    if any(path.parent == folder for path in surfaces):
        return {folder.name: surfaces}
    found: dict[str, list[Path]] = {}
    for path in surfaces:
        found.setdefault(path.relative_to(folder).parts[0], []).append(path)
    return found


def _recording(
    who: str, files: list[Path], named: dict[str, tuple[str, ...]], row: dict[str, object], cycle_s: float | None,
    scale: float, voxel: float,
) -> Recording:  # fmt: skip
    frames = _frames(files, named)
    chosen = tuple(path for parts in frames.values() for name in SURFACES for path in parts[name])
    counts = tuple(tuple(len(parts[name]) for name in SURFACES) for parts in frames.values())
    given = number_in(row, "cycle_s")
    cycle = cycle_s if given is None else given
    reader = SurfaceReader(counts, scale, voxel)
    ed, es = (frame_in(row, name) for name in ("ed", "es"))
    moments = None
    if set(frames) == {_ED, _ES}:
        ed, es, moments = 0, 1, (0.0, ES_PHASE)
    return Recording(who, chosen, row, moments, ed=ed, es=es, cycle_s=cycle, header_time=False, reader=reader)


_ED, _ES = (-2,), (-1,)
_Frame = tuple[int, ...]


def _frames(files: list[Path], named: dict[str, tuple[str, ...]]) -> dict[_Frame, dict[str, list[Path]]]:
    """Files of each surface in each frame, frames in order; of one suffix.

    Raises:
        InputError: no frame has all three surfaces, or one lacks some of them, or has more files than words.
    """
    for suffix in READERS:
        frames: dict[_Frame, dict[str, list[Path]]] = {}
        for path in files:
            if path.suffix.lower() != suffix:
                continue
            for name, words in named.items():
                if any(word in _plain(path.stem) for word in words):
                    frames.setdefault(_when(path), {n: [] for n in named})[name].append(path)
        if frames:
            break
    else:
        raise InputError(
            f"no file is named {_wanted(named)}; say how they are named with --lv-endo, --lv-epi, --rv-endo"
        )
    for when, parts in frames.items():
        for name, words in named.items():
            if len(parts[name]) != len(words):
                held = ", ".join(p.name for p in parts[name]) or "none"
                raise InputError(
                    f"frame {_said(when)}: {len(parts[name])} files of the {_TITLES[name]} ({held}), expected "
                    f"{len(words)}: say how they are named with --{name.replace('_', '-')}, or add what is missing"
                )
    return dict(sorted(frames.items()))


def _wanted(named: dict[str, tuple[str, ...]]) -> str:
    return ", ".join("+".join(words) for words in named.values())


def _when(path: Path) -> _Frame:
    """ED, ES, or the last number of the name, else of the folder's; () where there is neither."""
    for text in (path.stem, path.parent.name):
        phase = re.search(r"(?<![a-z])(ed|es)(?![a-z])", text.lower())
        if phase:
            return _ED if phase[1] == "ed" else _ES
        numbers = re.findall(r"\d+", text)
        if numbers:
            return (int(numbers[-1]),)
    return ()


def _said(when: _Frame) -> str:
    return {_ED: "ED", _ES: "ES", (): "without a number"}.get(when, str(when[0]) if when else "")
