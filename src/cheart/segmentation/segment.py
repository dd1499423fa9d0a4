"""A cine image to label maps of its whole cycle, checked as label maps are at import."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.align.time import find_ed_es
from cheart.datasets.plausibility import examine
from cheart.datasets.recording import Recording, check_labels
from cheart.errors import InputError, show_warnings
from cheart.export.bids import write_label_file
from cheart.files import refuse_existing, write_json
from cheart.io.cine import Cine
from cheart.io.images import read_cine
from cheart.io.nifti import LABELS_SHA256, LabelMap, Spacing, sha256_of_labels, sidecar_path, write_labels
from cheart.labels import LV, SCHEMES, Scheme, parse_scheme, scheme_text, to_canonical
from cheart.provenance import provenance, without_places
from cheart.segmentation.engines import Engine, find_engine
from cheart.segmentation.flicker import FEWEST, changed, drop_specks, steady

_RESTLESS = 0.15
"""A frame of which more than this was another label before it was steadied is worth a look."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Label maps of a cine image, on its own voxels.

    Attributes:
        labels: [T, Z, Y, X] uint8, canonical labels.
        cine: the image.
        ed, es: frames of the largest and the least LV cavity, from 0; None where there is no LV cavity.
        changed: [T] the share of each frame's heart that steadying the cycle changed.
        about: how it was made, for the file beside the label maps.
        warnings: what a person should know before trusting it, one sentence each.
    """

    labels: NDArray[np.uint8]
    cine: Cine
    ed: int | None
    es: int | None
    changed: NDArray[np.float64]
    about: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write ``labels.nii.gz``, and beside it ``labels.json`` (how it was made) and ``labels.png`` (ED and ES).

        The label maps have the image's voxels, affine and time, and the labels 1 LV cavity, 2 myocardium, 3 RV cavity:
        ``cheart complete`` and ``cheart import nifti --scheme cheart`` read them.

        Raises:
            InputError: the name does not end with ``.nii.gz``, or one of the files is there and not to be replaced.
        """
        from cheart.plot.overlay import save_overlay

        path = Path(path)
        beside = sidecar_path(path)
        for file in (path, beside, beside.with_suffix(".png")):
            refuse_existing(file, overwrite=overwrite, file=True)
        write_labels(path, self.labels, self.cine.affine, frame_s=self.cine.frame_s)
        made = provenance()
        del made["command"]  # it may name a person
        write_json(beside, {LABELS_SHA256: sha256_of_labels(self.labels), **self.about, **made})
        write_label_file(path.parent)
        frames = {"End-diastole": self.ed, "End-systole": self.es}
        moments = {name: t for name, t in frames.items() if t is not None} or {"Frame": 0}
        save_overlay(beside.with_suffix(".png"), self.cine.values, self.labels, self.cine.spacing, moments)


def segment(
    source: Path | str,
    engine: str,
    *,
    scheme: str | Scheme | None = None,
    spacing: Spacing | None = None,
    raw: bool = False,
    unchecked: bool = False,
    demographics: bool = False,
    series: str | None = None,
    timeout_s: float = 3600.0,
) -> Segmentation:
    """Segment a cine image with a network of yours: every frame, joined, steadied along the cycle, and checked.

    Args:
        source: a NIfTI image of the whole cycle, or a folder of DICOM files (needs ``cheart[dicom]``).
        engine: ``nnunet:MODEL_FOLDER``, ``onnx:FILE`` (needs ``cheart[onnx]``) or ``command:"program {in} {out}"``
            (:mod:`cheart.segmentation.engines`).
        scheme: the network's label numbers; needed unless nnU-Net's dataset.json or the recipe beside the ONNX file
            says them, and refused where they say otherwise.
        spacing: which to believe where the image's affine and pixdim disagree.
        raw: as the network gave it: no specks taken away, no flicker smoothed.
        unchecked: labels that are no heart's are returned too, with a warning, to be corrected by hand.
        demographics, series: of DICOM files, as :func:`cheart.read_cine` takes them.
        timeout_s: that each run of a program may take, s.

    Raises:
        InputError: whatever reading the image, running the network and checking its labels refuse.
    """
    found = find_engine(engine)
    numbers = _agreed(found, scheme)
    cine = read_cine(source, spacing=spacing, demographics=demographics, series=series)
    given = to_canonical(found.run(cine, timeout_s), numbers)
    if given.shape != cine.values.shape:
        raise InputError(
            f"--with {engine}: gave label maps {given.shape} for an image {cine.values.shape} (T, Z, Y, X)"
        )
    labels = given if raw else steady(drop_specks(given), cine.spacing)
    warnings = [*cine.warnings, *_check(labels, cine, numbers, unchecked=unchecked)]
    ed, es = _ed_es(labels)
    moved = changed(given, labels)
    restless = np.flatnonzero(moved > _RESTLESS)
    if restless.size:
        warnings.append(
            f"frame {', '.join(map(str, restless))} (from 0) differed much from its neighbours and was steadied "
            f"({moved.max():.0%} of its labels changed): look at it"
        )
    show_warnings(warnings)
    about = {
        "Made": f"segmented by cheart with {without_places(engine)}",
        "Image": "DICOM" if Path(source).is_dir() else Path(source).name,
        "ImageSHA256": hashlib.sha256(np.ascontiguousarray(cine.values).tobytes()).hexdigest(),
        "NetworkScheme": scheme_text(numbers),
        "Steadied": not raw and cine.frames >= FEWEST,
        "ChangedByFrame": [round(float(share), 4) for share in moved],
        "EDFrame": ed,
        "ESFrame": es,
        "Warnings": warnings,
    }
    return Segmentation(labels, cine, ed, es, moved, about, tuple(warnings))


def _agreed(engine: Engine, scheme: str | Scheme | None) -> Scheme:
    if scheme is None:
        if engine.scheme is None:
            raise InputError(
                f"--with {engine.name}: which number is which structure? say it with --scheme, one of "
                f"{', '.join(SCHEMES)} or a map such as 1=lv,2=myo,3=rv"
            )
        return engine.scheme
    numbers = parse_scheme(scheme)
    if engine.scheme is not None and dict(engine.scheme) != dict(numbers):
        raise InputError(
            f"--scheme {scheme_text(numbers)}: the network itself says {scheme_text(engine.scheme)}; leave --scheme "
            "out, or mend what stands beside the network"
        )
    return numbers


def _check(labels: NDArray[np.uint8], cine: Cine, scheme: Scheme, *, unchecked: bool) -> list[str]:
    """Refuse what an importer would refuse, before anything is written; or say it, where that is wanted."""
    recording = Recording("segmentation", (), {}, header_time=False)
    try:
        heart = check_labels(LabelMap(labels, cine.affine, cine.frame_s), {}, recording, SCHEMES["cheart"])
        return [doubt.sentence for doubt in examine(heart, cine.conditions)[1]]
    except InputError as error:
        if not unchecked:
            raise InputError(
                f"what the network made of the image is refused: {error} (its labels were read as "
                f"{scheme_text(scheme)}). To look at it and correct it by hand, write it with --unchecked"
            ) from None
        return [f"the labels would be refused at import: {error}"]


def _ed_es(labels: NDArray[np.uint8]) -> tuple[int | None, int | None]:
    cavity = (labels == LV).sum((1, 2, 3)).astype(float)
    if not cavity.any():
        return None, None
    cavity[~labels.any((1, 2, 3))] = np.nan
    ed, es = find_ed_es(cavity)
    return ed, es if es != ed else None
