"""From label maps in a subject's own space to a posed sequence, and back: one path for every source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.align.placement import Placement, place, share_cut
from cheart.align.pose import find_pose, is_thick, long_axis, outflow_turn, slice_jitter
from cheart.align.resample import to_source, to_template
from cheart.align.rigid import RigidTransform
from cheart.align.time import FramePlan, plan_frames
from cheart.datasets.recording import Recording, SourceLabels, read_source
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.heart import Heart
from cheart.io.nifti import Spacing, write_labels
from cheart.labels import LV, MYO, MYOCARDIUM_G_PER_ML, RV, Scheme

MAX_CUT = 0.01
"""The share of a heart's volume at ED that may lie outside the grid's box."""

MIRRORED_DEG = -5.0
"""An outflow turn below this is a mirror image's; of ACDC's 100 hearts, once put right, one is below."""

_MYOCARDIUM_G_PER_ML = 1.05
_JITTER_MM = 5.0  # of ACDC's 100 hearts, nine are above


@dataclass(frozen=True, eq=False)
class Posed:
    """A subject's heart in the template pose, and the way back to its own space.

    Attributes:
        sequence: on the grid, frame 0 = ED.
        placement: where it came from.
        es: the frame of the sequence that holds ES, or None where only ED was given.
        quality: figures for a person to look over (see :func:`quality`).
    """

    sequence: Heart
    placement: Placement
    es: int | None
    quality: dict[str, Any]

    @property
    def warnings(self) -> list[str]:
        """What a person should look at before trusting the pose, one sentence each."""
        warnings = []
        if self.quality["outflow_turn_deg"] < MIRRORED_DEG:
            warnings.append(
                "the heart looks like a mirror image (its RV outflow tract lies posterior): has the header lost the "
                "slices' direction, as ACDC's have? then read it with --mirrored"
            )
        if self.quality["slice_jitter_mm"] > _JITTER_MM:
            warnings.append(
                f"the slices do not fit one another (their LV centres are {self.quality['slice_jitter_mm']:.1f} mm off "
                "a line): were they taken at different breath-holds?"
            )
        return warnings

    def to_own_space(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Labels [T, Z, Y, X] (or one frame) on the grid, brought back to the voxels of the subject's own file."""
        return to_source(labels, self.placement)

    def write_own_space(self, path: Path | str, labels: NDArray[np.uint8], *, frame_s: float = float("nan")) -> None:
        """Write labels [T, Z, Y, X] on the grid as NIfTI in the subject's own space, on its own voxels."""
        write_labels(path, self.to_own_space(labels), self.placement.stored_affine, frame_s=frame_s, space="subject")


def pose_file(
    path: Path | str,
    *,
    scheme: Scheme,
    grid: Grid,
    frames: int,
    ed: int | None = None,
    es: int | None = None,
    cycle_s: float | None = None,
    spacing: Spacing | None = None,
    mirrored: bool = False,
) -> Posed:
    """Read one NIfTI file (3D: ED alone; 4D: a cycle) and bring it into the template pose.

    Args:
        path: the label map.
        scheme: its label numbers (:func:`cheart.labels.parse_scheme`).
        grid, frames: of the sequence wanted, such as a model's.
        ed, es: frame numbers from 0; otherwise the frames of the largest and the least LV cavity.
        cycle_s: duration of the cycle in s, nan where it is not known, whatever the header says; None reads the header.
        spacing: which to believe where affine and pixdim disagree.
        mirrored: the header has the third axis the wrong way round, as ACDC's have.

    Raises:
        InputError: whatever :func:`cheart.datasets.recording.read_source` and :func:`lay_out` refuse.
    """
    path = Path(path)
    recording = Recording(
        path.name, (path,), {}, ed=ed, es=es, cycle_s=cycle_s, header_time=cycle_s is None, spacing=spacing,
        mirrored=mirrored,
    )  # fmt: skip
    try:
        return pose(read_source(recording, scheme), grid=grid, frames=frames)
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from None


def lay_out(heart: SourceLabels, *, grid: Grid, frames: int) -> tuple[Placement, FramePlan, dict[str, Any]]:
    """Find a heart's pose, its place on the grid and its frames, without resampling it yet.

    Raises:
        InputError: more than :data:`MAX_CUT` of the heart's volume at ED lies outside the grid's box.
    """
    ed = heart.labels[heart.ed]
    transform = RigidTransform.identity() if heart.observed is not None else find_pose(ed, heart.affine)
    z, y, x = ed.shape
    placement = place(transform, heart.affine, (z, y, x), grid, order=heart.order, mirrored=heart.mirrored)
    cut = share_cut(ed, placement)
    if cut > MAX_CUT:
        raise InputError(
            f"{cut:.1%} of the heart at ED lies outside the box of the grid {grid.name} (at most {MAX_CUT:.0%}): "
            "choose a larger one, such as --grid 160x160x80@1.25x1.25x2, or leave the subject out with --skip-bad"
        )
    plan = plan_frames(heart.moments, ed=heart.ed, es=heart.es, frames=frames)
    return placement, plan, quality(heart, placement) | {"share_cut": cut}


def pose(heart: SourceLabels, *, grid: Grid, frames: int) -> Posed:
    """Bring a heart into the template pose, on the grid and to the frames wanted."""
    placement, plan, figures = lay_out(heart, grid=grid, frames=frames)
    same = np.allclose(heart.affine, grid.affine, atol=1e-4) and heart.labels.shape[1:] == grid.shape
    if heart.observed is not None and same and not any(mix and mix.share for mix in plan.mixes):
        labels, observed = _as_it_is(heart, plan)
    else:
        labels, observed = to_template(heart.labels, placement, plan)
        if heart.observed is not None:
            observed &= _seen_before(heart, placement, plan)
    figures["planes_observed"] = int(observed[0].sum())
    return Posed(Heart(labels, observed, grid, heart.cycle_s), placement, plan.es, figures)


def _as_it_is(heart: SourceLabels, plan: FramePlan) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Label maps on the very grid that is wanted are taken voxel by voxel."""
    assert heart.observed is not None
    labels = np.zeros((len(plan.mixes), *heart.labels.shape[1:]), np.uint8)
    observed = np.zeros(labels.shape[:2], bool)
    for t, mix in enumerate(plan.mixes):
        if mix is not None:
            labels[t], observed[t] = heart.labels[mix.first], heart.observed[mix.first]
    return labels, observed


def _seen_before(heart: SourceLabels, placement: Placement, plan: FramePlan) -> NDArray[np.bool_]:
    """[T, Z]: of label maps in the template pose on another grid, the planes nearest to observed ones."""
    assert heart.observed is not None
    heights = placement.heights
    nearest = np.abs(np.arange(placement.grid.shape[0])[:, None] - heights[None]).argmin(1)
    seen = np.zeros((len(plan.mixes), placement.grid.shape[0]), bool)
    for t, mix in enumerate(plan.mixes):
        if mix is not None:
            seen[t] = heart.observed[mix.first][nearest] & heart.observed[mix.second][nearest]
    return seen


def quality(heart: SourceLabels, placement: Placement) -> dict[str, Any]:
    """Figures of one subject: volumes from its own voxels, what was imaged, and what the pose changed.

    ``turn_deg`` is the angle of the rotation from the scanner's axes; ``tilt_deg`` the angle between the slices'
    normal and the LV long axis (taken away in a dense volume, left in a thick stack); ``outflow_turn_deg`` is positive
    unless the header mirrors the heart (:func:`cheart.align.pose.outflow_turn`); ``off_centre_mm`` the distance
    of the heart from the middle of its file; ``rounding_mm`` how far a slice was moved to lie on a template plane.
    """
    es = heart.es if heart.es != heart.ed else None
    volumes = {
        f"{name}{phase}v_ml": math.nan if frame is None else heart.volume_ml(frame, label)
        for phase, frame in (("ed", heart.ed), ("es", es))
        for name, label in (("lv", LV), ("rv", RV))
    }
    cavity = np.argwhere(heart.labels[heart.ed] == LV)[:, ::-1] @ heart.affine[:3, :3].T
    normal = np.cross(heart.affine[:3, 0], heart.affine[:3, 1])
    cosine = abs(long_axis(cavity, heart.affine) @ normal) / np.linalg.norm(normal)
    middle = heart.affine[:3, :3] @ ((np.array(placement.shape[::-1]) - 1) / 2) + heart.affine[:3, 3]
    centre = placement.transform.apply(cavity.mean(0) + heart.affine[:3, 3])
    return {
        **volumes,
        "lvef_percent": 100 * (1 - volumes["lvesv_ml"] / volumes["lvedv_ml"]),
        "lvm_g": heart.volume_ml(heart.ed, MYO) * MYOCARDIUM_G_PER_ML,
        "frames_labelled": len(heart.labels),
        "slices": placement.shape[0],
        "slice_spacing_mm": placement.spacing[0],
        "in_plane_mm": placement.spacing[1],
        "kept_as_slices": "yes" if is_thick(heart.affine) else "no",
        "outflow_turn_deg": outflow_turn(heart.labels[heart.ed], heart.affine, placement.transform),
        "turn_deg": placement.transform.angle_deg,
        "tilt_deg": float(np.degrees(np.arccos(np.clip(cosine, 0, 1)))),
        "slice_jitter_mm": slice_jitter(cavity, heart.affine),
        "off_centre_mm": float(np.linalg.norm(centre - placement.transform.apply(middle))),
        "rounding_mm": placement.rounding_mm,
    }
