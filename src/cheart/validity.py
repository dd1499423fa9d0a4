"""What makes label maps a heart: pieces, holes and contacts of its structures, and volumes over the cycle.

Connectivity is the usual pair of digital topology: of structures 26 (an island touches its structure not even by a
corner), of the background 6 (a hole reaches the outside through no face). With 6 for structures as well, the thin edge
of a right ventricle would be islands even where labels come from a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.labels import LV, RV, STRUCTURES, TITLES

WALL_TOLERANCE = 0.05
"""By what fraction of that of end-diastole the volume of the wall may change over the cycle: muscle is all but
incompressible, and simulated hearts are held to the same band."""

STROKE_TOLERANCE = 0.05
"""By how much of their mean the two stroke volumes of a healthy heart may differ: without shunt or leaking valve what
one ventricle ejects the other does. A heart is valid beyond it, since patients have both."""

SEAM_FRAMES = 8
"""Of fewer frames a cycle has no small steps among which a seam would stand out."""


@dataclass(frozen=True)
class Validity:
    """What was measured of one heart over its observed frames; nan is what cannot be known.

    Attributes:
        empty: frames that lack a structure.
        islands: of LV cavity, myocardium and RV cavity, pieces beside the largest (26-connected).
        island_voxels: how many voxels these have.
        holes: pieces of background (6-connected) that heart encloses.
        contacts: faces of LV cavity voxels on RV cavity; or on background, but towards the base, where it is open.
        ed_excess: by how much the fullest LV is larger than that of frame 0, as a fraction of the latter.
        wall_spread: the largest change of the wall's volume from frame 0, as a fraction of it.
        seam: volume step of a cavity from the last frame to the first over its largest step within the cycle, the
            larger of both cavities; nan unless all frames were observed and there are :data:`SEAM_FRAMES` or more.
        sv_difference: LVSV less RVSV over their mean; says nothing against a patient (:data:`STROKE_TOLERANCE`).
    """

    empty: int
    islands: tuple[int, int, int]
    island_voxels: int
    holes: int
    contacts: int
    ed_excess: float
    wall_spread: float
    seam: float
    sv_difference: float

    @property
    def failed(self) -> tuple[str, ...]:
        """What keeps it from being a heart, by attribute: none where it is valid."""
        wrong = {
            "empty": self.empty > 0,
            "islands": any(self.islands),
            "holes": self.holes > 0,
            "contacts": self.contacts > 0,
            "ed_excess": self.ed_excess > 0,
            "wall_spread": self.wall_spread > WALL_TOLERANCE,
            "seam": self.seam > 1,
        }
        return tuple(name for name, yes in wrong.items() if yes)

    @property
    def valid(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    @property
    def balanced(self) -> bool:
        """Whether both stroke volumes agree, as they do in the healthy."""
        return abs(self.sv_difference) <= STROKE_TOLERANCE

    def row(self) -> dict[str, Any]:
        """``valid`` (yes or no), ``failed`` (names, or none) and all attributes, islands by structure."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "islands"}
        by_structure = {f"islands_{name}": n for name, n in zip(STRUCTURES, self.islands, strict=True)}
        return (
            {"valid": "yes" if self.valid else "no", "failed": ",".join(self.failed) or "none"} | by_structure | values
        )

    def __str__(self) -> str:
        pieces = ", ".join(f"{n} of {TITLES[s]}" for s, n in zip(STRUCTURES, self.islands, strict=True) if n)
        words = {
            "empty": f"a structure is missing in {self.empty} frames",
            "islands": f"islands ({pieces}; {self.island_voxels} voxels)",
            "holes": f"{self.holes} enclosed holes",
            "contacts": f"{self.contacts} faces of the LV cavity without wall",
            "ed_excess": f"the fullest LV is {self.ed_excess:.1%} above that of frame 0",
            "wall_spread": f"the wall's volume changes by {self.wall_spread:.1%}",
            "seam": f"the step from the last frame to the first is {self.seam:.1f} times the largest of the others",
        }
        verdict = "valid" if self.valid else "not valid: " + "; ".join(words[name] for name in self.failed)
        if math.isfinite(self.sv_difference) and not self.balanced:
            verdict += f" (stroke volumes of LV and RV differ by {abs(self.sv_difference):.0%})"
        return verdict


def measure(labels: NDArray[np.uint8], curves: NDArray[np.floating], *, given: tuple[int, ...] = ()) -> Validity:
    """Measure a heart.

    Args:
        labels: [T, Z, Y, X] canonical labels.
        curves: [T, 3] in mL as :func:`cheart.phenotypes.volume_curves` gives them, nan in frames that were not
            observed; those do not count.
        given: frames that a model did not make. Their islands, holes and contacts, of which slices 8 mm apart have
            many, say nothing about it, and are not counted.
    """
    lv, wall, rv = np.asarray(curves, float).T
    seen = np.flatnonzero(np.isfinite(lv))
    made = np.setdiff1d(seen, given)
    topology = np.array([_topology(frame) for frame in cropped(labels[made])], int).reshape(-1, 7).sum(axis=0)
    empty, *islands, voxels, holes, contacts = (int(n) for n in topology)
    es = seen[np.argmin(lv[seen])]
    strokes = lv[0] - lv[es], rv[0] - rv[es]
    return Validity(
        empty=empty,
        islands=(islands[0], islands[1], islands[2]),
        island_voxels=voxels,
        holes=holes,
        contacts=contacts,
        ed_excess=_over(np.max(lv[seen]) - lv[0], lv[0]),
        wall_spread=_over(np.abs(wall[seen] - wall[0]).max(), wall[0]),
        seam=max(map(_seam, (lv, rv))) if len(seen) == len(lv) >= SEAM_FRAMES else math.nan,
        sv_difference=_over(strokes[0] - strokes[1], sum(strokes) / 2),
    )


def cropped(labels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Each frame [z, y, x] of [T, Z, Y, X], cut to the box that all need, with a margin of background around it."""
    present = labels.any(axis=0)
    spans = [np.flatnonzero(np.any(present, axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    if spans[0].size:
        box = tuple(slice(int(s[0]), int(s[-1]) + 1) for s in spans)
        yield from (np.pad(frame[box], 1) for frame in labels)
    else:
        yield from (np.zeros((3, 3, 3), np.uint8) for _ in labels)


@dataclass(frozen=True)
class Pieces:
    """The pieces of a frame, background among them.

    Attributes:
        ids: [z, y, x], of which piece each voxel is; each is 6-connected.
        label: [P], the canonical label of each piece; there is no piece 0.
        size: [P], voxels.
        group: [P], one number for those pieces of a structure that touch by edges or corners.
        main: [P] bool, of the largest group of each structure; of the background, the outside.
    """

    ids: NDArray[np.intp]
    label: NDArray[np.uint8]
    size: NDArray[np.intp]
    group: NDArray[np.intp]
    main: NDArray[np.bool_]


def find_pieces(frame: NDArray[np.uint8]) -> Pieces:
    """The pieces of a frame [z, y, x] around which there is a margin of background.

    Faces join voxels in one pass over all labels; then the few voxels of small pieces are tried for edges and corners.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from skimage.measure import label

    ids = label(frame, connectivity=1, background=-1)
    flat, values = ids.ravel(), frame.ravel()
    size = np.bincount(flat)
    owner = np.zeros(len(size), np.uint8)
    owner[flat] = values
    small = owner > 0
    for number in STRUCTURES.values():
        mine = np.flatnonzero(owner == number)
        small[mine[size[mine].argmax()] if mine.size else 0] = False
    group: NDArray[np.intp] = np.arange(len(size))
    if small.any():
        z, y, x = np.indices((3, 3, 3)).reshape(3, -1) - 1
        around = (z * frame.shape[1] + y) * frame.shape[2] + x
        here = np.flatnonzero(small[ids])
        there = here[:, None] + around
        same = values[there] == values[here, None]
        edges = flat[np.broadcast_to(here[:, None], there.shape)[same]], flat[there[same]]
        joined = coo_array((np.ones(len(edges[0])), edges), shape=(len(size), len(size)))
        group = connected_components(joined, directed=False)[1].astype(np.intp)
    main = np.zeros(len(size), bool)
    main[flat[0]] = True
    totals = np.bincount(group, size)
    for number in STRUCTURES.values():
        mine = np.flatnonzero(owner == number)
        if mine.size:
            main[mine] = group[mine] == group[mine[totals[group[mine]].argmax()]]
    return Pieces(ids, owner, size, group, main)


def _topology(frame: NDArray[np.uint8]) -> tuple[int, ...]:
    """Of a frame with a margin: whether a structure is missing, islands of each, their voxels, holes, contacts."""
    found = find_pieces(frame)
    islands = ~found.main & (found.label > 0)
    counts = [len(np.unique(found.group[islands & (found.label == number)])) for number in STRUCTURES.values()]
    holes = (~found.main & (found.label == 0))[1:].sum()
    empty = not set(STRUCTURES.values()) <= set(found.label[found.main].tolist())
    return (empty, *counts, found.size[islands].sum(), holes, int(contacts(frame).sum()))


def contacts(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of each voxel of a frame [z, y, x] but its margin, how many faces it has on the LV cavity that should be wall's.

    Those are the faces between LV cavity and RV cavity, and between LV cavity and background but towards the base.
    """
    cavity, inner = (frame == LV).view(np.uint8), (slice(1, -1),) * 3
    beside = np.zeros([n - 2 for n in frame.shape], np.uint8)
    for axis, step in ((1, 0), (1, 2), (2, 0), (2, 2), (0, 2)):
        beside += cavity[
            tuple(slice(step, n - 2 + step) if a == axis else slice(1, -1) for a, n in enumerate(frame.shape))
        ]
    below = cavity[:-2, 1:-1, 1:-1]
    other = frame[inner]
    return np.where(other == RV, beside + below, np.where(other == 0, beside, np.uint8(0)))


def _seam(curve: NDArray[np.float64]) -> float:
    steps = np.abs(np.diff(curve, append=curve[0]))
    return _over(steps[-1], steps[:-1].max())


def _over(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else math.nan
