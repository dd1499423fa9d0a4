"""A shaded three-dimensional view of a heart, in plain numpy: cavities seen through a translucent wall.

The volume is turned towards the viewer and looked through along one axis (orthographic ray casting): the first
crossing of the surface gives the depth, the field's gradient there the normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, find_objects, gaussian_filter, map_coordinates

from cheart.grid import Grid
from cheart.labels import COLOURS, LV, MYO, RV
from cheart.plot.views import PAPER, Field, Image, Window, coverage

AZIMUTH, ELEVATION = 25.0, 22.0
"""Degrees: seen from anterior, turned a little towards the RV, from a little above the base."""

_STEP_MM = 1.8
_SOFT_MM = 1.5
_CAP_MM = 2.5  # the cavities' flat tops lie in the wall's own top: this much nearer, they are drawn over it
_LIGHT = np.array([-0.35, 0.60, 0.72]) / np.linalg.norm([-0.35, 0.60, 0.72])  # right, up, towards the viewer
_OPACITY = {LV: (1.0, 1.0), RV: (0.95, 1.0), MYO: (0.30, 0.95)}  # seen face on, and at the rim


@dataclass(frozen=True)
class _Surface:
    colour: Field  # [H, W, 3]
    alpha: Field  # [H, W]
    depth: Field  # [H, W] mm from the viewer's side


def shaded_image(
    labels: NDArray[np.uint8],
    grid: Grid,
    window: Window,
    px_per_mm: float,
    *,
    azimuth: float = AZIMUTH,
    elevation: float = ELEVATION,
) -> Image:
    """One frame as a shaded solid, base up, RV on the left.

    Args:
        labels: [Z, Y, X] canonical labels.
        grid: the voxels.
        window: the heart's box; the view is square, and a heart (rounder than its box) fits from any side.
        px_per_mm: resolution.
        azimuth: degrees about the long axis, 0 seen from anterior, positive towards the RV.
        elevation: degrees above the horizon, 90 looks down on the base.

    Returns:
        [side, side, 3] uint8.
    """
    side = view_side_mm(window)
    turn = _view_axes(azimuth, elevation)
    surfaces = []
    for label, inside in ((LV, (LV,)), (RV, (RV,)), (MYO, (LV, MYO))):
        field = np.isin(labels, inside)
        if field.any():
            surfaces.append(_surface(_turned(field, grid, window, turn, side), label, side, px_per_mm))
    n = round(side * px_per_mm)
    return _compose(surfaces, n)


def view_side_mm(window: Window) -> float:
    """Side of the square view in mm."""
    z, y, x = window.half
    return 2 * float(max(1.05 * max(x, y), 0.93 * z + 0.30 * min(x, y)))


def _view_axes(azimuth: float, elevation: float) -> Field:
    """Rows: the viewer's depth (away), down and right directions in template (z, y, x)."""
    a, e = np.deg2rad(azimuth), np.deg2rad(elevation)
    towards = np.array([np.sin(e), np.cos(e) * np.cos(a), np.cos(e) * np.sin(a)])
    right = np.array([0.0, np.sin(a), -np.cos(a)])
    up = np.array([np.cos(e), -np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a)])
    return np.stack([-towards, -up, right])


def _turned(inside: NDArray[np.bool_], grid: Grid, window: Window, turn: Field, side: float) -> NDArray[np.float32]:
    """The smoothed indicator [depth, down, right] on a cube of ``side`` mm as the viewer has it."""
    spacing = np.array(grid.spacing)
    soft, first = _cropped(inside)
    soft = gaussian_filter(soft, np.maximum(_SOFT_MM / spacing, 0.9), mode="constant")
    offset_mm = np.array([axis[0] for axis in grid.axes()]) + first * spacing
    n = round(side / _STEP_MM)
    matrix = turn.T * _STEP_MM / spacing[:, None]
    centre = (np.array(window.centre) - offset_mm) / spacing
    return affine_transform(
        soft, matrix, centre - matrix @ np.full(3, (n - 1) / 2), output_shape=(n, n, n), order=1, prefilter=False
    )


def _cropped(inside: NDArray[np.bool_], margin: int = 4) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """The part that holds the structure with an empty margin, and the index of its first voxel."""
    (box,) = find_objects(inside.astype(np.uint8))
    return np.pad(inside[box], margin).astype(np.float32), np.array([part.start - margin for part in box])


def _surface(volume: NDArray[np.float32], label: int, side: float, px_per_mm: float) -> _Surface:
    within = volume > 0.5
    hit: NDArray[np.bool_] = np.any(within, axis=0)
    first = np.where(hit, within.argmax(axis=0), 1).clip(1, volume.shape[0] - 2)
    rows, columns = np.indices(hit.shape)
    here, before = volume[first, rows, columns], volume[first - 1, rows, columns]
    back = np.where(hit, (here - 0.5) / np.maximum(here - before, 1e-3), 0).clip(0, 1)
    normal = _normals(volume, first, hit)
    depth = gaussian_filter(np.where(hit, first - back, 0), 0.7) / np.maximum(gaussian_filter(hit * 1.0, 0.7), 1e-3)

    n = round(side * px_per_mm)
    at = (np.arange(n) + 0.5) / px_per_mm / _STEP_MM - 0.5
    grid = np.meshgrid(at, at, indexing="ij")
    finer = [map_coordinates(image, grid, order=1, mode="nearest") for image in (*normal, depth)]
    alpha, _ = coverage(map_coordinates(volume.max(axis=0), grid, order=3, mode="nearest"))
    colour, opacity = _lit(np.stack(finer[:3]), label)
    nearer = 0.0 if label == MYO else _CAP_MM / _STEP_MM
    return _Surface(colour, alpha * opacity, finer[3] - nearer)


def _normals(volume: NDArray[np.float32], first: NDArray[np.intp], hit: NDArray[np.bool_]) -> Field:
    """Unit normals [3 (right, up, towards), H, W] at the first crossing, continued a little beyond the rim."""
    rows, columns = np.indices(first.shape)
    n = volume.shape[1]
    down = volume[first, (rows + 1).clip(0, n - 1), columns] - volume[first, (rows - 1).clip(0, n - 1), columns]
    right = volume[first, rows, (columns + 1).clip(0, n - 1)] - volume[first, rows, (columns - 1).clip(0, n - 1)]
    away = volume[first + 1, rows, columns] - volume[first - 1, rows, columns]
    normal = np.stack([-right, down, away]) * hit
    normal = np.stack([gaussian_filter(component, 0.9) for component in normal])
    return normal / np.maximum(np.linalg.norm(normal, axis=0), 1e-6)


def _lit(normal: Field, label: int) -> tuple[Field, Field]:
    """Colour [H, W, 3] and opacity [H, W] of a surface under the light; a thin wall is denser at its rim."""
    normal = normal / np.maximum(np.linalg.norm(normal, axis=0), 1e-6)
    lambert = np.clip(np.tensordot(_LIGHT, normal, axes=1), 0, 1)
    half = _LIGHT + np.array([0, 0, 1.0])
    shine = np.clip(np.tensordot(half / np.linalg.norm(half), normal, axes=1), 0, 1) ** 40
    lit = np.array(COLOURS[label], float) * (0.50 + 0.55 * lambert)[..., None] + 45 * shine[..., None]
    face, rim = _OPACITY[label]
    return np.clip(lit, 0, 255), face + (rim - face) * (1 - np.clip(normal[2], 0, 1)) ** 1.6


def _compose(surfaces: list[_Surface], n: int) -> Image:
    """Lay the surfaces over each other, in every pixel the farthest first."""
    image = np.broadcast_to(np.array(PAPER, float), (n, n, 3)).copy()
    if not surfaces:
        return image.astype(np.uint8)
    order = np.argsort([-s.depth for s in surfaces], axis=0)
    colours, alphas = np.stack([s.colour for s in surfaces]), np.stack([s.alpha for s in surfaces])
    for layer in order:
        colour = np.take_along_axis(colours, layer[None, ..., None], 0)[0]
        alpha = np.take_along_axis(alphas, layer[None], 0)[0][..., None]
        image += (colour - image) * alpha
    return np.clip(np.round(image), 0, 255).astype(np.uint8)
