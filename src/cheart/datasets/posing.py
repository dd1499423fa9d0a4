"""From label maps in a subject's own space to a heart in the template pose: one path for every source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.align.placement import Placement, fraction_cut, place
from cheart.align.pose import RigidTransform, find_pose, is_thick, long_axis, outflow_turn, slice_jitter
from cheart.align.resample import to_template
from cheart.align.slices import slice_shifts
from cheart.align.time import FramePlan, plan_frames
from cheart.conditions import Value
from cheart.datasets.plausibility import Doubt, examine
from cheart.datasets.recording import Recording, SourceLabels, read_source
from cheart.errors import InputError, show_warnings
from cheart.grid import Grid, check_size
from cheart.heart import Heart
from cheart.io.nifti import Spacing
from cheart.labels import LV, MYO, MYOCARDIUM_G_PER_ML, RV, Scheme, parse_scheme

MAX_CUT = 0.01
"""The fraction of a heart's volume at ED that may lie outside the grid's box."""

MIRRORED_DEG = -5.0
"""An outflow turn below this is a mirror image's; of ACDC's 100 hearts, once put right, one is below."""

RESTLESS_MM = 5.0
"""Slices that are so far off a line do not fit one another; of ACDC's 100 hearts, nine are above."""
MOVED_MM = 3.0
"""Slices that were moved in plane by more than this, in the mean, are worth a look."""


def read_heart(
    path: Path | str,
    *,
    scheme: str | Scheme = "cheart",
    spacing: Spacing | None = None,
    mirrored: bool = False,
    ed: int | None = None,
    es: int | None = None,
    cycle: float | None = None,
    es_file: Path | str | None = None,
    grid: str | Grid = "paper",
    frames: int = 20,
    align_slices: bool = True,
) -> Heart:
    """Read one NIfTI file (3D: end-diastole alone; 4D: a cycle) and bring it into the template pose.

    What looks wrong with it (a mirror image, slices that do not fit one another) stands in the heart's ``warnings``
    and is shown as :class:`cheart.errors.CheartWarning`.

    Args:
        path: the label map. One that cheart wrote in the template pose is taken as it is.
        scheme: its label numbers, by name (cheart, acdc, mnms, ukbb, ukdhp) or as a map such as ``1=lv,2=myo,3=rv``.
        spacing: which to believe where the header's affine and pixdim disagree: ``affine`` or ``pixdim``.
        mirrored: the header has the third axis the wrong way round, as ACDC's have.
        ed, es: frame numbers from 0; otherwise the frames of the largest and the least LV cavity.
        cycle: duration of the cycle in s, nan where it is not known, whatever the header says; None reads the header.
        es_file: a second label map of the same voxels, of end-systole, where ``path`` is end-diastole alone.
        grid: of the heart, by name or as a value: a model takes hearts on its own grid.
        frames: T, of the heart; the file's frames are resampled.
        align_slices: put the slices of a thick stack in line (:func:`lay_out`).

    Raises:
        InputError: whatever :func:`cheart.datasets.recording.read_source` and :func:`lay_out` refuse.
    """
    path, grid = Path(path), Grid.parse(grid)
    check_size(grid, frames)
    files = (path,) if es_file is None else (path, Path(es_file))
    if es_file is not None:
        ed, es = 0, 1
    recording = Recording(
        path.name, files, {}, ed=ed, es=es, cycle_s=cycle, header_time=cycle is None, spacing=spacing,
        mirrored=mirrored,
    )  # fmt: skip
    try:
        source = read_source(recording, parse_scheme(scheme))
        heart, _ = pose(source, grid=grid, frames=frames, align_slices=align_slices)
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from None
    show_warnings(heart.warnings)
    return heart


def lay_out(
    heart: SourceLabels,
    *,
    grid: Grid,
    frames: int,
    align_slices: bool = True,
    person: Mapping[str, Value] | None = None,
    strict: bool = False,
) -> tuple[Placement, FramePlan, dict[str, Any], tuple[Doubt, ...]]:
    """Find a heart's pose, its place on the grid and its frames, without resampling it yet.

    Whether it can be the heart of its owner, a ``person`` of whom perhaps something is known, is examined
    (:mod:`cheart.datasets.plausibility`); if ``strict``, doubts refuse it.

    Unless ``align_slices`` is false, slices that each have a plane of their own (more than
    :data:`cheart.align.pose.THICK_MM` apart, no closer than the grid's planes, not in the template pose yet) are put
    in line by what ED shows (:func:`cheart.align.slices.slice_shifts`); all frames of a slice are moved alike.

    Raises:
        InputError: more than :data:`MAX_CUT` of the heart's volume at ED lies outside the grid's box, or no person has
            such a heart.
    """
    examined, doubts = examine(heart, person or {}, strict=strict)
    ed = heart.labels[heart.ed]
    transform = RigidTransform.identity() if heart.observed is not None else find_pose(ed, heart.affine)
    z, y, x = ed.shape
    placement = place(transform, heart.affine, (z, y, x), grid, order=heart.order, mirrored=heart.mirrored)
    if align_slices and placement.planes is not None and heart.observed is None:
        shifts = slice_shifts(ed, heart.affine, placement.transform)
        placement = replace(
            placement, shifts=None if shifts is None else tuple((float(a), float(b)) for a, b in shifts)
        )
    cut = fraction_cut(ed, placement)
    if cut > MAX_CUT:
        raise InputError(
            f"{cut:.1%} of the heart at ED lies outside the box of the grid {grid.name} (at most {MAX_CUT:.0%}): "
            "choose a larger one, such as --grid 160x160x80@1.25x1.25x2, or leave the subject out with --skip-bad"
        )
    plan = plan_frames(heart.moments, ed=heart.ed, es=heart.es, frames=frames)
    return placement, plan, quality(heart, placement) | {"share_cut": cut} | examined, doubts


def pose(source: SourceLabels, *, grid: Grid, frames: int, **how: Any) -> tuple[Heart, dict[str, Any]]:
    """Bring a heart into the template pose, on the grid and to the frames wanted; arguments as in :func:`lay_out`.

    Returns:
        The heart, with its origin and warnings, and figures for a person to look over: those of :func:`quality` and of
        :func:`cheart.datasets.plausibility.examine`,
        ``share_cut`` (of the heart's volume at ED, outside the grid's box), ``planes_observed`` at ED and
        ``es_frame``, the frame of the heart that holds ES (nan where only ED was given).
    """
    placement, plan, figures, doubts = lay_out(source, grid=grid, frames=frames, **how)
    same = np.allclose(source.affine, grid.affine, atol=1e-4) and source.labels.shape[1:] == grid.shape
    if source.observed is not None and same and not any(mix and mix.fraction for mix in plan.mixes):
        labels, observed = _as_it_is(source, plan)
    else:
        labels, observed = to_template(source.labels, placement, plan)
        if source.observed is not None:
            observed &= _seen_before(source, placement, plan)
    figures |= {"planes_observed": int(observed[0].sum()), "es_frame": math.nan if plan.es is None else plan.es}
    warnings = (*(doubt.sentence for doubt in doubts), *_warnings(figures))
    return Heart(labels, observed, grid, source.cycle_s, warnings=warnings, origin=placement), figures


def _warnings(figures: dict[str, Any]) -> tuple[str, ...]:
    """What a person should look at before trusting the pose, one sentence each."""
    warnings = []
    if figures["outflow_turn_deg"] < MIRRORED_DEG:
        warnings.append(
            "the heart looks like a mirror image (its RV outflow tract lies posterior): has the header lost the "
            "slices' direction, as ACDC's have? then read it with mirrored=True (--mirrored)"
        )
    if figures["slice_shift_mm"] > MOVED_MM:
        warnings.append(
            f"slices that did not fit one another were moved in plane, {figures['slice_shift_mm']:.1f} mm in the mean: "
            "look at the picture; align_slices=False (--no-align-slices) leaves them"
        )
    elif not figures["slice_shift_mm"] and figures["slice_jitter_mm"] > RESTLESS_MM:
        warnings.append(
            f"the slices do not fit one another (their LV centres are {figures['slice_jitter_mm']:.1f} mm off a line): "
            "were they taken at different breath-holds?"
        )
    return tuple(warnings)


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
    unless the header mirrors the heart (:func:`cheart.align.pose.outflow_turn`); ``slice_jitter_mm`` how far off a
    straight line the slices' LV centres lie in the file, ``slice_shift_mm`` by how much slices were moved in plane
    (mean over those with LV or wall); ``off_centre_mm`` the distance of the heart from the middle of its file;
    ``rounding_mm`` how far a slice was moved to lie on a template plane.
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
        "slice_shift_mm": _mean_shift(heart, placement),
        "off_centre_mm": float(np.linalg.norm(centre - placement.transform.apply(middle))),
        "rounding_mm": placement.rounding_mm,
    }


def _mean_shift(heart: SourceLabels, placement: Placement) -> float:
    """Mean over the slices with LV or wall at ED, mm."""
    held = np.isin(heart.labels[heart.ed], (LV, MYO)).any((1, 2))
    return 0.0 if placement.shifts is None else float(np.hypot(*np.array(placement.shifts)[held].T).mean())
