"""A data set for training nnU-Net v2 on images, from anybody's images and label maps.

    imagesTr/patient001_frame01_0000.nii.gz    the image of one frame
    labelsTr/patient001_frame01.nii.gz         its labels: 1 LV cavity, 2 myocardium, 3 RV cavity
    dataset.json, splits_final.json            five folds that never part the frames of one subject
    cases.tsv                                  which file and frame each case is

As in the paper, a network is trained on the frames that are labelled (ED and ES) and used on all (``cheart segment``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cheart.cohort import write_table
from cheart.errors import InputError, show_warnings
from cheart.export.training_sets import folds_apart, nnunet_labels, nnunet_warnings
from cheart.files import new_folder, write_json
from cheart.io.images import read_cine
from cheart.io.nifti import Spacing, read_label_map, write_image, write_labels
from cheart.labels import Scheme, check_topology, parse_scheme, to_canonical
from cheart.progress import track

_LABELS = re.compile(r"_(gt|seg|dseg|labels?|mask)$", re.IGNORECASE)
_FRAME = re.compile(r"[_-](frame\d+|ed|es|t\d+|sa|sax)$", re.IGNORECASE)
_NAMED = 5


@dataclass(frozen=True)
class _Pair:
    """An image and its label map, and the name that they share."""

    name: str
    image: Path
    labels: Path

    @property
    def subject(self) -> str:
        """Whose they are: the name without what says which frame it is."""
        name = self.name
        while (shorter := _FRAME.sub("", name)) != name:
            name = shorter
        return name


def export_nnunet(
    images: Path | str,
    out: Path | str,
    *,
    labels: Path | str | None = None,
    scheme: str | Scheme,
    spacing: Spacing | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
) -> int:
    """Write a raw nnU-Net data set from images and label maps.

    A label map has its image's name, with or without ``_gt``, ``_seg``, ``_dseg``, ``_label`` or ``_mask`` at the end:
    ``patient001_frame01.nii.gz`` and ``patient001_frame01_gt.nii.gz``. Of files with several frames those become
    cases that have labels. Images without label maps are passed over.

    Args:
        images: the folder of images; folders in it are searched too.
        out: the folder to write, named ``DatasetNNN_Name`` as nnU-Net wants it.
        labels: the folder of label maps, if it is another.
        scheme: the label numbers.
        spacing: which to believe where affine and pixdim disagree.
        skip_bad: leave out pairs that cannot be used, with a warning, instead of refusing.
        overwrite: replace what is there.

    Returns:
        How many cases were written.

    Raises:
        InputError: no pairs; an image and its label map that are not on the same voxels; labels that are no heart's.
    """
    folder, numbers = Path(out), parse_scheme(scheme)
    pairs = _pairs(Path(images), Path(images if labels is None else labels))
    show_warnings(nnunet_warnings(folder))
    rows: list[dict[str, Any]] = []
    bad = []
    with new_folder(folder, overwrite=overwrite) as partial:
        (partial / "imagesTr").mkdir()
        (partial / "labelsTr").mkdir()
        for pair in track(pairs, total=len(pairs), title="Writing cases"):
            try:
                rows += _write_pair(partial, pair, numbers, spacing)
            except InputError as error:
                bad.append(f"{pair.name}: {error}")
        if bad and not (skip_bad and rows):
            more = f"\n  and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
            raise InputError(
                f"{len(bad)} of {len(pairs)} pairs cannot be used:\n  " + "\n  ".join(bad[:_NAMED]) + more
                + "\nMend them, or leave them out with --skip-bad"
            )  # fmt: skip
        write_table(partial / "cases.tsv", pd.DataFrame(rows))
        write_json(
            partial / "dataset.json",
            {
                "name": folder.name.split("_", 1)[-1],
                "channel_names": {"0": "cine MRI"},
                "labels": nnunet_labels(),
                "numTraining": len(rows),
                "file_ending": ".nii.gz",
            },
        )
        if folds := folds_apart(rows):
            write_json(partial / "splits_final.json", folds)
    show_warnings([f"left out {who}" for who in bad])
    return len(rows)


def _pairs(images: Path, labels: Path) -> list[_Pair]:
    def stems(folder: Path) -> dict[str, Path]:
        files = sorted(f for f in folder.glob("**/*") if f.name.endswith((".nii.gz", ".nii")) and f.name[0] != ".")
        return {f.name.removesuffix(".gz").removesuffix(".nii"): f for f in files}

    seen, there = stems(images), stems(labels)
    same = images.resolve() == labels.resolve()
    of = {_LABELS.sub("", stem): path for stem, path in there.items() if not same or _LABELS.search(stem)}
    pairs = [
        _Pair(stem, path, of[stem]) for stem, path in seen.items() if stem in of and not (same and _LABELS.search(stem))
    ]
    if not pairs:
        raise InputError(
            f"{images}: {len(seen)} NIfTI files, and none has a label map of its name (with _gt, _seg, _dseg, _label "
            f"or _mask at the end) in {labels}; say where the label maps are with --labels"
        )
    return pairs


def _write_pair(folder: Path, pair: _Pair, scheme: Scheme, spacing: Spacing | None) -> list[dict[str, Any]]:
    cine, stored = read_cine(pair.image, spacing=spacing), read_label_map(pair.labels, spacing=spacing)
    if cine.values.shape != stored.labels.shape or not np.allclose(cine.affine, stored.affine, atol=1e-2):
        raise InputError(
            f"the image is {cine.values.shape} (T, Z, Y, X) and the label map {stored.labels.shape}"
            + ("" if cine.values.shape != stored.labels.shape else ", with another affine")
            + "; give both on one grid"
        )
    labels = to_canonical(stored.labels, scheme)
    rows = []
    for t in range(len(labels)):
        if not labels[t].any():
            continue
        case = pair.name if len(labels) == 1 else f"{pair.name}_t{t:02d}"
        check_topology(labels[t], what=case)
        write_image(folder / "imagesTr" / f"{case}_0000.nii.gz", cine.values[t], cine.affine)
        write_labels(folder / "labelsTr" / f"{case}.nii.gz", labels[t], cine.affine)
        rows.append({"case": case, "participant_id": pair.subject, "frame": t, "image": pair.image.name})
    if not rows:
        raise InputError("the label map is empty; leave it out with --skip-bad")
    return rows
