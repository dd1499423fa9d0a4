"""One beating heart: label maps over the cycle, what of them was really observed, and where they came from."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Value, describe
from cheart.errors import InputError
from cheart.files import refuse_existing
from cheart.grid import Grid
from cheart.labels import LV, STRUCTURES
from cheart.phenotypes import TITLES, UNITS, Phenotypes, from_curves, volume_curves
from cheart.validity import Validity, measure

if TYPE_CHECKING:
    from cheart.align.placement import Placement
    from cheart.plot.style import Picture

Kind = Literal["imported", "simulated", "completed", "generated"]
"""What a heart is: it stands over every picture of one."""


@dataclass(frozen=True, eq=False, repr=False)
class Heart:
    """A periodic cardiac cycle of label maps in the template pose; frame 0 is end-diastole.

    Attributes:
        labels: [T, Z, Y, X] uint8, canonical labels (see :mod:`cheart.labels`).
        observed: [T, Z] bool, the planes that were really imaged. Content elsewhere is interpolated or empty:
            it may be looked at, but it is never scored.
        grid: the voxel grid.
        cycle_s: duration of the whole cycle in s, or nan where it is not known.
        kind: imported, simulated, completed from a first frame, or generated from conditions alone.
        conditions: of its owner, by name; None is missing. Of a heart that a model made: what the model was given.
        drawn: names of the conditions that nobody gave and that were drawn.
        seed: of the latent, None where none was drawn.
        warnings: what a person should know before trusting it, one sentence each.
        origin: where it lay in the subject's own space, None where it has none.
        given: frames that a model completed it from and that stand in it as they were.

    Raises:
        InputError: shapes that do not agree, labels above 3, nothing observed at end-diastole, a cycle outside
            0.3 to 2 s, or another kind.
    """

    labels: NDArray[np.uint8]
    observed: NDArray[np.bool_]
    grid: Grid
    cycle_s: float = float("nan")
    kind: Kind = "imported"
    conditions: Mapping[str, Value] = field(default_factory=dict)
    drawn: tuple[str, ...] = ()
    seed: int | None = None
    warnings: tuple[str, ...] = ()
    origin: Placement | None = None
    given: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        labels, observed = self.labels, self.observed
        if labels.ndim != 4 or labels.shape[1:] != self.grid.shape or labels.dtype != np.uint8:
            raise InputError(
                f"labels {labels.shape} {labels.dtype}: expected [T, Z, Y, X] uint8 on the grid {self.grid.shape}"
            )
        if observed.shape != labels.shape[:2] or observed.dtype != np.bool_:
            raise InputError(f"observed {observed.shape} {observed.dtype}: expected [T, Z] bool, {labels.shape[:2]}")
        if labels.size and labels.max() > 3:
            raise InputError(f"label {labels.max()}: canonical labels are 0 to 3 (translate with --scheme)")
        if not observed[0].any():
            raise InputError("nothing is observed in frame 0, which is end-diastole")
        if np.isfinite(self.cycle_s):
            check_cycle(self.cycle_s)
        if self.kind not in get_args(Kind):
            raise InputError(f"kind {self.kind!r}: expected one of {', '.join(get_args(Kind))}")

    @property
    def frames(self) -> int:
        """T, the number of frames in the cycle."""
        return int(self.labels.shape[0])

    @property
    def frame_s(self) -> float:
        """Time from one frame to the next in s (nan where the cycle's duration is not known)."""
        return self.cycle_s / self.frames

    @property
    def observed_frames(self) -> NDArray[np.intp]:
        """Indices of the frames of which at least one plane was imaged."""
        return np.flatnonzero(self.observed.any(axis=1))

    @cached_property
    def curves(self) -> NDArray[np.float64]:
        """Volume of LV cavity, myocardium and RV cavity in each frame, [T, 3] mL; nan where not observed or traced."""
        return np.where(self.traced, volume_curves(self.labels, self.grid, self.observed), np.nan)

    @cached_property
    def traced(self) -> NDArray[np.bool_]:
        """Which structures somebody drew in each frame, [T, 3]: of an imported heart the LV cavity, and what has
        a voxel there: a source that has more without exception says so, and is held to it when it is imported."""
        drawn = np.ones((self.frames, len(STRUCTURES)), bool)
        if self.kind == "imported":
            for k, number in enumerate(STRUCTURES.values()):
                drawn[:, k] = number == LV or (self.labels == number).any(axis=(1, 2, 3))
        return drawn

    @cached_property
    def phenotypes(self) -> Phenotypes:
        """Volumes, mass and function."""
        return from_curves(self.curves, cycle_s=self.cycle_s)

    @cached_property
    def validity(self) -> Validity:
        """Whether it is one a heart can be: islands, holes, contacts, and volumes over the cycle; of frames that were
        given, the volumes alone."""
        return measure(self.labels, self.curves, given=self.given)

    def save(
        self, path: Path | str, *, space: Literal["template", "subject"] = "template", overwrite: bool = False
    ) -> None:
        """Write the label maps as 4D NIfTI, whole or not at all.

        Args:
            path: ends with ``.nii.gz``. In the template pose a JSON file goes beside it, by which
                :func:`cheart.read_heart` takes the heart as it is.
            space: the template pose on the grid, or the subject's own space on the voxels of its file.
            overwrite: replace what is there.

        Raises:
            InputError: ``path`` exists and ``overwrite`` is false, or there is no space of the subject's own.
        """
        from cheart.export.bids import write_in_own_space, write_in_template

        refuse_existing(Path(path), overwrite=overwrite, file=True)
        if space == "template":
            write_in_template(Path(path), self, Made=f"{self.kind} by cheart")
        elif space == "subject":
            write_in_own_space(Path(path), self)
        else:
            raise InputError(f"space {space!r}: expected template or subject")

    def plot(self, *, title: str | None = None) -> Picture:
        """End-diastole and end-systole in four cuts, and the volume curves; ``title``: in place of the conditions."""
        from cheart.plot.picture import picture

        return picture([self], titles=None if title is None else [title])

    def animate(self, path: Path | str, *, title: str | None = None, overwrite: bool = False) -> None:
        """Write it as it beats: a shaded view, three cuts and the volume curves (.gif, .webp; .mp4 with ffmpeg).

        Raises:
            InputError: another suffix, or ``path`` exists and ``overwrite`` is false.
        """
        from cheart.plot.animation import save_animation

        save_animation(path, [self], titles=None if title is None else [title], overwrite=overwrite)

    def mesh(
        self,
        folder: Path | str,
        *,
        formats: Sequence[str] | None = None,
        correspondence: bool = False,
        resolution: float | None = None,
        solid: bool = False,
        rv_wall: float = 3.0,
        helix: tuple[float, float] = (60.0, -60.0),
        title: str | None = None,
        overwrite: bool = False,
    ) -> dict[str, Any]:
        """Write surfaces of both ventricles, or solids of their walls, in the template space (mm); see ``cheart mesh
        --help``.

        Args:
            folder: to be written.
            formats: any of stl, ply, vtp and glb (animated), which are the default; vtu and msh, the LV's wall as
                tetrahedra. Of solids any of vtu, msh and xdmf; the default is vtu and msh.
            correspondence: one surface deformed through the cycle: vertex i is the same place in every frame.
            resolution: length of a typical edge of surfaces, 0.8 to 10 mm; 2 where it is not given.
            solid: in place of surfaces, LV wall, septum and RV wall as tetrahedra: one mesh for all frames of all
                hearts, with named boundaries, fibres and quality.
            rv_wall: thickness in mm that a solid's RV wall has at end-diastole, 1 to 10.
            helix: angles of a solid's fibres at endocardium and epicardium in degrees, −90 to 90.
            title: goes into every file; without it, what the heart is and its conditions.
            overwrite: replace what is there.

        Returns:
            The manifest, which also is ``surfaces.json`` or ``solids.json``.

        Raises:
            InputError: another format, resolution, thickness or angle, ``folder`` exists and ``overwrite`` is false, or
                a resolution or correspondence of solids.
        """
        common: dict[str, Any] = {"frame_s": self.frame_s, "title": title or self._title, "overwrite": overwrite}
        if formats is not None:
            common["formats"] = formats
        if solid:
            from cheart.mesh.write_solids import save_solids

            if correspondence or resolution is not None:
                raise InputError(
                    "solids have one mesh, the same in every frame: leave out correspondence and resolution"
                )
            return save_solids(folder, self.labels, self.grid.affine, rv_wall=rv_wall, helix=helix, **common)
        from cheart.mesh.write import RESOLUTION_MM, save_surfaces

        return save_surfaces(
            folder, self.labels, self.grid.affine, correspondence=correspondence,
            resolution=RESOLUTION_MM if resolution is None else resolution, **common,
        )  # fmt: skip

    @property
    def _title(self) -> str:
        words = describe(self.conditions)
        return self.kind.capitalize() + (f": {words}" if words else "")

    def __repr__(self) -> str:
        cycle = f" of {self.cycle_s:g} s" if np.isfinite(self.cycle_s) else ""
        row = self.phenotypes.row()
        known = [
            f"{TITLES[name]} {row[name]:.0f} {UNITS[name]}"
            for name in ("lvedv", "lvesv", "lvef", "lvm", "rvedv")
            if np.isfinite(row[name])
        ]
        return f"<{self._title}; {self.frames} frames{cycle} on {self.grid.name},\n {', '.join(known)}>"

    def _repr_html_(self) -> str:
        """A picture and the phenotypes, for notebooks."""
        source = b64encode(self.plot()._repr_png_()).decode()
        row = self.phenotypes.row()
        heads = "".join(f"<th>{TITLES[name]} ({unit})</th>" for name, unit in UNITS.items())
        cells = "".join(f"<td>{row[name]:.4g}</td>" for name in UNITS)
        notes = "".join(f"<p>warning: {escape(text)}</p>" for text in self.warnings)
        return f'<img src="data:image/png;base64,{source}"/><table><tr>{heads}</tr><tr>{cells}</tr></table>{notes}'


def whole(labels: NDArray[np.uint8], grid: Grid, cycle_s: float = float("nan"), **about: Any) -> Heart:
    """A heart [T, Z, Y, X] of which every plane of every frame is observed; ``about`` it: more of its attributes."""
    return Heart(labels, np.ones(labels.shape[:2], bool), grid, cycle_s, **about)


def check_cycle(cycle_s: float) -> None:
    """Refuse a cardiac cycle that no heart has.

    Raises:
        InputError: outside 0.3 to 2 s (30 to 200 beats a minute).
    """
    if not 0.3 <= cycle_s <= 2.0:
        hint = "; is the time step in ms?" if 300 <= cycle_s <= 2000 else ""
        raise InputError(f"a cardiac cycle of {cycle_s:g} s is outside 0.3 to 2 s{hint}")
