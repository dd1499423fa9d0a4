"""Folders of label maps as the sources lay them out, from analytic hearts, for tests of importing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cheart.align.pose import RigidTransform
from cheart.cohort import Cohort
from cheart.datasets.importing import import_cohort
from cheart.datasets.recording import Source
from cheart.datasets.registry import importer
from hearts import CENTRE, random_motion, sample, volume_around

THICK = (10.0, 2.0, 2.0)
ACDC_INFO = "ED: 1\nES: 12\nGroup: NOR\nHeight: 180.0\nNbFrame: 30\nWeight: 80.0\n"


def import_source(source: Source, out: Path, **options: object) -> Cohort:
    """``import_cohort`` of what an importer has listed already."""
    importer("listed")(lambda folder: source)
    return import_cohort("listed", "", out, **options)  # type: ignore[arg-type]


def stack(
    *, seed: int = 0, shrinks: tuple[float, ...] = (0.0,), spacing: tuple[float, float, float] = THICK, tilt: float = 0
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Canonical labels [T, Z, Y, X] of a moved heart, and the affine."""
    motion: RigidTransform = random_motion(np.random.default_rng(seed), tilt=tilt)
    affine, shape = volume_around(motion, spacing)
    return np.stack([sample(motion, affine, shape, shrink=s) for s in shrinks]), affine


def save(
    path: Path,
    labels: NDArray[np.uint8],
    affine: NDArray[np.floating],
    *,
    renumber: Mapping[int, int] | None = None,
    step_s: float | None = None,
) -> Path:
    """Write [T, Z, Y, X] or [Z, Y, X] as NIfTI, in another scheme if told."""
    image = nib.Nifti1Image(_renumbered(labels, renumber).T, affine)
    image.header.set_xyzt_units("mm", "sec" if step_s else "unknown")
    if step_s:
        image.header["pixdim"][4] = step_s
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


def acdc_patient(
    folder: Path, name: str, *, turn_deg: float = 0.0, info: str = ACDC_INFO, swap: Mapping[int, int] | None = None
) -> Path:
    """One patient as ACDC has it: two files, labels 1 RV, 2 myocardium, 3 LV, slices from base to apex.

    The header has a bare diag(−1, −1, 1), the voxel size in pixdim alone, and so a heart turned into its mirror image.
    """
    sizes = np.array([2.0, 2.0, 10.0])
    true = np.diag([*(-sizes), 1.0])
    true[:3, 3] = (80.0, 80.0, 55.0)
    rotation = Rotation.from_euler("z", turn_deg, degrees=True).as_matrix()
    motion = RigidTransform.from_parts(rotation, CENTRE - rotation @ CENTRE)
    for frame, shrink in ((1, 0.0), (12, 0.3)):
        labels = np.array([0, 3, 2, 1], np.uint8)[sample(motion, true, (11, 80, 80), shrink=shrink)]
        image = nib.Nifti1Image(_renumbered(labels, swap).T, np.diag([-1.0, -1, 1, 1]))
        image.header["pixdim"][1:4] = sizes
        path = folder / name / f"{name}_frame{frame:02d}_gt.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(image, path)
    (folder / name / "Info.cfg").write_text(info)
    return folder / name


def _renumbered(labels: NDArray[np.uint8], numbers: Mapping[int, int] | None) -> NDArray[np.uint8]:
    out = labels.copy()
    for was, now in (numbers or {}).items():
        out[labels == was] = now
    return out
