"""A dataset list that MONAI reads (``monai.data.load_decathlon_datalist``), and the label maps behind it.

images/sub-001_t00.nii.gz   what was seen of the heart: 1 LV cavity, 2 myocardium, 3 RV cavity
labels/sub-001_t00.nii.gz   the whole heart
dataset.json                {"training": [{"image", "label"}, …], "validation": […], "test": […]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cheart.cohort import Split
from cheart.files import write_json
from cheart.heart import Heart
from cheart.io.nifti import write_labels
from cheart.labels import STRUCTURES, TITLES

_KEYS = {"training": "train", "validation": "val", "test": "test"}


def write_cases(folder: Path, cases: Mapping[str, int], split: Split, *, seen: Heart, whole: Heart) -> None:
    """Write a heart's cases: an image and a label map for each imaged frame."""
    for kind, heart in (("images", seen), ("labels", whole)):
        (folder / kind).mkdir(exist_ok=True)
        for case, frame in cases.items():
            write_labels(folder / kind / f"{case}.nii.gz", heart.labels[frame], heart.grid.affine, space="template")


def write_lists(folder: Path, cases: Sequence[Mapping[str, Any]], *, title: str) -> None:
    """Write ``dataset.json``."""
    lists = {
        key: [
            {"image": f"images/{case['case']}.nii.gz", "label": f"labels/{case['case']}.nii.gz"}
            for case in cases
            if case["split"] == split
        ]
        for key, split in _KEYS.items()
    }
    labels = {"0": "background", **{str(number): TITLES[name] for name, number in STRUCTURES.items()}}
    counts = {"numTraining": len(lists["training"]), "numTest": len(lists["test"])}
    write_json(folder / "dataset.json", {"name": title, "tensorImageSize": "3D", "labels": labels, **counts, **lists})
