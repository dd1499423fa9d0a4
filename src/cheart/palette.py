"""The colours of the structures, defined once for pictures, meshes and label descriptions.

Red-orange and blue are the pair that every common colour blindness keeps apart; the myocardium between them is a light
sand, which differs from both in lightness too (in grey: 40, 80 and 34 %).
"""

from __future__ import annotations

from cheart.labels import LV, MYO, RV

COLOURS: dict[int, tuple[int, int, int]] = {LV: (204, 62, 36), MYO: (234, 200, 150), RV: (20, 104, 176)}
"""Red, green and blue, 0 to 255, per canonical label."""

INK = (38, 38, 42)
"""Outlines and text."""

PAPER = (255, 255, 255)
"""Background."""


def hex_colour(label: int) -> str:
    """A structure's colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[label])
