"""Flat views of a heart: label maps cut by a plane and drawn with smooth, anti-aliased edges, in mm.

Everything is shown as cardiac MR shows it: the RV on the left; anterior up in the short axis; the base up in the
long axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import COLOURS, LV, MYO, RV

INK, PAPER = (38, 38, 42), (255, 255, 255)
"""Red, green and blue of outlines and text, and of the background."""

Cut = Literal["short", "four_chamber", "two_chamber"]
Image = NDArray[np.uint8]
Field = NDArray[np.floating]

# template axis (0 z, 1 y, 2 x) that is cut, then image-up and image-right axes with the sign that points that way
_AXES: dict[Cut, tuple[int, int, int, int]] = {
    "short": (0, 1, 2, -1),
    "four_chamber": (1, 0, 2, -1),
    "two_chamber": (2, 0, 1, +1),
}

FADED = 0.30
"""Opacity of what was not imaged."""

PLANES: dict[str, float] = {"base": 0.25, "mid": 0.50, "apex": 0.80}
"""Short-axis planes as fractions of the LV's length from the base at end-diastole. The base descends by about a
sixth of the length, so that even the first still cuts the LV at end-systole."""

_SOFT_MM = 1.7
"""Smoothing, at least one voxel: enough to lose the staircase, and a circle of 20 mm radius loses 0.1 mm."""


@dataclass(frozen=True)
class Window:
    """The box in template mm that a figure shows: every heart in it is drawn to the same scale.

    Attributes:
        centre: (z, y, x) in mm.
        half: half the extent along z, y and x in mm.
    """

    centre: tuple[float, float, float]
    half: tuple[float, float, float]


def window_around(hearts: Sequence[Heart], margin: float = 6.0) -> list[Window]:
    """One window a heart, each centred on its own heart, all of the size that the largest one needs."""
    boxes = [_box(heart) for heart in hearts]
    half = np.max([(high - low) / 2 for low, high in boxes], axis=0) + margin
    half[1:] = half[1:].max()
    size = (float(half[0]), float(half[1]), float(half[2]))
    centres = [(low + high) / 2 for low, high in boxes]
    return [Window((float(c[0]), float(c[1]), float(c[2])), size) for c in centres]


def short_axis_planes(heart: Heart) -> dict[str, int]:
    """Indices along z of the :data:`PLANES`, fixed in space over the cycle; only planes imaged at ED.

    Raises:
        InputError: no imaged plane shows the LV at end-diastole.
    """
    lv = (heart.labels[0] == LV).any(axis=(1, 2)) & heart.observed[0]
    candidates = np.flatnonzero(lv)  # apex first
    if not candidates.size:
        raise InputError("no imaged plane shows the LV cavity at end-diastole: there is nothing to draw")
    base, apex = candidates[-1], candidates[0]
    return {
        name: int(candidates[np.abs(candidates - (base - f * (base - apex))).argmin()]) for name, f in PLANES.items()
    }


def long_axis_yx(heart: Heart) -> tuple[int, int]:
    """Indices along y and x of the LV long axis: the centroid of the LV at end-diastole."""
    _, y, x = np.nonzero(np.isin(heart.labels[0], (LV, MYO)) & heart.observed[0][:, None, None])
    return round(float(y.mean())), round(float(x.mean()))


def cut_image(heart: Heart, frame: int, cut: Cut, index: int, window: Window, px_per_mm: float) -> Image:
    """One frame cut by one plane.

    Args:
        heart: it.
        frame: which frame.
        cut: the kind of plane.
        index: which plane: of z for the short axis, of y for the four-chamber and of x for the two-chamber cut.
        window: the part to show, in mm.
        px_per_mm: resolution.

    Returns:
        [height, width, 3] uint8. What was not imaged is faded.
    """
    fields, imaged = cut_fields(heart, frame, cut, index, window, px_per_mm)
    return _paint(fields, imaged, px_per_mm)


def cut_fields(
    heart: Heart, frame: int, cut: Cut, index: int, window: Window, px_per_mm: float
) -> tuple[list[Field], NDArray[np.bool_]]:
    """The smooth fields behind a cut: of the RV, of the LV with its wall and of the LV cavity, inside above 0.5.

    Args: as for :func:`cut_image`.

    Returns:
        Three fields [height, width], and where the cut was imaged [height, width].
    """
    across, up, right, sign = _AXES[cut]
    plane = np.take(heart.labels[frame], index, across)
    seen = heart.observed[frame]
    rows = _pixel_mm(window, up, px_per_mm)[::-1]
    columns = _pixel_mm(window, right, px_per_mm)[::sign]
    axes = heart.grid.axes()
    v = np.interp(rows, axes[up], np.arange(len(axes[up])), left=-9, right=-9)
    u = np.interp(columns, axes[right], np.arange(len(axes[right])), left=-9, right=-9)
    if up == 0:  # z runs up the image: each row of voxels was imaged or was not
        stack = _has_gaps(seen)
        v = np.round(v) if stack else v
        imaged = seen[np.clip(np.round(v), 0, len(seen) - 1).astype(int)][:, None]
    else:
        stack, imaged = False, np.array([[seen[index]]])
    soft = [max(_SOFT_MM / heart.grid.spacing[axis], 1.0) for axis in (up, right)]
    sigma = (0.0 if stack else soft[0], soft[1])
    down, along = (_spline(at.tobytes(), n) for at, n in zip((v, u), plane.shape, strict=True))
    fields = [(down @ _soft(plane, labels, sigma) @ along.T).astype(np.float32) for labels in ((RV,), (LV, MYO), (LV,))]
    return fields, np.broadcast_to(imaged, fields[0].shape)


@lru_cache(maxsize=64)
def _spline(at: bytes, size: int) -> Field:
    """What a cubic spline through ``size`` samples is at positions (float64), [positions, size]; 0 beyond them.

    On a rectangular raster two of them are what ``map_coordinates`` would be asked for point by point.
    """
    positions = np.frombuffer(at)
    return map_coordinates(np.eye(size), np.meshgrid(positions, np.arange(size), indexing="ij"), order=3)


def coverage(field: Field) -> tuple[Field, Field]:
    """How much of each pixel lies inside the 0.5 level of a field, and how far the level is from it in pixels."""
    dy, dx = np.gradient(field)
    away = (field - 0.5) / np.maximum(np.hypot(dy, dx), 1e-3)
    return np.clip(away + 0.5, 0, 1), np.abs(away)


def _paint(fields: list[Field], imaged: NDArray[np.bool_], px_per_mm: float) -> Image:
    image = np.full((*fields[0].shape, 3), 255.0)
    strength = np.where(imaged, 1.0, FADED)[..., None]
    line = max(0.9, 0.35 * px_per_mm)
    for field, label in zip(fields, (RV, MYO, LV), strict=True):
        inside, away = coverage(field)
        fill = strength * np.array(COLOURS[label], float) + (1 - strength) * np.array(PAPER, float)
        image = _over(image, fill, inside)
        edge = np.clip(line / 2 + 0.5 - away, 0, 1) * (field > 0.02)
        image = _over(image, np.array(INK, float), edge * np.where(imaged, 0.9, 0.35))
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _over(image: Field, colour: Field, alpha: Field) -> Field:
    return image + (colour - image) * alpha[..., None]


def _soft(plane: NDArray[np.uint8], labels: tuple[int, ...], sigma: tuple[float, float]) -> Field:
    return gaussian_filter(np.isin(plane, labels).astype(np.float32), sigma, mode="constant")


def _has_gaps(seen: NDArray[np.bool_]) -> bool:
    """Whether planes between imaged planes were not imaged: a stack of slices, not a volume."""
    where = np.flatnonzero(seen)
    return bool(where.size) and not seen[where[0] : where[-1] + 1].all()


def _pixel_mm(window: Window, axis: int, px_per_mm: float) -> Field:
    n = max(2, round(2 * window.half[axis] * px_per_mm))
    return window.centre[axis] + (np.arange(n) - (n - 1) / 2) / px_per_mm


def _box(heart: Heart) -> tuple[Field, Field]:
    """Lowest and highest (z, y, x) in mm of anything in any frame."""
    anything = (heart.labels > 0).any(axis=0)
    if not anything.any():
        raise InputError("every frame is empty: there is nothing to draw")
    where = np.argwhere(anything)
    return _mm(heart, where.min(axis=0)), _mm(heart, where.max(axis=0))


def _mm(heart: Heart, index: NDArray[np.intp]) -> Field:
    """Template mm (z, y, x) of a voxel index (z, y, x)."""
    return np.array([axis[i] for axis, i in zip(heart.grid.axes(), index, strict=True)])
