"""Any hearts beside each other in one page: in 3-D, as slices of their label maps, as curves, all linked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import describe
from cheart.errors import InputError, show_warnings
from cheart.files import refuse_existing
from cheart.heart import Heart
from cheart.mesh.template import load_template
from cheart.models.common_mesh import mesh_of
from cheart.pages.shell import packed, png_of, template_arrays, template_spans, write_page
from cheart.plot.collect import MOST, collect, collect_all, models_behind

_STEP_MM = 0.005  # of vertices: 16 bits then reach 160 mm
_MIDDLE = (0.05, 0.95)
_SHELLS = 20  # draws that are meshed: each takes seconds
_MARGIN = 4  # voxels around the heart in its slices


def view(
    sources: Heart | Path | str | Sequence[Heart | Path | str],
    out: Path | str,
    *,
    subjects: Sequence[str] = (),
    titles: Sequence[str] | None = None,
    draws: Mapping[int, Sequence[Heart]] | None = None,
    overwrite: bool = False,
    **reading: Any,
) -> list[Heart]:
    """Write hearts as one page that opens in any browser, offline: 3-D, label slices and volume curves, linked.

    Args:
        sources: hearts; or label maps (NIfTI), folders of results, cohorts. One or several.
        out: ends with ``.html``.
        subjects: participants of cohorts and of folders of results.
        titles: what to call each heart; without them, the conditions.
        draws: of hearts, by their number from 0, what else is possible: samples of a completion. The middle 90 % of
            them is a band around the curves and a halo around the cavities. A folder of ``cheart complete -n`` brings
            its own.
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
    places = [Path(source) for source in given if not isinstance(source, Heart)]
    hearts: list[Heart] = []
    possible = dict(draws or {})
    if len(places) == len(given) and not any(map(_is_distribution, places)):
        hearts = collect_all(places, subjects=subjects, **reading)
    else:
        for source in given:
            if not isinstance(source, Heart) and _is_distribution(Path(source)):
                best, *possible[len(hearts)] = _all_of(Path(source), **reading)
                hearts.append(best)
            elif isinstance(source, Heart):
                hearts.append(source)
            else:
                hearts += collect_all([Path(source)], subjects=subjects, **reading)
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
        row, own = _held(heart, name, possible.get(k, ()))
        rows.append(row)
        arrays |= {f"{array}.{k}": value for array, value in own.items()}
    title = names[0] if len(hearts) == 1 else f"{len(hearts)} hearts beside each other"
    about = {"hearts": rows, "spans": template_spans(), "caption": models_behind(places)}
    write_page(
        out, "view", title[:1].upper() + title[1:], about, arrays, picture=png_of(hearts[0]), overwrite=overwrite
    )
    return hearts


def _is_distribution(place: Path) -> bool:
    """Whether a folder is of ``cheart complete -n``: the best heart first, then samples of what else is possible."""
    return (place / "intervals.json").is_file()


def _all_of(folder: Path, **reading: Any) -> list[Heart]:
    names = sorted(path.name.split("_")[0] for path in folder.glob("sub-*_dseg.nii.gz"))
    return collect(folder, subjects=names, **reading)


def _held(heart: Heart, name: str, draws: Sequence[Heart]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
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
    if draws:
        curves = np.quantile([draw.curves[frames] for draw in draws], _MIDDLE, axis=0)
        about["band"] = {
            key: {side: [_known(v) for v in curves[end, :, i]] for end, side in enumerate(("low", "high"))}
            for i, key in enumerate(("lv", "myo", "rv"))
        }
        about["draws"] = len(draws)
        halo = _halo(meshes, [mesh_of(draw)[frames] for draw in draws[:_SHELLS]])
        arrays["halo"] = packed(halo.reshape(len(frames), -1), scale=_STEP_MM, deflated=True)
    return about, arrays


def _halo(meshes: NDArray[np.float64], others: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """How far out the surfaces reach in all but 5 % of draws: meshes [T, V, 3], moved along their normals."""
    template, out = load_template(), meshes.copy()
    for t, mesh in enumerate(meshes):
        for part, span in template.spans.items():
            normals = template.surface(mesh, part).normals
            along = np.stack([((other[t] - mesh)[span] * normals).sum(axis=1) for other in others])
            out[t, span] += np.maximum(np.quantile(along, _MIDDLE[1], axis=0), 0)[:, None] * normals
    return out


def _known(value: float) -> float | None:
    return round(float(value), 3) if math.isfinite(value) else None
