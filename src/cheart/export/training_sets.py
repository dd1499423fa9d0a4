"""Sets of label maps for training other networks: nnU-Net v2 and MONAI.

A dataset that nnU-Net takes as it is, in a folder ``DatasetNNN_Name``:

    imagesTr/sub-001_t00_0000.nii.gz, _0001, _0002   what was seen: LV cavity, myocardium and RV cavity, 0 or 1 each
    labelsTr/sub-001_t00.nii.gz                      the whole heart: 1 LV cavity, 2 myocardium, 3 RV cavity
    imagesTs, labelsTs                               the same of the test hearts
    dataset.json, splits_final.json

One channel a structure, so that nnU-Net's resampling and augmentation mix memberships and not label numbers. The
channels are named ``noNorm``, which is how nnU-Net is told to leave intensities alone.

A dataset list that MONAI reads (``monai.data.load_decathlon_datalist``), and the label maps behind it:

    images/sub-001_t00.nii.gz   what was seen of the heart: 1 LV cavity, 2 myocardium, 3 RV cavity
    labels/sub-001_t00.nii.gz   the whole heart
    dataset.json                {"training": [{"image", "label"}, …], "validation": […], "test": […]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cheart.cohort import Split
from cheart.files import write_json
from cheart.heart import Heart
from cheart.io.nifti import write_labels
from cheart.labels import STRUCTURES, TITLES

_FOLDS = 5


def nnunet_warnings(folder: Path) -> list[str]:
    """nnU-Net knows a dataset by its folder's name: what to do where it is another than ``DatasetNNN_Name``."""
    if re.fullmatch(r"Dataset\d{3}_\w+", folder.name):
        return []
    return [f"nnU-Net takes folders named such as Dataset501_Hearts in its nnUNet_raw: rename {folder.name} before use"]


def write_nnunet_cases(
    folder: Path, cases: Mapping[str, int], split: Split, *, seen: Heart, whole: Heart
) -> list[Path]:
    """Write a heart's cases: three images and a label map for each imaged frame. Returns the files."""
    end = "Ts" if split == "test" else "Tr"
    images, labels, affine = folder / f"images{end}", folder / f"labels{end}", whole.grid.affine
    for place in (images, labels):
        place.mkdir(exist_ok=True)
    files = []
    for case, frame in cases.items():
        maps = {labels / f"{case}.nii.gz": whole.labels[frame]}
        for channel, number in enumerate(STRUCTURES.values()):
            maps[images / f"{case}_{channel:04d}.nii.gz"] = (seen.labels[frame] == number).astype("u1")
        for path, voxels in maps.items():
            write_labels(path, voxels, affine, space="template")
        files += list(maps)
    return files


def write_nnunet_lists(folder: Path, cases: Sequence[Mapping[str, Any]], *, title: str) -> None:
    """Write ``dataset.json``, and ``splits_final.json`` with folds that never part the frames of one heart."""
    training = [case for case in cases if case["split"] != "test"]
    names = [TITLES[name] for name in STRUCTURES]
    write_json(
        folder / "dataset.json",
        {
            "name": folder.name.split("_", 1)[-1],
            "description": f"{title}. Images: what was seen of each heart, one channel a structure "
            f"({', '.join(names)}), 0 or 1. Labels: the whole heart.",
            "channel_names": {str(channel): "noNorm" for channel in range(len(names))},
            "labels": nnunet_labels(),
            "numTraining": len(training),
            "file_ending": ".nii.gz",
        },
    )
    if folds := folds_apart(training):
        write_json(folder / "splits_final.json", folds)


def nnunet_labels() -> dict[str, int]:
    """What ``dataset.json`` says of the numbers."""
    return {"background": 0, **{TITLES[name]: number for name, number in STRUCTURES.items()}}


def folds_apart(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, list[str]]]:
    """nnU-Net's folds, which never part the cases of one participant; none where there is one participant only."""
    subjects = list(dict.fromkeys(case["participant_id"] for case in cases))
    if len(subjects) < 2:
        return []
    count = min(_FOLDS, len(subjects))
    fold = {subject: i % count for i, subject in enumerate(subjects)}
    return [
        {
            "train": [case["case"] for case in cases if fold[case["participant_id"]] != k],
            "val": [case["case"] for case in cases if fold[case["participant_id"]] == k],
        }
        for k in range(count)
    ]


_KEYS = {"training": "train", "validation": "val", "test": "test"}


def write_monai_cases(folder: Path, cases: Mapping[str, int], split: Split, *, seen: Heart, whole: Heart) -> list[Path]:
    """Write a heart's cases: an image and a label map for each imaged frame. Returns the files."""
    files = []
    for kind, heart in (("images", seen), ("labels", whole)):
        (folder / kind).mkdir(exist_ok=True)
        for case, frame in cases.items():
            files.append(folder / kind / f"{case}.nii.gz")
            write_labels(files[-1], heart.labels[frame], heart.grid.affine, space="template")
    return files


def write_monai_lists(folder: Path, cases: Sequence[Mapping[str, Any]], *, title: str) -> None:
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
