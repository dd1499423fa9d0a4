"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cheart.errors import InputError

if TYPE_CHECKING:
    from cheart.heart import Heart
    from cheart.model import Model
    from cheart.progress import Jobs

ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A folder of cheart train; bundled, the model that comes with cheart; or hf://owner/name."
    ),
]
OutFolder = Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Folder to write.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is at OUT.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Seed = Annotated[int, typer.Option("--seed", help="One seed, one result.")]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", help="Processes; -1 is one a core, as for cohorts without it. A GPU, or one person: 1."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="In place of --jobs: the workers of the Dask scheduler at tcp://HOST:PORT, which open the same paths.",
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda …")]
LabelScheme = Annotated[
    str, typer.Option("--scheme", help="The file's labels: cheart, ukbb, acdc, mnms, ukdhp, or 1=lv,2=myo,3=rv.")
]

Age = Annotated[str | None, typer.Option("--age", help="Years.")]
Sex = Annotated[str | None, typer.Option("--sex", help="F or M.")]
Weight = Annotated[str | None, typer.Option("--weight", help="kg.")]
Height = Annotated[str | None, typer.Option("--height", help="cm.")]
SBP = Annotated[str | None, typer.Option("--sbp", help="Systolic blood pressure, mmHg.")]
More = Annotated[list[str] | None, typer.Option("--with", help="Another condition of the model, as name=value.")]

SliceThickness = Annotated[float | None, typer.Option("--slice-thickness", help="Image slices of this thickness, mm.")]
SliceGap = Annotated[float, typer.Option("--slice-gap", help="Gap between slices, mm.")]
InPlane = Annotated[float | None, typer.Option("--in-plane", help="Pixel size of the slices, mm.")]
BreathHold = Annotated[float, typer.Option("--breath-hold", help="SD of each slice's shift in plane, mm.")]
MissingSlices = Annotated[
    int, typer.Option("--missing-slices", help="Up to so many slices missing at base and at apex.")
]
ContourDice = Annotated[
    float | None, typer.Option("--contour-dice", help="Contours that err: their Dice to the truth.")
]


def conditions(
    age: str | None, sex: str | None, weight: str | None, height: str | None, sbp: str | None, more: list[str] | None
) -> dict[str, str]:
    """The conditions that were given, by name, as text; the model's schema reads them.

    Raises:
        InputError: ``--with`` without a name and a value.
    """
    named = {"age": age, "sex": sex, "weight": weight, "height": height, "sbp": sbp}
    for item in more or []:
        name, found, value = item.partition("=")
        if not found or not name:
            raise InputError(f"--with {item!r}: expected name=value, such as group=DCM")
        named[name] = value
    return {name: value for name, value in named.items() if value is not None}


def open_model(model: str, device: str) -> Model:
    """Read a model onto a device."""
    from cheart.model import load
    from cheart.training.loop import choose_device

    return load(model, device=str(choose_device(device)))


def workers(jobs: int | None, scheduler: str | None, model: Model, *, many: bool = True) -> Jobs:
    """``--scheduler``, ``--jobs``, or else one a core where many hearts are at hand and no GPU does the work."""
    if scheduler is not None:
        return scheduler
    return jobs if jobs is not None else -1 if many and model.network.device.type == "cpu" else 1


def finish(folder: Path, shown: list[Heart], model: Model) -> None:
    """Draw the picture that goes with every result."""
    from cheart.plot.picture import save_picture

    save_picture(folder / "picture.png", shown, caption=f"Model {model.name}, trained on {model.trained_on}")


def report(out: Path, shown: list[Heart], model: Model, total: int, warnings: list[str]) -> dict[str, Any]:
    """The answer of a verb that makes hearts, for machines."""
    return {
        "result": str(out),
        "kind": shown[0].kind,
        "hearts": total,
        "trained_on": model.trained_on,
        "warnings": warnings,
        "first": {"conditions": dict(shown[0].conditions), "drawn": list(shown[0].drawn), **shown[0].phenotypes.row()},
    }


_NEXT = {
    "bids": "then phenotypes.tsv, and sub-*_dseg.nii.gz in ITK-SNAP",
    "nnunet": "then dataset.json and cases.tsv; the folder belongs into nnUNet_raw",
    "monai": "then dataset.json, which monai.data.load_decathlon_datalist reads, and cases.tsv",
}


def in_words(out: Path, shown: list[Heart], model: Model, total: int, form: str = "bids") -> str:
    """The answer of a verb that makes hearts, for people."""
    from cheart.conditions import describe

    first, schema = shown[0], model.encoding.schema
    lines = [
        f"{total} {first.kind} heart{'s' if total > 1 else ''} in {out}, by a {model.name} model trained on "
        f"{model.trained_on}.",
        f"The first: {describe(first.conditions, schema)}.",
    ]
    missing = [n for n in schema.names if first.conditions.get(n) is None]
    if first.drawn:
        lines.append(f"  drawn as the training cohort has them: {', '.join(first.drawn)}")
    if missing:
        lines.append(f"  told to the model as missing: {', '.join(missing)}")
    p = first.phenotypes
    lines.append(
        f"  LVEDV {p.lvedv:.0f} mL, LVESV {p.lvesv:.0f} mL, LVEF {p.lvef:.0f} %, LVM {p.lvm:.0f} g, "
        f"RVEDV {p.rvedv:.0f} mL, RVESV {p.rvesv:.0f} mL"
    )
    lines.append(f"Look at {out / 'picture.png'} first; {_NEXT[form]}.")
    return "\n".join(lines)
