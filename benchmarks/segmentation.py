"""What a segmentation network comes to on ACDC's patients whose images are at hand, and what steadying a cycle changes.

    python -m benchmarks.segmentation ACDC/training --with onnx:tiramisu_acdc_fp32.onnx
    python -m benchmarks.segmentation ACDC/training --cycle label.nii.gz --patient 21 --scheme 1=myo,2=lv,3=rv

The first segments ED and ES of each patient who has images and prints Dice to the experts' labels. The second takes
label maps of a whole cycle, segmented frame by frame, and prints how rough its volumes are and how near ED and ES are
to the experts', before and after (:func:`cheart.segmentation.flicker.steady`); and Dice to what was there of the same
cycle with errors put in: each frame moved by up to a pixel, and a slice lost in every fifth.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.io.cine import Cine
from cheart.io.images import read_cine
from cheart.io.nifti import read_label_map
from cheart.labels import SCHEMES, parse_scheme, to_canonical
from cheart.metrics.overlap import dice
from cheart.segmentation.flicker import changed, drop_specks, steady
from cheart.segmentation.segment import segment


def _files(patient: Path) -> list[Path]:
    """The label maps of ED and ES, in the order of time: ED is frame 1 in all but a few, whose ES comes later too."""
    return sorted(patient.glob("*_gt.nii.gz"))


def _experts(patient: Path) -> NDArray[np.uint8]:
    each = [read_label_map(path, spacing="pixdim").labels for path in _files(patient)]
    return to_canonical(np.concatenate(each), SCHEMES["acdc"])


def dice_of_engine(folder: Path, engine: str) -> dict[str, NDArray[np.float64]]:
    """[2, 3] Dice at ED and ES by patient."""
    found = {}
    for patient in sorted(folder.glob("patient*")):
        images = [path.with_name(path.name.replace("_gt", "")) for path in _files(patient)]
        if not images or not all(path.is_file() for path in images):
            continue
        cines = [read_cine(path, spacing="pixdim") for path in images]
        with TemporaryDirectory() as place:
            both = Cine(np.concatenate([cine.values for cine in cines]), cines[0].affine)
            both.save(Path(place) / "cine.nii.gz")
            made = segment(Path(place) / "cine.nii.gz", engine, unchecked=True)
        found[patient.name] = dice(_experts(patient), made.labels)
        print(patient.name, found[patient.name].round(3).tolist(), flush=True)
    return found


def flicker(path: Path, scheme: str, patient: Path) -> None:
    """Print what steadying one cycle does to it."""
    stored = read_label_map(path, spacing="pixdim")
    given, experts = to_canonical(stored.labels, parse_scheme(scheme)), _experts(patient)
    moments = [int(file.name.split("_frame")[1][:2]) - 1 for file in _files(patient)]
    calm = steady(drop_specks(given), stored.spacing)
    print(f"changed: {changed(given, calm).mean():.1%} of the labels")
    for name, labels in (("given", given), ("steadied", calm)):
        ml = np.stack([(labels == n).sum((1, 2, 3)) for n in (1, 2, 3)], 1) * np.prod(stored.spacing) / 1000
        rough = np.abs(np.roll(ml, 1, 0) - 2 * ml + np.roll(ml, -1, 0)).mean(0)
        print(
            f"{name}: second difference {rough.round(2)} mL, LV {ml[:, 0].min():.1f} to {ml[:, 0].max():.1f} mL,",
            end="",
        )
        print(f" Dice at ED and ES {dice(experts, labels[moments]).round(3).tolist()}")
    rng, spoilt = np.random.default_rng(0), given.copy()
    for t in range(len(given)):
        spoilt[t] = np.roll(given[t], rng.integers(-1, 2, 2), (1, 2))
    for t in rng.choice(len(given), len(given) // 5, replace=False):
        spoilt[t, int(rng.integers(2, given.shape[1] - 2))] = 0
    for name, labels in (("spoilt", spoilt), ("steadied", steady(drop_specks(spoilt), stored.spacing))):
        print(f"{name}: Dice to what was given {dice(given, labels).mean(0).round(3)}")


def main() -> None:
    """Print one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--with", dest="engine")
    parser.add_argument("--cycle", type=Path)
    parser.add_argument("--patient", type=int, default=21)
    parser.add_argument("--scheme", default="cheart")
    words: Any = parser.parse_args()
    if words.cycle is not None:
        flicker(words.cycle, words.scheme, words.folder / f"patient{words.patient:03d}")
        return
    mean = np.mean(list(dice_of_engine(words.folder, words.engine).values()), axis=0)
    for name, row in zip(("end-diastole", "end-systole"), mean, strict=True):
        print(f"| {name} | {' | '.join(f'{d:.3f}' for d in row)} | {row.mean():.3f} |")


if __name__ == "__main__":
    main()
