"""Any hearts beside each other in one page: in 3-D, as slices of their label maps, as curves, all linked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cheart.conditions import describe
from cheart.errors import InputError, show_warnings
from cheart.files import refuse_existing
from cheart.heart import Heart
from cheart.models.common_mesh import mesh_of
from cheart.pages.shell import packed, png_of, template_arrays, template_spans, write_page
from cheart.plot.collect import MOST, collect_all, models_behind

_STEP_MM = 0.005  # of vertices: 16 bits then reach 160 mm
_MARGIN = 4  # voxels around the heart in its slices


def view(
    sources: Heart | Path | str | Sequence[Heart | Path | str],
    out: Path | str,
    *,
    subjects: Sequence[str] = (),
    titles: Sequence[str] | None = None,
    overwrite: bool = False,
    **reading: Any,
) -> list[Heart]:
    """Write hearts as one page that opens in any browser, offline: 3-D, label slices and volume curves, linked.

    Args:
        sources: hearts; or label maps (NIfTI), folders of results, cohorts. One or several.
        out: ends with ``.html``.
        subjects: participants of cohorts and of folders of results.
        titles: what to call each heart; without them, the conditions.
        overwrite: replace what is there.
        reading: how a NIfTI file that cheart did not write is read (see :func:`cheart.read_heart`).

    Returns:
        The hearts that are shown, at most six.

    Raises:
        InputError: another suffix, ``out`` exists, no heart there, or a frame of one lacks a structure.
    """
    out = Path(out)
    refuse_existing(out, overwrite=overwrite, file=True)
    given = [sources] if isinstance(sources, (Heart, Path, str)) else list(sources)
    hearts: list[Heart] = []
    places = [Path(source) for source in given if not isinstance(source, Heart)]
    if len(places) == len(given):
        hearts = collect_all(places, subjects=subjects, **reading)
    else:
        for source in given:
            found = [source] if isinstance(source, Heart) else collect_all([Path(source)], subjects=subjects, **reading)
            hearts += found
    if titles and len(titles) != len(hearts):
        raise InputError(f"{len(titles)} titles (--title) for {len(hearts)} hearts: give one for each, or none")
    if not hearts:
        raise InputError("a page needs at least one heart")
    if len(hearts) > MOST:
        show_warnings([f"{len(hearts)} hearts are many for one page: the first {MOST} are shown"])
        hearts = hearts[:MOST]
    names = list(titles or [describe(heart.conditions) or f"heart {k + 1}" for k, heart in enumerate(hearts)])
    arrays, rows = template_arrays(), []
    for k, (heart, name) in enumerate(zip(hearts, names, strict=False)):
        row, own = _held(heart, name)
        rows.append(row)
        arrays |= {f"{array}.{k}": value for array, value in own.items()}
    title = names[0] if len(hearts) == 1 else f"{len(hearts)} hearts beside each other"
    about = {"hearts": rows, "spans": template_spans(), "caption": models_behind(places)}
    write_page(
        out, "view", title[:1].upper() + title[1:], about, arrays, picture=png_of(hearts[0]), overwrite=overwrite
    )
    return hearts


def _held(heart: Heart, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What the page holds of a heart: plain JSON values, and arrays."""
    frames = heart.observed_frames
    meshes = mesh_of(heart)[frames]
    labels = heart.labels[frames]
    spans = []
    for axis, n in zip((1, 2, 3), heart.grid.shape, strict=True):
        there = np.flatnonzero(labels.any(axis=tuple({0, 1, 2, 3} - {axis})))
        spans.append(slice(max(int(there[0]) - _MARGIN, 0), min(int(there[-1]) + _MARGIN + 1, n)))
    axes = [axis[span] for axis, span in zip(heart.grid.axes(), spans, strict=True)]
    row = heart.phenotypes.row()
    about = {
        "title": name,
        "kind": heart.kind,
        "frames": heart.frames,
        "imaged": frames.tolist(),
        "cycle": heart.cycle_s if math.isfinite(heart.cycle_s) else None,
        "box": [round(float(axis[end]), 4) for axis in axes[::-1] for end in (0, -1)],
        "curves": {key: [_known(v) for v in heart.curves[frames, i]] for i, key in enumerate(("lv", "myo", "rv"))},
        "phenotypes": {key: _known(value) for key, value in row.items()},
        "warnings": list(heart.warnings),
    }
    arrays = {
        "vertices": packed(meshes.reshape(len(frames), -1), scale=_STEP_MM, deflated=True),
        "labels": packed(labels[:, *spans], deflated=True),
    }
    return about, arrays


def _known(value: float) -> float | None:
    return round(float(value), 3) if math.isfinite(value) else None
