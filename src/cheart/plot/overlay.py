"""Label maps drawn over their image, for a person to accept or to send back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cheart.files import new_file
from cheart.labels import LV, MYO, RV, hex_colour
from cheart.plot.style import GREY, Sheet, structure_legend

_COLUMNS = 8
_VIEW = 1.5  # inches
_GAP, _LEFT, _HEAD, _FOOT = 0.04, 0.3, 0.28, 0.3
_MARGIN_MM = 20.0
_DPI = 150


def save_overlay(
    path: Path | str,
    image: NDArray,
    labels: NDArray[np.uint8],
    spacing: tuple[float, float, float],
    moments: Mapping[str, int],
) -> None:
    """Draw some frames of a cine with the outlines of their labels, a row a frame, a column a slice.

    Args:
        path: a picture to write.
        image: [T, Z, Y, X] intensities.
        labels: [T, Z, Y, X] canonical labels.
        spacing: voxel size in mm along (Z, Y, X).
        moments: frames by what they are called, such as ``{"End-diastole": 0}``.
    """
    figure = overlay(image, labels, spacing, moments)
    with new_file(Path(path)) as partial:
        figure.savefig(partial, dpi=_DPI)


def overlay(
    image: NDArray, labels: NDArray[np.uint8], spacing: tuple[float, float, float], moments: Mapping[str, int]
) -> Figure:
    """The figure that :func:`save_overlay` writes: slices as the file has them, cut to the heart."""
    slices = _slices(labels)
    rows, columns = (_window(labels, axis, spacing[axis - 1]) for axis in (2, 3))
    height = _VIEW * (rows.stop - rows.start) * spacing[1] / ((columns.stop - columns.start) * spacing[2])
    sheet = Sheet(
        _LEFT + len(slices) * (_VIEW + _GAP) + 0.05, _HEAD + len(moments) * (height + _GAP) + _FOOT
    )  # fmt: skip
    for r, (name, t) in enumerate(moments.items()):
        low, high = np.percentile(image[t], (1, 99.5))
        y = _HEAD + r * (height + _GAP)
        sheet.figure.text(
            0.16 / sheet.width, 1 - (y + height / 2) / sheet.height, f"{name}, frame {t}", rotation=90, fontsize=7.5,
            va="center", ha="center",
        )  # fmt: skip
        for c, z in enumerate(slices):
            x = _LEFT + c * (_VIEW + _GAP)
            if r == 0:
                sheet.text(x + _VIEW / 2, 0.08, f"slice {z}", size=7.5, ha="center", colour=GREY)
            axes = sheet.axes(x, y, _VIEW, height)
            axes.imshow(image[t, z, rows, columns], cmap="gray", vmin=low, vmax=high, aspect="auto")
            _outline(axes, labels[t, z, rows, columns])
    structure_legend(sheet)
    return sheet.figure


def _outline(axes: Axes, labels: NDArray[np.uint8]) -> None:
    axes.set_axis_off()
    for number in (MYO, LV, RV):  # the cavities' lines over the wall's
        mask = labels == number
        if mask.any() and not mask.all():
            axes.contour(mask, levels=[0.5], colors=[hex_colour(number)], linewidths=0.9)


def _slices(labels: NDArray[np.uint8]) -> list[int]:
    """Slices with labels in any frame, evenly chosen where there are many; the middle ones where there are none."""
    seen = np.flatnonzero(labels.any(axis=(0, 2, 3)))
    if not seen.size:
        seen = np.arange(labels.shape[1])
    return [
        int(seen[i]) for i in np.unique(np.linspace(0, len(seen) - 1, min(_COLUMNS, len(seen))).round().astype(int))
    ]


def _window(labels: NDArray[np.uint8], axis: int, spacing: float) -> slice:
    seen = np.flatnonzero(labels.any(axis=tuple(a for a in range(4) if a != axis)))
    if not seen.size:
        return slice(0, labels.shape[axis])
    margin = round(_MARGIN_MM / spacing)
    return slice(max(0, int(seen[0]) - margin), min(labels.shape[axis], int(seen[-1]) + margin + 1))
