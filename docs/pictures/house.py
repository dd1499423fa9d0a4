"""The picture of the house, from its floors: ``python docs/pictures/house.py`` writes house.svg beside this file."""

from __future__ import annotations

from html import escape
from pathlib import Path

FLOORS: list[dict[str, str]] = [
    {"cli": "words to a call, results printed"},
    {"paper": "experiments, tables, figures, report"},
    {
        "evaluation": "how good is a model",
        "normal": "one person beside what is normal",
        "pages": "what opens in a browser",
    },
    {"model, completions, hearts": "what a person holds"},
    {"training": "loop, options, processes", "verify": "is it as it was written"},
    {"models": "registry, one interface, CHeart, baselines", "segmentation": "labels of cine images"},
    {"simulation": "simulated cohort, its audit", "plot": "pictures, animations"},
    {"datasets": "importers, the way into the template pose"},
    {"export": "BIDS, nnU-Net, MONAI", "mesh": "surfaces, tetrahedra"},
    {"cohort, cohort_table, population": "hearts and their owners", "metrics": "numpy in, numbers out"},
    {"align": "pose in space and time", "io": "NIfTI, the Hub"},
    {"heart, evidence, phenotypes, validity": "one beating heart, what is known of it, whether it can be one"},
    {"conditions": "who the owner is", "grid": "voxels", "labels": "structures"},
    {"progress, provenance, schemas, files, assignments, errors": "work in several processes, files that are whole or not there"},
]
"""From the top: rooms and what each is for. A room imports from floors beneath its own only; tests/test_architecture.py
holds the code to it."""


def floor_of() -> dict[str, int]:
    """The floor of each package and module, 0 at the top."""
    return {name: i for i, floor in enumerate(FLOORS) for room in floor for name in room.split(", ")}


def draw() -> str:
    """The picture as SVG."""
    width, height, gap, left = 820, 46, 14, 40
    parts = []
    for i, floor in enumerate(FLOORS):
        y = 20 + i * (height + gap)
        box = (width - gap * (len(floor) - 1)) / len(floor)
        for k, (names, what) in enumerate(floor.items()):
            x = left + k * (box + gap)
            parts.append(
                f'<rect x="{x:.0f}" y="{y}" width="{box:.0f}" height="{height}" rx="6" class="room"/>'
                f'<text x="{x + box / 2:.0f}" y="{y + 19}" class="name">{escape(names)}</text>'
                f'<text x="{x + box / 2:.0f}" y="{y + 36}" class="what">{escape(what)}</text>'
            )
    bottom = 20 + len(FLOORS) * (height + gap)
    rows = {name: 20 + i * (height + gap) + height / 2 for name, i in floor_of().items()}
    x = left + width
    parts.append(f'<path d="M18 24 V{bottom - 22}" class="down" marker-end="url(#tip)"/>')
    parts.append(f'<text transform="translate(12 {bottom / 2}) rotate(-90)" class="what">imports go down only</text>')
    curve = (
        f"M{x} {rows['heart']:.0f} C{x + 70} {rows['heart']:.0f} {x + 70} {rows['plot']:.0f} {x + 6} {rows['plot']:.0f}"
    )
    parts.append(f'<path d="{curve}" class="up" marker-end="url(#tip)"/>')
    middle = (rows["heart"] + rows["plot"]) / 2
    for line, text in enumerate(("the one exception:", "plot, save, mesh", "of a heart")):
        parts.append(f'<text x="{x + 62}" y="{middle - 14 + 15 * line:.0f}" class="note">{text}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {x + 180} {bottom}" font-family="sans-serif">'
        "<style>.room{fill:#f6f1e7;stroke:#8a7b5c}.name{font-size:14px;font-weight:600;text-anchor:middle;fill:#222}"
        ".what{font-size:11.5px;text-anchor:middle;fill:#555}.note{font-size:11.5px;fill:#555}"
        ".down,.up{fill:none;stroke:#8a7b5c;stroke-width:1.5}.up{stroke-dasharray:5 4}</style>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#8a7b5c"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )


if __name__ == "__main__":
    (Path(__file__).parent / "house.svg").write_text(draw(), encoding="utf-8")
