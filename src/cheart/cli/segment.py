"""``cheart segment``: label maps of a cine image, by a network of yours; ``cheart dicom``: the cine image itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cheart.cli.options import AsJson, Overwrite, SpacingName

_Demographics = Annotated[
    bool, typer.Option("--demographics", help="Read age, sex, weight and height from the DICOM header; nothing else.")
]
_Series = Annotated[
    str | None, typer.Option("--series", help="Which DICOM series: its number, or words of its description.")
]


def segment(
    source: Annotated[
        Path, typer.Argument(metavar="CINE.nii.gz|DICOM_FOLDER", help="An image of the whole cycle, or DICOM files.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="LABELS.nii.gz", help="The label maps to write.")],
    engine: Annotated[
        str,
        typer.Option(
            "--with", metavar="ENGINE", help='nnunet:MODEL_FOLDER, onnx:FILE or command:"program {in} {out}".'
        ),
    ],
    scheme: Annotated[
        str | None,
        typer.Option("--scheme", help="The network's labels, unless it says them: acdc, ukbb …, or 1=lv,2=myo,3=rv."),
    ] = None,
    spacing: SpacingName = None,
    raw: Annotated[bool, typer.Option("--raw", help="As the network gave it: specks and flicker stay.")] = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Write labels that are no heart's too, to correct by hand.")
    ] = False,
    demographics: _Demographics = False,
    series: _Series = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds that a run of a program may take.")
    ] = 3600,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Segment a cine image: every frame by a network of yours, joined, without flicker, checked as at import."""
    import cheart
    from cheart.cli.console import answer
    from cheart.files import refuse_existing

    refuse_existing(out, overwrite=overwrite, file=True)
    made = cheart.segment(
        source, engine, scheme=scheme, spacing=spacing, raw=raw, unchecked=unchecked, demographics=demographics,
        series=series, timeout_s=timeout,
    )  # fmt: skip
    made.save(out, overwrite=overwrite)
    value = {
        "labels": str(out),
        "frames": made.cine.frames,
        "frame_s": made.cine.frame_s,
        "ed": made.ed,
        "es": made.es,
        "conditions": dict(made.cine.conditions),
        "warnings": list(made.warnings),
    }
    picture = out.with_name(out.name.removesuffix(".nii.gz") + ".png")
    given = _flags(made.cine.conditions)
    lines = [
        f"{made.cine.frames} frames in {out}; ED is frame {made.ed}, ES frame {made.es} (from 0).",
        f"Look at {picture} first; then cheart complete {out}{given} -o completed",
    ]
    answer(value, "\n".join(lines), as_json=as_json)


def dicom(
    source: Annotated[Path, typer.Argument(metavar="DICOM_FOLDER", help="DICOM files, in folders or not.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="CINE.nii.gz", help="The image to write.")],
    demographics: _Demographics = False,
    series: _Series = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Find the short-axis cine among DICOM files and write it as one 4D NIfTI image, without the patient's data."""
    import cheart
    from cheart.cli.console import answer, warn
    from cheart.files import refuse_existing

    refuse_existing(out, overwrite=overwrite, file=True)
    cine = cheart.read_cine(source, demographics=demographics, series=series)
    cine.save(out)
    for sentence in cine.warnings:
        warn(sentence)
    t, z, y, x = cine.values.shape
    value = {
        "image": str(out),
        "shape": [x, y, z, t],
        "spacing_mm": list(cine.spacing[::-1]),
        "frame_s": cine.frame_s,
        "conditions": dict(cine.conditions),
        "warnings": list(cine.warnings),
    }
    size = " × ".join(f"{s:.3g}" for s in cine.spacing[::-1])
    text = f"{out}: {t} frames of {z} slices, {size} mm, a frame every {1000 * cine.frame_s:.0f} ms."
    given = _flags(cine.conditions)
    answer(value, text + (f"\nOf its owner:{given}" if given else ""), as_json=as_json)


def _flags(conditions: Any) -> str:
    """Conditions as the options that cheart complete takes."""
    return "".join(f" --{name} {value:g}" if name != "sex" else f" --sex {value}" for name, value in conditions.items())
