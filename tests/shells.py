"""Surfaces whose volume is known: ellipsoids, whole or cut by planes."""

from __future__ import annotations

import numpy as np
import trimesh


def shell(
    radii: tuple[float, float, float], *, low: float = -1.0, high: float = 1.0, centre: tuple[float, ...] = (0, 0, 0),
    around: int = 72, along: int = 48,
) -> trimesh.Trimesh:  # fmt: skip
    """An ellipsoid's surface between two heights, as fractions of its upright radius; open where it is cut.

    Its volume between the heights, a disc on it, is π·a·b·c·((high − low) − (high³ − low³) / 3).
    """
    polar = np.linspace(np.arcsin(low), np.arcsin(high), along + 1)
    turn = np.arange(around) * 2 * np.pi / around
    p, t = (grid.ravel() for grid in np.meshgrid(polar, turn, indexing="ij"))
    points = np.stack([np.cos(p) * np.cos(t), np.cos(p) * np.sin(t), np.sin(p)], axis=1) * radii + np.array(centre)
    ring, step = np.arange(around), np.roll(np.arange(around), -1)
    rows = np.arange(along)[:, None] * around
    one = np.stack([rows + ring, rows + step, rows + around + step], -1)
    two = np.stack([rows + ring, rows + around + step, rows + around + ring], -1)
    return trimesh.Trimesh(points, np.concatenate([one, two]).reshape(-1, 3))


def volume(radii: tuple[float, float, float], *, low: float = -1.0, high: float = 1.0) -> float:
    """What :func:`shell` encloses, with planes where it is open."""
    return float(np.pi * np.prod(radii) * ((high - low) - (high**3 - low**3) / 3))
