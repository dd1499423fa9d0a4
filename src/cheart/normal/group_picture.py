"""A picture of where two groups differ: the common mesh, coloured by difference, pale where nothing is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import NDArray

from cheart.files import new_file
from cheart.mesh.surface import PARTS, WALL
from cheart.mesh.template import load_template
from cheart.plot.style import GREY, Sheet

if TYPE_CHECKING:
    from cheart.normal.groups import FieldDifference, GroupDifference

_SIDES = (("lateral", 180.0), ("septal", 0.0))  # degrees about z from which one looks
_PALE = 0.25


def save_group_picture(path: Path, found: GroupDifference) -> None:
    """Write it as PNG: a row a field, LV from the lateral and the septal side, RV from its free wall."""
    sheet = Sheet(7.4, 0.75 + 2.3 * len(found.fields))
    covariates = f", allowing for {', '.join(found.covariates)}" if found.covariates else ""
    sheet.text(0.15, 0.08, f"{found.by}: {found.groups[1]} less {found.groups[0]}{covariates}", size=10)
    of = f"{found.cohort['title']} ({found.cohort['kind']})"
    note = f"{of}; coloured where the false discovery rate is at most {found.rate:g}, pale elsewhere"
    sheet.text(0.15, 0.32, note, size=7.5, colour=GREY)
    for row, field in enumerate(found.fields):
        y = 0.6 + 2.3 * row
        top = float(np.nanpercentile(np.abs(field.difference), 98)) if np.isfinite(field.difference).any() else 1.0
        sheet.text(0.15, y, f"{field.title}, mm ({field.counts[0]} and {field.counts[1]} hearts)", size=8.5)
        left = ("lv_epicardium",) if field.name == "form" else ("lv_endocardium",)
        views = [(left, *side) for side in _SIDES]
        views += [] if field.name == "thickness" else [(("rv_endocardium",), "RV", 0.0)]
        for k, (parts, title, angle) in enumerate(views):
            axes = sheet.axes(0.2 + 2.05 * k, y + 0.32, 1.95, 1.85)
            _draw(axes, found, field, parts, angle, top)
            axes.set_title(title, fontsize=7, color=GREY, pad=0)
        bar = sheet.axes(6.6, y + 0.5, 0.12, 1.3)
        bar.imshow(np.linspace(1, -1, 64)[:, None], cmap="PuOr", aspect="auto", extent=(0, 1, -top, top))
        bar.set_xticks([])
        bar.yaxis.tick_right()
        bar.tick_params(labelsize=6.5, length=2)
    with new_file(path) as partial:
        sheet.figure.savefig(partial, format="png", dpi=140)


def _draw(
    axes: Axes, found: GroupDifference, field: FieldDifference, parts: tuple[str, ...], angle: float, top: float
) -> None:
    """Triangles that face the viewer, far ones first."""
    template = load_template()
    mean = found.shapes.mean(0)
    own = np.isin(template.part, [list(PARTS).index(p) for p in parts]) & (template.regions == WALL)
    faces = template.faces[own]
    turn = np.radians(angle)
    towards = np.array([np.cos(turn), np.sin(turn), 0.0])
    right = np.array([-np.sin(turn), np.cos(turn), 0.0])
    corners = mean[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    facing = normal @ towards > 0
    order = np.argsort((corners[facing].mean(1)) @ towards)
    shown = np.flatnonzero(facing)[order]
    flat = np.stack([corners[shown] @ right, corners[shown][..., 2]], axis=-1)
    colours = _colours(field, faces[shown], top, found.rate) * (0.72 + 0.28 * (normal[shown] @ towards))[:, None]
    axes.add_collection(PolyCollection(list(flat), facecolors=colours, edgecolors=colours, linewidths=0.3))
    axes.set_aspect("equal")
    axes.autoscale()
    axes.set_axis_off()


def _colours(field: FieldDifference, faces: NDArray[np.int32], top: float, rate: float) -> NDArray[np.float64]:
    """[F, 3] by the mean difference of each triangle's corners."""
    size = int(max(faces.max(), field.vertices.max())) + 1
    difference, called = np.full(size, np.nan), np.zeros(size)
    difference[field.vertices] = field.difference
    called[field.vertices] = field.q <= rate
    value, strong = difference[faces].mean(1), called[faces].mean(1) > 0.5
    rgb = np.array(colormaps["PuOr"](0.5 + np.nan_to_num(value) / (2 * max(top, 1e-9))))[:, :3]
    return np.where(strong[:, None], rgb, 0.93 + _PALE * (rgb - 0.93))
