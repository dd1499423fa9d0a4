"""Names and colours of the labels for ITK-SNAP (*Segmentation > Import Label Descriptions*)."""

from __future__ import annotations

from pathlib import Path

from cheart.files import new_file
from cheart.labels import COLOURS, STRUCTURES, TITLES

LABEL_FILE = "itk-snap-labels.txt"
"""Lies beside every folder of label maps that cheart writes."""

_HEAD = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields:
#    IDX:   Zero-based index
#    -R-:   Red color component (0..255)
#    -G-:   Green color component (0..255)
#    -B-:   Blue color component (0..255)
#    -A-:   Label transparency (0.00 .. 1.00)
#    VIS:   Label visibility (0 or 1)
#    IDX:   Label mesh visibility (0 or 1)
#  LABEL:   Label description
################################################
    0     0    0    0        0  0  0    "Clear Label"
"""


def write_label_file(folder: Path) -> None:
    """Write :data:`LABEL_FILE` into a folder of label maps."""
    rows = []
    for name, number in STRUCTURES.items():
        red, green, blue = COLOURS[number]
        rows.append(f'{number:5d} {red:5d} {green:4d} {blue:4d}        1  1  1    "{TITLES[name]}"\n')
    with new_file(folder / LABEL_FILE) as partial:
        partial.write_text(_HEAD + "".join(rows), encoding="ascii")
